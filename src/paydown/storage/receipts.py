"""Receipts as they are read: what is left of each. Their postings are ``history``'s."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, select

from paydown.storage.schema import contact, receipt
from paydown.storage.walking import Key, Part, Walk, read_found, read_walking

_columns = receipt.c


class ReceiptRow(NamedTuple):
    """A receipt, whose it is, and what of it is not applied."""

    entry_id: bytes
    contact_id: str
    contact_name: str
    amount: int
    unapplied: int


def _select_receipts(customer_id: int) -> Select[Any]:
    told = (_columns.entry_id, _columns.contact_id, contact.c.name)
    own = and_(
        contact.c.customer_id == _columns.customer_id,
        contact.c.contact_id == _columns.contact_id,
    )
    return (
        select(*told, _columns.amount, _columns.unapplied)
        .join_from(receipt, contact, own)
        .where(_columns.customer_id == customer_id)
    )


def find_receipt(connection: Connection, customer_id: int, entry_id: bytes) -> ReceiptRow | None:
    """The receipt, if there is one."""
    statement = _select_receipts(customer_id).where(_columns.entry_id == entry_id)
    row = connection.execute(statement).one_or_none()
    return ReceiptRow._make(row) if row else None


def find_ids(customer_id: int, contact_ids: Sequence[str]) -> Select[tuple[bytes]]:
    """The ids of the contacts' receipts, which the index on the contact holds."""
    return select(_columns.entry_id).where(
        _columns.customer_id == customer_id, _columns.contact_id.in_(contact_ids)
    )


def list_receipts(
    connection: Connection,
    customer_id: int,
    *,
    contact_id: str | None,
    unapplied_only: bool,
    after: Key | None,
    count_max: int,
) -> Part[ReceiptRow]:
    """A part of the receipts, the newest first."""
    walk = Walk((_columns.entry_id,), _columns.customer_id == customer_id, after, count_max)
    statement = _select_receipts(customer_id)
    if unapplied_only:
        statement = statement.where(_columns.unapplied > 0)
    if contact_id is None:
        part = read_walking(connection, walk, statement)
    else:
        of_contact = statement.where(_columns.entry_id.in_(find_ids(customer_id, [contact_id])))
        part = read_found(connection, walk, of_contact)
    return Part([ReceiptRow._make(row) for row in part.rows], part.next_key)
