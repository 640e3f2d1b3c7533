"""One server of several processes: they share a port and a ledger, and none is missed."""

import errno
import importlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from processes import Server, post, run

import postgres
from ledgers import ANNA, CLUB, EXTERNAL, TILL
from paydown import bootstrap
from paydown.access import hash_password
from paydown.admin import Admin
from paydown.server import ServeError, Supervisor, listen_together, workers
from paydown.storage.opening import open_store

PASSWORD = "a password of the test's"
HEADERS = {"userName": TILL, "password": PASSWORD, "customerGuid": CLUB}
PAYMENTS = "/POS/BillingPayments"


@pytest.fixture
def url(databases: postgres.Databases) -> str:
    """A ledger on PostgreSQL whose login has a password."""
    url = databases.copy()
    Admin(open_store(url)).set_password(TILL, hash_password(PASSWORD))
    return url


@pytest.fixture
def server(url: str, tmp_path: Path) -> Iterator[Server]:
    """A server of two processes."""
    running = Server("serve", "--database", url, "--workers", "2", log=tmp_path / "log")
    yield running
    if running.process.poll() is None:
        running.kill()


def pids(server: Server) -> list[int]:
    """The processes that have begun to serve, in their order, as the log tells."""
    return [int(pid) for pid in re.findall(r"Started server process \[(\d+)", logged(server))]


def logged(server: Server) -> str:
    """All that the server has logged."""
    return server.log.read_text()


def wait(until: Callable[[], bool]) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + 30
    while not until():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


def payment(reference: str) -> dict[str, Any]:
    """A penny for an item, told apart by its reference."""
    line = {"BillingId": 21, "Amount": 0.01, "ThirdPartyReference": reference}
    return {
        "ContactId": ANNA,
        "PaymentDate": "2026-02-05T10:00:00+00:00",
        "TenderTypeId": EXTERNAL,
        "BillingPayments": [line],
    }


def pay(server: Server, reference: str) -> str:
    """Record a payment; which process did, as the id that it gave the request tells."""
    answer = post(server.base_url + PAYMENTS, payment(reference), HEADERS)
    assert (answer.status, answer.body["Success"]) == (200, True)
    return answer.headers["X-Request-Id"][:16]


def pay_at_each(server: Server, name: str) -> int:
    """Pay until both processes have recorded something; how often that was."""
    seen = set()
    count = 0
    while len(seen) < 2:
        seen.add(pay(server, f"{name}-{count}"))
        count += 1
    return count


def metrics(server: Server) -> dict[str, float]:
    """What the server measures, as one of its processes tells it."""
    with urllib.request.urlopen(f"{server.base_url}/metrics", timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def recorded(url: str) -> set[str]:
    """The references of all payments in the books. None is there twice."""
    found = postgres.ask(url, "SELECT reference FROM posting WHERE reference IS NOT NULL")
    assert len(found) == len(set(found))
    return set(found)


def test_the_metrics_are_the_sums_of_all_processes(server: Server, url: str) -> None:
    """Whoever is asked tells what both recorded, and goes on when one of them has been replaced."""
    count = pay_at_each(server, "first")
    before = [metrics(server) for _ in range(4)]
    os.kill(pids(server)[0], signal.SIGKILL)
    wait(lambda: len(pids(server)) == 3)
    count_after = count + pay_at_each(server, "second")
    after = metrics(server)

    def told(numbers: dict[str, float]) -> tuple[float, ...]:
        return (
            numbers['paydown_lines_recorded_total{kind="payment"}'],
            numbers[f'paydown_requests_total{{route="{PAYMENTS}",status="200"}}'],
            numbers["paydown_batch_commands_sum"],
            numbers["paydown_commit_seconds_count"],
            numbers["paydown_queue_depth"],
        )

    assert [told(each) for each in before] == [(count, count, count, count, 0)] * 4
    assert told(after) == (*[count_after] * 4, 0)
    assert len(recorded(url)) == count_after


class Payer(threading.Thread):
    """Pays again and again, each payment until it is acknowledged."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.called = name
        self.acknowledged: set[str] = set()
        self.doubtful: set[str] = set()
        self.stop = threading.Event()

    def run(self) -> None:
        """Until told to stop."""
        number = 0
        while not self.stop.is_set():
            reference = f"{self.called}-{number}"
            try:
                pay(self.server, reference)
            except OSError:
                self.doubtful.add(reference)
                continue
            self.doubtful.discard(reference)
            self.acknowledged.add(reference)
            number += 1


def test_a_process_that_is_killed_is_replaced_and_no_payment_lost(server: Server, url: str) -> None:
    """While one is away the others pay on; each payment is in the books once."""
    payers = [Payer(server, f"payer{number}") for number in range(8)]
    for payer in payers:
        payer.start()
    killed, other = pids(server)
    time.sleep(0.5)
    os.kill(killed, signal.SIGKILL)
    wait(lambda: len(pids(server)) == 3)
    pay_at_each(server, "both")
    for payer in payers:
        payer.stop.set()
    for payer in payers:
        payer.join()

    acknowledged = set().union(*(payer.acknowledged for payer in payers))
    doubtful = set().union(*(payer.doubtful for payer in payers))
    in_books = {each for each in recorded(url) if each.startswith("payer")}
    assert acknowledged <= in_books <= acknowledged | doubtful
    assert len(acknowledged) > 50
    assert f'"pid":{killed},"status":-9,"event":"a worker ended and is replaced"' in logged(server)
    assert other in pids(server)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_every_process(server: Server, url: str, stop: signal.Signals) -> None:
    """What is in the books was acknowledged, all have ended in good order, and the status is 0."""
    payers = [Payer(server, f"payer{number}") for number in range(8)]
    for payer in payers:
        payer.start()
    time.sleep(0.5)
    server.process.send_signal(stop)
    for payer in payers:
        payer.stop.set()
    status = server.process.wait(30)
    for payer in payers:
        payer.join()

    assert status == 0
    assert recorded(url) == set().union(*(payer.acknowledged for payer in payers))
    for pid in pids(server):
        assert f"Finished server process [{pid}]" in logged(server)
    assert "a worker ended" not in logged(server)
    assert "Traceback" not in logged(server)


def test_no_process_outlives_the_one_that_started_it(server: Server) -> None:
    """After kill -9 of the parent the others end in good order, and the port is free."""
    port = urllib.parse.urlsplit(server.base_url).port
    assert port is not None
    server.kill()
    for pid in pids(server):
        wait(partial(lambda line: line in logged(server), f"Finished server process [{pid}]"))

    for listener in listen_together("127.0.0.1", port, 1):
        listener.close()


def test_another_server_cannot_slip_onto_the_port(server: Server, url: str) -> None:
    """Sockets that share a port would share it with another ledger's server too."""
    port = str(urllib.parse.urlsplit(server.base_url).port)
    for count in ("1", "2"):
        second = run("serve", "--database", url, "--workers", count, "--port", port)
        assert second.returncode == 1
        assert "Address already in use. Choose another with --port" in second.stderr


def test_sqlite_takes_one_process(template: Path) -> None:
    """More are refused in a sentence that says what else can be done."""
    refused = run("serve", "--database", f"sqlite:///{template}", "--workers", "2", "--port", "0")

    assert refused.returncode == 1
    assert refused.stderr.endswith(
        "takes 1 server process, not 2. Leave --workers out, or move the ledger to PostgreSQL.\n"
    )


@pytest.mark.usefixtures("capfd")
def test_a_process_that_cannot_begin_ends_the_start() -> None:
    """Nobody is told that the server listens, and nothing is left running or open."""
    listeners = listen_together("127.0.0.1", 0, 2)
    ready: list[int] = []
    with pytest.raises(ServeError, match="A worker could not start; the log says why"):
        Supervisor(sys.exit, listeners, on_ready=lambda: ready.append(1)).run()

    assert ready == []
    assert [listener.fileno() for listener in listeners] == [-1, -1]


def test_no_room_for_a_process_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is the system's own."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    supervisor = Supervisor(sys.exit, listen_together("127.0.0.1", 0, 1), on_ready=lambda: None)
    with pytest.raises(ServeError, match="could not start: Resource temporarily"):
        supervisor.run()


def test_a_crowd_does_not_take_the_databases_connections() -> None:
    """Of those who come to a server that knows nobody yet, few are looked up at once."""
    under_way, most = [], []

    def find_login(user_name: str, customer_guid: str | None) -> None:
        under_way.append(user_name)
        time.sleep(0.01)
        most.append(len(under_way))
        under_way.remove(user_name)

    find_in_turn = bootstrap._few_at_once(find_login)
    with ThreadPoolExecutor(40) as crowd:
        list(crowd.map(find_in_turn, map(str, range(40)), [None] * 40))

    assert len(most) == 40
    assert max(most) == bootstrap.LOOKUPS_MAX


SITTER = """
import time

def sit(place):
    place.on_ready()
    time.sleep(60)
"""


def test_no_room_for_a_replacement_is_no_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """While others serve it is tried again until there is room."""
    (tmp_path / "sitter.py").write_text(SITTER)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(workers, "PAUSE_SECONDS", 0.01)
    popen, started, refused = subprocess.Popen, [], []

    def spawn(*arguments: Any, **more: Any) -> Any:
        if len(started) == 2 and len(refused) < 3:
            refused.append(1)
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
        started.append(popen(*arguments, **more))
        if len(started) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", spawn)
    listeners = listen_together("127.0.0.1", 0, 2)
    sit = importlib.import_module("sitter").sit

    def kill_one() -> None:
        started[0].kill()

    Supervisor(sit, listeners, on_ready=kill_one).run()

    assert len(refused) == 3
    assert [process.returncode for process in started] == [-9, -15, -15]


TALKER = """
import sys
from pathlib import Path
from paydown.server import shared_stderr

stream = shared_stderr(Path(sys.argv[1]))
for number in range(20):
    stream.buffer.write((sys.argv[2] * 30_000 + "\\n").encode())
    stream.buffer.flush()
"""


def test_no_line_of_the_log_is_broken_by_another_process(tmp_path: Path) -> None:
    """Not even long ones, into a pipe that is full since its reader is slow."""
    read_end, write_end = os.pipe()
    talkers = [
        subprocess.Popen([sys.executable, "-c", TALKER, tmp_path, name], stderr=write_end)
        for name in "abc"
    ]
    os.close(write_end)
    time.sleep(2)
    with os.fdopen(read_end, "rb") as pipe:
        lines = pipe.read().splitlines()
    for talker in talkers:
        assert talker.wait(30) == 0

    assert len(lines) == 60
    assert {(len(line), len(set(line))) for line in lines} == {(30_000, 1)}
