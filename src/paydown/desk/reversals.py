"""Reversals: one posting undone, or all of an entry that still stands.

Law of this file: which postings stand is read before items are held, as it says which to hold.
That is safe because ``begin_write`` lets one write of the desk at a time into the ledger, and
only such a write reverses.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from paydown.desk.instructions import Refused, refuse, refuse_for
from paydown.desk.reading import Reading, read_entry_id
from paydown.desk.work import Answer, Draft, Work, answer
from paydown.domain import reversing
from paydown.domain.desk_refusals import DeskRefusal, Objection
from paydown.domain.model import Entry, Kind, Posting
from paydown.domain.reversing import POSTINGS_MAX, ReceiptState, Undoing
from paydown.enquiries.journal import find_entry
from paydown.enquiries.writing import write_amount
from paydown.storage import moves
from paydown.storage.moves import EntryHead
from paydown.wire.v1 import orders
from paydown.wire.v1.documents import ItemBalance, Reversed


class Undo(NamedTuple):
    """What is to be undone, and why. Without ``line_no`` it is the whole entry.

    Without ``value`` it is undone as of when it was true.
    """

    entry_id: str
    line_no: int | None
    reason: str
    value: tuple[int, str] | None


class _Standing(NamedTuple):
    """An entry's id and head, and those of its postings that are to be undone and still stand."""

    entry_id: bytes
    head: EntryHead
    postings: Sequence[Posting]

    @property
    def billing_ids(self) -> list[int]:
        return [each.billing_id for each in self.postings if each.billing_id is not None]


def read_entry(entry_id: str, order: orders.Reversal, time_zone: str) -> Undo | Refused:
    """An entry is to be undone."""
    return _read(Undo(entry_id, None, order.reason, None), order.value_at, time_zone)


def read_posting(
    posting_id: str, order: orders.Reversal | orders.Unallocation, time_zone: str
) -> Undo | Refused:
    """A posting is to be undone."""
    entry_id, _, line_no = posting_id.lower().partition(".")
    return _read(Undo(entry_id, int(line_no), order.reason, None), order.value_at, time_zone)


def _read(undo: Undo, value_at: str | None, time_zone: str) -> Undo | Refused:
    reading = Reading(time_zone)
    reason = reading.reason("reason", undo.reason)
    value = reading.optional(reading.instant, "value_at", value_at)
    return reading.refused() or undo._replace(reason=reason, value=value)


def reverse(work: Work, undo: Undo) -> Answer | Refused:
    """Undo it, and tell the entry that does."""
    entry = save_reversal(work, undo)
    if isinstance(entry, Refused):
        return entry
    found = find_entry(work.connection, work.customer, entry.entry_id)
    assert found is not None, "it was just written"
    balances = [
        ItemBalance(
            billing_id=posting.billing_id,
            balance=write_amount(posting.balance_after, work.customer),
        )
        for posting in entry.postings
        if posting.billing_id is not None
    ]
    told = Reversed(
        entry=found, value_at_rule="given" if undo.value else "original", items=balances
    )
    return answer(201, told)


def save_reversal(work: Work, undo: Undo) -> Entry | Refused:
    """Undo it, and let its items and receipts say so."""
    standing = _find_standing(work, undo)
    if isinstance(standing, Refused):
        return standing
    entry_id, head, postings = standing
    if undo.value and undo.value[0] < head.value_at:
        return refuse_for(Objection(DeskRefusal.value_before_original, "/value_at"))
    work.hold(standing.billing_ids)
    undoing = _load(work, standing)
    mirrors = reversing.reverse(undoing)
    if isinstance(mirrors, Objection):
        return refuse_for(mirrors)
    entry = work.save(
        Draft(
            Kind.REVERSAL,
            undo.value or (head.value_at, head.value_written),
            mirrors,
            contact_id=head.contact_id,
            tender_type_id=head.tender_type_id,
            notes=undo.reason,
        )
    )
    moves.add_reversals(work.connection, entry, entry_id, [each.line_no for each in postings])
    moves.move_items(work.connection, work.customer_id, reversing.effects(undoing))
    _move_receipts(work, standing)
    return entry


def _find_standing(work: Work, undo: Undo) -> _Standing | Refused:
    connection, customer_id = work.connection, work.customer_id
    entry_id = read_entry_id(undo.entry_id)
    head = moves.find_entry(connection, customer_id, entry_id)
    postings = _find_postings(work, entry_id, undo.line_no) if head else []
    if head is None or not postings:
        whole = undo.line_no is None
        return refuse(DeskRefusal.unknown_entry if whole else DeskRefusal.unknown_posting)
    if len(postings) > POSTINGS_MAX:
        return refuse(DeskRefusal.entry_too_large)
    line_nos = [each.line_no for each in postings]
    undone = moves.find_reversed_lines(connection, customer_id, entry_id, line_nos)
    standing = [each for each in postings if each.line_no not in undone]
    if not standing:
        return refuse(DeskRefusal.already_reversed)
    return _Standing(entry_id, head, standing)


def _find_postings(work: Work, entry_id: bytes, line_no: int | None) -> list[Posting]:
    of_entry = (work.connection, work.customer_id, entry_id)
    if line_no is None:
        return moves.find_postings(*of_entry, count_max=POSTINGS_MAX + 1)
    posting = moves.find_posting(*of_entry, line_no)
    return [posting] if posting else []


def _load(work: Work, standing: _Standing) -> Undoing:
    entry_id, head, postings = standing
    receipt = None
    if head.kind is Kind.RECEIPT:
        found = moves.find_receipt(work.connection, work.customer_id, entry_id)
        assert found is not None, "a receipt's entry has its receipt"
        receipt = ReceiptState(found.amount, found.unapplied)
    items = moves.find_items(work.connection, work.customer_id, standing.billing_ids)
    return Undoing(head.kind, postings, items, receipt)


def _move_receipts(work: Work, standing: _Standing) -> None:
    """Of a receipt undone nothing is left; an allocation undone is left of its receipt again."""
    entry_id, head, postings = standing
    effects: Counter[bytes] = Counter()
    if head.kind is Kind.RECEIPT:
        effects[entry_id] = -sum(each.amount for each in postings)
    elif head.kind is Kind.ALLOCATION:
        receipts = moves.find_allocations(work.connection, work.customer_id, entry_id)
        for posting in postings:
            effects[receipts[posting.line_no]] += posting.amount
    moves.move_receipts(work.connection, work.customer_id, effects)
