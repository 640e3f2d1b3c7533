"""Receipts: what became of each, and what the rest of one may be meant for."""

from collections.abc import Collection, Sequence
from typing import Literal, cast

from msgspec import structs

from paydown.domain.lines import Line, PostingKey, in_order
from paydown.domain.model import Kind
from paydown.domain.suggesting import Owing, Proposal, propose
from paydown.domain.wording import say_amount
from paydown.enquiries.asking import RECEIPTS, BadCursor, PageAsk, ReceiptFilter
from paydown.enquiries.writing import (
    describe_reversal,
    locale_of,
    write_amount,
    write_id,
    write_time,
)
from paydown.storage import history, items, receipts
from paydown.storage.items import ItemRow
from paydown.storage.receipts import ReceiptRow
from paydown.storage.reference import Customer, StoreConnection
from paydown.wire.v1.documents import (
    Allocation,
    Page,
    Receipt,
    SuggestedLine,
    Suggestion,
    Suggestions,
)


def find_receipt(
    connection: StoreConnection,
    customer: Customer,
    entry_id: bytes,
    *,
    told: Collection[PostingKey] | None = None,
) -> Receipt | None:
    """The receipt with its allocations, or with those of them that are to be told."""
    row = receipts.find_receipt(connection, customer.customer_id, entry_id)
    if row is None:
        return None
    (receipt,) = _describe_all(connection, customer, [row])
    if told is None:
        return receipt
    ids = {str(key) for key in told}
    return structs.replace(
        receipt, allocations=[each for each in receipt.allocations if each.allocation_id in ids]
    )


def list_receipts(
    connection: StoreConnection, customer: Customer, wanted: ReceiptFilter, ask: PageAsk
) -> Page[Receipt] | BadCursor:
    """A part of the receipts, the newest first."""
    after = RECEIPTS.read(ask.cursor)
    if isinstance(after, BadCursor):
        return after
    part = receipts.list_receipts(
        connection,
        customer.customer_id,
        contact_id=wanted.contact_id,
        unapplied_only=wanted.unapplied_only,
        after=after,
        count_max=ask.limit,
    )
    return Page(
        data=_describe_all(connection, customer, part.rows),
        next_cursor=RECEIPTS.write(part.next_key),
    )


def suggest(connection: StoreConnection, customer: Customer, entry_id: bytes) -> Suggestions | None:
    """How what is left of the receipt could be applied."""
    row = receipts.find_receipt(connection, customer.customer_id, entry_id)
    if row is None:
        return None
    owing = items.list_open_items(connection, customer.customer_id, row.contact_id)
    proposals = propose(row.unapplied, [Owing(i.billing_id, i.balance, i.due_on) for i in owing])
    named = {item.billing_id: item for item in owing}
    return Suggestions(
        receipt_id=write_id(entry_id),
        unapplied=write_amount(row.unapplied, customer),
        suggestions=[
            Suggestion(
                rank=rank,
                rule=cast(Literal["exact_item", "exact_subset", "oldest_first"], proposal.rule),
                reason=_say_reason(proposal, row.unapplied, named, customer),
                total=write_amount(proposal.total, customer),
                left_over=write_amount(row.unapplied - proposal.total, customer),
                lines=[
                    SuggestedLine(
                        billing_id=share.billing_id, amount=write_amount(share.amount, customer)
                    )
                    for share in proposal.shares
                ],
            )
            for rank, proposal in enumerate(proposals, start=1)
        ],
    )


def _describe_all(
    connection: StoreConnection, customer: Customer, rows: Sequence[ReceiptRow]
) -> list[Receipt]:
    lines = history.list_lines_of_receipts(
        connection, customer.customer_id, [row.entry_id for row in rows]
    )
    recorded = {line.entry_id: line for line in lines if line.kind == Kind.RECEIPT}
    applied: dict[bytes, list[Line]] = {}
    for line in in_order(lines):
        if line.kind == Kind.ALLOCATION and line.receipt_id is not None:
            applied.setdefault(line.receipt_id, []).append(line)
    return [
        _describe(row, recorded[row.entry_id], applied.get(row.entry_id, []), customer)
        for row in rows
    ]


def _describe(row: ReceiptRow, line: Line, applied: list[Line], customer: Customer) -> Receipt:
    assert line.tender_type_id is not None, "a receipt has one"
    return Receipt(
        receipt_id=write_id(row.entry_id),
        contact_id=row.contact_id,
        contact_name=row.contact_name,
        tender_type_id=line.tender_type_id,
        amount=write_amount(row.amount, customer),
        unapplied=write_amount(row.unapplied, customer),
        value_at=write_time(line.value_at, customer),
        recorded_at=write_time(line.recorded_at, customer),
        reference=line.reference,
        authorization_code=line.authorization_code,
        notes=line.notes,
        allocations=[_describe_allocation(each, customer) for each in applied],
        reversed_by=describe_reversal(line, customer),
    )


def _describe_allocation(line: Line, customer: Customer) -> Allocation:
    assert line.billing_id is not None, "an allocation has one"
    return Allocation(
        allocation_id=str(line.key),
        billing_id=line.billing_id,
        amount=write_amount(line.amount, customer),
        value_at=write_time(line.value_at, customer),
        recorded_at=write_time(line.recorded_at, customer),
        reversed_by=describe_reversal(line, customer),
    )


def _say_reason(
    proposal: Proposal, unapplied: int, named: dict[int, ItemRow], customer: Customer
) -> str:
    amount = say_amount(unapplied, locale_of(customer))
    first = named[proposal.shares[0].billing_id]
    count = len(proposal.shares)
    match proposal.rule:
        case "exact_item":
            return f"{first.description}, due on {first.due_on}, owes exactly {amount}."
        case "exact_subset":
            return f"These {count} items together owe exactly {amount}."
        case _:
            items_due = (
                "The item due first takes" if count == 1 else f"The {count} items due first take"
            )
            left = unapplied - proposal.total
            rest = f" {say_amount(left, locale_of(customer))} is left over." if left else ""
            return f"{items_due} {say_amount(proposal.total, locale_of(customer))}.{rest}"
