"""What every database promises: the ports that the store and the commands speak to.

Law of this file: no driver's type and no driver's error crosses it. What goes wrong is a
``StoreUnavailable``, whose sentence an operator understands.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection

from paydown.storage.statements import Statement

ADMIN_WAIT_SECONDS = 30
"""How long a command beside a running server tries for its turn to write."""


class Patience(NamedTuple):
    """How many seconds is waited for others.

    ``lock_seconds``: by a session or a reader, for a lock. ``turn_seconds``: by ``begin_write``,
    for its turn; as a command does where there is none. ``answer_seconds``: for a statement outside
    a session; without end where there is none. A server may fall silent; a file never does.
    """

    lock_seconds: int = 5
    turn_seconds: int | None = None
    answer_seconds: int | None = None

    @property
    def of_a_turn(self) -> int:
        """How long ``begin_write`` tries."""
        return ADMIN_WAIT_SECONDS if self.turn_seconds is None else self.turn_seconds


USUAL = Patience()

Row = tuple[Any, ...]
Asked = tuple[Statement, Sequence[Row]]
"""A statement, and the rows to feed it with."""


class Hold(NamedTuple):
    """What a transaction holds before it reads what it decides by. Both lists are sorted."""

    customers: Sequence[tuple[int]] = ()
    items: Sequence[tuple[int, int]] = ()


NOTHING = Hold()


class Session(ABC):
    """A writer's connection at driver level. Every fault leaves it as ``StoreUnavailable``.

    After a fault, ``disconnect``: the next ``begin`` opens the ledger anew.
    """

    before_waiting: Callable[[], None] = staticmethod(lambda: None)
    """Called before it waits for the disk, for another transaction or for the network."""

    @abstractmethod
    def begin(self, hold: Hold = NOTHING, asked: Sequence[Asked] = ()) -> list[list[Row]]:
        """Start a write transaction, waiting a bounded time for what it is to hold; then ask.

        Until it ends nobody else moves the items held, and none of the held customers' tender
        types, accounts and periods changes. Returned is the result of each statement over its rows,
        read after that; none is asked over no rows. Where it raises, nothing was begun.
        """

    @abstractmethod
    def fetch_one(self, statement: Statement, values: Row) -> Row | None:
        """The first row that the statement finds for the values, if any."""

    @abstractmethod
    def add(self, statement: Statement, rows: Sequence[Row]) -> None:
        """Add the rows to the statement's table."""

    @abstractmethod
    def change(self, statement: Statement, rows: Sequence[Row]) -> None:
        """Change what the statement says, by the rows."""

    @abstractmethod
    def flush(self) -> None:
        """See what was added and changed written, or refused: it may have been kept until now."""

    @abstractmethod
    def commit(self) -> None:
        """Make the transaction durable: when this returns, it is."""

    @abstractmethod
    def settle(self) -> None:
        """After a commit in doubt was found: return when it is as durable as any other."""

    @abstractmethod
    def probe(self) -> None:
        """Write and sync something harmless, to see whether the store can be written."""

    @abstractmethod
    def check(self) -> None:
        """Raise where the ledger is seen no longer to be the one opened. From any thread."""

    @abstractmethod
    def look(self) -> None:
        """Raise where an idle ledger can be seen not to take payments now."""

    @abstractmethod
    def rollback(self) -> None:
        """Undo the open transaction, if there is one."""

    @abstractmethod
    def disconnect(self) -> None:
        """Close the connection; an open transaction is undone. ``begin`` opens another."""

    @abstractmethod
    def close(self) -> None:
        """End the session."""


class Database(ABC):
    """A ledger, or the place for one. Open it with ``paydown.storage.opening``.

    ``url`` opens it again and may hold a password; ``shown_url`` is for people to read and to
    paste, and ``place`` begins a sentence about it. ``file`` is all of it, where it is one file.
    """

    url: str
    shown_url: str
    place: str
    file: Path | None = None

    @property
    @abstractmethod
    def workers_max(self) -> int | None:
        """How many server processes it takes; None where there is no bound."""

    @property
    @abstractmethod
    def sessions_max(self) -> int | None:
        """How many sessions can write at once; None where there is no bound."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is something to look for a ledger in."""

    @abstractmethod
    def make(self) -> None:
        """Make what a new ledger goes into, where that is Paydown's to make."""

    @abstractmethod
    def connect(self) -> AbstractContextManager[Connection]:
        """A connection outside any transaction; ``begin_write`` starts one on it."""

    @abstractmethod
    def begin_write(self, connection: Connection) -> AbstractContextManager[None]:
        """A write transaction: commits at the end, rolls back on any exception.

        No other one of these runs at the same time; payments may.
        """

    @abstractmethod
    def hold_customer(self, connection: Connection, customer_id: int) -> None:
        """In a write transaction: decide no payment of the customer until it ends."""

    @abstractmethod
    def hold_items(
        self, connection: Connection, customer_id: int, billing_ids: Sequence[int]
    ) -> None:
        """In a write transaction: until it ends nobody else moves these items.

        Nor do the customer's tender types and accounts change. Read them afterwards.
        """

    @abstractmethod
    def read(self) -> AbstractContextManager[Connection]:
        """A connection that cannot write and sees one moment of the ledger."""

    @abstractmethod
    def freeze(self) -> AbstractContextManager[Connection]:
        """As ``read``, of a ledger that nobody changes until it ends.

        What would change it waits a bounded time, and then fails as on any lock.
        """

    @abstractmethod
    def session(self) -> Session:
        """A connection for a server's writer thread."""

    @abstractmethod
    def claim(self) -> AbstractContextManager[None]:
        """See that a server may run on the ledger, and keep it so while it does."""

    @abstractmethod
    def guard(self, connection: Connection, tables: Sequence[str]) -> None:
        """Make the database itself refuse to change or remove the tables' rows."""

    @abstractmethod
    def objects(self, connection: Connection) -> dict[str, list[str]]:
        """Every table, index and trigger by name, as the lines of its definition in any order."""

    @abstractmethod
    def scratch(self) -> AbstractContextManager[Connection]:
        """A connection to an empty database of the same kind, gone afterwards."""

    @abstractmethod
    def damages(self, connection: Connection) -> Iterator[str]:
        """What the database's own checks find wrong with what is stored."""

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection inside a write transaction of its own."""
        with self.connect() as connection, self.begin_write(connection):
            yield connection

    def rebuild(self) -> AbstractContextManager[Connection]:
        """As ``write``, where tables may be replaced; it fails where a reference leads nowhere."""
        return self.write()
