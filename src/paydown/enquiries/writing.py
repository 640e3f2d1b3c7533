"""Rows as ``/v1`` writes them: amounts, times, ids, and the documents that several answers share.

Law of this file: an amount has all of its currency's decimals, and a time the offset that the
customer's zone has then.
"""

from datetime import date
from typing import cast
from uuid import UUID

from paydown.domain import days
from paydown.domain.ageing import days_overdue
from paydown.domain.lines import Line, PostingKey
from paydown.domain.money import to_decimal
from paydown.domain.wording import Locale
from paydown.storage.items import ItemRow
from paydown.storage.reference import Customer
from paydown.wire.formats import read_guid, write_instant
from paydown.wire.v1.documents import AccountName, Item, Kind, Posting, ReversedBy


def write_amount(minor: int, customer: Customer) -> str:
    """Such as 12.40."""
    return f"{to_decimal(minor, customer.minor_digits):f}"


def write_time(ticks: int, customer: Customer) -> str:
    """RFC 3339."""
    return write_instant(ticks, customer.time_zone)


def write_id(entry_id: bytes) -> str:
    """An entry's or a receipt's id."""
    return str(UUID(bytes=entry_id))


def read_id(text: str) -> bytes | None:
    """The entry's or receipt's id that the text is."""
    guid = read_guid(text)
    return UUID(guid).bytes if guid else None


def read_posting_id(text: str) -> PostingKey | None:
    """The posting's key that the text is."""
    guid, _, number = text.partition(".")
    entry_id = read_id(guid)
    if entry_id is None or not (number.isascii() and number.isdecimal() and len(number) <= 10):
        return None
    return PostingKey(entry_id, int(number))


def locale_of(customer: Customer) -> Locale:
    """How the customer counts money and days."""
    return Locale(customer.currency, customer.minor_digits, customer.time_zone)


def today(now: int, customer: Customer) -> date:
    """The day that it is for the customer."""
    return days.day_of(now, customer.time_zone)


def describe_item(row: ItemRow, customer: Customer, on: date) -> Item:
    """The item as it is, and by how much it is overdue on that day."""
    overdue = days_overdue(date.fromisoformat(row.due_on), on) if row.balance else 0
    return Item(
        billing_id=row.billing_id,
        contact_id=row.contact_id,
        contact_name=row.contact_name,
        beneficiary_id=row.beneficiary_id,
        beneficiary_name=row.beneficiary_name,
        description=row.description,
        total_amount=write_amount(row.total_amount, customer),
        balance=write_amount(row.balance, customer),
        state="open" if row.balance else "settled",
        due_on=row.due_on,
        days_overdue=overdue,
        billing_type_id=row.billing_type_id,
        agreement_id=row.agreement_id,
        member_service_id=row.member_service_id,
        is_external=bool(row.is_external),
        receivables_account_code=row.receivables_code,
    )


def describe_posting(line: Line, customer: Customer) -> Posting:
    """The posting with all that is known of it."""
    return Posting(
        posting_id=str(line.key),
        entry_id=write_id(line.entry_id),
        kind=cast(Kind, line.kind),
        contact_id=line.contact_id,
        tender_type_id=line.tender_type_id,
        billing_id=line.billing_id,
        receipt_id=write_receipt_id(line),
        amount=write_amount(line.amount, customer),
        debit_account=AccountName(
            gl_account_id=line.debit_id, code=line.debit_code, name=line.debit_name
        ),
        credit_account=AccountName(
            gl_account_id=line.credit_id, code=line.credit_code, name=line.credit_name
        ),
        balance_after=write_amount(line.balance_after, customer),
        reference=line.reference,
        authorization_code=line.authorization_code,
        notes=line.notes,
        value_at=write_time(line.value_at, customer),
        recorded_at=write_time(line.recorded_at, customer),
        caller=line.caller,
        staff_user=line.staff_user,
        request_id=line.request_id,
        address=line.address,
        reverses=write_reversed(line),
        reversed_by=describe_reversal(line, customer),
    )


def write_receipt_id(line: Line) -> str | None:
    """The receipt that the posting is about."""
    return write_id(line.receipt_id) if line.receipt_id else None


def write_reversed(line: Line) -> str | None:
    """The posting that this one reverses."""
    return str(line.undone) if line.undone else None


def describe_reversal(line: Line, customer: Customer) -> ReversedBy | None:
    """What undid the posting."""
    if line.undoing is None:
        return None
    assert line.undoing_value_at is not None, "of the same reversal"
    assert line.undoing_recorded_at is not None, "of the same reversal"
    return ReversedBy(
        posting_id=str(line.undoing),
        value_at=write_time(line.undoing_value_at, customer),
        recorded_at=write_time(line.undoing_recorded_at, customer),
        reason=line.undoing_notes,
    )
