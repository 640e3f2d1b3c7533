"""What becomes of requests that were taken whole when something behind them fails."""

import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from doors import PASSWORD, PAYMENTS, TILL, Door, line, no_ledger, payment

import ledgers
from paydown.api.answers import Answer, Whole
from paydown.api.app import make_app
from paydown.config import Settings
from paydown.domain.model import Caller
from paydown.storage.jobs import Failed, Job
from paydown.telemetry import Metrics

CALLER = Caller(1, 1, ledgers.TILL, 2, "Europe/London", frozenset({"BillingPayment"}))


class HeldService:
    """Holds what it takes until it is told to hand it back, all as one batch."""

    def __init__(self, result: Any = Failed.FAILED) -> None:
        self.result = result
        self.jobs: list[Job] = []
        self.deliver: Callable[[Sequence[Job]], None]

    def start(self, deliver: Callable[[Sequence[Job]], None]) -> None:
        """Remember whom to tell."""
        self.deliver = deliver

    def submit(self, job: Job) -> bool:
        """Take it, or fail as told."""
        if isinstance(self.result, Exception):
            raise self.result
        job.result = self.result
        self.jobs.append(job)
        return True

    def stop(self) -> None:
        """Nothing to stop."""


class Recalling:
    """Knows everybody."""

    def recall(self, **_: object) -> Caller:
        """The till."""
        return CALLER


class Asker:
    """A request that is there whole, and what it is answered."""

    method, path, raw_path, address = "POST", PAYMENTS, PAYMENTS.encode(), "192.0.2.7"

    def __init__(self, fault: Exception | None = None) -> None:
        values = {**TILL, "X-Request-Id": "till-7/417"}
        self.headers = [(name.lower().encode(), text.encode()) for name, text in values.items()]
        self.body = bytearray(json.dumps(payment(line(1))).encode())
        self.response_complete = False
        self.fault = fault
        self.answers: list[tuple[int, str]] = []

    def answer(self, answer: Answer, *, request_id: str) -> None:
        """Take the answer."""
        if self.fault is not None:
            raise self.fault
        self.answers.append((answer.status, request_id))


def ask(service: Any, askers: Sequence[Whole], *, meanwhile: Callable[[], None]) -> Metrics:
    """Offer the requests, and hand all of them back as one batch; what was measured."""
    authenticator: Any = Recalling()
    metrics = Metrics()
    settings = Settings(database="sqlite:///none")
    app: Any = make_app(service, authenticator, metrics, settings, around=no_ledger())
    door = Door(app)

    async def offer() -> None:
        for asker in askers:
            assert app.take(asker)
        meanwhile()
        service.deliver(service.jobs)

    door.runner.run(offer())
    door.close()
    return metrics


@pytest.mark.parametrize(
    "result", [RuntimeError(f"while talking of {PASSWORD}"), f"no result, but {PASSWORD}"]
)
def test_a_bug_is_500_and_logged_without_the_password(log: io.BytesIO, result: object) -> None:
    """Whether the request is being taken or its outcome told."""
    asker = Asker()
    ask(HeldService(result), [asker], meanwhile=lambda: None)

    assert asker.answers == [(500, "till-7/417")]
    trace, told = (json.loads(each) for each in log.getvalue().splitlines())
    assert PASSWORD not in log.getvalue().decode()
    assert trace["event"] == "unhandled exception"
    assert (trace["request_id"], told["request_id"], told["status"]) == (*["till-7/417"] * 2, 500)


def test_an_answer_that_fails_leaves_the_rest_of_its_batch(log: io.BytesIO) -> None:
    """The others are answered, and the log says whose was not."""
    broken, well = Asker(OSError("the peer's line broke")), Asker()
    ask(HeldService(), [broken, well], meanwhile=lambda: None)

    assert well.answers == [(500, "till-7/417")]
    (told,) = (each for each in map(json.loads, log.getvalue().splitlines()) if "logger" in each)
    assert (told["event"], told["request_id"]) == ("answering failed", "till-7/417")


def test_what_was_cut_off_is_not_answered_or_counted_again() -> None:
    """The server has said its last word meanwhile."""
    asker = Asker()

    def cut_off() -> None:
        asker.response_complete = True

    metrics = ask(HeldService(), [asker], meanwhile=cut_off)

    assert asker.answers == []
    assert b"paydown_requests_total{" not in metrics.exposition()
