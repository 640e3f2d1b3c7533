"""When results are handed back: late enough for the next batch to use it, never later than that."""

import time
from contextlib import ExitStack
from typing import Any

import pytest

from ledgers import Books, Quiet, finished, holding, pay
from makers import on_every_store
from paydown.domain.outcomes import Outcome
from paydown.storage import writer
from paydown.storage.database import Database
from paydown.storage.faults import StoreContested
from paydown.storage.jobs import Job, Pace, Unavailable
from paydown.storage.sqlite_database import SQLiteSession
from paydown.storage.store import Store
from paydown.storage.writer import Writer

ONE_BY_ONE = Pace(batch_max=1)
PATIENCE_SECONDS = 4


def submit_two(books: Books) -> tuple[Job, Job]:
    """Two payments that wait together: the second while the first is recorded."""
    caller = books.caller()
    with holding(books.database):
        return books.submit(pay(caller, {1: "1"})), books.submit(pay(caller, {2: "1", 3: "1"}))


def test_a_batch_is_handed_back_once_the_next_is_at_its_commit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop answers while the writer waits for the disk, and not while it decides."""
    first_known: list[bool] = []
    save, commit = Store.save, SQLiteSession.commit

    def note_and_save(store: Store, batch: Any) -> Any:
        recorded = save(store, batch)
        first_known.append(first.waiter.is_set())
        return recorded

    def commit_and_note(session: SQLiteSession) -> None:
        commit(session)
        first_known.append(first.waiter.is_set())

    with Books(database, pace=ONE_BY_ONE) as books:
        monkeypatch.setattr(Store, "save", note_and_save)
        monkeypatch.setattr(SQLiteSession, "commit", commit_and_note)
        with holding(database):
            first = books.submit(pay(books.caller(), {1: "1"}))
            second = books.submit(pay(books.caller(), {2: "1"}))
        finished(second)

    assert first_known == [False, False, False, True]


@on_every_store
def test_no_answer_waits_for_a_lock(database: Database) -> None:
    """A command that holds the ledger keeps the next batch waiting, but not what is recorded."""
    held = ExitStack()

    class Locks(Quiet):
        def batch_committed(self, **_: int) -> None:
            """After the first commit somebody else takes the lock."""
            if not held_before:
                held_before.append(True)
                held.enter_context(holding(database))

    held_before: list[bool] = []
    with Books(database, observer=Locks(), pace=ONE_BY_ONE) as books:
        first, second = submit_two(books)
        with held:
            known = first.waiter.wait(PATIENCE_SECONDS), second.waiter.is_set()
        outcome = finished(second).result

    assert known == (True, False)
    assert isinstance(first.result, Outcome)
    assert isinstance(outcome, Outcome)


def test_no_answer_waits_for_a_large_batch(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that takes long does not hold up the answers of the one before it."""
    monkeypatch.setattr(writer, "HELD_UP_LINES_MAX", 1)
    known: list[bool] = []
    save = Store.save

    def save_slowly(store: Store, batch: Any) -> Any:
        if len(batch.commands[0].request.lines) > 1:
            known.append(first.waiter.wait(PATIENCE_SECONDS))
        return save(store, batch)

    monkeypatch.setattr(Store, "save", save_slowly)
    with Books(database, pace=ONE_BY_ONE) as books:
        with holding(database):
            first = books.submit(pay(books.caller(), {1: "1"}))
            second = books.submit(pay(books.caller(), {2: "1", 3: "1"}))
        finished(second)

    assert known == [True]


@on_every_store
def test_no_answer_waits_while_another_is_tried_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that meets another server's pauses; what was recorded before it is answered."""
    save = Store.save

    def meet_others(store: Store, batch: Any) -> Any:
        if len(batch.commands[0].request.lines) > 1 and not first.waiter.is_set():
            raise StoreContested("another transaction came first")
        return save(store, batch)

    monkeypatch.setattr(Store, "save", meet_others)
    with Books(database, pace=ONE_BY_ONE) as books:
        with holding(database):
            first = books.submit(pay(books.caller(), {1: "1"}))
            second = books.submit(pay(books.caller(), {2: "1", 3: "1"}))
        results = [finished(job).result for job in (first, second)]

    assert all(isinstance(result, Outcome) for result in results)


@on_every_store
def test_a_writer_that_breaks_hands_back_what_it_recorded(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever becomes of the next batch, a recorded payment is answered as recorded."""
    process = Writer._process

    def break_down(running: Writer, jobs: list[Job]) -> None:
        if len(jobs[0].command.request.lines) > 1:
            raise ZeroDivisionError
        process(running, jobs)

    monkeypatch.setattr(Writer, "_process", break_down)
    with Books(database, pace=ONE_BY_ONE) as books:
        first, second = submit_two(books)
        results = [finished(job).result for job in (first, second)]

    assert isinstance(results[0], Outcome)
    assert results[1] == Unavailable("The writer has ended.")


@on_every_store
def test_a_payment_alone_is_answered_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing else waits, nothing is waited for."""
    monkeypatch.setattr(writer, "PROBE_SECONDS", 10)
    with Books(database) as books:
        caller = books.caller()
        books.outcome(pay(caller, {1: "1"}))
        started = time.monotonic()
        for _ in range(3):
            books.outcome(pay(caller, {1: "1"}))
        seconds = time.monotonic() - started

    assert seconds < writer.PROBE_SECONDS


def test_a_lock_that_passes_is_waited_for(database: Database) -> None:
    """The first try does not wait; the second does, for as long as it was told to."""
    with Books(database) as books:
        caller = books.caller()
        with holding(database):
            job = books.submit(pay(caller, {1: "1"}))
            assert not job.waiter.wait(0.3)

        assert isinstance(finished(job).result, Outcome)
        assert books.balances()[1] == 900
