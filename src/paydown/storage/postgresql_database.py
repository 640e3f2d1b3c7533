"""A ledger on PostgreSQL: any number of servers, whose transactions wait for each other's rows.

Law of this file: a transaction takes its locks first, in one order for all, and only then reads
what it decides by, in statements of their own: so READ COMMITTED shows it nothing older than its
locks. What runs on the writer's thread is sent in few round trips, its rows as arrays.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from paydown.storage import postgresql
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
from paydown.storage.faults import SchemaMismatch, StoreContested, StoreUnavailable
from paydown.storage.postgresql import LOCK_CLASS
from paydown.storage.postgresql_clock import ClockWatch
from paydown.storage.statements import Statement

_ADMINISTRATION = 0
"""The lock that commands hold while they change something; no customer has this number."""

ANSWER_SECONDS = 15
"""How long the writer waits for PostgreSQL beyond the wait for a lock. Then it counts as lost."""

IDLE_SECONDS = 30
"""How long a command or the desk may hold a write transaction without a word to PostgreSQL."""

_HOT_SETTINGS = (
    # Each hot statement finds few rows by a key, in the order in which it names the tables. A plan
    # made while a table was small, or by statistics of an hour ago, must not find them otherwise.
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
    "SET join_collapse_limit = 1; SET plan_cache_mode = force_generic_plan; SET jit = off"
)
_BOUNDED_SINCE = 170_000
"""The first PostgreSQL that ends a transaction after a time; older ones notice a lost peer only."""

REPLAN_BATCHES = 100
"""How many batches use one plan. A table can be empty when a plan is made, and full soon after."""

_HOLD_CUSTOMERS = (
    "SELECT pg_advisory_lock_shared(lock_class, customer_id) "
    "FROM unnest($1::INTEGER[], $2::INTEGER[]) AS held (lock_class, customer_id)"
)
_LET_GO = "SELECT pg_advisory_unlock_all()"
_HOLD_ITEMS = (
    "SELECT FROM unnest($1::BIGINT[], $2::BIGINT[]) AS held (customer_id, billing_id) "
    "JOIN billing_item item"
    " ON item.customer_id = held.customer_id AND item.billing_id = held.billing_id "
    "ORDER BY item.customer_id, item.billing_id FOR NO KEY UPDATE OF item"
)
_HOLD_LISTED = text(
    "SELECT billing_id FROM billing_item "
    "WHERE customer_id = :customer_id AND billing_id = ANY(CAST(:billing_ids AS BIGINT[])) "
    "ORDER BY billing_id FOR NO KEY UPDATE"
)

_PROBE = (
    # All that a payment writes, and the latest table that it reads: so a missing right is noticed.
    *(
        f"INSERT INTO {table} SELECT * FROM {table} WHERE false"  # noqa: S608 - names of ours
        for table in ("entry", "posting", "kept_answer", "replay")
    ),
    "UPDATE billing_item SET balance = balance WHERE false",
    "SELECT line_no FROM reversal WHERE false",
    "SELECT pg_logical_emit_message(true, 'paydown', 'probe')",
)


class PostgreSQLDatabase(Database):
    """A database of a PostgreSQL server, or of several of which one can be written."""

    workers_max = None
    sessions_max = None

    def __init__(self, url: str, patience: Patience = USUAL) -> None:
        parameters = postgresql.read_url(url)
        self.url = url
        self.shown_url = postgresql.without_password(url)
        self.place = postgresql.say_place(parameters)
        self._patience = patience
        self._engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connect_admin,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            use_native_hstore=False,
        )

    def _connect_admin(self) -> psycopg.Connection:
        patience = self._patience
        return postgresql.connect(
            self.url,
            lock_wait_seconds=patience.of_a_turn,
            answer_seconds=patience.answer_seconds,
        )

    def exists(self) -> bool:
        return True

    def make(self) -> None:
        """A database is the operator's to make, with its owner and its backups."""

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with postgresql.naming_faults(self.place), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def begin_write(self, connection: Connection) -> Iterator[None]:
        """What is read after a lock was had must not be older than the lock, whatever the default.

        At SERIALIZABLE the wait for the first lock would end in a look at the time before it.
        """
        connection.exec_driver_sql(
            "BEGIN ISOLATION LEVEL READ COMMITTED; "
            # Whoever stands still in one must not keep everybody else from writing.
            f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS:d}s'"
        )
        try:
            _lock(connection, _ADMINISTRATION)
            yield
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            with suppress(Exception):
                connection.exec_driver_sql("ROLLBACK")
            raise

    def hold_customer(self, connection: Connection, customer_id: int) -> None:
        _lock(connection, customer_id)

    def hold_items(
        self, connection: Connection, customer_id: int, billing_ids: Sequence[int]
    ) -> None:
        """As a writer does: the customer beside its other payments, then the items in order."""
        connection.exec_driver_sql(
            f"SELECT pg_advisory_xact_lock_shared({LOCK_CLASS}, {customer_id:d})"
        )
        held = {"customer_id": customer_id, "billing_ids": list(billing_ids)}
        connection.execute(_HOLD_LISTED, held)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self.connect() as connection:
            connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection

    @contextmanager
    def freeze(self) -> Iterator[Connection]:
        with self.read() as connection:
            connection.exec_driver_sql(postgresql.FREEZE)
            yield connection

    def session(self) -> "PostgreSQLSession":
        seconds = self._patience.lock_seconds
        return PostgreSQLSession(self.url, self.place, lock_wait_seconds=seconds)

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Any number of servers may run. Refused is a database that loses commits with its power.

        Raises ``SchemaMismatch`` there.
        """
        with self.connect() as connection:
            (fsync,) = connection.exec_driver_sql("SHOW fsync").one()
        if fsync != "on":
            raise SchemaMismatch(
                f"{self.place} runs with fsync off, so that a power cut loses payments. "
                "Set fsync = on in postgresql.conf and reload."
            )
        yield

    def guard(self, connection: Connection, tables: Sequence[str]) -> None:
        postgresql.guard(connection, tables)

    def objects(self, connection: Connection) -> dict[str, list[str]]:
        return postgresql.objects(connection)

    @contextmanager
    def scratch(self) -> Iterator[Connection]:
        """Temporary tables, in a transaction that is never committed."""
        with self.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql("SET LOCAL search_path = pg_temp")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")

    def damages(self, connection: Connection) -> Iterator[str]:
        return postgresql.damages(connection)


class PostgreSQLSession(Session):
    """The connection of a server's writer thread."""

    def __init__(self, url: str, place: str, *, lock_wait_seconds: int) -> None:
        self._url = url
        self._place = place
        self._lock_wait_seconds = lock_wait_seconds
        self._connection: psycopg.Connection | None = None
        self._clocks = ClockWatch(place)
        self._warnings: list[str] = []
        self._batch_count = 0
        self._unsent: list[tuple[str, Sequence[Row]]] = []

    def begin(self, hold: Hold = NOTHING, asked: Sequence[Asked] = ()) -> list[list[Row]]:
        self._unsent.clear()
        self.before_waiting()
        try:
            with postgresql.naming_faults(self._place):
                return self._begin(self._connected(), hold, asked)
        except BaseException:
            self.rollback()
            raise

    def _begin(
        self, connection: psycopg.Connection, hold: Hold, asked: Sequence[Asked]
    ) -> list[list[Row]]:
        """In one round trip; each statement sees what was there when those before it had ended.

        The customers are held before the transaction begins, and by the session: a serializable one
        sees the moment of its first statement, which would be before a wait for such a lock.
        """
        with connection.pipeline() as pipeline:
            if self._is_replan_due():
                connection.execute("DISCARD PLANS")
            self._execute(_HOLD_CUSTOMERS, [(LOCK_CLASS, *each) for each in hold.customers])
            pipeline.sync()
            connection.execute("BEGIN")
            self._execute(_HOLD_ITEMS, hold.items)
            found = [self._execute(each.postgresql.sql, rows) for each, rows in asked]
        return [cursor.fetchall() if cursor else [] for cursor in found]

    def _is_replan_due(self) -> bool:
        """Every so often, and whenever the count has doubled: a new ledger grows fast."""
        self._batch_count += 1
        doubled = self._batch_count & (self._batch_count - 1) == 0
        return doubled or self._batch_count % REPLAN_BATCHES == 0

    def fetch_one(self, statement: Statement, values: Row) -> Row | None:
        with postgresql.naming_faults(self._place):
            cursor = psycopg.RawCursor(self._open)
            return cursor.execute(statement.postgresql.sql, values, binary=True).fetchone()

    def add(self, statement: Statement, rows: Sequence[Row]) -> None:
        self._unsent.append((statement.postgresql.sql, rows))

    def change(self, statement: Statement, rows: Sequence[Row]) -> None:
        self._unsent.append((statement.postgresql.sql, rows))

    def flush(self) -> None:
        """In one round trip. Whatever is refused is refused here, and not by the commit."""
        unsent, self._unsent = self._unsent, []
        try:
            with postgresql.naming_faults(self._place), self._open.pipeline():
                for sql, rows in unsent:
                    self._execute(sql, rows)
        except psycopg.errors.UniqueViolation as error:
            raise StoreContested(f"{self._place}: another transaction came first.") from error

    def commit(self) -> None:
        with postgresql.naming_faults(self._place):
            self._warnings.clear()
            with self._open.pipeline():
                cursor = self._open.execute("COMMIT")
                self._open.execute(_LET_GO)
        ended = cursor.statusmessage
        if ended != "COMMIT":
            raise StoreUnavailable(f"{self._place} undid the transaction ({ended}).")
        if self._warnings:
            raise StoreUnavailable(
                f"{self._place} warned at a commit ({self._warnings[0]}).", outcome_unknown=True
            )

    def settle(self) -> None:
        """Commit once more: a commit that waits for the standby has waited for all before it."""
        self.probe()

    def probe(self) -> None:
        self.begin()
        try:
            with postgresql.naming_faults(self._place), self._open.pipeline():
                for statement in _PROBE:
                    self._open.execute(statement)
            self.commit()
        finally:
            self.rollback()

    def check(self) -> None:
        """What has become of the server, only asking it tells."""

    def look(self) -> None:
        with postgresql.naming_faults(self._place):
            found = self._connected().execute("SHOW transaction_read_only").fetchone()
        if found == ("on",):
            raise StoreUnavailable(f"{self._place} is read-only: it is a standby, or set so.")

    def rollback(self) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.info.transaction_status != TransactionStatus.IDLE:
                connection.execute("ROLLBACK")
            connection.execute(_LET_GO)
        except psycopg.Error:
            self.disconnect()

    def disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def close(self) -> None:
        self.disconnect()

    def _connected(self) -> psycopg.Connection:
        is_new = self._connection is None
        if self._connection is None:
            answer_seconds = ANSWER_SECONDS + self._lock_wait_seconds
            connection = postgresql.connect(
                self._url, lock_wait_seconds=self._lock_wait_seconds, answer_seconds=answer_seconds
            )
            connection.execute(_HOT_SETTINGS)
            if connection.info.server_version >= _BOUNDED_SINCE:
                # A server that stands still in a batch must not keep others from its items.
                bound = 3 * answer_seconds
                connection.execute(f"SET transaction_timeout = '{bound:d}s'")
            connection.add_notice_handler(self._note)
            self._connection = connection
        self._clocks.check(self._connection, is_new=is_new)
        return self._connection

    def _note(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self._warnings.append(notice.message_primary or "")

    def _execute(self, sql: str, rows: Sequence[Row]) -> psycopg.RawCursor[Row] | None:
        """Send the statement with the rows as arrays, a column each; none is sent for no rows."""
        if not rows:
            return None
        cursor = psycopg.RawCursor(self._open)
        arrays = [as_array(column) for column in zip(*rows, strict=True)]
        return cursor.execute(sql, arrays, prepare=True, binary=True)

    @property
    def _open(self) -> psycopg.Connection:
        assert self._connection is not None, "begin comes first"
        return self._connection


def as_array(values: Sequence[Any]) -> str:
    """An array as PostgreSQL writes one, of whole numbers, texts or bytes, any of them null.

    The driver's own lists take several times as long, and change their type with their greatest
    number, so that each size would be planned by itself.
    """
    return "{" + ",".join([_ELEMENTS[type(value)](value) for value in values]) + "}"


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_ELEMENTS: dict[type, Callable[[Any], str]] = {
    int: str,
    str: _quote,
    bytes: lambda value: f'"\\\\x{value.hex()}"',
    type(None): lambda _: "NULL",
}


def _lock(connection: Connection, number: int) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_CLASS}, {number:d})")
