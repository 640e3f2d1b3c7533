"""A real server under a real load, killed in the middle: nothing acknowledged is ever lost."""

import http.client
import json
import sqlite3
import threading
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from processes import Server, post, run

import ledgers
from ledgers import ANNA, CLUB, EXTERNAL, TILL
from paydown.access import hash_password

pytestmark = pytest.mark.no_cover  # the same again and again, which being measured slows

PASSWORD = "a password of the test's"
HEADERS = {"userName": TILL, "password": PASSWORD, "customerGuid": CLUB}
CALLERS = 16


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger whose logins have a password."""
    path = tmp_path_factory.mktemp("system") / "ledger.db"
    ledgers.make_ledger(f"sqlite:///{path}", password_hash=hash_password(PASSWORD))
    return path


@pytest.fixture
def own_ledger(ledger: Path, tmp_path: Path) -> Path:
    """A copy for one test."""
    ledgers.copy_ledger(ledger, tmp_path / "ledger.db")
    return tmp_path / "ledger.db"


def serve(path: Path) -> Server:
    """A server on the ledger."""
    return Server("serve", "--database", f"sqlite:///{path}", log=path.with_suffix(".log"))


def payment(reference: str) -> dict[str, Any]:
    """One penny for each of three items, told apart by its reference."""
    number = int(reference.rsplit("-", maxsplit=1)[-1])
    items = [1 + (number + step) % 20 for step in range(3)]
    return {
        "ContactId": ANNA,
        "PaymentDate": "2026-02-05T10:00:00+00:00",
        "TenderTypeId": EXTERNAL,
        "BillingPayments": [
            {"BillingId": item, "Amount": 0.01, "ThirdPartyReference": reference} for item in items
        ],
    }


class Caller(threading.Thread):
    """Sends payments one after the other, and remembers which were acknowledged."""

    def __init__(self, base_url: str, name: str) -> None:
        super().__init__(daemon=True)
        self.base = urllib.parse.urlsplit(base_url)
        self.called = name
        self.sent: list[str] = []
        self.acknowledged: list[str] = []
        self.stop = threading.Event()

    def run(self) -> None:
        """Until told to stop or the server is gone."""
        connection = http.client.HTTPConnection(self.base.netloc, timeout=20)
        for number in range(10_000):
            if self.stop.is_set():
                break
            reference = f"{self.called}-{number}"
            self.sent.append(reference)
            try:
                connection.request(
                    "POST",
                    "/POS/BillingPayments",
                    json.dumps(payment(reference)),
                    {**HEADERS, "Content-Type": "application/json"},
                )
                answer = connection.getresponse()
                body = json.loads(answer.read())
            except (OSError, http.client.HTTPException):
                break
            assert answer.status == 200, body
            if body["Success"]:
                self.acknowledged.append(reference)
        connection.close()


@contextmanager
def load(server: Server, *, seconds: float) -> Iterator[list[Caller]]:
    """Callers at work; what stands in the block happens in the middle of it."""
    callers = [Caller(server.base_url, f"caller{number}") for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    time.sleep(seconds)
    yield callers
    for caller in callers:
        caller.stop.set()
        caller.join()


def recorded(path: Path) -> dict[str, int]:
    """How many postings each reference has in the books."""
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT reference, COUNT(*) FROM posting WHERE reference IS NOT NULL GROUP BY reference"
    ).fetchall()
    connection.close()
    return dict(rows)


def test_kill_9_under_load_loses_nothing_acknowledged(own_ledger: Path) -> None:
    """After kill -9 and a restart: every acknowledged payment once, and retries double nothing."""
    server = serve(own_ledger)
    with load(server, seconds=1.5) as callers:
        server.kill()
    acknowledged = {reference for caller in callers for reference in caller.acknowledged}
    sent = [reference for caller in callers for reference in caller.sent]
    assert len(acknowledged) > 100, "the load was too small to prove anything"

    again = serve(own_ledger)
    verified = run("verify", "--database", f"sqlite:///{own_ledger}")
    assert verified.returncode == 0, verified.stdout
    survived = recorded(own_ledger)
    assert {survived.get(reference) for reference in acknowledged} == {3}
    assert set(survived.values()) == {3}

    # Each caller retries what it does not know the fate of, and one that it does.
    doubtful = [reference for reference in sent if reference not in acknowledged]
    for reference in [*doubtful, *list(acknowledged)[:20]]:
        answer = post(f"{again.base_url}/POS/BillingPayments", payment(reference), HEADERS)
        assert answer.status == 200
        assert answer.body["Success"] is True
    assert again.stop() == 0
    assert recorded(own_ledger) == dict.fromkeys({*acknowledged, *doubtful}, 3)
    assert run("verify", "--database", f"sqlite:///{own_ledger}").returncode == 0


def test_sigterm_under_load_answers_all_that_was_accepted(own_ledger: Path) -> None:
    """SIGTERM drains: what is in the books was acknowledged, and the status is 0."""
    server = serve(own_ledger)
    with load(server, seconds=1) as callers:
        assert server.stop() == 0
    acknowledged = {reference for caller in callers for reference in caller.acknowledged}

    assert len(acknowledged) > 50
    assert set(recorded(own_ledger)) == acknowledged


def test_64_clients_on_one_item_never_take_it_below_zero(own_ledger: Path) -> None:
    """What the clients were told was accepted is exactly what the item lost."""
    server = serve(own_ledger)
    body = {
        "ContactId": ANNA,
        "PaymentDate": "2026-02-05",
        "TenderTypeId": EXTERNAL,
        "BillingPayments": [{"BillingId": 1, "Amount": "0.37"}],
    }

    def pay_often(_: int) -> int:
        answers = [post(f"{server.base_url}/POS/BillingPayments", body, HEADERS) for _ in range(3)]
        return sum(answer.body["Success"] for answer in answers)

    with ThreadPoolExecutor(64) as clients:
        accepted = sum(clients.map(pay_often, range(64)))
    assert server.stop() == 0

    connection = sqlite3.connect(own_ledger)
    (balance,) = connection.execute(
        "SELECT balance FROM billing_item WHERE customer_id = 1 AND billing_id = 1"
    ).fetchone()
    connection.close()
    assert accepted == 1000 // 37
    assert balance == 1000 - 37 * accepted
    assert run("verify", "--database", f"sqlite:///{own_ledger}").returncode == 0


def test_a_second_server_is_told_why_it_cannot_start(own_ledger: Path) -> None:
    """One file takes one server; the other ends with a sentence and status 1."""
    server = serve(own_ledger)
    second = run("serve", "--database", f"sqlite:///{own_ledger}", "--port", "0")
    server.stop()

    assert second.returncode == 1
    assert "Another server is running on" in second.stderr
    assert "Traceback" not in second.stderr
