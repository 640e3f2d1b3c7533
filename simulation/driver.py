"""apsw, spoken to as if it were ``sqlite3``: the part of it that the product and SQLAlchemy use.

It carries an SQLite of its own, which opens files through the simulation's disk.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import apsw

from simulation.disk import Crash, Disk

_RAISED: dict[int, type[sqlite3.Error]] = {
    apsw.SQLITE_CONSTRAINT: sqlite3.IntegrityError,
    apsw.SQLITE_MISMATCH: sqlite3.IntegrityError,
    apsw.SQLITE_CORRUPT: sqlite3.DatabaseError,
    apsw.SQLITE_NOTADB: sqlite3.DatabaseError,
    apsw.SQLITE_TOOBIG: sqlite3.DataError,
    apsw.SQLITE_MISUSE: sqlite3.InterfaceError,
}
"""What ``sqlite3`` raises by a result's code; an OperationalError else."""

CHECKPOINT_PAGES = 1000
"""How many pages SQLite leaves in the log before it moves them, where it is not told."""

_MOVE_AFTER = "PRAGMA wal_autocheckpoint="

Meet = Callable[[str], None]
"""Told of each statement before it is run, and of a COMMIT after it was, as ``COMMITTED``."""


class Driver:
    """Opens connections as ``paydown.storage.sqlite.open_driver`` does."""

    def __init__(self, disk: Disk | None = None, meet: Meet = lambda _: None) -> None:
        self.disk = disk
        self.meet = meet
        self.open: list[Connection] = []

    def connect(self, uri: str, wait_seconds: int) -> "Connection":
        """Open the file that the URI names."""
        vfs = None if self.disk is None else self.disk.name
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
        opened = self.run(lambda: apsw.Connection(uri, flags=flags, vfs=vfs))
        opened.set_busy_timeout(wait_seconds * 1000)
        _move_after(opened, CHECKPOINT_PAGES)
        connection = Connection(self, opened)
        self.open.append(connection)
        return connection

    def close_all(self) -> None:
        """Let go of what a process that is gone had open."""
        for connection in list(self.open):
            connection.discard()

    def run(self, work: Callable[[], Any]) -> Any:
        """Do it; what apsw raises is raised as ``sqlite3`` would, and nothing outlives a crash."""
        if self.disk is not None and self.disk.dead:
            raise Crash
        try:
            return work()
        except apsw.Error as error:
            if self.disk is not None and self.disk.dead:
                raise Crash from error
            raise _translate(error) from error


def _move_after(opened: apsw.Connection, pages_max: int) -> None:
    """Move the log into the file as SQLite does by itself: a move that fails fails no commit.

    SQLite's own would do, but apsw raises whatever its disk raised, also where SQLite goes on.
    """

    def move(connection: apsw.Connection, name: str, pages: int) -> int:
        if 0 < pages_max <= pages:
            with suppress(apsw.Error):
                connection.wal_checkpoint(name)
        return apsw.SQLITE_OK

    opened.set_wal_hook(move)


def _translate(error: apsw.Error) -> sqlite3.Error:
    if not hasattr(error, "extendedresult"):
        return sqlite3.ProgrammingError(str(error))
    code = error.extendedresult
    raised = _RAISED.get(code & 0xFF, sqlite3.OperationalError)(str(error))
    raised.sqlite_errorcode = code
    return raised


class Connection:
    """A connection outside any transaction, unless one is begun in so many words."""

    def __init__(self, driver: Driver, opened: apsw.Connection) -> None:
        self._driver = driver
        self._opened = opened
        self.isolation_level: str | None = None

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return bool(self._opened.in_transaction)

    @property
    def total_changes(self) -> int:
        """How many rows it has changed."""
        return int(self._opened.total_changes())

    def execute(self, sql: str, values: Sequence[Any] = ()) -> "Cursor":
        """Run a statement to its end."""
        return self.cursor().execute(sql, values)

    def cursor(self) -> "Cursor":
        """A cursor."""
        return Cursor(self._driver, self._opened)

    def create_function(self, name: str, count: int, function: Any, **more: Any) -> None:
        """Make a function known to SQL."""
        self._opened.create_scalar_function(name, function, count, **more)

    def commit(self) -> None:
        """End an open transaction well."""
        if self.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        """Undo an open transaction."""
        if self.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        """Let go of the file. SQLite does not mind what its disk says then, but a crash is one."""
        if self in self._driver.open:
            self.discard()
            self._driver.run(lambda: None)

    def begin_quietly(self) -> None:
        """Take the file for itself, unmet."""
        self._driver.run(lambda: self._opened.execute("BEGIN IMMEDIATE"))

    def read_quietly(self) -> None:
        """See the ledger as it is now, for as long as it is open, unmet."""
        self._driver.run(lambda: self._opened.execute("BEGIN; SELECT COUNT(*) FROM entry"))

    def discard(self) -> None:
        """Let go of the file, also for a process that no longer can."""
        self._driver.open.remove(self)
        with suppress(apsw.Error, Crash):
            self._opened.close(True)
        self._opened.close(True)


class Cursor:
    """A statement's result, fetched whole."""

    arraysize = 1

    def __init__(self, driver: Driver, opened: apsw.Connection) -> None:
        self._driver = driver
        self._opened = opened
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    def execute(self, sql: str, values: Sequence[Any] = ()) -> "Cursor":
        """Run a statement to its end."""
        self._driver.meet(sql)
        self._rows = self._driver.run(lambda: self._run(sql, values))
        if sql == "COMMIT":
            self._driver.meet("COMMITTED")
        return self

    def _run(self, sql: str, values: Sequence[Any]) -> list[Any]:
        if sql.startswith(_MOVE_AFTER):
            _move_after(self._opened, int(sql.removeprefix(_MOVE_AFTER)))
            return []
        cursor = self._opened.cursor()
        cursor.exec_trace = self._describe
        try:
            rows: list[Any] = cursor.execute(sql, values).fetchall()
        finally:
            cursor.close(True)
        self.rowcount = -1 if self.description else self._opened.changes()
        self.lastrowid = self._opened.last_insert_rowid()
        return rows

    def _describe(self, cursor: apsw.Cursor, *_: Any) -> bool:
        described = cursor.get_description()
        self.description = [(name, *[None] * 6) for name, _ in described] or None
        return True

    def executemany(self, sql: str, many: Sequence[Sequence[Any]]) -> "Cursor":
        """Run a statement for each set of values."""
        total = 0
        for values in many:
            self.execute(sql, values)
            total += self.rowcount
        self.rowcount = total
        return self

    def fetchone(self) -> Any:
        """The next row, if there is one."""
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[Any]:
        """Some of the rows that are left."""
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[Any]:
        """The rows that are left."""
        taken, self._rows = self._rows, []
        return taken

    def close(self) -> None:
        """Let go of the result."""
        self._rows = []
