"""Rows of the desk's tables, written through the store alone: no call is made, no rule is asked."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import count

import ledgers
from paydown.domain.charging import ChargedItem, post
from paydown.domain.journal import Said
from paydown.domain.model import Entry, Kind, Posting
from paydown.storage import creations, desk_answers, moves
from paydown.storage.desk_answers import DeskAnswer, KeyScope
from paydown.storage.engine import new_entry_id
from paydown.storage.reference import StoreConnection

RECEIVABLES, CLEARING, MEMBERSHIP_INCOME, UNAPPLIED, EXTERNAL_RECEIVABLES = 1, 7, 11, 15, 16
"""Accounts of the tests' club, as the presets number them."""

CREATED, CREATED_EXTERNAL = 901, 902
_ROW_NO = count(1)


def fill(connection: StoreConnection, payment: Entry) -> None:
    """Two items, two receipts, allocations and reversals, and a kept answer, for customer 1.

    One of the reversals undoes the second line of the payment.
    """
    _create_items(connection)
    first = _receive(connection, 5_000)
    applied = _allocate(connection, first, {CREATED: 1_500, CREATED_EXTERNAL: 500})
    undo(connection, applied, line_no=2)
    moves.move_receipts(connection, 1, {first.entry_id: 500})
    second = _receive(connection, 700)
    undo(connection, second, line_no=1)
    moves.move_receipts(connection, 1, {second.entry_id: -700})
    undo(connection, payment, line_no=2)
    fingerprint = sha256(b"asked").digest()
    desk_answers.add(
        connection,
        KeyScope(1, 1, "receipts", "desk-key"),
        DeskAnswer(fingerprint, 201, b"{}"),
        answered_at=1,
    )


def undo(connection: StoreConnection, entry: Entry, *, line_no: int) -> Entry:
    """Reverse one posting, a second later."""
    posting = next(each for each in entry.postings if each.line_no == line_no)
    balance = 0
    if posting.billing_id is not None:
        balance = moves.find_items(connection, 1, [posting.billing_id])[posting.billing_id].balance
        balance += posting.amount
        moves.move_items(connection, 1, {posting.billing_id: posting.amount})
    mirror = posting._replace(
        line_no=1,
        debit_account_id=posting.credit_account_id,
        credit_account_id=posting.debit_account_id,
        balance_after=balance,
    )
    made = _save(
        connection, Kind.REVERSAL, (mirror,), contact_id=entry.contact_id, at=entry.value_at + 1
    )
    moves.add_reversals(connection, made, entry.entry_id, [line_no])
    return made


def _create_items(connection: StoreConnection) -> None:
    items = [
        _item(CREATED, RECEIVABLES, agreement_id=77),
        _item(CREATED_EXTERNAL, EXTERNAL_RECEIVABLES, member_service_id=78),
    ]
    creations.add_items(connection, 1, items)
    creations.change_contact(connection, 1, ledgers.ANNA, name="Anna Archer", reference="M-1 Ä")
    postings = (post(item, line_no=number) for number, item in enumerate(items, start=1))
    said = [item.said for item in items]
    _save(connection, Kind.CHARGE, tuple(postings), contact_id=ledgers.ANNA, items=said)


def _item(billing_id: int, receivables: int, **more: int) -> ChargedItem:
    values = {"agreement_id": None, "member_service_id": None, **more}
    return ChargedItem(
        billing_id=billing_id,
        contact_id=ledgers.ANNA,
        description="Locker",
        total_amount=2_000,
        due_on="2026-04-01",
        receivables_account_id=receivables,
        billing_type_id=1,
        beneficiary_id=ledgers.BEN,
        is_external=receivables == EXTERNAL_RECEIVABLES,
        income_account_id=MEMBERSHIP_INCOME,
        income_code="4000",
        effective=(0, ""),
        **values,
    )


def _receive(connection: StoreConnection, amount: int) -> Entry:
    posting = Posting(1, None, amount, CLEARING, UNAPPLIED, amount, "lump", None, "A-2")
    entry = _save(connection, Kind.RECEIPT, (posting,), contact_id=ledgers.ANNA, tender_type_id=28)
    moves.add_receipt(connection, entry)
    return entry


def _allocate(connection: StoreConnection, receipt: Entry, shares: dict[int, int]) -> Entry:
    items = moves.find_items(connection, 1, list(shares))
    postings = tuple(
        Posting(
            number,
            billing_id,
            amount,
            UNAPPLIED,
            items[billing_id].receivables_account_id,
            items[billing_id].balance - amount,
            None,
            None,
            None,
        )
        for number, (billing_id, amount) in enumerate(shares.items(), start=1)
    )
    entry = _save(connection, Kind.ALLOCATION, postings, contact_id=ledgers.ANNA)
    moves.add_allocations(connection, entry, receipt.entry_id)
    moves.move_items(connection, 1, {each: -amount for each, amount in shares.items()})
    moves.move_receipts(connection, 1, {receipt.entry_id: -sum(shares.values())})
    return entry


def _save(
    connection: StoreConnection,
    kind: Kind,
    postings: tuple[Posting, ...],
    *,
    contact_id: str | None,
    tender_type_id: int | None = None,
    at: int = 17_700_000_000_000_000,
    items: Sequence[Said] = (),
) -> Entry:
    entry = Entry(
        customer_id=1,
        entry_id=new_entry_id(at + next(_ROW_NO)),
        kind=kind,
        contact_id=contact_id,
        tender_type_id=tender_type_id,
        login_id=1,
        idempotency_key="desk-key" if kind is Kind.RECEIPT else None,
        staff_user=None,
        request_id="desk",
        address="",
        value_at=at,
        value_written="2026-02-02",
        recorded_at=at,
        recorded_written="2026-02-02",
        notes=None,
        postings=postings,
    )
    moves.save_entry(connection, entry, items)
    return entry
