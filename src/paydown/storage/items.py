"""Billing items as they are read: each with its contacts and its account."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from paydown.storage.schema import account, billing_item, contact, created_item
from paydown.storage.walking import Key, Part, Walk, read_found, read_walking

_beneficiary = contact.alias("beneficiary")
_columns = billing_item.c


class ItemRow(NamedTuple):
    """A billing item. An imported one has no billing type, and its payer for a beneficiary."""

    billing_id: int
    contact_id: str
    contact_name: str
    beneficiary_id: str
    beneficiary_name: str
    description: str
    total_amount: int
    balance: int
    due_on: str
    billing_type_id: int | None
    agreement_id: int | None
    member_service_id: int | None
    is_external: int | None
    receivables_account_id: int
    receivables_code: str


@dataclass(frozen=True, kw_only=True)
class ItemChoice:
    """Which items: those due from a day on, and before another (texts of days)."""

    contact_id: str | None = None
    is_open: bool | None = None
    due_from: str | None = None
    due_before: str | None = None


_SOURCES: dict[str, ColumnElement[Any]] = {
    "contact_name": contact.c.name,
    "beneficiary_id": func.coalesce(created_item.c.beneficiary_id, _columns.contact_id),
    "beneficiary_name": func.coalesce(_beneficiary.c.name, contact.c.name),
    "billing_type_id": created_item.c.billing_type_id,
    "agreement_id": created_item.c.agreement_id,
    "member_service_id": created_item.c.member_service_id,
    "is_external": created_item.c.is_external,
    "receivables_code": account.c.code,
}


def _select_items() -> Select[Any]:
    customer_id = _columns.customer_id
    told = [
        (_SOURCES[name] if name in _SOURCES else _columns[name]).label(name)
        for name in ItemRow._fields
    ]
    return select(*told).select_from(
        billing_item.join(
            contact,
            and_(contact.c.customer_id == customer_id, contact.c.contact_id == _columns.contact_id),
        )
        .join(
            account,
            and_(
                account.c.customer_id == customer_id,
                account.c.account_id == _columns.receivables_account_id,
            ),
        )
        .outerjoin(
            created_item,
            and_(
                created_item.c.customer_id == customer_id,
                created_item.c.billing_id == _columns.billing_id,
            ),
        )
        .outerjoin(
            _beneficiary,
            and_(
                _beneficiary.c.customer_id == customer_id,
                _beneficiary.c.contact_id == created_item.c.beneficiary_id,
            ),
        )
    )


def find_items(
    connection: Connection, customer_id: int, billing_ids: Sequence[int]
) -> list[ItemRow]:
    """Those of the items that there are, by id."""
    statement = (
        _select_items()
        .where(_columns.customer_id == customer_id, _columns.billing_id.in_(billing_ids))
        .order_by(_columns.billing_id)
    )
    return [ItemRow._make(row) for row in connection.execute(statement)]


def find_ids(customer_id: int, contact_ids: Sequence[str]) -> Select[tuple[int]]:
    """The ids of the contacts' items, which the index on the contact holds."""
    return select(_columns.billing_id).where(
        _columns.customer_id == customer_id, _columns.contact_id.in_(contact_ids)
    )


def list_open_items(connection: Connection, customer_id: int, contact_id: str) -> list[ItemRow]:
    """What the contact owes, those due first before the others."""
    statement = (
        _select_items()
        .where(
            _columns.customer_id == customer_id,
            _columns.billing_id.in_(find_ids(customer_id, [contact_id])),
            _columns.balance > 0,
        )
        .order_by(_columns.due_on, _columns.billing_id)
    )
    return [ItemRow._make(row) for row in connection.execute(statement)]


def list_items(
    connection: Connection,
    customer_id: int,
    wanted: ItemChoice,
    *,
    after: Key | None,
    count_max: int,
) -> Part[ItemRow]:
    """A part of the items, by id."""
    scope = _columns.customer_id == customer_id
    walk = Walk((_columns.billing_id,), scope, after, count_max, descending=False)
    statement = _select_items().where(scope, *_about_item(wanted))
    if wanted.contact_id is None:
        part = read_walking(connection, walk, statement)
    else:
        ids = find_ids(customer_id, [wanted.contact_id])
        part = read_found(connection, walk, statement.where(_columns.billing_id.in_(ids)))
    return Part([ItemRow._make(row) for row in part.rows], part.next_key)


def _about_item(wanted: ItemChoice) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.is_open is not None:
        conditions.append(_columns.balance > 0 if wanted.is_open else _columns.balance == 0)
    if wanted.due_from is not None:
        conditions.append(_columns.due_on >= wanted.due_from)
    if wanted.due_before is not None:
        conditions.append(_columns.due_on < wanted.due_before)
    return conditions
