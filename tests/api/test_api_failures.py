"""What a caller is answered when the server cannot serve, by a service that is told how to fail."""

import asyncio
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from doors import PASSWORD, PAYMENTS, Door, count, line, no_ledger, open_door, payment, request

import ledgers
from paydown.access import Denial, Reason
from paydown.api.app import make_app
from paydown.config import Settings
from paydown.domain.model import Caller
from paydown.storage.database import Database
from paydown.storage.jobs import Failed, Job, Result, Unavailable
from paydown.telemetry import Metrics

TILL = Caller(1, 1, ledgers.TILL, 2, "Europe/London", frozenset({"BillingPayment"}))


class ToldService:
    """Gives every job the result that it was told to give."""

    def __init__(self, result: Result | Exception) -> None:
        self.result = result
        self.deliver: Callable[[Sequence[Job]], None]

    def start(self, deliver: Callable[[Sequence[Job]], None]) -> None:
        """Remember whom to tell."""
        self.deliver = deliver

    def submit(self, job: Job) -> bool:
        """Answer at once."""
        if isinstance(self.result, Exception):
            raise self.result
        job.result = self.result
        self.deliver([job])
        return True

    def stop(self) -> None:
        """Nothing to stop."""

    def readiness(self) -> str | None:
        """As the result says."""
        return self.result.sentence if isinstance(self.result, Unavailable) else None


class ToldAuthenticator:
    """Says of everybody what it was told to say."""

    def __init__(self, verdict: Caller | Denial) -> None:
        self.verdict = verdict

    def recall(self, **_: object) -> None:
        """Remember nobody."""

    def verify(self, **_: object) -> Caller | Denial:
        """The verdict."""
        return self.verdict


def told_door(result: Any, verdict: Caller | Denial = TILL) -> Door:
    """A door in front of the two that are told what to do."""
    service: Any = ToldService(result)
    authenticator: Any = ToldAuthenticator(verdict)
    settings = Settings(database="sqlite:///none")
    return Door(make_app(service, authenticator, Metrics(), settings, around=no_ledger()))


def test_a_store_that_cannot_be_used_is_503_and_may_pass() -> None:
    """When to try again; what fails, and in which file, is for the log and not for the caller."""
    door = told_door(Unavailable("The disk of /var/ledger.db is full."))
    answer = door.post(PAYMENTS, payment(line(1)))
    door.close()

    assert answer.status == 503
    assert answer.told["Message"].startswith("The books cannot be written now. Send this request")
    assert "ledger.db" not in answer.told["Message"]
    assert answer.headers["retry-after"] == "5"


def test_a_bug_in_the_books_is_500_without_a_trace() -> None:
    """What failed in the writer is our fault, and says no more."""
    door = told_door(Failed.FAILED)
    answer = door.post(PAYMENTS, payment(line(1)))
    door.close()

    assert (answer.status, answer.told) == (500, {"Message": "An error has occurred."})


def test_an_exception_is_500_and_logged_without_the_password(log: io.BytesIO) -> None:
    """The answer tells nothing; the log has the trace and the id, and the password is masked."""
    door = told_door(RuntimeError(f"while talking of {PASSWORD}"))
    answer = door.post(PAYMENTS, payment(line(1)), {"X-Request-Id": "abc"})
    door.close()

    assert (answer.status, answer.told) == (500, {"Message": "An error has occurred."})
    assert answer.headers["x-request-id"] == "abc"
    trace, told = (json.loads(each) for each in log.getvalue().splitlines())
    assert PASSWORD not in log.getvalue().decode()
    assert "while talking of [redacted]" in trace["exception"]
    assert (trace["request_id"], told["request_id"], told["status"]) == ("abc", "abc", 500)


@pytest.mark.parametrize(
    ("denial", "status", "retry_after"),
    [
        (Denial(Reason.UNAUTHENTICATED), 401, None),
        (Denial(Reason.FORBIDDEN), 403, None),
        (Denial(Reason.THROTTLED, retry_seconds=42), 429, "42"),
        (Denial(Reason.UNAVAILABLE, sentence="The ledger is locked."), 503, "5"),
    ],
)
def test_each_denial_has_its_status(denial: Denial, status: int, retry_after: str | None) -> None:
    """Who is not recognised hears why, as far as that is told."""
    door = told_door(Failed.FAILED, denial)
    answer = door.post(PAYMENTS, payment(line(1)))
    door.close()

    assert answer.status == status
    assert list(answer.told) == ["Message"]
    assert answer.headers.get("retry-after") == retry_after


@pytest.mark.parametrize(
    ("method", "path", "member"),
    [
        ("POST", PAYMENTS, "Message"),
        ("GET", f"/Contacts/{ledgers.ANNA}/Details", "Message"),
        ("GET", "/v1/items", "detail"),
    ],
)
def test_a_login_that_cannot_be_looked_up_is_told_so(method: str, path: str, member: str) -> None:
    """Also where nothing was to be written: who reads is not told to send a key."""
    door = told_door(Failed.FAILED, Denial(Reason.UNAVAILABLE, sentence="No ledger.db."))
    answer = door.ask(method, path)
    door.close()

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert answer.told[member] == (
        "The login cannot be looked up now, so nothing was done. Send this request again."
    )


def test_readiness_says_what_is_wrong() -> None:
    """While the store cannot be used the probe fails with the sentence; the process is still up."""
    door = told_door(Unavailable("The disk is full."))
    ready, health = door.get("/readyz"), door.get("/healthz")
    door.close()

    assert (ready.status, ready.told) == (503, {"Message": "The disk is full."})
    assert health.status == 200


def test_a_failing_page_is_500_in_json(log: io.BytesIO) -> None:
    """A bug behind a page is answered and logged like any other."""
    door = told_door(Failed.FAILED)
    door.app._pages.router.routes[0].app = _raise
    answer = door.get("/healthz")
    door.close()

    assert (answer.status, answer.told) == (500, {"Message": "An error has occurred."})
    assert answer.headers["x-request-id"]
    assert b"no page today" in log.getvalue()


async def _raise(*_: object) -> None:
    raise RuntimeError("no page today")


def test_a_command_goes_on_without_its_client(ledger: Database) -> None:
    """A request whose handler is cut off while its command waits is recorded all the same."""
    door = open_door(ledger)
    assert door.post(PAYMENTS, payment(line(1))).status == 200
    scope, peer = request("POST", PAYMENTS, body=payment(line(2)))

    async def cut_off() -> None:
        task = asyncio.create_task(door.app(scope, peer.receive, peer.send))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    door.runner.run(cut_off())
    door.close()

    assert peer.sent == []
    assert count(ledger, "entry WHERE kind = 'payment'") == 2


def test_stopping_answers_what_was_taken(ledger: Database) -> None:
    """Requests that are under way when the server stops get their answers first."""
    door = open_door(ledger)
    assert door.post(PAYMENTS, payment(line(1))).status == 200
    sent = [request("POST", PAYMENTS, body=payment(line(n))) for n in range(2, 12)]

    async def ask_and_stop() -> None:
        tasks = [asyncio.create_task(door.app(s, p.receive, p.send)) for s, p in sent]
        await asyncio.sleep(0)
        door.stopping.set()
        await asyncio.gather(*tasks)

    door.runner.run(ask_and_stop())
    door.close()

    answers = [peer.answer() for _, peer in sent]
    assert [answer and answer.status for answer in answers] == [200] * 10


def test_a_ledger_that_another_server_has_is_not_served(ledger: Database) -> None:
    """The application does not start beside another one on the same ledger."""
    first = open_door(ledger)
    second = open_door(ledger)
    both_open = first.is_open, second.is_open
    second.close()
    first.close()

    assert both_open == (True, False)
