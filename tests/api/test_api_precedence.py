"""Which answer comes first where two apply: each neighbouring pair of the documented order."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from doors import ADDRESS, JSON, PASSWORD, PAYMENTS, WRITE_DOWNS, Door, line, open_door, payment

import ledgers
from paydown.storage.database import Database

BODY_BYTES_MAX = 2_000
BIG = b" " * (BODY_BYTES_MAX + 1)
THROTTLED_ADDRESS = "198.51.100.9"


class Ask(NamedTuple):
    """A request, by what is wrong with it."""

    method: str = "POST"
    path: str = PAYMENTS
    user_name: str = ledgers.TILL
    password: str = PASSWORD
    customer_guid: str = ledgers.CLUB
    media: str = JSON
    key: str = "k"
    body: bytes | None = None
    chunked: bool = False
    address: str = ADDRESS

    def send(self, door: Door) -> int:
        """The status that the request is answered with."""
        headers = {
            "userName": self.user_name,
            "password": self.password,
            "customerGuid": self.customer_guid,
            "Content-Type": self.media,
            "Idempotency-Key": self.key,
        }
        body = payment(line(1)) if self.body is None else self.body
        more: dict[str, Any] = {"chunks": [self.body]} if self.chunked else {"body": body}
        answer = door.ask(self.method, self.path, headers=headers, address=self.address, **more)
        return answer.status


@pytest.fixture(scope="module")
def strict_door(
    known_password_template: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    """A server with a small limit on bodies, where one address has failed too often."""
    path = tmp_path_factory.mktemp("precedence") / "ledger.db"
    database: Database = ledgers.copy_ledger(known_password_template, path)
    opened = open_door(database, body_bytes_max=BODY_BYTES_MAX)
    throttled = Ask(password="wrong", address=THROTTLED_ADDRESS)
    assert [throttled.send(opened) for _ in range(10)] == [401] * 10
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        pytest.param(Ask(), 200, id="nothing is wrong"),
        pytest.param(Ask(path="/POS/Nothing", method="PUT"), 404, id="404 before 405"),
        pytest.param(Ask(method="PUT", body=BIG), 405, id="405 before 413"),
        pytest.param(
            Ask(body=BIG, password="wrong", address=THROTTLED_ADDRESS), 413, id="413 before 429"
        ),
        pytest.param(Ask(password="wrong", address=THROTTLED_ADDRESS), 429, id="429 before 401"),
        pytest.param(
            Ask(password="", address=THROTTLED_ADDRESS), 429, id="429 before 401, none sent"
        ),
        pytest.param(
            Ask(password="wrong", customer_guid="nonsense"), 401, id="401 before 403, customer"
        ),
        pytest.param(
            Ask(user_name=ledgers.PAYMENTS_ONLY, path=WRITE_DOWNS, media="text/plain"),
            403,
            id="403, bundle, before 415",
        ),
        pytest.param(
            Ask(customer_guid=ledgers.OTHER_CLUB, media="text/plain"),
            403,
            id="403, customer, before 415",
        ),
        pytest.param(
            Ask(media="text/plain", body=BIG, chunked=True), 415, id="415 before 413 while reading"
        ),
        pytest.param(Ask(body=BIG, chunked=True), 413, id="413 while reading before 400"),
        pytest.param(Ask(body=b"{", chunked=True), 400, id="400, not JSON"),
    ],
)
def test_the_first_that_applies_is_answered(strict_door: Door, ask: Ask, status: int) -> None:
    """The earlier of two refusals is the answer."""
    assert ask.send(strict_door) == status


def test_the_customer_comes_before_the_bundle(door: Door) -> None:
    """A login that neither may act for the customer nor holds the bundle hears of the customer."""
    headers = {"userName": ledgers.PAYMENTS_ONLY, "customerGuid": ledgers.OTHER_CLUB}
    neither = door.post(WRITE_DOWNS, {}, headers)
    bundle = door.post(WRITE_DOWNS, {}, {"userName": ledgers.PAYMENTS_ONLY})

    assert (neither.status, bundle.status) == (403, 403)
    assert "enabled" in neither.told["Message"]
    assert "BillingWriteDown" in bundle.told["Message"]


def test_faults_of_body_and_key_come_in_one_answer(door: Door) -> None:
    """A bad body and a bad key are told together, each under its own name."""
    answer = door.post(PAYMENTS, {"ContactId": ledgers.ANNA}, {"Idempotency-Key": "\x01"})

    assert answer.status == 400
    assert answer.told["Message"] == "The request is invalid."
    assert set(answer.told["ModelState"]) == {
        "request.PaymentDate",
        "request.TenderTypeId",
        "request.BillingPayments",
        "Idempotency-Key",
    }


def test_a_bad_body_comes_before_a_full_queue(ledger: Database) -> None:
    """400 is answered where 503 would be, had the body been good."""
    full = open_door(ledger, queue_max=0)
    bad, good = full.post(PAYMENTS, b"{"), full.post(PAYMENTS, payment(line(1)))
    full.close()

    assert (bad.status, good.status) == (400, 503)
    assert good.headers["retry-after"] == "1"


def test_a_full_queue_comes_before_a_known_key(ledger: Database) -> None:
    """While the queue is full even a known key waits: nobody looks it up."""
    key = {"Idempotency-Key": "k"}
    first = open_door(ledger)
    assert first.post(PAYMENTS, payment(line(1)), key).status == 200
    first.close()
    full = open_door(ledger, queue_max=0)
    answer = full.post(PAYMENTS, payment(line(1)), key)
    full.close()

    assert answer.status == 503


def test_a_known_key_comes_before_what_the_books_say(door: Door) -> None:
    """The key of one request refuses another one before its missing lines are noticed."""
    key = {"Idempotency-Key": "k"}
    door.post(PAYMENTS, payment(line(1)), key)

    assert door.post(PAYMENTS, payment(), key).status == 422
    assert door.post(PAYMENTS, payment()).status == 200
