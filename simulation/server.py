"""One life of the server: the product as it is put together, from its start to its crash or drain.

Law of this file: what the process says after it is gone reaches nobody. What it said before may
have left or not, as chance has it.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import Any, NamedTuple, cast
from unittest.mock import patch

from argon2 import PasswordHasher
from starlette.routing import compile_path

from paydown.access import Authenticator
from paydown.api import app
from paydown.api.answers import Answer, Header
from paydown.api.app import make_app
from paydown.api.v1 import door
from paydown.bootstrap import make_around
from paydown.config import Settings
from paydown.domain.model import Entry
from paydown.service import Service
from paydown.storage import engine, moves, sqlite, sqlite_database, sqlite_log
from paydown.storage.faults import StoreUnavailable
from paydown.storage.jobs import Job, Pace
from paydown.storage.sqlite_database import SQLiteDatabase, SQLiteSession
from paydown.storage.sqlite_log import Log, LogMover
from paydown.storage.writer import PROBE_SECONDS, Writer
from paydown.telemetry import Metrics
from simulation.clockwork import Clockwork
from simulation.disk import Crash, Disk
from simulation.driver import Driver

HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
TURN_SECONDS = 0.004
ADDRESS = "192.0.2.7"

MOVED_ROWS, LOG_ROWS_MAX, UNMOVED_ROWS_MAX = 4, 12, 12
"""A run is short: at the product's own pace the log would never be moved in it."""


class Saved(NamedTuple):
    """An entry that the desk wrote, under which key; nobody knows yet whether it will last."""

    key: str
    entry_id: bytes


Deed = list[Job] | Saved
"""What a server did, or tried to: a batch that it took, or a write of the desk's."""


class Exchange:
    """A request on its way through the server, whole or in parts, and what it was answered."""

    def __init__(
        self, path: str, headers: Sequence[Header], body: bytes, tell: Callable[[Answer], None]
    ) -> None:
        self.method = "POST"
        self.path = path
        self.raw_path = path.encode()
        self.headers = headers
        self.body = bytearray(body)
        self.address = ADDRESS
        self.response_complete = False
        self.parts: list[tuple[float, bytes]] | None = None
        self.leaves = False
        self.done: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._tell = tell
        self._status = 0
        self._headers: tuple[Header, ...] = ()

    def answer(self, answer: Answer, *, request_id: str) -> None:  # noqa: ARG002
        """The answer leaves."""
        self.response_complete = True
        self._tell(answer)
        self.end(answer)

    def end(self, answer: Answer | None = None) -> None:
        """Whoever waits for it need not any more."""
        self.response_complete = True
        if not self.done.done():
            self.done.set_result(answer)

    async def receive(self) -> dict[str, Any]:
        """As in ASGI: the next part of the body, when it comes."""
        assert self.parts is not None, "it is sent in parts"
        if not self.parts:
            await asyncio.get_running_loop().create_future()
        seconds, body = self.parts.pop(0)
        await asyncio.sleep(seconds)
        if self.leaves and not self.parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": bool(self.parts)}

    async def send(self, message: dict[str, Any]) -> None:
        """As in ASGI: the answer's head, and then its body."""
        if self.response_complete:
            return
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], tuple(message["headers"])
        else:
            self.answer(Answer(self._status, message["body"], self._headers), request_id="")


class Turns:
    """Stands where the writer's thread and its lock would: its turns are events of the loop's."""

    ident = 1

    def __init__(self, writer: Writer, life: "Life") -> None:
        self._writer = writer
        self._life = life
        self._changed = asyncio.Event()
        writer._thread = self  # type: ignore[assignment]
        writer._changed = self  # type: ignore[assignment]

    def start(self) -> None:
        """Begin to take turns."""
        self._life.follow(self._run)

    def join(self) -> None:
        """Take the turns that are left."""
        while (jobs := self._writer._take()) is not None:
            self._turn(jobs)
        self._writer._end()

    def notify(self) -> None:
        """There is something to do."""
        self._changed.set()

    def __enter__(self) -> None:
        """Nobody else is there to keep out."""

    def __exit__(self, *_: object) -> None:
        """Nobody waits outside."""

    async def _run(self) -> None:
        while not self._writer._stopping:
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                self._turn([])
                continue
            self._changed.clear()
            while self._writer._waiting and not self._writer._stopping:
                await asyncio.sleep(self._life.chance.expovariate(1 / TURN_SECONDS))
                if self._writer._waiting:
                    self._turn(self._writer._take() or [])

    def _turn(self, jobs: list[Job]) -> None:
        self._life.tell(f"turn of {len(jobs)}")
        self._life.deeds.append(jobs)
        self._life.in_turn = True
        try:
            self._writer._turn(jobs)
        finally:
            self._life.in_turn = False
        self._life.after_turn()


class Life:
    """The server's process. ``deeds`` stand in the order in which the ledger had them."""

    def __init__(
        self,
        loop: Clockwork,
        database: SQLiteDatabase,
        *,
        chance: random.Random,
        clock: Callable[[], int],
        tell: Callable[[str], None],
        after_turn: Callable[[], None],
    ) -> None:
        self.loop = loop
        self.after_turn = after_turn
        self.chance = chance
        self.tell = tell
        self.alive = True
        self.deeds: list[Deed] = []
        self.in_turn = False
        self._database = database
        self._clock = clock
        # In order of their coming, which a set of them would not keep.
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._exchanges: dict[Exchange, None] = {}
        self._service: Service | None = None
        self._app: Any = None
        self._life: asyncio.Queue[str] = asyncio.Queue()
        self._stopping = asyncio.Event()

    async def start(self) -> bool:
        """Whether it started: a ledger that cannot be read or written is said and that is that."""
        try:
            metrics = Metrics()
            # The ledger's object outlives the process here; what that knew of the log does not.
            self._database._log = Log(self._database.path)
            self._service = Service(
                self._database,
                pace=Pace(batch_max=8),
                observer=metrics,
                clock=self._clock,
            )
            for writer in self._service._writers:
                Turns(writer, self)
            for session in self._service._sessions:
                self._take_turns_moving(cast("SQLiteSession", session).mover)
            authenticator = Authenticator(
                self._service.find_login, clock=self.loop.time, hasher=HASHER
            )
            around = make_around(self._database, self._service.clock)
            settings = Settings(database=self._database.url)
            self._app = make_app(self._service, authenticator, metrics, settings, around=around)
        except StoreUnavailable as fault:
            self.tell(f"did not start: {type(fault).__name__}")
            return False
        self.follow(self._live)
        return await self._life.get() == "lifespan.startup.complete"

    def _take_turns_moving(self, mover: LogMover) -> None:
        """Where a thread would move the log at its own time, an event of the loop's does."""
        moves: list[None] = []

        async def move() -> None:
            await asyncio.sleep(self.chance.expovariate(1 / TURN_SECONDS))
            moves.pop()
            self.tell("moves the log")
            mover.move()

        def be_due() -> None:
            if not moves:
                moves.append(None)
                self.follow(move)

        mover.due = be_due  # type: ignore[method-assign]

    async def _live(self) -> None:
        told = iter(("lifespan.startup", "lifespan.shutdown"))

        async def receive() -> dict[str, Any]:
            message = next(told)
            if message == "lifespan.shutdown":
                await self._stopping.wait()
            return {"type": message}

        async def send(message: dict[str, Any]) -> None:
            self._life.put_nowait(message["type"])

        await self._app({"type": "lifespan", "state": {}}, receive, send)

    async def drain(self) -> None:
        """Stop as on SIGTERM: answer all that was taken, then let go of the ledger."""
        for exchange in list(self._exchanges):
            await exchange.done
        if self.alive:
            self._stopping.set()
            await self._life.get()

    def note(self, saved: Saved) -> None:
        """The desk wrote. A batch that is under way waits for it, and so comes after it."""
        self.tell(f"the desk writes {saved.key}")
        self.deeds.insert(len(self.deeds) - self.in_turn, saved)

    def serve(self, exchange: Exchange) -> None:
        """Take a request; its ``done`` says what came of it."""
        self._exchanges[exchange] = None
        exchange.done.add_done_callback(lambda _: self._exchanges.pop(exchange, None))
        try:
            if exchange.parts is None and self._app.take(exchange):
                return
        except Crash:
            return
        if exchange.parts is None:
            exchange.parts = [(0.0, bytes(exchange.body))]
        self.follow(partial(self._converse, exchange))

    async def _converse(self, exchange: Exchange) -> None:
        await self._app(_scope(exchange), exchange.receive, exchange.send)
        exchange.end()

    def follow(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do it as long as the process lives."""
        task = self.loop.create_task(self._guard(work))
        self._tasks[task] = None
        task.add_done_callback(lambda _: self._tasks.pop(task, None))

    async def _guard(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except Crash:
            self.tell("crashed")

    def end(self) -> None:
        """The process is gone: what it handed to its loop before may still have left."""
        handed = list(self.loop.handed.items())
        leaves = self.chance.random() < 0.5
        for handle, do_now in handed:
            handle.cancel()
            if leaves:
                do_now()
        self.loop.handed.clear()
        self.alive = False
        for exchange in list(self._exchanges):
            exchange.end()
        self._life.put_nowait("gone")

    def bury(self) -> None:
        """Let go of what the process held, as the system does."""
        self.alive = False
        for task in list(self._tasks):
            task.cancel()
        if self._service is not None:
            for session in self._service._sessions:
                with suppress(Crash):
                    session.disconnect()
                session.close()
            self._service._claim.close()


def _scope(exchange: Exchange) -> dict[str, Any]:
    return {
        "type": "http",
        "method": exchange.method,
        "path": exchange.path,
        "raw_path": exchange.raw_path,
        "query_string": b"",
        "headers": exchange.headers,
        "client": (ADDRESS, 50_000),
        "state": {},
    }


compile_once = cache(compile_path)
"""Each server that starts would do it again, for the same few paths."""


@contextmanager
def watched(note: Callable[[Entry], None], waits: object) -> Iterator[None]:
    """While the block lasts, each entry of the desk's is noted, and ``waits`` is its time."""

    def save_entry(connection: Any, entry: Entry, *more: Any) -> None:
        note(entry)
        save(connection, entry, *more)

    save = moves.save_entry
    with (
        patch.object(moves, "save_entry", save_entry),
        patch.object(sqlite_database, "time", waits),
        patch.object(sqlite_database, "MOVED_ROWS", MOVED_ROWS),
        patch.object(sqlite_database, "LOG_ROWS_MAX", LOG_ROWS_MAX),
        patch.object(sqlite_log, "UNMOVED_ROWS_MAX", UNMOVED_ROWS_MAX),
        patch.object(door, "compile_path", compile_once),
    ):
        yield


@contextmanager
def seeded(driver: Driver, disk: Disk) -> Iterator[None]:
    """While the block lasts, ledgers are the driver's on its disk, ids the seed's, and no page is.

    The pages are never asked for, and reading them takes as long as a start does else.
    """
    with (
        patch.object(sqlite, "open_driver", driver.connect),
        patch.object(sqlite, "write_anew", disk.write_anew),
        patch.object(engine, "_random_bits", disk.chance.getrandbits),
        patch.object(app, "make_pages", lambda *_: None),
    ):
        yield
