"""A ledger's rows, table by table in order of their keys: how they are read, counted and added.

Law of this file: it knows no table by name, holds one chunk of rows in memory, and takes every
value as it is. Keys are in one order on every database, so that one digest serves both sides.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Table, literal, select, tuple_

from paydown.storage.database import Row, Session
from paydown.storage.schema import metadata
from paydown.storage.statements import prepare_insert

CHUNK_ROWS = 1_000
"""How many rows are read, and committed, at a time."""

TABLES = tuple(metadata.sorted_tables)
"""All of a ledger's, parents before children."""

_AMOUNTS = frozenset({"amount", "balance", "balance_after", "total_amount", "unapplied"})
_ADD = {table.name: prepare_insert(table) for table in TABLES}

_encode = msgspec.msgpack.Encoder().encode


class Tally(NamedTuple):
    """A table's rows counted, each column of amounts added up, and a digest of every value."""

    rows: int
    amounts: dict[str, int]
    digest: bytes


def tally(connection: Connection, table: Table, watch: Callable[[int], None]) -> Tally:
    """Count what the table holds; ``watch`` hears of each chunk."""
    places = [(place, name) for place, name in enumerate(table.c.keys()) if name in _AMOUNTS]
    count, digest, amounts = 0, sha256(), {name: 0 for _, name in places}
    with reading(connection, table) as chunks:
        for rows in chunks:
            count += len(rows)
            digest.update(b"".join(map(_encode, rows)))
            for place, name in places:
                amounts[name] += sum(row[place] for row in rows)
            watch(len(rows))
    return Tally(count, amounts, digest.digest())


@contextmanager
def reading(
    connection: Connection, table: Table, *, after: Row | None = None
) -> Iterator[Iterator[list[Row]]]:
    """The table's rows in chunks, those after the given key or all."""
    key = list(table.primary_key)
    statement = select(table).order_by(*key)
    if after is not None:
        given = (literal(value, each.type) for value, each in zip(after, key, strict=True))
        statement = statement.where(tuple_(*key) > tuple_(*given))
    with connection.execute(statement, execution_options={"yield_per": CHUNK_ROWS}) as found:
        yield ([tuple(row) for row in rows] for rows in found.partitions())


def find_last_key(connection: Connection, table: Table) -> Row | None:
    """The greatest key in the table, if it holds a row."""
    key = list(table.primary_key)
    statement = select(*key).order_by(*(each.desc() for each in key)).limit(1)
    found = connection.execute(statement).first()
    return None if found is None else tuple(found)


def add_rows(session: Session, table: Table, rows: Sequence[Row]) -> None:
    """Add the rows to the table, durably, all or none."""
    session.begin()
    session.add(_ADD[table.name], rows)
    session.flush()
    session.commit()
