"""Contacts as they are read: each with what its open items and unapplied receipts come to."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, select, union

from paydown.storage import items, receipts
from paydown.storage.history import settle
from paydown.storage.schema import billing_item, contact, receipt
from paydown.storage.walking import Key, Part, Walk, read_found, read_walking

_columns = contact.c
_TOLD = (_columns.contact_id, _columns.name, _columns.reference)


class Named(NamedTuple):
    """What names contacts exactly: a guid, and a reference, which several may have."""

    contact_id: str | None
    reference: str


class ContactRow(NamedTuple):
    """A contact, how many items it has open, what they come to, and what it has unapplied."""

    contact_id: str
    name: str
    reference: str | None
    open_item_count: int
    owed: int
    unapplied: int


def find_contact(connection: Connection, customer_id: int, contact_id: str) -> ContactRow | None:
    """The contact, if there is one."""
    statement = select(*_TOLD).where(
        _columns.customer_id == customer_id, _columns.contact_id == contact_id
    )
    found = [tuple(row) for row in connection.execute(statement)]
    return next(iter(_add_totals(connection, customer_id, found)), None)


def list_contacts(
    connection: Connection,
    customer_id: int,
    words: Sequence[str],
    *,
    apart_from: Named | None = None,
    after: Key | None,
    count_max: int,
) -> Part[ContactRow]:
    """A part of the contacts in whose search text every word occurs, by guid."""
    scope = _columns.customer_id == customer_id
    walk = Walk((_columns.contact_id,), scope, after, count_max, descending=False)
    sought = [_columns.search_text.contains(word, autoescape=True) for word in words]
    if apart_from is not None:
        sought += [
            _columns[name].is_distinct_from(value)
            for name, value in apart_from._asdict().items()
            if value is not None
        ]
    part = read_walking(connection, walk, select(*_TOLD).where(scope, *sought))
    return _tell(connection, customer_id, part)


def list_named(
    connection: Connection,
    customer_id: int,
    named: Named,
    *,
    after: Key | None,
    count_max: int,
) -> Part[ContactRow]:
    """A part of the contacts of that guid or of exactly that reference, by guid."""
    own = _columns.customer_id == customer_id
    found = settle(
        union(
            *(
                select(_columns.contact_id).where(own, _columns[name] == value)
                for name, value in named._asdict().items()
                if value is not None
            )
        )
    )
    walk = Walk((_columns.contact_id,), own, after, count_max, descending=False)
    same = and_(own, _columns.contact_id == found.c.contact_id)
    part = read_found(connection, walk, select(*_TOLD).join_from(found, contact, same))
    return _tell(connection, customer_id, part)


def _tell(connection: Connection, customer_id: int, part: Part[Any]) -> Part[ContactRow]:
    found = [tuple(row) for row in part.rows]
    return Part(_add_totals(connection, customer_id, found), part.next_key)


def _add_totals(
    connection: Connection, customer_id: int, found: Sequence[tuple[str, str, str | None]]
) -> list[ContactRow]:
    """Added up here, row by row: grouping would have SQLite go by contact through all items."""
    ids = [contact_id for contact_id, *_ in found]
    owing = select(billing_item.c.contact_id, billing_item.c.balance).where(
        billing_item.c.customer_id == customer_id,
        billing_item.c.billing_id.in_(items.find_ids(customer_id, ids)),
        billing_item.c.balance > 0,
    )
    holding = select(receipt.c.contact_id, receipt.c.unapplied).where(
        receipt.c.customer_id == customer_id,
        receipt.c.entry_id.in_(receipts.find_ids(customer_id, ids)),
        receipt.c.unapplied > 0,
    )
    counts: Counter[str] = Counter()
    owed: Counter[str] = Counter()
    unapplied: Counter[str] = Counter()
    for contact_id, balance in connection.execute(owing):
        counts[contact_id] += 1
        owed[contact_id] += balance
    for contact_id, amount in connection.execute(holding):
        unapplied[contact_id] += amount
    return [ContactRow(*row, counts[row[0]], owed[row[0]], unapplied[row[0]]) for row in found]
