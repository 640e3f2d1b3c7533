"""What the desk writes while somebody moves, replaces or holds the ledger's file."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from clerk import Clerk, document, receipt
from ledgers import Books
from paydown import bootstrap
from paydown.config import Settings
from paydown.desk import Result
from paydown.storage.database import Database
from paydown.storage.faults import StoreLocked, StoreUnavailable
from paydown.storage.files import Files
from paydown.storage.sqlite_database import SQLiteDatabase


@pytest.fixture
def clerk(database: Database) -> Clerk:
    """The till, at the desk of the server that also takes payments."""
    return Clerk(database)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another process has the ledger, and writes nothing."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def receipts_in(path: Path) -> int:
    """How many are recorded in the file."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM receipt").fetchone()[0])


def restore(path: Path) -> Path:
    """Move the ledger away with what is beside it, and put a copy of it there; the old one."""
    moved = path.with_name("moved.db")
    for suffix in ("", "-wal", "-shm"):
        beside = Path(f"{path}{suffix}")
        if beside.exists():
            beside.rename(f"{moved}{suffix}")
    with closing(sqlite3.connect(moved)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
    return moved


def waiting(write: Callable[[], Result]) -> tuple[threading.Thread, list[Result | Exception]]:
    """Let a thread write; what comes of it is in the list once it has ended."""
    told: list[Result | Exception] = []

    def try_it() -> None:
        try:
            told.append(write())
        except StoreUnavailable as fault:
            told.append(fault)

    thread = threading.Thread(target=try_it)
    thread.start()
    return thread, told


def test_nothing_is_written_into_a_file_that_was_put_there(books: Books, clerk: Clerk) -> None:
    """Restored under a running server: that one says so, and leaves the new file alone."""
    path = books.database.path
    document(clerk.desk.record_receipt(clerk.by(), receipt()))
    restore(path)

    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="Restart the server"):
            clerk.desk.record_receipt(clerk.by(), receipt())
    assert receipts_in(path) == 1


def test_who_waited_while_the_file_was_moved_is_not_told_that_it_is_recorded(
    books: Books, clerk: Clerk
) -> None:
    """It had opened the old one, which nobody will read again."""
    path = books.database.path
    with held(path):
        thread, told = waiting(lambda: clerk.desk.record_receipt(clerk.by(), receipt()))
        time.sleep(0.3)
        moved = restore(path)
    thread.join()

    assert isinstance(told[0], StoreUnavailable)
    assert (receipts_in(moved), receipts_in(path)) == (0, 0)


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_nothing_is_acknowledged_once_a_file_beside_is_gone(
    books: Books, clerk: Clerk, suffix: str
) -> None:
    """The newest commits and the locks are in them, for the desk as for payments."""
    document(clerk.desk.record_receipt(clerk.by(), receipt()))
    books.service._sessions[0].probe()
    Path(f"{books.database.path}{suffix}").unlink()

    with pytest.raises(StoreUnavailable):
        clerk.desk.record_receipt(clerk.by(), receipt())


def test_a_file_moved_during_the_commit_is_not_answered_as_recorded(
    books: Books, clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path is looked at between the commit and the answer."""
    path, check = books.database.path, Files.check

    def move_and_check(files: Files) -> None:
        if path.exists() and receipts_in(path):
            path.rename(path.with_name("moved.db"))
        check(files)

    monkeypatch.setattr(Files, "check", move_and_check)
    with pytest.raises(StoreUnavailable, match="moved or replaced"):
        clerk.desk.record_receipt(clerk.by(), receipt())


def test_a_write_of_the_desk_waits_for_the_file_as_long_as_a_payment(database: Database) -> None:
    """As the setting says, and at least for the payments beside it; a command waits longer."""
    assert isinstance(database, SQLiteDatabase)
    own = bootstrap._open(Settings(database=database.url, lock_wait_seconds=0))
    clerk = Clerk(own)
    with held(database.path):
        began = time.monotonic()
        with pytest.raises(StoreLocked):
            clerk.desk.record_receipt(clerk.by(), receipt())
        took = time.monotonic() - began

    assert bootstrap.TURN_SECONDS_LEAST <= took < 15
