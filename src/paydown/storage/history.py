"""Which postings are found, and how: by item, contact, receipt, reference, or simply in order.

Law of this file: every statement begins at a key or at one of ``posting``'s indexes. What an index
finds is settled first, as ``MATERIALIZED``, so that no database walks a table to get it in order.
A contact's items and receipts are found by their ids alone, which its index holds: SQLite, which
knows nothing of how many rows there are, would rather go through all of a customer's.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Connection, Select, and_, select, true, union_all

from paydown.domain.lines import Line, PostingKey
from paydown.domain.model import TICKS_PER_SECOND
from paydown.storage.engine import new_entry_id
from paydown.storage.lines import CONTACT_ID, select_lines, settle_postings
from paydown.storage.schema import (
    allocation,
    billing_item,
    entry,
    is_named,
    login,
    posting,
    receipt,
    reversal,
)
from paydown.storage.walking import Key, Part, Walk, read_found, read_walking

Compare = Callable[[Any, Any], ColumnElement[bool]]

_SLACK_TICKS = 60 * TICKS_PER_SECOND
"""How far an entry's id may be from its record date at the most."""


@dataclass(frozen=True, kw_only=True)
class EntryFilter:
    """Which entries. Times *from* are in the span, times *to* are not; None asks nothing.

    A contact's entries are those that moved an item or a receipt of its. What is asked of contact,
    item, reference and authorization code, one posting of the entry has all of.
    """

    contact_id: str | None = None
    billing_id: int | None = None
    tender_type_id: int | None = None
    reference: str | None = None
    authorization_code: str | None = None
    kind: str | None = None
    caller: str | None = None
    value_from: int | None = None
    value_to: int | None = None
    recorded_from: int | None = None
    recorded_to: int | None = None


@dataclass(frozen=True, kw_only=True)
class PostingFilter(EntryFilter):
    """Which postings; ``entry_id`` is a guid."""

    entry_id: str | None = None


def find_line(connection: Connection, customer_id: int, key: PostingKey) -> Line | None:
    """The posting, if there is one."""
    own = posting.c
    same = and_(own.entry_id == key.entry_id, own.line_no == key.line_no)
    found = settle_postings(select(posting).where(own.customer_id == customer_id, same))
    row = connection.execute(select_lines(found)).one_or_none()
    return Line._make(row) if row else None


def list_lines_of_entry(
    connection: Connection, customer_id: int, entry_id: bytes, *, count_max: int
) -> list[Line]:
    """The entry's postings, in order: the first of them."""
    found = settle_postings(
        select(posting)
        .where(posting.c.customer_id == customer_id, posting.c.entry_id == entry_id)
        .order_by(posting.c.line_no)
        .limit(count_max)
    )
    statement = select_lines(found).order_by(found.c.line_no)
    return [Line._make(row) for row in connection.execute(statement)]


def list_lines_of_item(connection: Connection, customer_id: int, billing_id: int) -> list[Line]:
    """All that ever moved the item, in no order."""
    return _read_all(
        connection, customer_id, _find(customer_id, posting.c.billing_id == billing_id)
    )


def list_lines_of_contact(connection: Connection, customer_id: int, contact_id: str) -> list[Line]:
    """All that ever moved an item or a receipt of the contact's, in no order."""
    return _read_all(connection, customer_id, find_of_contact(customer_id, contact_id))


def list_lines_of_receipts(
    connection: Connection, customer_id: int, receipt_ids: Sequence[bytes]
) -> list[Line]:
    """What recorded the receipts and what applied them to items, in no order."""
    recorded = select(posting.c.entry_id, posting.c.line_no).where(
        posting.c.customer_id == customer_id, posting.c.entry_id.in_(receipt_ids)
    )
    applied = select(allocation.c.entry_id, allocation.c.line_no).where(
        allocation.c.customer_id == customer_id, allocation.c.receipt_entry_id.in_(receipt_ids)
    )
    return _read_all(connection, customer_id, union_all(recorded, applied))


def list_lines(
    connection: Connection,
    customer_id: int,
    wanted: PostingFilter,
    *,
    after: Key | None,
    count_max: int,
) -> Part[Line]:
    """A part of the postings, the newest first."""
    found = _find_moved(customer_id, wanted) if wanted.entry_id is None else None
    beside = _about_contact(wanted) + about_entry(wanted)
    if found is not None:
        walk = Walk((found.c.entry_id, found.c.line_no), true(), after, count_max)
        statement = select_lines(found).where(*beside)
        part = read_found(connection, walk, statement)
    else:
        own = posting.c
        bounds = recorded_about(own.entry_id, wanted)
        if wanted.entry_id is not None:
            bounds.append(own.entry_id == UUID(wanted.entry_id).bytes)
        scope = and_(own.customer_id == customer_id, *bounds)
        walk = Walk((own.entry_id, own.line_no), scope, after, count_max)
        statement = select_lines().where(scope, *_about_posting(wanted), *beside)
        part = read_walking(connection, walk, statement)
    return Part([Line._make(row) for row in part.rows], part.next_key)


def find_entries(customer_id: int, wanted: EntryFilter) -> CTE | None:
    """The ids of the entries that moved what the filter names; None where no index helps."""
    moved = _find_moved(customer_id, wanted)
    if moved is None:
        return None
    beside = moved.join(
        entry, and_(entry.c.customer_id == customer_id, entry.c.entry_id == moved.c.entry_id)
    ).outerjoin(
        billing_item,
        and_(
            billing_item.c.customer_id == customer_id,
            billing_item.c.billing_id == moved.c.billing_id,
        ),
    )
    asked = _about_contact(wanted)
    ids = select(moved.c.entry_id).select_from(beside if asked else moved).where(*asked)
    return settle(ids.distinct(), "concerned")


def settle(statement: Any, name: str = "found") -> CTE:
    """What the statement finds, found before anything else."""
    found: CTE = statement.cte(name).prefix_with("MATERIALIZED")
    return found


def find_of_contact(customer_id: int, contact_id: str) -> Any:
    """The keys of all postings on the contact's items and receipts, reversals among them."""
    item_ids, receipt_ids = (
        select(column).where(
            column.table.c.customer_id == customer_id, column.table.c.contact_id == contact_id
        )
        for column in (billing_item.c.billing_id, receipt.c.entry_id)
    )
    of_reversed_receipts = select(reversal.c.entry_id, reversal.c.line_no).where(
        reversal.c.customer_id == customer_id, reversal.c.reversed_entry_id.in_(receipt_ids)
    )
    return union_all(
        _find(customer_id, posting.c.billing_id.in_(item_ids)),
        _find(customer_id, posting.c.entry_id.in_(receipt_ids)),
        of_reversed_receipts,
    )


def about_entry(wanted: EntryFilter) -> list[ColumnElement[bool]]:
    """What the filter asks of an entry and of who called."""
    return _ask(
        (entry.c.kind, operator.eq, wanted.kind),
        (entry.c.tender_type_id, operator.eq, wanted.tender_type_id),
        (login.c.user_name, operator.eq, wanted.caller),
        (entry.c.value_at, operator.ge, wanted.value_from),
        (entry.c.value_at, operator.lt, wanted.value_to),
        (entry.c.recorded_at, operator.ge, wanted.recorded_from),
        (entry.c.recorded_at, operator.lt, wanted.recorded_to),
    )


def recorded_about(
    entry_id: ColumnElement[bytes], wanted: EntryFilter
) -> list[ColumnElement[bool]]:
    """Where in the order of ids the entries are that were recorded in the filter's span."""
    bounds = []
    if wanted.recorded_from is not None:
        bounds.append(entry_id >= _first_id(wanted.recorded_from - _SLACK_TICKS))
    if wanted.recorded_to is not None:
        bounds.append(entry_id < _first_id(wanted.recorded_to + _SLACK_TICKS))
    return bounds


def _first_id(ticks: int) -> bytes:
    """No id made at the time or later is less; one made a millisecond earlier is."""
    return new_entry_id(max(ticks, 0))[:6] + bytes(10)


def _read_all(connection: Connection, customer_id: int, source: Any) -> list[Line]:
    statement = select_lines(_settle_found(customer_id, source))
    return [Line._make(row) for row in connection.execute(statement)]


def _settle_found(customer_id: int, source: Any, *conditions: ColumnElement[bool]) -> CTE:
    """Those of the postings that were found by their keys of which the conditions are true."""
    found = settle(source)
    same = and_(
        posting.c.customer_id == customer_id,
        posting.c.entry_id == found.c.entry_id,
        posting.c.line_no == found.c.line_no,
    )
    return settle_postings(select(posting).join_from(found, posting, same).where(*conditions))


def _find(customer_id: int, condition: ColumnElement[bool]) -> Select[Any]:
    return select(posting.c.entry_id, posting.c.line_no).where(
        posting.c.customer_id == customer_id, condition
    )


def _find_moved(customer_id: int, wanted: EntryFilter) -> CTE | None:
    """The postings of all that the filter asks but what is beside them, if an index helps."""
    source = _find_by_index(customer_id, wanted)
    if source is None:
        return None
    return _settle_found(customer_id, source, *_about_posting(wanted))


def _find_by_index(customer_id: int, wanted: EntryFilter) -> Any:
    """The keys that the narrowest index leads to; None where no index helps."""
    if wanted.billing_id is not None:
        return _find(customer_id, posting.c.billing_id == wanted.billing_id)
    for column in (posting.c.authorization_code, posting.c.reference):
        value = getattr(wanted, column.name)
        if value is not None:
            return _find(customer_id, and_(column == value, is_named(column)))
    if wanted.contact_id is not None:
        return find_of_contact(customer_id, wanted.contact_id)
    return None


def _about_posting(wanted: EntryFilter) -> list[ColumnElement[bool]]:
    """What the filter asks of the posting itself, whatever else found it."""
    return _ask(
        (posting.c.billing_id, operator.eq, wanted.billing_id),
        (posting.c.reference, operator.eq, wanted.reference),
        (posting.c.authorization_code, operator.eq, wanted.authorization_code),
    )


def _about_contact(wanted: EntryFilter) -> list[ColumnElement[bool]]:
    return _ask((CONTACT_ID, operator.eq, wanted.contact_id))


def _ask(*asked: tuple[ColumnElement[Any], Compare, Any]) -> list[ColumnElement[bool]]:
    return [compare(column, value) for column, compare, value in asked if value is not None]
