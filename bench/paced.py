"""Load at a given rate, from a process of its own: how long a request takes when nothing queues up.

Law of this file: a request is due at its moment whatever became of those before it, and its time is
counted from then. So a server that stalls is charged for all that it kept waiting.
"""

import json
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from itertools import count
from os import getpid
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import urlsplit

from bench import load
from bench.ledgers import PASSWORD, TENDER_TYPE_ID, USER_NAME, Shape, contact_id, customer_guid
from bench.load import Burst, Thread

CLIENTS = 64
LINES = 3
GIVE_UP_SECONDS = 10
_END_OF_HEADERS = b"\r\n\r\n"
_SUCCESS = b'"Success":true}'

_numbers = count(1)


def run(base_url: str, shape: Shape, *, rate: float, seconds: float) -> Burst:
    """Send requests at the rate from a process of its own, and tell what came of them."""
    tag = f"p{getpid()}.{next(_numbers)}"
    command = [
        *(sys.executable, "-m", "bench.paced", base_url, tag),
        *(str(shape.contact_count), str(shape.per_contact), str(rate), str(seconds)),
    ]
    done = subprocess.run(
        command,
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    if done.returncode:
        raise load.LoadFailed(done.stderr)
    return load.read_burst(tag, done.stdout)


def make_body(reference: str, number: int, contact: int, items: Sequence[int]) -> bytes:
    """The payments request of that number, as ``load.lua`` has it."""
    lines = [
        {
            "BillingId": item,
            "Amount": load.amount(number, line_no) / 100,
            "ThirdPartyReference": reference,
        }
        for line_no, item in enumerate(items, 1)
    ]
    body = {
        "ContactId": contact_id(contact),
        "PaymentDate": f"2026-03-02T09:{number // 60 % 60:02d}:{number % 60:02d}",
        "TenderTypeId": TENDER_TYPE_ID,
        "BillingPayments": lines,
    }
    return json.dumps(body, separators=(",", ":")).encode()


def make_request(reference: str, body: bytes) -> bytes:
    """The whole request."""
    head = (
        "POST /POS/BillingPayments HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json"
        f"\r\nuserName: {USER_NAME}\r\npassword: {PASSWORD}\r\ncustomerGuid: {customer_guid(0)}"
        f"\r\nX-Request-Id: {reference}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def percentile(values: Sequence[float], part: float) -> float:
    """The value that this part of all are at most."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


class _Client:
    """One connection: what it waits for, and what has come."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = 0
        self.received = b""

    def fileno(self) -> int:
        """What to wait on."""
        return self.socket.fileno()

    def send(self, number: int, request: bytes) -> None:
        """Begin a request."""
        self.number, self.received = number, b""
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take what came; whether the answer is whole. Raises OSError where it ended."""
        part = self.socket.recv(65_536)
        if not part:
            raise ConnectionError("the server closed a connection")
        self.received += part
        head, end, body = self.received.partition(_END_OF_HEADERS)
        if not end:
            return False
        _, _, length = head.lower().partition(b"content-length:")
        return len(body) >= int(length.split(b"\r\n", 1)[0])

    @property
    def accepted(self) -> bool:
        """Whether the whole answer is a 200 with success."""
        return self.received.startswith(b"HTTP/1.1 200") and self.received.endswith(_SUCCESS)


class _Outcome(NamedTuple):
    """What came of all requests: the time of each that was answered, and who was refused."""

    milliseconds: list[float]
    refusals: list[str]
    outstanding: set[int]


def _drive(clients: Sequence[_Client], requests: Sequence[bytes], gap: float) -> _Outcome:
    """Send each request when it is due, as soon as a connection is free, and time it from then."""
    outcome = _Outcome([], [], set(range(1, len(requests) + 1)))
    idle, waiting, busy = deque(clients), deque[int](), set[_Client]()
    sent, started = 0, time.perf_counter() + 0.05
    deadline = started + gap * len(requests) + GIVE_UP_SECONDS
    while (now := time.perf_counter()) < deadline and outcome.outstanding:
        while sent < len(requests) and started + sent * gap <= now:
            sent += 1
            waiting.append(sent)
        while waiting and idle:
            client, number = idle.popleft(), waiting.popleft()
            client.send(number, requests[number - 1])
            busy.add(client)
        until_next = started + sent * gap - time.perf_counter() if sent < len(requests) else 1.0
        ready, _, _ = select.select(busy, (), (), max(0.0, until_next))
        for client in ready:
            if client.receive():
                due = started + (client.number - 1) * gap
                _note(outcome, client, (time.perf_counter() - due) * 1e3)
                busy.remove(client)
                idle.append(client)
    return outcome


def _note(outcome: _Outcome, client: _Client, milliseconds: float) -> None:
    outcome.milliseconds.append(milliseconds)
    if client.accepted:
        outcome.outstanding.discard(client.number)
    else:
        outcome.refusals.append(client.received[:400].decode(errors="replace"))


def main(arguments: Sequence[str]) -> None:
    """Drive the server that the arguments name, and print what came of it as JSON."""
    base_url, tag, contacts, per_contact, rate, seconds = arguments
    place = urlsplit(base_url)
    chance = Random(tag)  # noqa: S311 - it guards nothing
    requests = []
    for number in range(1, int(float(rate) * float(seconds)) + 1):
        contact = chance.randrange(int(contacts))
        first = chance.randrange(int(per_contact) - LINES + 1)
        items = [contact * int(per_contact) + first + n for n in range(1, LINES + 1)]
        reference = load.reference(tag, 1, number)
        requests.append(make_request(reference, make_body(reference, number, contact, items)))
    clients = [_Client((place.hostname or "", place.port or 0)) for _ in range(CLIENTS)]
    started = time.perf_counter()
    outcome = _drive(clients, requests, 1 / float(rate))
    thread = Thread(
        issued=len(requests),
        answered=len(requests) - len(outcome.outstanding),
        refused=len(outcome.refusals),
        refusal="".join(outcome.refusals[:1]),
        outstanding=sorted(outcome.outstanding),
    )
    said = {
        "seconds": time.perf_counter() - started,
        "p50_ms": percentile(outcome.milliseconds, 0.5),
        "p99_ms": percentile(outcome.milliseconds, 0.99),
        "errors": 0,
        "threads": [thread._asdict()],
    }
    print(json.dumps(said))  # noqa: T201 - the bench reads it


if __name__ == "__main__":
    main(sys.argv[1:])
