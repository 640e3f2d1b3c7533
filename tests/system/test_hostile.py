"""A real server under bodies, heads and crowds that are meant to hurt it.

What is asserted of each: its status, how long the answer took, that somebody else was served
meanwhile, and how much more memory the process has ever had than before. The most of each is said
at the end.
"""

import gzip
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from processes import Server, post, run

import ledgers
from figures import assert_told
from ledgers import ANNA, CLUB, EXTERNAL, TILL
from paydown.access import hash_password
from paydown.admin import Admin

PASSWORD = "a password of the test's"
HEADERS = {"userName": TILL, "password": PASSWORD, "customerGuid": CLUB}
PAYMENTS = "/POS/BillingPayments"
BODY_BYTES_MAX = 8 * 1024 * 1024
NEARLY = BODY_BYTES_MAX - 1_000
ANSWER_SECONDS, MEANWHILE_SECONDS = 20.0, 5.0
MEMORY_MAX = 12 * BODY_BYTES_MAX
"""How much a body may cost: its bytes, its text, and a tree of its numbers were seven times it."""

CROWD = 300
Tell = Callable[[str, object], None]
"""``record_property``: keeps what is said at the end."""


class Hostile(NamedTuple):
    """A server, and what is needed to speak to it byte by byte."""

    server: Server

    def connect(self) -> socket.socket:
        """A connection."""
        address = urlsplit(self.server.base_url)
        return socket.create_connection((address.hostname, address.port), timeout=ANSWER_SECONDS)

    def head(self, length: str, *more: str, credentials: bool = True) -> bytes:
        """The head of a payment."""
        lines = [f"POST {PAYMENTS} HTTP/1.1", "Host: here", "Content-Type: application/json"]
        if credentials:
            lines += [f"{name}: {value}" for name, value in HEADERS.items()]
        return "\r\n".join([*lines, *more, length, "", ""]).encode()

    def ask(self, *parts: bytes) -> int:
        """Send the parts and read the status of the answer, which must come in time."""
        with self.connect() as peer:
            try:
                for part in parts:
                    peer.sendall(part)
            except (ConnectionResetError, BrokenPipeError):
                pass  # It was refused before all was sent.
            return int(peer.makefile("rb").readline().split()[1])

    def pay(self, reference: str) -> int:
        """An honest payment; the status of its answer."""
        line = {"BillingId": 21, "Amount": 0.01, "ThirdPartyReference": reference}
        body: dict[str, Any] = {"ContactId": ANNA, "PaymentDate": "2026-02-05T10:00:00Z"}
        body |= {"TenderTypeId": EXTERNAL, "BillingPayments": [line]}
        return post(f"{self.server.base_url}{PAYMENTS}", body, HEADERS).status

    @contextmanager
    def growing_by_at_most(self, memory: int, tell: Tell) -> Iterator[None]:
        """In the block the process has at no moment more memory than so much beyond before."""
        self.process_file("clear_refs").write_text("5")  # the peak counts from now
        before = self._peak()
        yield
        grown = self._peak() - before
        tell("hostile input, memory in MB", grown / 1e6)
        assert grown < memory

    def process_file(self, name: str) -> Path:
        """What the system tells of the process."""
        return Path(f"/proc/{self.server.process.pid}/{name}")

    def _peak(self) -> int:
        status = self.process_file("status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@pytest.fixture(scope="module")
def hostile(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    """A server with the default limits; at its end it drains and its books hold."""
    folder = tmp_path_factory.mktemp("hostile")
    database = ledgers.copy_ledger(template, folder / "ledger.db")
    Admin(database).set_password(TILL, hash_password(PASSWORD))
    server = Server("serve", "--database", database.url, log=folder / "log")
    yield Hostile(server)
    assert server.stop() == 0
    assert '"level":"error"' not in server.log.read_text()
    assert run("verify", "--database", database.url).returncode == 0


def payment(**members: str) -> bytes:
    """The text of a payment, in which each member given is that text instead."""
    line = {"BillingId": "21", "Amount": members.pop("Amount", "0.01")}
    root = {
        "ContactId": f'"{ANNA}"',
        "PaymentDate": '"2026-02-05T10:00:00Z"',
        "TenderTypeId": str(EXTERNAL),
        "BillingPayments": f"[{_object(line)}]",
        **members,
    }
    return _object(root).encode()


def _object(members: dict[str, str]) -> str:
    return "{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}"


BODIES = {
    "lists in lists": (b"[" * NEARLY, 400),
    "objects in objects": (b'{"a":' * (NEARLY // 5), 400),
    "closed lists in lists": (payment(x="[" * 200_000 + "]" * 200_000), 400),
    "as many objects as there may be": (payment(x=f"[{'{},' * 199_990}{{}}]"), 200),
    "more objects than there may be": (payment(x=f"[{'{},' * 2_000_000}{{}}]"), 400),
    "many numbers": (payment(x=f"[{'0,' * (NEARLY // 2 - 500)}0]"), 200),
    "many texts": (payment(x="[" + '"",' * (NEARLY // 3 - 500) + "0]"), 200),
    "an amount of millions of digits": (payment(Amount="9" * NEARLY), 400),
    "an amount of millions of zeros": (payment(Amount="0." + "0" * (NEARLY - 1_000)), 200),
    "an amount in a text of millions of digits": (payment(Amount='"' + "9" * NEARLY + '"'), 400),
    "an exponent of millions of digits": (payment(Amount="1e" + "9" * NEARLY), 400),
    "a whole number of millions of digits": (payment(TenderTypeId="9" * NEARLY), 400),
    "a date of millions of digits": (
        payment(PaymentDate='"2026-02-05T10:00:00.' + "9" * (NEARLY - 1_000) + '"'),
        200,
    ),
    "escapes": (payment(x='"' + "\\u0001" * (NEARLY // 6 - 200) + '"'), 200),
    "backslashes without an end": (payment(x='"' + "\\" * (NEARLY - 500)), 400),
    "quotes": (payment(x='"' * (NEARLY - 500)), 400),
    "one member again and again": (
        payment(BillingPayments="[" + '{"BillingId":1},' * 9_999 + '{"BillingId":1}]'),
        400,
    ),
    "too many lines": (
        payment(BillingPayments="[" + '{"BillingId":1},' * 300_000 + '{"BillingId":1}]'),
        400,
    ),
    "a bomb in gzip": (gzip.compress(b"0" * 200_000_000), 400),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_monstrous_body_costs_a_bounded_time_and_memory(
    hostile: Hostile, name: str, record_property: Tell
) -> None:
    """Just below the limit of a body; while it is read, others are served."""
    body, status = BODIES[name]
    assert len(body) <= BODY_BYTES_MAX
    assert hostile.pay("before") == 200
    more = ("Content-Encoding: gzip",) if "gzip" in name else ()
    memory = hostile.growing_by_at_most(MEMORY_MAX, record_property)
    with memory, hostile.connect() as peer:
        peer.sendall(hostile.head(f"Content-Length: {len(body)}", *more) + body)
        began = time.monotonic()
        assert hostile.pay("meanwhile") == 200
        waited = time.monotonic() - began
        assert int(peer.makefile("rb").readline().split()[1]) == status
        took = time.monotonic() - began
    record_property("hostile bodies, seconds to the answer", took)
    record_property("hostile bodies, seconds that another waited", waited)
    assert waited < MEANWHILE_SECONDS
    assert took < ANSWER_SECONDS


FRAMINGS = {
    "too long": ("Content-Length: 10000000", [], 413),
    "far too long": ("Content-Length: 99999999999999999999", [], 400),
    "too long in chunks": (
        "Transfer-Encoding: chunked",
        [b"989680\r\n", *([b"9" * 100_000] * 100)],
        413,
    ),
    "tiny chunks": (
        "Transfer-Encoding: chunked",
        [b"1\r\n[\r\n"] * 50_000 + [b"0\r\n\r\n"],
        400,
    ),
    "a chunk's extension": ("Transfer-Encoding: chunked", [b"5;" + b"a" * 1_000_000], 431),
    "100,000 headers": ("\r\n".join(f"X-{number}: y" for number in range(100_000)), [], 431),
    "a header of 10 MB": (f"X: {'y' * 10_000_000}", [], 431),
}


@pytest.mark.parametrize("name", FRAMINGS)
def test_a_monstrous_request_is_refused_before_it_is_there(
    hostile: Hostile, name: str, record_property: Tell
) -> None:
    """By what its head says, or as soon as the limit is passed."""
    length, parts, status = FRAMINGS[name]
    with hostile.growing_by_at_most(MEMORY_MAX, record_property):
        assert hostile.ask(hostile.head(length), *parts) == status
    assert hostile.pay("after") == 200


def test_a_crowd_without_a_login_holds_no_bodies(hostile: Hostile, record_property: Tell) -> None:
    """Each of 300 peers sends half of a long body; none of it is read before the login is known."""
    peers = [hostile.connect() for _ in range(CROWD)]
    head = hostile.head(f"Content-Length: {NEARLY}", credentials=False)
    with hostile.growing_by_at_most(48_000_000, record_property):
        for peer in peers:
            peer.setblocking(False)
            peer.send(head)
        for peer in peers:
            with suppress(OSError):
                peer.send(b"[" * 1_000_000)
        assert hostile.pay("meanwhile") == 200
        for peer in peers:
            peer.settimeout(ANSWER_SECONDS)
            assert peer.makefile("rb").readline().split()[1] == b"401"
    for peer in peers:
        peer.close()


PATHS = [
    ("/POS/BillingPayments", 200),
    ("/pOs/bILLINGpAYMENTS/", 200),
    ("/POS/BillingPayments?x=../../%00", 200),
    ("/%50OS/Billing%50ayments", 200),
    ("//POS/BillingPayments", 404),
    ("/POS//BillingPayments", 404),
    ("/POS/./BillingPayments", 404),
    ("/docs/../POS/BillingPayments", 404),
    ("/POS/BillingPayments//", 404),
    ("/POS/BillingPayments;x=1", 404),
    ("/POS/BillingPayments%00", 404),
    ("/POS/BillingPayments%20", 404),
    ("/POS/BillingPayments%2f", 200),
    ("/POS/Bill\u0131ngPayments", 400),
    ("/POS/Bill%C4%B1ngPayments", 404),
    ("/POS/B%C4%B0llingPayments", 404),
    ("/POS/BillingPayments%0d%0aX-Injected:%20yes", 404),
    ("/\\etc\\passwd", 404),
]


@pytest.mark.parametrize(("path", "status"), PATHS)
def test_a_path_is_what_it_says_and_nothing_else(hostile: Hostile, path: str, status: int) -> None:
    """In any case and with escapes it is one of the calls; no trick reaches another place."""
    body = payment()
    head = hostile.head(f"Content-Length: {len(body)}").replace(PAYMENTS.encode(), path.encode())
    with hostile.connect() as peer:
        peer.sendall(head + body)
        answer = peer.makefile("rb")
        assert int(answer.readline().split()[1]) == status
        assert b"X-Injected" not in b"".join(iter(answer.readline, b"\r\n"))


FILES = [
    *("/docs/..%2f..%2f..%2fetc%2fpasswd", "/docs/..%5c..%5cREADME.md", "/docs//etc/passwd"),
    *("/docs/%2e%2e/%2e%2e/schema.py", "/docs/../../schema.py", "/docs/docs.js%00.png"),
    *("/docs/DOCS.JS", "/docs/.", "/docs/%ff"),
]


@pytest.mark.parametrize("path", FILES)
def test_the_page_gives_out_its_own_files_alone(hostile: Hostile, path: str) -> None:
    """By their exact names."""
    assert hostile.ask(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode()) == 404
    assert hostile.ask(b"GET /docs/docs.js HTTP/1.1\r\nHost: here\r\n\r\n") == 200


def test_the_page_on_reliability_counts_them() -> None:
    """Whatever is added here is added there."""
    assert_told(
        f"{len(BODIES)} bodies, {len(FRAMINGS)} heads and framings, {CROWD} half-sent bodies "
        f"without a login, {len(PATHS) + len(FILES)} path tricks"
    )
