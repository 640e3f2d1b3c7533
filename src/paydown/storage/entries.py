"""Entries as they are read: each with who called, and what its postings come to."""

from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    ScalarSelect,
    Select,
    and_,
    func,
    select,
)

from paydown.storage.history import (
    EntryFilter,
    about_entry,
    find_entries,
    recorded_about,
)
from paydown.storage.schema import entry, login, posting
from paydown.storage.walking import Key, Part, Walk, read_found, read_walking


class EntryRow(NamedTuple):
    """An entry, without its postings: how many they are, and what they move together."""

    entry_id: bytes
    kind: str
    contact_id: str | None
    tender_type_id: int | None
    value_at: int
    recorded_at: int
    caller: str | None
    staff_user: str | None
    request_id: str
    address: str
    idempotency_key: str | None
    notes: str | None
    digest: bytes
    amount: int
    posting_count: int


def _of_postings(counted: ColumnElement[Any]) -> ScalarSelect[Any]:
    return (
        select(counted)
        .where(posting.c.customer_id == entry.c.customer_id, posting.c.entry_id == entry.c.entry_id)
        .correlate(entry)
        .scalar_subquery()
    )


_SOURCES: dict[str, ColumnElement[Any]] = {
    "caller": login.c.user_name,
    "amount": _of_postings(func.sum(posting.c.amount)),
    "posting_count": _of_postings(func.count()),
}


def _select_entries(entries: FromClause) -> Select[Any]:
    told = [
        (_SOURCES[name] if name in _SOURCES else entry.c[name]).label(name)
        for name in EntryRow._fields
    ]
    return select(*told).select_from(entries.outerjoin(login, login.c.login_id == entry.c.login_id))


def find_entry(connection: Connection, customer_id: int, entry_id: bytes) -> EntryRow | None:
    """The entry, if there is one."""
    statement = _select_entries(entry).where(
        entry.c.customer_id == customer_id, entry.c.entry_id == entry_id
    )
    row = connection.execute(statement).one_or_none()
    return _make(row) if row else None


def list_entries(
    connection: Connection,
    customer_id: int,
    wanted: EntryFilter,
    *,
    after: Key | None,
    count_max: int,
) -> Part[EntryRow]:
    """A part of the entries, the newest first."""
    walk = Walk((entry.c.entry_id,), entry.c.customer_id == customer_id, after, count_max)
    found = find_entries(customer_id, wanted)
    if found is not None:
        entries = found.join(
            entry, and_(entry.c.customer_id == customer_id, entry.c.entry_id == found.c.entry_id)
        )
        statement = _select_entries(entries).where(*about_entry(wanted))
        part = read_found(connection, walk, statement)
    else:
        scope = and_(walk.scope, *recorded_about(entry.c.entry_id, wanted))
        statement = _select_entries(entry).where(scope, *about_entry(wanted))
        part = read_walking(connection, walk._replace(scope=scope), statement)
    return Part([_make(row) for row in part.rows], part.next_key)


def _make(row: Any) -> EntryRow:
    made = EntryRow._make(row)
    return made._replace(amount=int(made.amount))
