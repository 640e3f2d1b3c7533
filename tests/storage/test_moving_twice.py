"""A log of which all is moved is let alone until something is committed.

SQLite before 3.51.3 may take a payment for moved that is not, where a move begins on such a log
while a commit lets it begin anew (https://sqlite.org/wal.html, "The WAL-Reset Bug").
"""

from pathlib import Path

import pytest

import ledgers
from clerk import Clerk
from ledgers import Books, pay
from paydown.storage import sqlite, sqlite_database
from paydown.storage.files import Files
from paydown.storage.sqlite_database import SQLiteDatabase
from paydown.storage.sqlite_log import MOVE, LogMover
from simulation.driver import Driver


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement; the log is moved when a test says so."""
    statements: list[str] = []
    monkeypatch.setattr(sqlite, "open_driver", Driver(meet=statements.append).connect)
    monkeypatch.setattr(LogMover, "due", lambda _: None)
    return statements


@pytest.mark.parametrize("writes", ["writer", "desk"])
def test_a_log_is_moved_once(template: Path, tmp_path: Path, told: list[str], writes: str) -> None:
    """However often it is due; whoever commits makes it worth another move."""
    database = ledgers.copy_ledger(template, tmp_path / "ledger.db")
    assert isinstance(database, SQLiteDatabase)
    mover = LogMover(database.path, database._log, Files(database.path))
    with Books(database) as books:
        for number in (1, 2):
            assert books.outcome(pay(books.caller(), {1: "0.01"})).success
            if writes == "desk":
                mover.move()
                Clerk(database).receive("1.00")
            before = told.count(MOVE)
            mover.move()
            mover.move()
            assert told.count(MOVE) - before == 1, number
        mover.stop()


def test_the_mover_lets_alone_what_the_writer_moved(
    template: Path, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor the mover what the writer has: the one that comes late finds it moved."""
    monkeypatch.setattr(sqlite_database, "MOVED_ROWS", 1)
    monkeypatch.setattr(sqlite_database, "LOG_ROWS_MAX", 1)
    monkeypatch.setattr(sqlite_database, "LOG_COMMITS_MAX", 0)
    database = ledgers.copy_ledger(template, tmp_path / "ledger.db")
    assert isinstance(database, SQLiteDatabase)
    mover = LogMover(database.path, database._log, Files(database.path))
    with Books(database) as books:
        assert books.outcome(pay(books.caller(), {1: "0.01"})).success
        moved = told.count(MOVE)
        assert moved == 1
        mover.move()
        assert told.count(MOVE) == moved
        mover.stop()
