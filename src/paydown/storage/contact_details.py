"""What ``GET /Contacts/{Id}/Details`` tells: a contact and its billing items.

Law of this file: every statement finds its rows by an index, however large the ledger is.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    exists,
    func,
    select,
    union,
)

from paydown.domain.contact_details import ITEMS_MAX, ContactDetails, ItemDetails, Person
from paydown.domain.model import Kind
from paydown.storage.database import Database
from paydown.storage.schema import (
    billing_item,
    billing_type,
    contact,
    created_item,
    entry,
    posting,
    reversal,
)

PAID_BY = (Kind.PAYMENT, Kind.ALLOCATION)

_PAYER, _BENEFICIARY = contact.alias("payer"), contact.alias("beneficiary")


def read_details(database: Database, customer_id: int, contact_id: str) -> ContactDetails | None:
    """The contact of that id (lower case, hyphenated), and its items, at one moment.

    None where the customer has no such contact. Raises ``StoreUnavailable``.
    """
    with database.read() as connection:
        person = _find_person(connection, customer_id, contact_id)
        if person is None:
            return None
        rows = connection.execute(_select_items(customer_id, contact_id))
        return ContactDetails(person, tuple(_make_item(row) for row in rows))


def _find_person(connection: Connection, customer_id: int, contact_id: str) -> Person | None:
    row = connection.execute(
        select(contact.c.contact_id, contact.c.name, contact.c.reference).where(
            contact.c.customer_id == customer_id, contact.c.contact_id == contact_id
        )
    ).one_or_none()
    return Person._make(row) if row else None


def _select_items(customer_id: int, contact_id: str) -> Select[Any]:
    """The items that the contact pays for or that are for it, with both contacts of each."""
    item, created = billing_item.c, created_item.c
    own = union(
        select(item.billing_id).where(
            item.customer_id == customer_id, item.contact_id == contact_id
        ),
        select(created.billing_id).where(
            created.customer_id == customer_id, created.beneficiary_id == contact_id
        ),
    ).subquery("own")
    people = [each.c[name] for each in (_PAYER, _BENEFICIARY) for name in Person._fields]
    return (
        select(item.billing_id, *people, item.description, item.total_amount, item.balance)
        .add_columns(item.due_on, billing_type.c.name, _latest_payment(customer_id))
        .select_from(_with_all_of_it(own, customer_id))
        .order_by(item.due_on.desc(), item.billing_id.desc())
        .limit(ITEMS_MAX)
    )


def _with_all_of_it(own: FromClause, customer_id: int) -> FromClause:
    """Each item beside its contacts, and what was said of it where it was not imported."""
    item, created = billing_item.c, created_item.c
    beneficiary_id = func.coalesce(created.beneficiary_id, item.contact_id)

    def find(table: FromClause, name: str, value: ColumnElement[Any]) -> ColumnElement[bool]:
        return and_(table.c.customer_id == customer_id, table.c[name] == value)

    return (
        own.join(billing_item, find(billing_item, "billing_id", own.c.billing_id))
        .join(_PAYER, find(_PAYER, "contact_id", item.contact_id))
        .outerjoin(created_item, find(created_item, "billing_id", item.billing_id))
        .outerjoin(billing_type, find(billing_type, "billing_type_id", created.billing_type_id))
        .join(_BENEFICIARY, find(_BENEFICIARY, "contact_id", beneficiary_id))
    )


def _latest_payment(customer_id: int) -> Any:
    """The latest value date of what an item was paid with and that was not undone."""
    undone = exists().where(
        reversal.c.customer_id == customer_id,
        reversal.c.reversed_entry_id == posting.c.entry_id,
        reversal.c.reversed_line_no == posting.c.line_no,
    )
    return (
        select(func.max(posting.c.value_at))
        .join(
            entry,
            and_(entry.c.customer_id == customer_id, entry.c.entry_id == posting.c.entry_id),
        )
        .where(
            posting.c.customer_id == customer_id,
            posting.c.billing_id == billing_item.c.billing_id,
            entry.c.kind.in_(PAID_BY),
            ~undone,
        )
        .correlate(billing_item)
        .scalar_subquery()
    )


def _make_item(row: Sequence[Any]) -> ItemDetails:
    return ItemDetails(row[0], Person(*row[1:4]), Person(*row[4:7]), *row[7:])
