"""Receipts: money recorded without items, applied to items, and taken back from them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from paydown.desk.instructions import Refused, refuse, refuse_for
from paydown.desk.reading import Reading, read_entry_id
from paydown.desk.reversals import Undo, read_posting, save_reversal
from paydown.desk.work import Answer, Draft, Work, answer
from paydown.domain import allocating
from paydown.domain.allocating import Allocated, AllocationFacts, Share
from paydown.domain.charging import judge_amount
from paydown.domain.desk_refusals import DeskRefusal, Objection
from paydown.domain.lines import PostingKey
from paydown.domain.model import Kind, Posting
from paydown.enquiries.receipts import find_receipt
from paydown.storage import creations, moves, reference
from paydown.wire.v1 import orders

_OWN_LINE = 1
"""The number of a receipt's one posting."""


class Money(NamedTuple):
    """What came in, from whom, how and when."""

    contact_id: str
    tender_type_id: int
    amount: Decimal
    value: tuple[int, str]
    reference: str | None
    authorization_code: str | None
    notes: str | None


class Shares(NamedTuple):
    """Parts of a receipt to apply. Without ``value`` it is now."""

    receipt_id: str
    shares: tuple[Share, ...]
    value: tuple[int, str] | None


class Return(NamedTuple):
    """An allocation of a receipt to take back."""

    receipt_id: str
    undo: Undo


def read_money(order: orders.NewReceipt, time_zone: str) -> Money | Refused:
    """What came in."""
    reading = Reading(time_zone)
    money = Money(
        contact_id=reading.guid("contact_id", order.contact_id),
        tender_type_id=order.tender_type_id,
        amount=reading.amount("amount", order.amount),
        value=reading.instant("value_at", order.value_at),
        reference=order.reference,
        authorization_code=order.authorization_code,
        notes=order.notes,
    )
    return reading.refused() or money


def read_shares(receipt_id: str, order: orders.Allocations, time_zone: str) -> Shares | Refused:
    """What is to be applied of a receipt."""
    reading = Reading(time_zone)
    shares = tuple(
        Share(line.billing_id, reading.amount(f"lines/{index}/amount", line.amount))
        for index, line in enumerate(order.lines)
    )
    value = reading.optional(reading.instant, "value_at", order.value_at)
    return reading.refused() or Shares(receipt_id, shares, value)


def read_return(receipt_id: str, order: orders.Unallocation, time_zone: str) -> Return | Refused:
    """What is to be taken back of a receipt."""
    undo = read_posting(order.allocation_id, order, time_zone)
    return undo if isinstance(undo, Refused) else Return(receipt_id, undo)


def record(work: Work, money: Money) -> Answer | Refused:
    """Record what came in, all of it unapplied."""
    posting = _judge(work, money)
    if isinstance(posting, Objection):
        return refuse_for(posting)
    entry = work.save(
        Draft(
            Kind.RECEIPT,
            money.value,
            (posting,),
            contact_id=money.contact_id,
            tender_type_id=money.tender_type_id,
            notes=money.notes,
        )
    )
    moves.add_receipt(work.connection, entry)
    return _tell(work, entry.entry_id, (), status=201)


def allocate(work: Work, asked: Shares) -> Answer | Refused:
    """Apply parts of a receipt to items: all of them, or none."""
    receipt_entry_id = read_entry_id(asked.receipt_id)
    receipt = moves.find_receipt(work.connection, work.customer_id, receipt_entry_id)
    if receipt is None:
        return refuse(DeskRefusal.unknown_receipt)
    if moves.find_reversed_lines(work.connection, work.customer_id, receipt_entry_id, [_OWN_LINE]):
        return refuse(DeskRefusal.receipt_reversed)
    billing_ids = [share.billing_id for share in asked.shares]
    work.hold(billing_ids)
    items = moves.find_items(work.connection, work.customer_id, billing_ids)
    value = asked.value or max(work.now, (receipt.value_at, receipt.value_written))
    if value[0] < receipt.value_at:
        return refuse_for(Objection(DeskRefusal.value_before_receipt, "/value_at"))
    facts = AllocationFacts(work.customer.minor_digits, receipt, items)
    allocated = allocating.allocate(asked.shares, facts)
    if not isinstance(allocated, Allocated):
        return refuse_for(*allocated)
    entry = work.save(
        Draft(Kind.ALLOCATION, value, allocated.postings, contact_id=receipt.contact_id)
    )
    moves.add_allocations(work.connection, entry, receipt_entry_id)
    moves.move_items(work.connection, work.customer_id, allocated.effects)
    used = {receipt_entry_id: sum(allocated.effects.values())}
    moves.move_receipts(work.connection, work.customer_id, used)
    made = [PostingKey(entry.entry_id, each.line_no) for each in entry.postings]
    return _tell(work, receipt_entry_id, made, status=200)


def take_back(work: Work, asked: Return) -> Answer | Refused:
    """Take an allocation back from its item."""
    receipt_entry_id = read_entry_id(asked.receipt_id)
    of_customer = (work.connection, work.customer_id)
    if moves.find_receipt(*of_customer, receipt_entry_id) is None:
        return refuse(DeskRefusal.unknown_receipt)
    entry_id, line_no = read_entry_id(asked.undo.entry_id), asked.undo.line_no
    assert line_no is not None, "an allocation is one posting"
    if moves.find_allocations(*of_customer, entry_id).get(line_no) != receipt_entry_id:
        return refuse_for(Objection(DeskRefusal.unknown_allocation, "/allocation_id"))
    entry = save_reversal(work, asked.undo)
    if isinstance(entry, Refused):
        return entry
    return _tell(work, receipt_entry_id, [PostingKey(entry_id, line_no)], status=200)


def _judge(work: Work, money: Money) -> Posting | Objection:
    """The posting of what came in, or why it is not taken."""
    connection, customer_id = work.connection, work.customer_id
    if not creations.find_contacts(connection, customer_id, [money.contact_id]):
        return Objection(DeskRefusal.unknown_contact, "/contact_id")
    tender_types = reference.list_tender_types(connection, customer_id)
    tender_type = next((t for t in tender_types if t.tender_type_id == money.tender_type_id), None)
    if tender_type is None:
        return Objection(DeskRefusal.unknown_tender_type, "/tender_type_id")
    if not tender_type.active:
        return Objection(DeskRefusal.inactive_tender_type, "/tender_type_id")
    unapplied_account_id = reference.find_unapplied_account(connection, customer_id)
    if tender_type.clearing_account_id == unapplied_account_id:
        return Objection(DeskRefusal.unsuitable_tender_type, "/tender_type_id")
    amount = judge_amount(money.amount, work.customer.minor_digits, "/amount")
    if isinstance(amount, Objection):
        return amount
    return Posting(
        line_no=_OWN_LINE,
        billing_id=None,
        amount=amount,
        debit_account_id=tender_type.clearing_account_id,
        credit_account_id=unapplied_account_id,
        balance_after=amount,
        reference=money.reference,
        notes=None,
        authorization_code=money.authorization_code,
    )


def _tell(
    work: Work, receipt_entry_id: bytes, moved: Sequence[PostingKey], *, status: int
) -> Answer:
    """The receipt, of whose allocations those that were moved now: the answer is kept for ever."""
    found = find_receipt(work.connection, work.customer, receipt_entry_id, told=moved)
    assert found is not None, "it is in the books"
    return answer(status, found)
