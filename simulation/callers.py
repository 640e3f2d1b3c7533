"""Callers behind a bad network, who keep books of their own.

Law of this file: what left the server counts, whether or not the caller got to read it. A caller
sends again what he read no answer to, for as long as he has patience; the network may lose, double,
delay and reorder whatever is sent.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ledgers import ANNA, BEN, CASH, CLUB, EXTERNAL, PAYMENTS_ONLY, TILL
from paydown.api.answers import Answer, Header
from simulation.server import Exchange, Life

PASSWORD = "a password of the simulation's"  # noqa: S105
PATIENCE_SECONDS = 2.0
TRIES = 4
ITEMS = {ANNA: (1, 2, 3, 4, 21, 999), BEN: (31, 32, 33, 1)}
KINDS = ("lost", "doubled", "late", "slow", "leaves", "unread")
PROTECTIONS = ("key", "key", "reference", "reference", "date", "date", "none")


@dataclass(slots=True)
class Network:
    """How often a message is lost, doubled, late, comes in parts or in part, or is not answered.

    What comes in part is of a client that leaves. An answer that is unread was lost on its way.
    """

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    slow: float = 0.0
    leaves: float = 0.0
    unread: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)

    def mend(self) -> None:
        """From now on all goes well."""
        for kind in KINDS:
            setattr(self, kind, 0.0)


@dataclass(slots=True, kw_only=True)
class Message:
    """What a caller sends, and what has left the server in answer to it."""

    name: str
    path: str
    headers: list[Header]
    body: bytes
    protection: str = "key"
    sent_count: int = 0
    answers: list[Answer] = field(default_factory=list)

    @property
    def protected(self) -> bool:
        """Whether it may be sent again and is recorded once."""
        return self.protection != "none"

    @property
    def decided(self) -> bool:
        """Whether an answer has left that says what came of it."""
        return any(map(says_what_came_of_it, self.answers))


def says_what_came_of_it(answer: Answer) -> bool:
    """Whether whoever reads the answer need not send again."""
    return answer.status != 503


@dataclass(slots=True, kw_only=True)
class Intent(Message):
    """What a caller wants recorded once: each of its lines, in pence by item."""

    lines: dict[int, int]


def make_headers(
    name: str, user_name: str, body: bytes, *, key: str | None = None, strict: bool = False
) -> list[Header]:
    """The head of a message, as it comes in."""
    headers = {"userName": user_name, "password": PASSWORD, "customerGuid": CLUB}
    headers |= {"Content-Type": "application/json", "X-Request-Id": name}
    if key is not None:
        headers["Idempotency-Key"] = key
    if strict:
        headers["Prefer"] = "handling=strict"
    headers["Content-Length"] = str(len(body))
    return [(title.lower().encode(), value.encode()) for title, value in headers.items()]


def make_intent(chance: random.Random, name: str, gl_account: int) -> Intent:
    """A payment or a write-down of few items and amounts, so that they meet; some ask amiss."""
    contact = ANNA if chance.random() < 0.8 else BEN
    items = chance.sample(ITEMS[contact], chance.choice((1, 1, 1, 2, 3)))
    lines = {item: chance.choice((1, 37, 100, 250, 999)) for item in items}
    kind = "Payment" if chance.random() < 0.75 else "WriteDown"
    user_name = PAYMENTS_ONLY if kind == "Payment" and chance.random() < 0.3 else TILL
    protection = chance.choice(PROTECTIONS)
    if protection == "reference" and kind == "WriteDown":
        protection = "date"
    date = "2026-02-05T10:00:00"
    if protection == "date":
        date += f".{chance.randrange(1, 9_999_999):07}"
    body: dict[str, Any] = {
        "ContactId": contact,
        "TenderTypeId": chance.choice((EXTERNAL, EXTERNAL, CASH)),
        f"{kind}Date": f"{date}+00:00",
    }
    more: dict[str, Any] = {"Notes": name}
    if kind == "WriteDown":
        body["Notes"] = name
        more = {"GLAccountId": gl_account}
    elif protection == "reference":
        more["ThirdPartyReference"] = name
    body[f"Billing{kind}s"] = [
        {"BillingId": item, "Amount": f"{pence / 100:.2f}", **more} for item, pence in lines.items()
    ]
    data = json.dumps(body).encode()
    key = name if protection == "key" else None
    strict = chance.random() < 0.2
    return Intent(
        name=name,
        path=f"/POS/Billing{kind}s",
        headers=make_headers(name, user_name, data, key=key, strict=strict),
        body=data,
        protection=protection,
        lines=lines,
    )


class Caller:
    """Sends one intent after the other."""

    def __init__(
        self,
        chance: random.Random,
        network: Network,
        find_server: Callable[[], Life | None],
        tell: Callable[[str], None],
    ) -> None:
        self._chance = chance
        self._network = network
        self._find_server = find_server
        self._tell = tell
        self._left: set[asyncio.Task[None]] = set()

    async def work(self, messages: Iterable[Message]) -> None:
        """Send each, and again where no answer was read, though not for ever."""
        for message in messages:
            await asyncio.sleep(self._chance.expovariate(10))
            for _ in range(TRIES if message.protected else 1):
                if await self.try_once(message):
                    break
                await asyncio.sleep(self._chance.expovariate(4))

    async def settle(self, message: Message) -> bool:
        """Send it over a good network until its fate is known; False where it stays unknown."""
        for _ in range(20):
            if await self.try_once(message):
                return True
            await asyncio.sleep(0.5)
        return False

    async def rest(self) -> None:
        """Wait for whatever is still on its way."""
        while self._left:
            await asyncio.wait(self._left)

    async def try_once(self, message: Message) -> bool:
        """Send it, perhaps twice; whether an answer was read that says what came of it."""
        copies = 2 if self._happens("doubled") else 1
        read: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        for _ in range(copies):
            task = asyncio.create_task(self._carry(message, read))
            self._left.add(task)
            task.add_done_callback(self._left.discard)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await read
        except TimeoutError:
            return False
        return answer is not None and says_what_came_of_it(answer)

    async def _carry(self, message: Message, read: "asyncio.Future[Answer | None]") -> None:
        """A message on its way there, and its answer on the way back."""
        late = self._happens("late")
        await asyncio.sleep(self._chance.expovariate(0.7 if late else 500))
        life = self._find_server()
        if life is None or self._happens("lost"):
            return
        exchange = self._make_exchange(message, life)
        self._tell(f"{message.name} arrives")
        life.serve(exchange)
        answer = await exchange.done
        self._tell(f"{message.name} answered {answer and answer.status}")
        if not read.done() and not self._happens("unread"):
            read.set_result(answer)

    def _make_exchange(self, message: Message, life: Life) -> Exchange:
        def tell(answer: Answer) -> None:
            if life.alive:
                message.answers.append(answer)

        message.sent_count += 1
        exchange = Exchange(message.path, message.headers, message.body, tell)
        if self._happens("slow"):
            middle = self._chance.randrange(len(message.body))
            pauses = [self._chance.expovariate(5) for _ in range(2)]
            parts = (message.body[:middle], message.body[middle:])
            exchange.parts = list(zip(pauses, parts, strict=True))
            exchange.leaves = self._happens("leaves")
        return exchange

    def _happens(self, kind: str) -> bool:
        happens: bool = self._chance.random() < getattr(self._network, kind)
        self._network.counts[kind] += happens
        return happens
