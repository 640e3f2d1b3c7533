"""What differs between databases, and nothing else: opening, locking, spelling, faults.

Law of this file: no other module knows which database it has. Today there is one, SQLite: a file in
WAL mode where every commit is synced (``synchronous=FULL``). Hot work goes through ``Session``,
at driver level; all other work through ordinary SQLAlchemy connections.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    Connection,
    FromClause,
    Insert,
    Select,
    Text,
    Update,
    bindparam,
    create_engine,
    func,
    literal_column,
)
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import ColumnElement

from paydown.storage import sqlite
from paydown.storage.faults import StoreLocked, StoreUnavailable
from paydown.storage.files import Files
from paydown.storage.sqlite import append_only, damages, make_file, objects, path_of

__all__ = ["Database", "append_only", "damages", "make_file", "objects", "path_of"]

ADMIN_WAIT_SECONDS = 30
"""How long a command beside a running server tries for its turn to write."""

_encode = msgspec.json.Encoder().encode

Row = tuple[Any, ...]


class Statement(NamedTuple):
    """A Core construct compiled once. Values are fed as tuples in the order of ``names``."""

    sql: str
    names: tuple[str, ...]


class _Compiler(SQLiteCompiler):
    """Writes table hints (INDEXED BY), which SQLAlchemy's own compiler leaves out."""

    def get_from_hint_text(self, _: FromClause, text: str | None) -> str | None:
        return text


_dialect = dialect(paramstyle="qmark")
_dialect.statement_compiler = _Compiler


def prepare(construct: Select[Any] | Insert | Update) -> Statement:
    """Compile a Core construct for the hot path."""
    compiled = construct.compile(dialect=_dialect)
    return Statement(str(compiled), tuple(compiled.positiontup or ()))


def listed(width: int) -> tuple[FromClause, list[ColumnElement[Any]]]:
    """A FROM clause over the list given as the statement's only value, and its columns."""
    rows = func.json_each(bindparam("rows", type_=Text)).table_valued("value", name="listed")
    return rows, [
        func.json_extract(rows.c.value, literal_column(f"'$[{place}]'")) for place in range(width)
    ]


def new_entry_id(ticks: int) -> bytes:
    """A UUID version 7 (RFC 9562, 5.7) of the given time: 16 bytes, in order of time.

    Twelve bits below the millisecond hold its fraction (6.2, method 3); 62 bits are random.
    """
    milliseconds, rest = divmod(ticks, 10_000)
    fraction = rest * 4096 // 10_000
    random = int.from_bytes(os.urandom(8)) >> 2
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random
    return value.to_bytes(16)


class Database:
    """A ledger that has been found to be one. Open it with ``paydown.storage.opening``."""

    def __init__(self, path: Path, *, lock_wait_seconds: int = 5) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self._lock_wait_seconds = lock_wait_seconds
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite.connect(path, wait_seconds=lock_wait_seconds),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
        )
        self._reading = create_engine(
            "sqlite://",
            creator=lambda: sqlite.connect(path, wait_seconds=lock_wait_seconds, mode="ro"),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
        )

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection outside any transaction; ``begin_write`` starts one on it."""
        with sqlite.naming_faults(self.path), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def begin_write(self, connection: Connection) -> Iterator[None]:
        """A write transaction: commits at the end, rolls back on any exception.

        A busy server leaves the lock for moments only, so this asks again and again, quickly.
        """
        _begin_immediate(connection, self.path)
        try:
            yield
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            if sqlite.in_transaction(connection):
                connection.exec_driver_sql("ROLLBACK")
            raise

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection inside a write transaction of its own."""
        with self.connect() as connection, self.begin_write(connection):
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that cannot write and sees one moment of the ledger."""
        with sqlite.naming_faults(self.path), self._reading.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection

    def session(self) -> "Session":
        """The one connection of a server's writer thread."""
        return Session(self.path, wait_seconds=self._lock_wait_seconds)

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Hold the ledger for one server: a second one on the same file is refused."""
        # A file of its own: closing any handle on the ledger itself would drop SQLite's locks.
        lock = Path(f"{self.path}-server")
        try:
            handle = lock.open("a")
        except OSError as error:
            raise StoreUnavailable(
                f"The file {lock} cannot be written: {error.strerror}. "
                "A server needs to write in its ledger's folder."
            ) from None
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise StoreUnavailable(
                    f"Another server is running on {self.path}. One SQLite file takes one server: "
                    "stop that one first."
                ) from None
            yield


class Session:
    """A writer's connection at driver level. Every fault leaves it as ``StoreUnavailable``.

    After a fault, ``disconnect``: the next ``begin`` opens the ledger anew, provided that the path
    still names the file that it named when the session was made.
    """

    def __init__(self, path: Path, *, wait_seconds: int) -> None:
        self._path = path
        self._wait_seconds = wait_seconds
        self._connection: sqlite3.Connection | None = None
        self._files = Files(path)

    def begin(self) -> None:
        """Start a write transaction, waiting a bounded time for the lock."""
        with sqlite.naming_faults(self._path):
            self.check_file()
            if self._connection is None:
                self._connection = sqlite.connect(self._path, wait_seconds=self._wait_seconds)
            self._connection.execute("BEGIN IMMEDIATE")
        self._files.note_beside()

    def fetch(self, statement: Statement, rows: Sequence[Row]) -> list[Row]:
        """The result of a statement over ``listed`` rows; no query is made for none."""
        if not rows:
            return []
        with sqlite.naming_faults(self._path):
            return self._open.execute(statement.sql, (_encode(rows).decode(),)).fetchall()

    def fetch_one(self, statement: Statement, values: Row) -> Row | None:
        """The first row that the statement finds for the values, if any."""
        with sqlite.naming_faults(self._path):
            row: Row | None = self._open.execute(statement.sql, values).fetchone()
            return row

    def run(self, statement: Statement, rows: Sequence[Row]) -> None:
        """Execute the statement once for each row."""
        if rows:
            with sqlite.naming_faults(self._path):
                self._open.executemany(statement.sql, rows)

    def commit(self) -> None:
        """Make the transaction durable: when this returns, it is."""
        with sqlite.naming_faults(self._path):
            self._open.execute("COMMIT")

    def settle(self) -> None:
        """After an I/O error: write what the log holds into the file anew, and sync both.

        A failed sync may leave in memory what never reached the disk; only a fresh write and a sync
        that succeeds make a commit found after reopening worth believing.
        """
        with sqlite.naming_faults(self._path):
            (busy, *_), *_ = self._open.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if busy:
            raise StoreUnavailable("The ledger is in use and could not be brought to rest.")

    def probe(self) -> None:
        """Write and sync something harmless, to see whether the store can be written."""
        self.begin()
        try:
            with sqlite.naming_faults(self._path):
                (version,) = self._open.execute("PRAGMA user_version").fetchone()
                self._open.execute(f"PRAGMA user_version={int(version)}")
            self.commit()
        finally:
            self.rollback()

    def check_file(self) -> None:
        """Raise unless the paths still name the files that this session opened."""
        try:
            unchanged = self._files.unchanged()
        except OSError as error:
            raise StoreUnavailable(
                f"The ledger at {self._path} cannot be looked at: {error.strerror}.",
                outcome_unknown=True,
            ) from error
        if not unchanged:
            raise StoreUnavailable(
                f"The ledger at {self._path}, or a file beside it, was moved or replaced while the "
                "server was running. Restart the server.",
                passing=False,
                outcome_unknown=True,
            )

    def rollback(self) -> None:
        """Undo the open transaction, if there is one."""
        if self._connection is not None and self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                self.disconnect()

    def disconnect(self) -> None:
        """Close the connection; an open transaction is undone. ``begin`` opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with self._files.closing(), suppress(sqlite3.Error):
                connection.close()

    def close(self) -> None:
        """End the session."""
        self.disconnect()
        self._files.close()

    @property
    def _open(self) -> sqlite3.Connection:
        assert self._connection is not None, "begin comes first"
        return self._connection


def _begin_immediate(connection: Connection, path: Path) -> None:
    connection.exec_driver_sql("PRAGMA busy_timeout=0")
    deadline = time.monotonic() + ADMIN_WAIT_SECONDS
    while True:
        try:
            with sqlite.naming_faults(path):
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return
        except StoreLocked:
            if time.monotonic() > deadline:
                raise
            time.sleep(1 / 2000)
