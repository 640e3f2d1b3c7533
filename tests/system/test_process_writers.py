"""How many transactions a server process has under way at once."""

import time
from threading import Event

import pytest

from ledgers import Books, finished, holding, pay
from makers import on_postgresql
from paydown.bootstrap import make_service
from paydown.config import Settings
from paydown.domain.outcomes import Outcome
from paydown.service import Service
from paydown.storage.database import Database
from paydown.storage.jobs import Job
from paydown.telemetry import Metrics


def count_left(service: Service, *, least: int) -> int:
    """How many jobs wait, once so many do and no writer takes another one."""
    deadline = time.monotonic() + 10
    while service.waiting_count > least and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)
    return service.waiting_count


@on_postgresql
@pytest.mark.parametrize(
    ("workers", "writers", "waiting"), [(1, 0, 0), (2, 0, 1), (1, 1, 1), (2, 2, 0)]
)
def test_a_process_alone_begins_a_second_batch_while_one_waits(
    database: Database, *, workers: int, writers: int, waiting: int
) -> None:
    """Of several processes each has one under way, unless told otherwise."""
    settings = Settings(database=database.url, workers=workers, writers=writers)
    service = make_service(database, settings, Metrics())
    caller = Books(database).caller()
    jobs = [Job(pay(caller, {item: "1"}), Event()) for item in (1, 2)]
    service.start(lambda batch: [job.waiter.set() for job in batch] and None)
    left = []
    with holding(database):
        for job, least in zip(jobs, (0, waiting), strict=True):
            assert service.submit(job)
            left.append(count_left(service, least=least))
    outcomes = [finished(job).result for job in jobs]
    service.stop()

    assert left == [0, waiting]
    assert all(isinstance(outcome, Outcome) for outcome in outcomes)
