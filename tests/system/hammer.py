"""Callers who keep books of their own, on servers that die under them.

Law of this file: a caller believes nothing but an answer that he has read. What he read was
recorded is recorded once, what he read was refused is not, and of a request whose answer he never
saw each line is recorded once or not at all.
"""

import asyncio
import json
import random
import urllib.parse
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import ledgers
from ledgers import ANNA, CLUB, EXTERNAL, TILL
from paydown.access import hash_password
from paydown.admin import Admin
from paydown.storage.database import Database

PASSWORD = "a password of the test's"
HEADERS = {"userName": TILL, "password": PASSWORD, "customerGuid": CLUB}
CALLERS = 200
HOT = (501, 502, 503, 504)
SCARCE = (505, 506)
FIRST_COLD = 1001
ANSWER_SECONDS = 20.0

Lines = dict[int, int]
"""What a request asks of each item, in pence."""


def prepare(database: Database) -> None:
    """Give the ledger items for the callers: four that all want, two that do not last, one each."""
    totals = {
        **dict.fromkeys(HOT, "1000000.00"),
        **dict.fromkeys(SCARCE, "25.00"),
        **{FIRST_COLD + number: "100000.00" for number in range(CALLERS)},
    }
    ledgers.import_rows(
        database, CLUB, [(ANNA, item, total, total) for item, total in totals.items()]
    )
    Admin(database).set_password(TILL, hash_password(PASSWORD))


@dataclass(slots=True)
class Sent:
    """A request, and what its caller has read of its fate."""

    name: str
    lines: Lines
    message: bytes
    read: dict[int, bool] | None = None
    """Which items' lines were recorded; None while he has read nothing."""


@dataclass(slots=True)
class Score:
    """What all callers know together."""

    sent: list[Sent] = field(default_factory=list)
    lost_answers: int = 0
    unavailable: int = 0


class Unreachable(Exception):
    """No answer came."""


class Connection:
    """A connection to one of the servers, kept while it lasts."""

    def __init__(self, find_url: Callable[[], str]) -> None:
        self._find_url = find_url
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, message: bytes) -> None:
        """Send a request whole."""
        try:
            if self._streams is None:
                address = urllib.parse.urlsplit(self._find_url())
                self._streams = await asyncio.open_connection(address.hostname, address.port)
            _, writer = self._streams
            writer.write(message)
            await writer.drain()
        except OSError as error:
            self.leave()
            raise Unreachable from error

    async def read(self) -> tuple[int, Any]:
        """The answer: its status and its body."""
        assert self._streams is not None, "send comes first"
        reader, _ = self._streams
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
                body = await reader.readexactly(length)
        except (OSError, EOFError) as error:
            self.leave()
            raise Unreachable from error
        if "connection: close" in head:
            self.leave()
        return int(head.split(" ", 2)[1]), json.loads(body)

    def leave(self) -> None:
        """Go away, whatever is under way."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


class Caller:
    """Sends one request after the other, for as long as ``working`` says."""

    def __init__(self, number: int, score: Score, find_url: Callable[[], str], gl_account: int):
        self._number = number
        self._score = score
        self._gl_account = gl_account
        self._connection = Connection(find_url)
        self._chance = random.Random(number)
        self._count = 0

    async def work(self, working: Callable[[], bool]) -> None:
        """Send, and send again what was not answered, though not always: callers die too."""
        while working():
            sent = self._make()
            self._score.sent.append(sent)
            while not await self.try_once(sent, loses=self._chance.random() < 0.1):
                if not working() or self._chance.random() < 0.1:
                    break
        self.leave()

    def leave(self) -> None:
        """Close the connection."""
        self._connection.leave()

    async def try_once(self, sent: Sent, *, loses: bool = False) -> bool:
        """Send it and read the answer, or lose it; whether its fate is known now."""
        try:
            await self._connection.send(sent.message)
            if loses:
                self._score.lost_answers += 1
                await asyncio.sleep(self._chance.random() * 0.02)
                self._connection.leave()
                return False
            status, body = await self._connection.read()
        except Unreachable:
            await asyncio.sleep(0.1)
            return False
        if status == 503:
            self._score.unavailable += 1
            await asyncio.sleep(0.1)
            return False
        assert status == 200, (status, body)
        answered = body.get("BillingPayments") or body["BillingWriteDowns"]
        sent.read = {line["BillingId"]: line["ErrorMessage"] is None for line in answered}
        assert sent.read.keys() == sent.lines.keys(), body
        return True

    def _make(self) -> Sent:
        """A payment or a write-down that can be recognised when it comes again."""
        self._count += 1
        name = f"hammer-{self._number}-{self._count}"
        lines = self._choose_lines()
        is_payment, has_key = self._chance.random() < 0.8, self._chance.random() < 0.5
        more: dict[str, Any] = {"ContactId": ANNA, "TenderTypeId": EXTERNAL}
        line_more: dict[str, Any] = {"Notes": name}
        if not is_payment:
            more, line_more = {**more, **line_more}, {"GLAccountId": self._gl_account}
        date = "2026-02-05T10:00:00"
        if is_payment and not has_key:
            line_more["ThirdPartyReference"] = name
        elif not has_key:
            date += f".{self._number:03}{self._count:04}"
        path, kind = (
            ("/POS/BillingPayments", "Payment")
            if is_payment
            else ("/POS/BillingWriteDowns", "WriteDown")
        )
        more[f"{kind}Date"] = f"{date}+00:00"
        more[f"Billing{kind}s"] = [
            {"BillingId": item, "Amount": f"{pence / 100:.2f}", **line_more}
            for item, pence in lines.items()
        ]
        headers = {**HEADERS, "Idempotency-Key": name} if has_key else HEADERS
        return Sent(name, lines, _message(path, more, headers))

    def _choose_lines(self) -> Lines:
        items = [FIRST_COLD + self._number]
        items += self._chance.sample(HOT, self._chance.randint(0, 2))
        if self._chance.random() < 0.1:
            items.append(self._chance.choice(SCARCE))
        self._chance.shuffle(items)
        return {item: self._chance.randint(1, 99) for item in items}


def _message(path: str, body: Any, headers: Mapping[str, str]) -> bytes:
    data = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: paydown", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(data)}", "", ""]
    return "\r\n".join(lines).encode() + data


@dataclass(slots=True)
class Found:
    """What the books say: every recorded line of the callers', and every item's balance."""

    postings: Counter[tuple[str, int, int]]
    balances: dict[int, int]


def read_books(database: Database) -> Found:
    """The books as they are, read by their tables and not by the server."""
    with database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT COALESCE(posting.notes, entry.notes) AS name, posting.billing_id,"
            " posting.amount FROM posting "
            "JOIN entry ON entry.customer_id = posting.customer_id"
            " AND entry.entry_id = posting.entry_id "
            "WHERE entry.customer_id = 1 AND entry.kind IN ('payment', 'write_down')"
        ).all()
        balances = connection.exec_driver_sql(
            "SELECT billing_id, balance FROM billing_item WHERE customer_id = 1"
        ).all()
    return Found(
        Counter((name, item, pence) for name, item, pence in rows),
        dict(map(tuple, balances)),
    )


def find_gl_account(database: Database) -> int:
    """Where the write-downs go."""
    with database.read() as connection:
        found = connection.exec_driver_sql(
            "SELECT account_id FROM account WHERE code = '6000' AND customer_id = 1"
        ).scalar_one()
    assert isinstance(found, int)
    return found


def reconcile(sent: list[Sent], before: Found, after: Found) -> None:
    """Hold what the callers have read against the books: line by line, then by the item's sum."""
    unexplained = after.postings.copy()
    for each in sent:
        for item, pence in each.lines.items():
            count = unexplained.pop((each.name, item, pence), 0)
            if each.read is None:
                assert count <= 1, (each.name, item, "is recorded twice")
            else:
                assert count == each.read[item], (each.name, item, count, each.read)
    assert not unexplained, "nobody sent these"

    gone: Counter[int] = Counter()
    for (_, item, pence), count in after.postings.items():
        gone[item] += pence * count
    for item, balance in before.balances.items():
        assert balance - gone[item] == after.balances[item] >= 0, item
