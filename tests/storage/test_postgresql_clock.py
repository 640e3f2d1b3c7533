"""A server whose clock is not its database's: not ready, and nothing recorded until it is."""

import time
from collections.abc import Callable

import pytest

from ledgers import Books, pay
from makers import on_postgresql
from paydown.domain.outcomes import Outcome
from paydown.storage.database import Database
from paydown.storage.faults import StoreUnavailable
from paydown.storage.jobs import Unavailable
from paydown.storage.postgresql_clock import ClockWatch
from paydown.storage.postgresql_database import PostgreSQLSession


class Watch:
    """A clock that can be set."""

    def __init__(self, seconds: float = 0) -> None:
        self.ahead_ns = int(seconds * 1e9)

    def __call__(self) -> int:
        """The time that it shows, in nanoseconds."""
        return time.time_ns() + self.ahead_ns


def books_by(database: Database, clock: Callable[[], int]) -> Books:
    """A service, not yet started, on a machine with that clock."""
    books = Books(database)
    (session,) = books.service._sessions
    assert isinstance(session, PostgreSQLSession)
    session._clocks = ClockWatch(database.place, clock=clock)
    return books


@on_postgresql
@pytest.mark.parametrize("seconds", [-3600, -6, 6, 3600])
def test_a_server_with_another_time_does_not_start(database: Database, seconds: float) -> None:
    """Ahead or behind: the sentence says both times and what to do."""
    books = books_by(database, Watch(seconds))
    with pytest.raises(StoreUnavailable) as refusal:
        books.service.claim()

    sentence = str(refusal.value)
    times = [word.rstrip(",.") for word in sentence.split() if "+00:00" in word]
    assert database.place in sentence
    assert len(times) == len(set(times)) == 2
    assert "Set both machines' clocks by a time server." in sentence
    assert refusal.value.passing


@on_postgresql
@pytest.mark.parametrize("seconds", [-4, 0, 4])
def test_a_few_seconds_are_no_matter(database: Database, seconds: float) -> None:
    """Within five seconds payments are taken."""
    with books_by(database, Watch(seconds)) as books:
        assert books.outcome(pay(books.caller(), {1: "1"})).success
        assert books.service.readiness() is None


@on_postgresql
def test_a_slow_answer_is_no_wrong_clock(database: Database) -> None:
    """Only what must be the clocks' is held against them: the answer may take its time."""
    times = iter(range(-20, 10_000, 20))

    def read_clock() -> int:
        return time.time_ns() + next(times) * 1_000_000_000

    books = books_by(database, read_clock)
    books.service.claim()

    assert books.service.readiness() is None
    books.service.stop()


@on_postgresql
def test_a_clock_that_jumps_is_noticed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle or not: it turns unready and refuses, and takes payments again once it is set right."""
    monkeypatch.setattr("paydown.storage.postgresql_clock.EVERY_SECONDS", 0)
    watch = Watch()
    with books_by(database, watch) as books:
        caller = books.caller()
        watch.ahead_ns = 60_000_000_000
        refused = books.record(pay(caller, {1: "1"})).result
        unready = books.service.readiness()
        watch.ahead_ns = 0
        recorded = books.record(pay(caller, {1: "1"})).result
        watch.ahead_ns = -60_000_000_000
        idle = wait_for(lambda: books.service.readiness() is not None)
        watch.ahead_ns = 0
        again = wait_for(lambda: books.service.readiness() is None)

    assert isinstance(refused, Unavailable)
    assert unready == refused.sentence
    assert isinstance(recorded, Outcome)
    assert idle
    assert again
    assert books.balances()[1] == 900


@on_postgresql
def test_batches_do_not_wait_for_the_comparison(database: Database) -> None:
    """On a connection that stands the clocks are compared every few seconds, not every batch."""
    asked: list[int] = []

    def read_clock() -> int:
        asked.append(time.time_ns())
        return asked[-1]

    with books_by(database, read_clock) as books:
        for _ in range(10):
            assert books.outcome(pay(books.caller(), {1: "1"})).success

    assert len(asked) == 2


def wait_for(is_so: Callable[[], bool]) -> bool:
    """Whether it comes about within some seconds."""
    deadline = time.monotonic() + 10
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
