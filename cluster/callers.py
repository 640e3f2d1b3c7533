"""Callers as they should be: each payment is sent again, as it was, until it is answered.

Law of this file: a caller believes nothing but an answer, and writes down each one that it got.
"""

import http.client
import json
import random
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from cluster.processes import wait_for
from cluster.servers import BY_KEY, BY_REFERENCE, CONTACT, CUSTOMER, ITEM_COUNT, Address, Servers

CALLER_COUNT = 12
HOT_ITEMS = 5
LINE_COUNT = 3
EXTERNAL = 28
ANSWER_SECONDS = 15
PAUSE_SECONDS = 0.02
RETRY_SECONDS = 0.2


class Payment(NamedTuple):
    """One intent."""

    reference: str
    pence: dict[int, int]
    """By billing id."""


class Acknowledged(NamedTuple):
    """A payment that a server said is recorded."""

    payment: Payment
    server: int
    at: float
    sent_count: int
    replayed: bool
    """Whether it was in the books already when it was sent for the last time."""


class Caller(threading.Thread):
    """Pays one thing after the other, at one server and the other by turns."""

    def __init__(self, name: str, servers: Servers, *, by_key: bool) -> None:
        super().__init__(daemon=True)
        self.called = name
        self.acknowledged: list[Acknowledged] = []
        self.wrong: str | None = None
        self.ending = threading.Event()
        self._by_key = by_key
        self._headers = {
            "userName": BY_KEY if by_key else BY_REFERENCE,
            "password": servers.password,
            "customerGuid": CUSTOMER,
            "Content-Type": "application/json",
        }
        self._lines = [Line(address) for address in servers.addresses]
        self._random = random.Random(name)

    def run(self) -> None:
        """Until told to end, and then until the last payment is answered."""
        number = 0
        while not self.ending.is_set() and self.wrong is None:
            self._pay(self._think_of(number), first=number % len(self._lines))
            number += 1
            time.sleep(PAUSE_SECONDS)

    def _think_of(self, number: int) -> Payment:
        """Some pence for three items, one of which many callers pay at once."""
        hot = self._random.randint(1, HOT_ITEMS)
        others = self._random.sample(range(HOT_ITEMS + 1, ITEM_COUNT + 1), LINE_COUNT - 1)
        pence = {item: self._random.randint(1, 9) for item in (hot, *others)}
        return Payment(f"{self.called}-{number}", pence)

    def _pay(self, payment: Payment, *, first: int) -> None:
        """Send it until it is answered, each time to the other server."""
        body = json.dumps(
            {
                "ContactId": CONTACT,
                "PaymentDate": "2026-02-05T10:00:00+00:00",
                "TenderTypeId": EXTERNAL,
                "BillingPayments": [
                    {
                        "BillingId": item,
                        "Amount": f"0.{pence:02}",
                        "ThirdPartyReference": payment.reference,
                    }
                    for item, pence in payment.pence.items()
                ],
            }
        )
        key = {"Idempotency-Key": payment.reference} if self._by_key else {}
        for sent_count in range(1, 10_000):
            server = (first + sent_count - 1) % len(self._lines)
            answer = self._lines[server].post(body, {**self._headers, **key})
            if answer is not None and answer.status == 200 and json.loads(answer.body)["Success"]:
                self.acknowledged.append(
                    Acknowledged(payment, server, time.monotonic(), sent_count, answer.replayed)
                )
                return
            if answer is not None and answer.status != 503:
                self.wrong = f"{payment.reference} got {answer.status}: {answer.body!r}"
                return
            time.sleep(RETRY_SECONDS * self._random.uniform(0.5, 1.5))


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: bytes
    replayed: bool


class Line:
    """A connection to one server, made anew after each failure."""

    def __init__(self, address: Address) -> None:
        self._connection = http.client.HTTPConnection(*address, timeout=ANSWER_SECONDS)

    def post(self, body: str, headers: dict[str, str]) -> Answer | None:
        """The answer; None where no whole one came, whatever became of the request."""
        try:
            self._connection.request("POST", "/POS/BillingPayments", body, headers)
            answer = self._connection.getresponse()
            replayed = answer.getheader("idempotent-replayed") == "true"
            return Answer(answer.status, answer.read(), replayed)
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return None


class Callers:
    """All callers, at work."""

    def __init__(self, servers: Servers) -> None:
        self._callers = [
            Caller(f"caller{number}", servers, by_key=number % 2 == 1)
            for number in range(CALLER_COUNT)
        ]
        for caller in self._callers:
            caller.start()

    def acknowledged(self) -> list[Acknowledged]:
        """All that was acknowledged until now, in order of time."""
        taken = [each for caller in self._callers for each in list(caller.acknowledged)]
        return sorted(taken, key=lambda each: each.at)

    def served_since(self, moment: float) -> set[int]:
        """The servers that acknowledged something after the moment."""
        return {
            each.server
            for caller in self._callers
            for each in caller.acknowledged[-20:]
            if each.at > moment
        }

    def complaints(self) -> Sequence[str]:
        """Answers that no caller should have got."""
        return [caller.wrong for caller in self._callers if caller.wrong]

    def finish(self) -> None:
        """Return when each caller has the answer to its last payment."""
        self.dismiss()
        wait_for(
            "each caller has its last answer",
            lambda: not any(caller.is_alive() for caller in self._callers),
            seconds=60,
        )

    def dismiss(self) -> None:
        """Begin nothing new."""
        for caller in self._callers:
            caller.ending.set()
