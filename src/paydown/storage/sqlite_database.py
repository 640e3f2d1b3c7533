"""A ledger on SQLite: a file in WAL mode where every commit is synced (``synchronous=FULL``).

Law of this file: one transaction at a time writes, so whoever has begun one holds everything. Hot
work goes through ``SQLiteSession``, at driver level; all other work through SQLAlchemy.
"""

import fcntl
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from functools import cache
from itertools import chain
from pathlib import Path

import msgspec
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from paydown.storage import sqlite
from paydown.storage.database import (
    NOTHING,
    USUAL,
    Asked,
    Database,
    Hold,
    Patience,
    Row,
    Session,
)
from paydown.storage.faults import SchemaMismatch, StoreLocked, StoreUnavailable
from paydown.storage.files import Files
from paydown.storage.sqlite_log import Log, LogMover
from paydown.storage.statements import Statement

MOVED_ROWS = 100
"""How many rows are committed before the log is moved into the file, beside what comes next."""

LOG_ROWS_MAX, LOG_COMMITS_MAX = 2_000, 4
"""How much the log may hold, in rows and in commits as large as the last, before the writer moves
what the mover has left: the pages of a batch or two. The log begins anew where all of it was moved,
which under load never is without this."""

CACHE_KIBIBYTES = 8_000
"""What of the file is kept at hand: the upper pages of every index of a large ledger."""

_ADDED_AT_ONCE_MAX = 128
"""How many rows one INSERT takes: fewer statements, and the interpreter is let go less often."""

_encode = msgspec.json.Encoder().encode


class SQLiteDatabase(Database):
    """A file."""

    workers_max = 1
    sessions_max = 1

    def __init__(self, path: Path, patience: Patience = USUAL) -> None:
        self.path = self.file = path
        self.url = self.shown_url = f"sqlite:///{path}"
        self.place = f"The file {path}"
        self._patience = patience
        self._log = Log(path)
        self._files: Files | None = None
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite.connect(path, wait_seconds=patience.lock_seconds),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
        )
        self._reading = create_engine(
            "sqlite://",
            creator=lambda: sqlite.connect(path, wait_seconds=patience.lock_seconds, mode="ro"),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
        )

    def exists(self) -> bool:
        return sqlite.is_file(self.path)

    def make(self) -> None:
        """An empty file in WAL mode where there is none; an existing one is left as it is."""
        if not self.path.parent.is_dir():
            raise SchemaMismatch(f"There is no folder {self.path.parent}. Make it first.")
        with sqlite.naming_faults(self.path), self._log.keeping():
            sqlite.connect(self.path, wait_seconds=self._patience.of_a_turn, mode="rwc").close()

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with (
            sqlite.naming_faults(self.path),
            ExitStack() as closed,
            self._engine.connect() as connection,
        ):
            try:
                yield connection
            finally:
                if not self._log.may_move:
                    closed.enter_context(self._log.keeping())

    @contextmanager
    def begin_write(self, connection: Connection) -> Iterator[None]:
        """A busy server leaves the lock for moments only, so this asks again and again, quickly.

        Beside a session nothing is written, or said to be, in another file than the session's.
        """
        self._begin_immediate(connection)
        try:
            self._check_files()
            if self._log.doubted:
                self._log.bring_to_disk()
            yield
            with self._log.doubting():
                connection.exec_driver_sql("COMMIT")
            self._log.note_write(sqlite.driver_of(connection))
            self._check_files()
        except BaseException:
            if sqlite.in_transaction(connection):
                connection.exec_driver_sql("ROLLBACK")
            raise

    def _begin_immediate(self, connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
        deadline = time.monotonic() + self._patience.of_a_turn
        while True:
            try:
                with sqlite.naming_faults(self.path):
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                    return
            except StoreLocked:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1 / 2000)

    def _check_files(self) -> None:
        if self._files is not None:
            self._files.check()

    def hold_customer(self, connection: Connection, customer_id: int) -> None:
        """The transaction holds the whole file."""

    def hold_items(
        self, connection: Connection, customer_id: int, billing_ids: Sequence[int]
    ) -> None:
        """The transaction holds the whole file."""

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with sqlite.naming_faults(self.path), self._reading.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection

    @contextmanager
    def freeze(self) -> Iterator[Connection]:
        """Whoever has begun to write holds the whole file, also who then writes nothing."""
        with self.claim(), self.connect() as connection, self.begin_write(connection):
            connection.exec_driver_sql("PRAGMA query_only=ON")
            yield connection

    @contextmanager
    def rebuild(self) -> Iterator[Connection]:
        """References stay with the names of their tables, and are looked at in the end."""
        with self.connect() as connection:
            # Neither can be changed within a transaction.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("PRAGMA legacy_alter_table=ON")
            with self.begin_write(connection):
                yield connection
                sqlite.refuse_orphans(connection, self.path)

    def session(self) -> "SQLiteSession":
        self._files = Files(self.path)
        seconds = self._patience.lock_seconds
        return SQLiteSession(self.path, self._log, self._files, wait_seconds=seconds)

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Hold the file for one server: a second one on it is refused."""
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

    def guard(self, connection: Connection, tables: Sequence[str]) -> None:
        sqlite.guard(connection, tables)

    def objects(self, connection: Connection) -> dict[str, list[str]]:
        return sqlite.objects(connection)

    @contextmanager
    def scratch(self) -> Iterator[Connection]:
        with create_engine("sqlite://", poolclass=NullPool).connect() as connection:
            yield connection

    def damages(self, connection: Connection) -> Iterator[str]:
        return sqlite.damages(connection)


class SQLiteSession(Session):
    """The one connection of a server's writer thread.

    It opens the ledger anew only while the path still names the file that it named at first, and
    then believes and moves nothing of the log before it was brought to the disk.
    """

    def __init__(self, path: Path, log: Log, files: Files, *, wait_seconds: int) -> None:
        self._path = path
        self._log = log
        self._wait_seconds = wait_seconds
        self._connection: sqlite3.Connection | None = None
        self._files = files
        self._rested = False
        self.mover = LogMover(path, log, files)
        self._unmoved_rows = self._logged_rows = 0

    def begin(self, _: Hold = NOTHING, asked: Sequence[Asked] = ()) -> list[list[Row]]:
        """One that writes holds the whole file."""
        with sqlite.naming_faults(self._path):
            self.check()
            if self._connection is None:
                self._connection = sqlite.connect(self._path, wait_seconds=self._wait_seconds)
                # Nobody but who holds the file is waited for, and that is ``_hold_file``'s.
                self._connection.execute("PRAGMA busy_timeout=0")
                self._connection.execute(f"PRAGMA cache_size=-{CACHE_KIBIBYTES}")
                # What a statement may have to undo is kept in memory, and not in a file of its own.
                self._connection.execute("PRAGMA temp_store=MEMORY")
            self._hold_file()
        if not self._rested or self._log.doubted:
            self._come_to_rest()
        self._files.note_beside()
        try:
            with sqlite.naming_faults(self._path):
                return [
                    self._open.execute(each.sqlite.sql, _as_json(rows)).fetchall() if rows else []
                    for each, rows in asked
                ]
        except BaseException:
            self.rollback()
            raise

    def _hold_file(self) -> None:
        """Begin at once, or else say that this waits."""
        try:
            self._open.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        self.before_waiting()
        self._open.execute(f"PRAGMA busy_timeout={self._wait_seconds * 1000}")
        try:
            self._open.execute("BEGIN IMMEDIATE")
        finally:
            self._open.execute("PRAGMA busy_timeout=0")

    def fetch_one(self, statement: Statement, values: Row) -> Row | None:
        with sqlite.naming_faults(self._path):
            row: Row | None = self._open.execute(statement.sqlite.sql, values).fetchone()
            return row

    def add(self, statement: Statement, rows: Sequence[Row]) -> None:
        self._unmoved_rows += len(rows)
        with sqlite.naming_faults(self._path):
            for first, last in _chunks(len(rows)):
                sql = _repeat_values(statement.sqlite.sql, last - first)
                self._open.execute(sql, list(chain.from_iterable(rows[first:last])))

    def change(self, statement: Statement, rows: Sequence[Row]) -> None:
        if rows:
            with sqlite.naming_faults(self._path):
                self._open.execute(statement.sqlite.sql, _as_json(rows))

    def flush(self) -> None:
        """Nothing was kept."""

    def commit(self) -> None:
        self.before_waiting()
        with sqlite.naming_faults(self._path):
            self._open.execute("COMMIT")
        self._log.note_commit()
        if self._unmoved_rows >= MOVED_ROWS:
            self._move_log()
        self.check()

    def _move_log(self) -> None:
        """Beside what comes next; from time to time here, so that the log can begin anew.

        Not after each large commit: the mover has moved nothing of the last one by then.
        """
        rows, self._unmoved_rows = self._unmoved_rows, 0
        self._logged_rows += rows
        if self._logged_rows < LOG_ROWS_MAX + LOG_COMMITS_MAX * rows:
            self.mover.due()
        elif self._log.moves_doubted and not self._log.doubted:
            self._logged_rows = 0
            self.check()
            self.disconnect()
            self._log.move_anew()
        elif self._log.move(self._open):
            # Also where a reader kept some of it: looking through a long log takes its time.
            self._logged_rows = 0

    def settle(self) -> None:
        """It is: what was opened anew was brought to rest before it was believed."""

    def _come_to_rest(self) -> None:
        try:
            self._log.bring_to_disk()
        except StoreUnavailable:
            self.rollback()
            raise
        self._rested = True

    def probe(self) -> None:
        self.begin()
        try:
            with sqlite.naming_faults(self._path):
                (version,) = self._open.execute("PRAGMA user_version").fetchone()
                self._open.execute(f"PRAGMA user_version={int(version)}")
            self.commit()
        finally:
            self.rollback()

    def check(self) -> None:
        """Raise unless the paths still name the files that this session opened."""
        self._files.check()

    def look(self) -> None:
        self.check()

    def rollback(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                self.disconnect()

    def disconnect(self) -> None:
        self.mover.stop()
        connection, self._connection = self._connection, None
        if connection is not None:
            rested, self._rested = self._rested, False
            self._log.doubted = True
            believed = rested and not self._log.moves_doubted
            keeping = nullcontext() if believed else self._log.keeping()
            with self._files.closing(), keeping, suppress(sqlite3.Error):
                connection.close()

    def close(self) -> None:
        self.disconnect()
        self._files.close()

    @property
    def _open(self) -> sqlite3.Connection:
        assert self._connection is not None, "begin comes first"
        return self._connection


def _as_json(rows: Sequence[Row]) -> tuple[str]:
    return (_encode(rows).decode(),)


def _chunks(count: int) -> Iterator[tuple[int, int]]:
    """Where the chunks of so many rows begin and end: few sizes, so that few statements occur."""
    first, size = 0, _ADDED_AT_ONCE_MAX
    while first < count:
        while size > count - first:
            size //= 2
        yield first, first + size
        first += size


@cache
def _repeat_values(insert: str, count: int) -> str:
    """An INSERT of one row, as one of so many."""
    start, _, values = insert.partition(" VALUES ")
    return f"{start} VALUES {', '.join([values] * count)}"
