"""Statements of account: what a contact owed, what moved it, and what it owes.

Law of this file: a receipt lowers what is owed when the money comes. Applying it to an item only
says what it was for, so allocations and their reversals are not on a statement.
"""

from datetime import date
from typing import cast

from paydown.domain import days
from paydown.domain.lines import Line, in_order
from paydown.domain.model import Kind
from paydown.domain.wording import say_what
from paydown.enquiries.writing import locale_of, write_amount, write_time
from paydown.storage import contacts, history
from paydown.storage.reference import Customer, StoreConnection
from paydown.wire.v1 import documents
from paydown.wire.v1.documents import Statement, StatementLine


def make_statement(
    connection: StoreConnection,
    customer: Customer,
    contact_id: str,
    *,
    first_on: date,
    last_on: date,
) -> Statement | None:
    """The contact's statement over these days, both in it, by value date as known now."""
    contact = contacts.find_contact(connection, customer.customer_id, contact_id)
    if contact is None:
        return None
    begins = days.start_of(first_on, customer.time_zone)
    ends = days.end_of(last_on, customer.time_zone)
    lines = history.list_lines_of_contact(connection, customer.customer_id, contact_id)
    told = in_order([line for line in lines if _is_told(line) and line.value_at < ends])
    opening = sum(line.effect for line in told if line.value_at < begins)
    balance, rows = opening, []
    for line in told:
        if line.value_at >= begins:
            balance += line.effect
            rows.append(_describe(line, balance, customer))
    return Statement(
        customer_name=customer.name,
        currency=customer.currency,
        contact_id=contact_id,
        contact_name=contact.name,
        contact_reference=contact.reference,
        first_on=first_on.isoformat(),
        last_on=last_on.isoformat(),
        opening_balance=write_amount(opening, customer),
        lines=rows,
        closing_balance=write_amount(balance, customer),
    )


def _is_told(line: Line) -> bool:
    return Kind.ALLOCATION not in (line.kind, line.undone_kind)


def _describe(line: Line, balance: int, customer: Customer) -> StatementLine:
    amount = write_amount(line.amount, customer)
    return StatementLine(
        posting_id=str(line.key),
        value_at=write_time(line.value_at, customer),
        kind=cast(documents.Kind, line.kind),
        billing_id=line.billing_id,
        description=say_what(line, locale_of(customer)),
        reference=line.reference,
        charge=amount if line.raises else None,
        credit=None if line.raises else amount,
        balance=write_amount(balance, customer),
    )
