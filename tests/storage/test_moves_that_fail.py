"""A sync of the ledger's file that fails while the log is moved: what was moved may be gone."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import ledgers
import simulation.driver
from clerk import Clerk
from ledgers import Books, pay
from paydown import audit
from paydown.domain.model import Caller
from paydown.domain.outcomes import Outcome
from paydown.storage import sqlite, sqlite_database
from paydown.storage.database import Database
from paydown.storage.files import Files
from paydown.storage.sqlite_database import SQLiteDatabase
from paydown.storage.sqlite_log import LogMover
from simulation.disk import Crash, Disk
from simulation.driver import Driver

ITEMS = 20
PENCE = 10


class FileDisk(Disk):
    """A disk on which the syncs of the ledger's file alone can be made to fail."""

    failing = False

    def step(self, what: str, path: str, detail: str = "") -> bool:
        """As ever, or fail."""
        self.rates = {"sync": 1.0} if self.failing and path.endswith(".db") else {}
        return super().step(what, path, detail)


@pytest.fixture
def disk() -> Iterator[FileDisk]:
    """A disk on which nothing goes wrong yet."""
    made = FileDisk("moves", random.Random(1), lambda _: None)
    yield made
    made.unregister()


@pytest.fixture
def driver(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """What opens every ledger on that disk; the log is moved when a test says so.

    SQLite by itself would move it after each commit.
    """
    made = Driver(disk)
    monkeypatch.setattr(simulation.driver, "CHECKPOINT_PAGES", 1)
    monkeypatch.setattr(sqlite, "open_driver", made.connect)
    monkeypatch.setattr(sqlite, "write_anew", disk.write_anew)
    monkeypatch.setattr(LogMover, "due", lambda _: None)
    monkeypatch.setattr(sqlite_database, "MOVED_ROWS", 1)
    return made


@pytest.fixture
def database(driver: Driver, template: Path, tmp_path: Path) -> Database:
    """A ledger on that disk."""
    return ledgers.copy_ledger(template, tmp_path / "ledger.db")


def pay_all(books: Books, caller: Caller, name: str) -> None:
    """A payment on each of the items."""
    for item in range(1, ITEMS + 1):
        command = pay(caller, {item: "0.10"}, reference=f"{name}{item}")
        assert isinstance(books.record(command).result, Outcome)


@contextmanager
def reading(database: Database, driver: Driver) -> Iterator[None]:
    """Somebody reads on, and sees what is recorded until now and nothing later."""
    reader = driver.connect(f"file:{database.file}?mode=ro", 0)
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM entry").fetchone()
    yield
    reader.close()


def lose_power(disk: Disk, driver: Driver) -> None:
    """The machine is gone, and all that was not synced with it."""
    with pytest.raises(Crash):
        disk.crash()
    driver.close_all()
    disk.lose_power(0.0)
    disk.dead = False


def move_and_fail(database: Database, driver: Driver, disk: FileDisk, books: Books) -> None:
    """A part of the log is moved, which syncs nothing; then the rest, where the sync fails."""
    assert isinstance(database, SQLiteDatabase)
    caller, mover = books.caller(), LogMover(database.path, database._log, Files(database.path))
    for name in "ABC":
        pay_all(books, caller, name)
    with reading(database, driver):
        # Of few pages, so that those of the others have their newest state in what can be moved.
        assert isinstance(books.record(pay(caller, {21: "0.10"})).result, Outcome)
        mover.move()
    disk.failing = True
    mover.move()
    disk.failing = False
    mover.move()
    mover.stop()


def wrong(database: Database, rounds: int) -> list[str]:
    """All that is wrong with a ledger in which so much was paid of each item."""
    found = [line for finding in audit.verify(database) for line in finding.detail]
    with Books(database) as books:
        balances = books.balances()
    owed = 1000 - rounds * PENCE
    return found + [f"{item}" for item in range(1, ITEMS + 1) if balances[item] != owed]


def test_what_was_moved_before_a_sync_that_failed_lasts(
    database: Database, driver: Driver, disk: FileDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log does not begin anew over what the file may have lost."""
    monkeypatch.setattr(sqlite_database, "LOG_ROWS_MAX", 1_000_000)
    with Books(database) as books:
        move_and_fail(database, driver, disk, books)
        pay_all(books, books.caller(), "D")
        lose_power(disk, driver)
    assert wrong(database, 4) == []


def test_who_else_writes_moves_nothing_either(
    database: Database, driver: Driver, disk: FileDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The desk's commit is told of no move that failed, and SQLite would move after it."""
    monkeypatch.setattr(sqlite_database, "LOG_ROWS_MAX", 1_000_000)
    with Books(database) as books:
        move_and_fail(database, driver, disk, books)
        Clerk(database).receive("1.00")
        pay_all(books, books.caller(), "D")
        lose_power(disk, driver)
    assert wrong(database, 4) == []


def test_all_is_moved_anew_and_then_the_log_is_short_again(
    database: Database, driver: Driver, disk: FileDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer lets go of the ledger for a moment, and goes on."""
    monkeypatch.setattr(sqlite_database, "LOG_ROWS_MAX", 1_000_000)
    log = Path(f"{database.file}-wal")
    with Books(database) as books:
        move_and_fail(database, driver, disk, books)
        monkeypatch.setattr(sqlite_database, "LOG_ROWS_MAX", 1)
        long = log.stat().st_size
        pay_all(books, books.caller(), "D")
        assert log.stat().st_size < long / 2
        lose_power(disk, driver)
    assert wrong(database, 4) == []


def test_whoever_closes_the_ledger_last_leaves_the_log(
    database: Database, driver: Driver, disk: FileDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So does the desk, where the writer has let go of the ledger before it."""
    monkeypatch.setattr(sqlite_database, "LOG_ROWS_MAX", 1_000_000)
    with database.connect() as connection:
        connection.exec_driver_sql("SELECT COUNT(*) FROM entry").scalar_one()
        with Books(database) as books:
            move_and_fail(database, driver, disk, books)
    lose_power(disk, driver)
    assert wrong(database, 3) == []


def test_a_server_that_stops_after_it_leaves_the_log(
    database: Database, driver: Driver, disk: FileDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last to close would move only what the moves had left."""
    monkeypatch.setattr(sqlite_database, "LOG_ROWS_MAX", 1_000_000)
    with Books(database) as books:
        move_and_fail(database, driver, disk, books)
    lose_power(disk, driver)
    assert wrong(database, 3) == []
