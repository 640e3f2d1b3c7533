"""Which commands share a commit, where those of one customer only may."""

import threading

import pytest

from ledgers import CLUB, OTHER_CLUB, Books, Quiet, finished, pay
from paydown.admin import Admin, Mistake, NewLogin
from paydown.domain.model import Bundle
from paydown.domain.outcomes import Outcome
from paydown.service import encode_outcome
from paydown.storage.database import Database
from paydown.storage.jobs import Job, Pace
from paydown.storage.writer import Writer
from paydown.wire.formats import write_instant

ABROAD = "abroad"


@pytest.fixture
def jobs(database: Database) -> list[Job]:
    """Commands of two customers, three of the one and one of the other in turn."""
    login = Admin(database).add_login(NewLogin(ABROAD, "unusable"), OTHER_CLUB, tuple(Bundle))
    assert not isinstance(login, Mistake), login
    books = Books(database)
    callers = {CLUB: books.caller(), OTHER_CLUB: books.caller(ABROAD, OTHER_CLUB)}
    turns = [CLUB, CLUB, CLUB, OTHER_CLUB] * 5
    return [
        Job(pay(callers[guid], {1: f"0.{number:02}"}), threading.Event())
        for number, guid in enumerate(turns, start=1)
    ]


def run(database: Database, jobs: list[Job], pace: Pace) -> list[list[Job]]:
    """The batches that a writer makes of jobs that all wait when it begins."""
    batches: list[list[Job]] = []

    def deliver(batch: list[Job]) -> None:
        if batch:
            batches.append(list(batch))
        for job in batch:
            job.waiter.set()

    writer = Writer(
        database.session(),
        encode_outcome,
        pace=pace,
        observer=Quiet(),
        clock=lambda: 1,
        write_instant=write_instant,
    )
    for job in jobs:
        assert writer.submit(job)
    writer.start(deliver)
    for job in jobs:
        finished(job)
    writer.stop()
    return batches


def customer(job: Job) -> int:
    """Whose books it changes."""
    return job.command.caller.customer_id


def test_a_batch_by_customer_never_mixes_customers(database: Database, jobs: list[Job]) -> None:
    """Each commit holds one customer's requests, as many as wait up to the bound."""
    batches = run(database, jobs, Pace(by_customer=True, batch_max=8))

    assert [{customer(job) for job in batch} for batch in batches] == [{1}, {2}, {1}]
    assert [len(batch) for batch in batches] == [8, 5, 7]
    assert all(isinstance(job.result, Outcome) and job.result.success for job in jobs)


def test_a_customers_requests_keep_their_order(database: Database, jobs: list[Job]) -> None:
    """Whoever else is served between them, each is recorded after the one that came before it."""
    run(database, jobs, Pace(by_customer=True, batch_max=2))

    for own in ([job for job in jobs if customer(job) == each] for each in (1, 2)):
        recorded = [job.result.entry.recorded_at for job in own if isinstance(job.result, Outcome)]
        assert recorded == sorted(recorded)
        assert len(recorded) == len(own)


def test_the_oldest_request_is_never_passed_over(database: Database, jobs: list[Job]) -> None:
    """Each batch begins with the request that has waited longest, so that nobody starves."""
    batches = run(database, jobs, Pace(by_customer=True, batch_max=2))
    left = list(jobs)
    for batch in batches:
        assert batch[0] is left[0]
        left = [job for job in left if job not in batch]

    assert left == []


def test_customers_share_a_commit_unless_told(database: Database, jobs: list[Job]) -> None:
    """By itself a batch takes whatever waits, in the order in which it came."""
    batches = run(database, jobs, Pace(batch_max=8))

    assert [job for batch in batches for job in batch] == jobs
    assert {customer(job) for job in batches[0]} == {1, 2}
