"""The queue and the batch loop."""

import threading
import time
from decimal import Decimal
from threading import Event

import pytest

from ledgers import Books, Quiet, finished, holding, pay
from makers import on_every_store
from paydown import audit
from paydown.domain.model import Command
from paydown.domain.outcomes import Outcome
from paydown.service import RisingClock, encode_outcome
from paydown.storage import writer
from paydown.storage.database import Database
from paydown.storage.engine import new_entry_id
from paydown.storage.jobs import Failed, Job, Pace, Unavailable
from paydown.storage.writer import Writer
from paydown.wire.formats import write_instant


class Commits(Quiet):
    """Remembers how many commands each commit had."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def batch_committed(self, *, commands: int, commit_ns: int) -> None:
        """Note the size; every commit takes time."""
        assert commit_ns > 0
        self.sizes.append(commands)


@on_every_store
def test_commands_that_wait_together_share_a_commit(database: Database) -> None:
    """While the lock is away many gather; then they are taken in batches of the bound."""
    commits = Commits()
    with Books(database, observer=commits, pace=Pace(batch_max=16)) as books:
        caller = books.caller()
        with holding(database):
            jobs = [books.submit(pay(caller, {1: "0.01"})) for _ in range(60)]
        outcomes = [finished(job).result for job in jobs]

    assert all(isinstance(outcome, Outcome) and outcome.success for outcome in outcomes)
    assert sum(commits.sizes) == 60
    assert max(commits.sizes) == 16
    assert len(commits.sizes) <= 5


@on_every_store
def test_a_full_queue_takes_no_more(database: Database) -> None:
    """Beyond the bound a command is turned away at once, and the queued ones are served."""
    with Books(database, pace=Pace(queue_max=5, batch_max=1)) as books:
        caller = books.caller()
        with holding(database):
            first = books.submit(pay(caller, {1: "0.01"}))
            while books.service.waiting_count:
                pass
            queued = [books.submit(pay(caller, {1: "0.01"})) for _ in range(5)]
            turned_away = books.service.submit(Job(pay(caller, {1: "0.01"})))
        for job in [first, *queued]:
            finished(job)

    assert turned_away is False
    assert books.balances()[1] == 1000 - 6


@on_every_store
def test_waiting_lines_are_bounded_too(database: Database) -> None:
    """Large requests do not fill the memory; one alone is always taken."""
    with Books(database, pace=Pace(queue_lines_max=4)) as books:
        caller = books.caller()
        three = {1: "0.01", 2: "0.01", 3: "0.01"}
        with holding(database):
            first = books.submit(pay(caller, three))
            while books.service.waiting_count:
                pass
            large = books.submit(pay(caller, dict.fromkeys(range(1, 7), "0.01")))
            taken = [books.service.submit(Job(pay(caller, three))) for _ in range(2)]
        for job in (first, large):
            finished(job)
        with holding(database):
            second = books.submit(pay(caller, three))
            while books.service.waiting_count:
                pass
            again = [books.service.submit(Job(pay(caller, {1: "0.01"}), Event())) for _ in range(4)]
        finished(second)

    assert taken == [False, False]
    assert again == [True] * 4


@on_every_store
def test_an_observer_that_fails_changes_nothing(database: Database) -> None:
    """A broken measurement is logged; the payment was recorded, once, and is answered so."""

    class Broken(Quiet):
        def batch_committed(self, **measured: int) -> None:
            """Fail."""
            raise ZeroDivisionError(measured)

    with Books(database, observer=Broken()) as books:
        outcome = books.outcome(pay(books.caller(), {1: "1"}))

    assert outcome.success
    assert books.balances()[1] == 900


@on_every_store
def test_a_writer_that_breaks_leaves_nobody_waiting(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the loop itself fails, all are answered, no more are taken, and it is not ready."""
    with Books(database) as books:
        caller = books.caller()
        monkeypatch.setattr(Writer, "_process", lambda *_: 1 / 0)
        result = books.record(pay(caller, {1: "1"})).result
        deadline = time.monotonic() + 10
        while books.service.readiness() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        ready = books.service.readiness()
        taken = books.service.submit(Job(pay(caller, {1: "1"})))

    assert result == Unavailable("The writer has ended.")
    assert "Restart the server" in (ready or "")
    assert taken is False


@on_every_store
def test_stopping_finishes_what_was_taken(database: Database) -> None:
    """Every accepted command is answered; later ones are turned away."""
    with Books(database) as books:
        caller = books.caller()
        jobs = [books.submit(pay(caller, {1: "0.01"})) for _ in range(200)]

    assert all(isinstance(finished(job).result, Outcome) for job in jobs)
    assert books.service.submit(Job(pay(caller, {1: "0.01"}))) is False
    assert books.balances()[1] == 800


@on_every_store
def test_a_bug_fails_its_own_command_alone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch is halved until the offender stands alone; each keeps the one id it was given."""
    given: list[bytes] = []

    def give(ticks: int) -> bytes:
        given.append(new_entry_id(ticks))
        return given[-1]

    monkeypatch.setattr(writer, "new_entry_id", give)

    def encode(command: Command, outcome: Outcome) -> bytes:
        if command.key == "bug":
            raise ZeroDivisionError
        return encode_outcome(command, outcome)

    books = Books(database)
    caller = books.caller()
    keys = [f"k{number}" for number in range(20)]
    keys[13] = "bug"
    jobs = [Job(pay(caller, {1: "0.10"}, key=key), threading.Event()) for key in keys]
    running = Writer(
        database.session(),
        encode,
        pace=Pace(),
        observer=Quiet(),
        clock=lambda: 1,
        write_instant=write_instant,
    )
    for job in jobs:
        assert running.submit(job)
    running.start(lambda batch: [job.waiter.set() for job in batch] and None)
    results = [finished(job).result for job in jobs]
    running.stop()

    assert len(given) == len(jobs)
    assert results[13] is Failed.FAILED
    assert sum(isinstance(result, Outcome) for result in results) == 19
    assert books.balances()[1] == 1000 - 190
    assert [line for found in audit.verify(database) for line in found.detail] == []


@on_every_store
def test_record_times_never_run_backwards(database: Database) -> None:
    """Whatever the clock does, each entry is recorded after the one before."""
    clock = iter([17_800_000_000_000_009, 17_800_000_000_000_000, 17_700_000_000_000_000])
    with Books(database, clock=lambda: next(clock)) as books:
        for _ in range(3):
            books.outcome(pay(books.caller(), {1: "1"}))
    with database.read() as connection:
        times = connection.exec_driver_sql(
            "SELECT recorded_at FROM entry WHERE kind = 'payment' ORDER BY recorded_at"
        ).scalars()

        assert list(times) == [17_800_000_000_000_009 + step for step in range(3)]


@on_every_store
def test_a_writer_by_itself_never_goes_back(database: Database) -> None:
    """Also where its clock is put back, its entries follow one another in time."""
    caller = Books(database).caller()
    clock = iter([17_800_000_000_000_009, 17_800_000_000_000_000, 17_700_000_000_000_000])
    running = Writer(
        database.session(),
        encode_outcome,
        pace=Pace(),
        observer=Quiet(),
        clock=lambda: next(clock),
        write_instant=write_instant,
    )
    jobs = [Job(pay(caller, {1: "1"}), Event()) for _ in range(3)]
    for job in jobs:
        assert running.submit(job)
    running.start(lambda batch: [job.waiter.set() for job in batch] and None)
    stamps = [finished(job).stamp for job in jobs]
    running.stop()

    times = [stamp.recorded_at for stamp in stamps if stamp]
    assert times == [17_800_000_000_000_009 + step for step in range(3)]


def test_writers_that_share_a_clock_never_say_the_same_time() -> None:
    """A clock that stands still or is put back is told onwards, tick by tick."""
    clock = iter([5, 5, 3, 9])
    rising = RisingClock(lambda: next(clock))

    assert [rising() for _ in range(4)] == [5, 6, 7, 9]


@on_every_store
def test_many_callers_on_one_item_never_take_it_below_zero(books: Books) -> None:
    """64 callers want 64 x 5 x 0.37 of 10.00: what was accepted is exact, the rest refused."""
    caller = books.caller()
    accepted: list[Decimal] = []
    guard = threading.Lock()

    def hammer() -> None:
        for _ in range(5):
            outcome = books.outcome(pay(caller, {1: "0.37"}))
            if outcome.success:
                with guard:
                    accepted.append(Decimal("0.37"))

    threads = [threading.Thread(target=hammer) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(accepted) == Decimal("9.99")
    assert books.balances()[1] == 1
    assert [line for found in audit.verify(books.database) for line in found.detail] == []


def test_every_commit_is_synced(database: Database) -> None:
    """The server's own connection is in WAL mode with synchronous=FULL and foreign keys on."""
    session = database.session()
    session.begin()
    assert session._connection is not None
    pragmas = [
        session._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
    ]
    session.rollback()
    session.close()

    assert pragmas == ["wal", 2, 1, 1]


@on_every_store
def test_a_batch_is_bounded_by_its_lines(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large requests do not pile up into one commit that holds the others up."""
    monkeypatch.setattr(writer, "LINES_MAX", 4)
    commits = Commits()
    with Books(database, observer=commits) as books:
        caller = books.caller()
        lines = {1: "0.01", 2: "0.01", 3: "0.01"}
        with holding(database):
            jobs = [books.submit(pay(caller, lines)) for _ in range(9)]
        for job in jobs:
            finished(job)

    assert max(commits.sizes) == 2


@on_every_store
def test_a_store_that_does_not_answer_is_not_ready(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks is told before the first payment fails, and again when all is well."""
    monkeypatch.setattr(writer, "SILENT_SECONDS", 0)
    with Books(database) as books:
        caller = books.caller()
        with holding(database):
            job = books.submit(pay(caller, {1: "1"}))
            deadline = time.monotonic() + 4
            while books.service.readiness() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            told = books.service.readiness()

        assert isinstance(finished(job).result, Outcome)
        assert told == "The store has not answered for more than 0 seconds."
        assert books.service.readiness() is None
