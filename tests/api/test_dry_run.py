"""``Prefer: dry-run`` on the two calls: the answer that the request would get, nothing recorded."""

import io
import json
from typing import Any

import pytest
from doors import PAYMENTS, STRICT_LOGIN, WRITE_DOWNS, Answer, Door, count, line, payment
from doors import write_down as write_down_body

from ledgers import Books, finished, holding, pay
from makers import on_every_store
from paydown import audit
from paydown.domain import journal
from paydown.domain.model import Command
from paydown.domain.outcomes import KeyConflict, KeyReplayed, Outcome, Refusal
from paydown.storage.database import Database
from paydown.storage.jobs import Failed, Job
from paydown.telemetry import Metrics

DRY = {"Prefer": "dry-run"}
TABLES = ("entry", "posting", "kept_answer", "replay")
REFERENCED = line(1, 2.5, ThirdPartyReference="A")


def but_for_the_moment(answer: Answer) -> Any:
    """What an answer says, with only whether its lines were recorded, not when."""
    told = answer.told
    for each in told.get("BillingPayments") or told["BillingWriteDowns"]:
        each["ProcessDate"] = each["ProcessDate"] is not None
    return told


def rows(database: Database) -> list[int]:
    """How much is recorded."""
    return [count(database, table) for table in TABLES]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (PAYMENTS, payment(line(1, 2.5), line(2, 99.0), line(77))),
        (WRITE_DOWNS, write_down_body(line(1, 2.5), line(31))),
        (PAYMENTS, payment(line(1), line(1))),
        (PAYMENTS, payment(line(1), TenderTypeId=7)),
    ],
)
def test_a_dry_run_is_answered_as_the_request_would_be(
    door: Door, ledger: Database, path: str, body: object
) -> None:
    """Balances, dates and refusals are those of the real request that comes after it."""
    before = rows(ledger)
    dry = door.post(path, body, DRY)
    between = rows(ledger)
    real = door.post(path, body)

    assert between == before
    assert dry.headers["preference-applied"] == "dry-run"
    assert "preference-applied" not in real.headers
    assert dry.status == real.status == 200
    assert but_for_the_moment(dry) == but_for_the_moment(real)


@pytest.mark.parametrize(
    ("prefer", "headers", "applied"),
    [
        ("handling=strict, dry-run", {}, "handling=strict, dry-run"),
        ("dry-run, handling=lenient", {}, "handling=lenient, dry-run"),
        ("dry-run", {"userName": STRICT_LOGIN}, "handling=strict, dry-run"),
    ],
)
def test_both_preferences_are_followed(
    door: Door, prefer: str, headers: dict[str, str], applied: str
) -> None:
    """A dry run is of the request as it would be handled, and the answer names both."""
    answer = door.post(PAYMENTS, payment(line(1), line(77)), {"Prefer": prefer, **headers})

    strict = "strict" in applied
    assert answer.headers["preference-applied"] == applied
    assert answer.told["ErrorMessage"] == (Refusal.lines_refused.sentence if strict else None)


def test_a_key_that_has_recorded_is_replayed(door: Door, ledger: Database) -> None:
    """A dry run under it gets the first answer, or the 422 of another request."""
    key = {"Idempotency-Key": "monday"}
    first = door.post(PAYMENTS, payment(line(1, 2.0)), key)
    before = rows(ledger)
    again = door.post(PAYMENTS, payment(line(1, 2.0)), key | DRY)
    other = door.post(PAYMENTS, payment(line(1, 3.0)), key | DRY)

    assert again.body == first.body
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["preference-applied"] == "dry-run"
    assert other.status == 422
    assert rows(ledger) == before


def test_a_dry_run_leaves_its_key_free(door: Door) -> None:
    """The same key may then record another request than the one that was tried."""
    key = {"Idempotency-Key": "monday"}
    door.post(PAYMENTS, payment(line(1, 2.0)), key | DRY)
    real = door.post(PAYMENTS, payment(line(1, 3.0)), key)

    assert real.status == 200
    assert real.lines[0]["Balance"] == 7.0


def test_lines_recorded_before_are_told_and_not_listed(door: Door, ledger: Database) -> None:
    """A dry run says what would be replayed, and is itself no replay to look into."""
    first = door.post(PAYMENTS, payment(REFERENCED))
    before = rows(ledger)
    whole = door.post(PAYMENTS, payment(REFERENCED), DRY)
    partly = door.post(PAYMENTS, payment(REFERENCED, line(2)), DRY)

    assert whole.body == first.body
    assert whole.headers["idempotent-replayed"] == "true"
    assert partly.headers["paydown-replayed-lines"] == "1"
    assert rows(ledger) == before


def test_a_dry_run_is_logged_as_one_and_counts_nothing(
    door: Door, metrics: Metrics, log: io.BytesIO
) -> None:
    """Neither lines recorded nor replays go up; its line in the log says what it was."""
    key = {"Idempotency-Key": "monday"}
    door.post(PAYMENTS, payment(REFERENCED), key)
    counted = [each for each in counts(metrics) if "recorded" in each or "replays" in each]
    door.post(PAYMENTS, payment(REFERENCED), key | DRY)
    door.post(PAYMENTS, payment(REFERENCED), DRY)
    door.post(PAYMENTS, payment(line(2)), DRY)

    lines = [json.loads(each) for each in log.getvalue().splitlines()]
    assert [each for each in counts(metrics) if "recorded" in each or "replays" in each] == counted
    assert [each.get("dry_run") for each in lines] == [None, True, True, True]
    assert [each.get("recorded") for each in lines] == [1, None, None, None]
    assert [each["level"] for each in lines] == ["info"] * 4


def counts(metrics: Metrics) -> list[str]:
    """The metrics' lines."""
    return metrics.exposition().decode().splitlines()


def together(database: Database, books: Books, commands: list[Command]) -> list[Job]:
    """Have the commands wait together, so that they share a batch."""
    with holding(database):
        jobs = [books.submit(pay(books.caller(), {35: "0.01"}))]
        while books.service.waiting_count:
            pass
        jobs += [books.submit(each) for each in commands]
    return [finished(job) for job in jobs][1:]


def balances(jobs: list[Job]) -> list[int | None]:
    """What each was told is left on its first line's item."""
    outcomes = [job.result for job in jobs]
    assert all(isinstance(each, Outcome) for each in outcomes), outcomes
    return [each.lines[0].balance for each in outcomes if isinstance(each, Outcome)]


@on_every_store
def test_in_a_batch_it_sees_what_came_before_and_is_not_seen(database: Database) -> None:
    """Real requests and dry runs in turn, in one commit: only the real ones move the balance."""
    with Books(database) as books:
        caller = books.caller()
        turns = [pay(caller, {1: "1"}, dry_run=number % 2 == 1) for number in range(6)]
        jobs = together(database, books, turns)

    assert 6 in books.batch_sizes
    assert balances(jobs) == [900, 800, 800, 700, 700, 600]
    assert books.balances()[1] == 700
    assert books.count("entry WHERE kind = 'payment'") == 3
    assert all(finding.ok for finding in audit.verify(database))


@on_every_store
def test_keys_and_references_in_a_batch_are_not_taken_by_a_dry_run(database: Database) -> None:
    """After a dry run the same line is recorded; after that it is a replay, dry or not."""
    with Books(database) as books:
        caller = books.caller()
        keyed = pay(caller, {1: "1"}, key="k")
        named = pay(caller, {2: "1"}, reference="A")
        turns = [keyed, named]
        dry = [each._replace(dry_run=True) for each in turns]
        other = pay(caller, {1: "2"}, key="k", dry_run=True)
        jobs = together(database, books, [*dry, *turns, *dry, other])

    results = [job.result for job in jobs]
    replays = [each.lines[0].replayed for each in results if isinstance(each, Outcome)]
    assert replays == [False, False, False, False, True]
    assert isinstance(results[4], KeyReplayed)
    assert results[4].body == jobs[2].answer
    assert results[6] == KeyConflict()
    assert [books.count(table) for table in ("kept_answer", "replay")] == [1, 0]


@on_every_store
def test_a_batch_of_dry_runs_alone_changes_nothing(database: Database) -> None:
    """Its commit writes nothing, and every one of them is answered."""
    with Books(database) as books:
        before = [books.count(table) for table in TABLES]
        jobs = [books.submit(pay(books.caller(), {1: "1"}, dry_run=True)) for _ in range(5)]
        finished_jobs = [finished(job) for job in jobs]
        after = [books.count(table) for table in TABLES]

    assert balances(finished_jobs) == [900] * 5
    assert after == before
    assert books.balances()[1] == 1000


@on_every_store
def test_a_halved_batch_decides_its_dry_runs_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request of the batch breaks the saving: it fails alone, and the others are as told."""
    make = journal.make_entry

    def break_on_request(command: Command, *more: Any) -> Any:
        if command.request_id == "broken":
            raise ZeroDivisionError
        return make(command, *more)

    monkeypatch.setattr(journal, "make_entry", break_on_request)
    with Books(database) as books:
        caller = books.caller()
        turns = [
            pay(caller, {1: "1"}),
            pay(caller, {1: "1"}, dry_run=True),
            pay(caller, {1: "1"}, request_id="broken"),
            pay(caller, {1: "1"}, dry_run=True, request_id="broken"),
            pay(caller, {1: "1"}),
        ]
        jobs = together(database, books, turns)

    assert jobs[2].result is Failed.FAILED
    assert balances([*jobs[:2], *jobs[3:]]) == [900, 800, 800, 800]
    assert books.balances()[1] == 800
