"""While a fault stands: what is watched, what makes it pass, and how it ends with the server."""

import time
from pathlib import Path

import pytest

import ledgers
from ledgers import Books, pay
from paydown.domain.outcomes import Outcome
from paydown.storage import files
from paydown.storage.database import Patience
from paydown.storage.faults import StoreFull
from paydown.storage.jobs import Unavailable
from paydown.storage.sqlite_database import SQLiteDatabase, SQLiteSession


@pytest.fixture
def impatient(template: Path, tmp_path: Path) -> SQLiteDatabase:
    """A ledger whose server does not wait for a lock."""
    ledgers.copy_ledger(template, tmp_path / "ledger.db")
    return SQLiteDatabase(tmp_path / "ledger.db", Patience(lock_seconds=0))


def test_the_files_beside_are_watched_while_a_lock_fault_stands(impatient: SQLiteDatabase) -> None:
    """A lock closes nothing: a -wal removed meanwhile is noticed, not made anew."""
    with Books(impatient) as books:
        caller = books.caller()
        books.outcome(pay(caller, {1: "1"}))
        with impatient.write():
            assert isinstance(books.record(pay(caller, {1: "1"})).result, Unavailable)
        Path(f"{impatient.path}-wal").unlink()
        result = books.record(pay(caller, {1: "1"})).result

    assert isinstance(result, Unavailable)
    assert "a file beside it" in result.sentence


def test_a_commit_of_nothing_does_not_make_ready(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk a refused line can be answered; that proves nothing for a payment."""
    monkeypatch.setattr("paydown.storage.writer.PROBE_SECONDS", 60)
    caller = books.caller()

    def fill(*_: object) -> None:
        raise StoreFull("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(SQLiteSession, "add", fill)
        assert isinstance(books.record(pay(caller, {1: "1"})).result, Unavailable)
    refused = books.record(pay(caller, {999: "1"})).result
    still = books.service.readiness()
    recorded = books.record(pay(caller, {1: "1"})).result

    assert isinstance(refused, Outcome)
    assert still == "The disk is full."
    assert isinstance(recorded, Outcome)
    assert books.service.readiness() is None


def test_stopping_does_not_wait_for_the_lock_once_a_batch(template: Path, tmp_path: Path) -> None:
    """With the lock away, what is left at the end is answered at once after the first wait."""
    ledgers.copy_ledger(template, tmp_path / "ledger.db")
    database = SQLiteDatabase(tmp_path / "ledger.db", Patience(lock_seconds=1))
    with Books(database, pace=ledgers.Pace(batch_max=1)) as books:
        caller = books.caller()
        with database.write():
            jobs = [books.submit(pay(caller, {1: "0.01"})) for _ in range(20)]
            started = time.monotonic()
            books.service.stop()
            seconds = time.monotonic() - started

    assert all(isinstance(ledgers.finished(job).result, Unavailable) for job in jobs)
    assert seconds < 5


def test_a_look_that_fails_passes(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that cannot be looked at for a moment is no replaced file: no restart is needed."""
    caller = books.caller()
    books.outcome(pay(caller, {1: "1"}))

    def fail(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(files, "identify", fail)
        result = books.record(pay(caller, {1: "1"})).result
    assert isinstance(result, Unavailable)
    assert "cannot be looked at: Permission denied" in result.sentence

    assert books.outcome(pay(caller, {1: "1"})).success


def test_a_command_that_cannot_be_stamped_fails_alone(books: Books) -> None:
    """Whatever is wrong with one command, the others are recorded and the writer lives."""
    caller = books.caller()
    with books.database.write():
        bad = books.submit(pay(caller, {1: "1"})._replace(caller=caller._replace(time_zone="No")))
        good = books.submit(pay(caller, {1: "1"}))
    ledgers.finished(bad)

    assert not isinstance(bad.result, Outcome)
    assert isinstance(ledgers.finished(good).result, Outcome)
    assert books.service.readiness() is None
