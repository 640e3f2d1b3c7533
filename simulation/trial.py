"""One run of a seed: what befalls the server, its disk, its clock and its callers, and the check.

Law of this file: everything that happens by chance hangs on the seed, so that a run can be had
again. Each seed draws which kinds of trouble it has at all: some meet only where others are away.
"""

import asyncio
import hashlib
import random
import sqlite3
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from judge import read_oracle
from paydown.domain.model import Entry
from paydown.storage.sqlite_database import SQLiteDatabase
from simulation.callers import KINDS, Caller, Intent, Message, Network, make_intent
from simulation.checking import Sent, check, count_messages
from simulation.clerks import Office, Order
from simulation.clockwork import Clockwork, Stuck
from simulation.disk import Crash, Disk
from simulation.driver import Connection, Driver
from simulation.moments import DESK_MOMENTS, MOMENTS, Fuse
from simulation.server import Deed, Life, Saved, seeded, watched

CALLERS = 4
INTENTS_EACH = 6
CLERKS = 2
ORDERS_EACH = 3
SLEEP_SECONDS_MIN = 0.1
BEGINS_AT = 17_700_000_000_000_000
TICKS_PER_SECOND = 10_000_000
DAY_SECONDS = 86_400

TROUBLES = (
    *("kill", "kill in a batch", "kill at a desk", "kill at a write", "power loss"),
    *("power loss in a batch", "power loss at a desk", "power loss at a write", "bad disk"),
    *("full disk", "clock jump", "lock", "reader", "drain"),
)
DISK_FAULTS = ("write", "sync", "read", "truncate", "delete", "open")


class Report(NamedTuple):
    """What a run came to. ``wrong`` is empty where every promise was kept."""

    seed: int
    wrong: list[str]
    counts: Counter[str]
    trace: list[str]

    @property
    def digest(self) -> str:
        """What two runs of a seed have in common."""
        return hashlib.sha256("\n".join([*self.trace, *self.wrong]).encode()).hexdigest()[:16]


class Trial:
    """A run on a ledger of its own."""

    def __init__(self, seed: int, path: Path, database: SQLiteDatabase) -> None:
        self.seed = seed
        self.path = path
        self.database = database
        self.trace: list[str] = []
        self.counts: Counter[str] = Counter()
        self.chance = random.Random(seed)  # noqa: S311 - it is to be had again
        self.loop = Clockwork()
        self.disk = Disk(f"simulation-{seed}", self.chance, self.tell)
        self.disk.on_crash = self._on_crash
        self.disk.sleep = self._sleep
        self.driver = Driver(self.disk, self._meet)
        self.network = self._make_network()
        self.troubles = [each for each in TROUBLES if self.chance.random() < 0.4]
        self.life: Life | None = None
        self._born: Life | None = None
        self.deeds: list[Deed] = []
        self._fuse = Fuse(self.chance)
        self._power = False
        self._clock_offset = 0.0
        self._lock: tuple[float, Connection] | None = None
        self._calm = False
        self._broken: list[str] = []
        self.loop.set_exception_handler(self._on_error)
        self.loop.after_work = lambda: self._meet("")

    def tell(self, what: str) -> None:
        """Note what happens."""
        self.trace.append(f"{self.loop.time():.6f} {what}")

    def run(self) -> Report:
        """Run to the end, and check."""
        with self.database.read() as connection:
            oracle = read_oracle(connection)
        gl_account = max(account for account, state in oracle.accounts.items() if state == "usable")
        intents = [
            [
                make_intent(self.chance, f"{caller}-{number}", gl_account)
                for number in range(INTENTS_EACH)
            ]
            for caller in range(CALLERS)
        ]
        office = Office(self.chance)
        try:
            with seeded(self.driver, self.disk), watched(self.note, self):
                self.loop.run_until_complete(self._live(intents, office))
        except Stuck as stuck:
            wrong = [*self._broken, f"stuck: {stuck}"]
            return Report(self.seed, wrong, self.counts, self.trace)
        finally:
            self._end()
        sent = Sent([intent for each in intents for intent in each], office.orders)
        self._count(sent)
        wrong = self._broken + check(self.database, oracle, sent, self.deeds)
        return Report(self.seed, wrong, self.counts, self.trace)

    async def _live(self, intents: list[list[Intent]], office: Office) -> None:
        clerks = [office.make_orders(f"clerk{number}", ORDERS_EACH) for number in range(CLERKS)]
        works: list[Iterable[Message]] = [*intents, *clerks]
        callers = [Caller(self.chance, self.network, lambda: self.life, self.tell) for _ in works]
        keeper = asyncio.create_task(self._keep_up())
        fate = asyncio.create_task(self._befall())
        await asyncio.gather(
            *(caller.work(each) for caller, each in zip(callers, works, strict=True))
        )
        self._calm_down()
        await fate
        for caller in callers:
            await caller.rest()
        await self._settle(callers[0], [intent for each in intents for intent in each])
        await self._settle(callers[0], office.orders)
        await self._ask_again(callers[0], [intent for each in intents for intent in each])
        await self._ask_again(callers[0], office.orders)
        keeper.cancel()
        await self._finish()

    # What goes on by itself

    async def _keep_up(self) -> None:
        """Start the server whenever there is none."""
        while True:
            await asyncio.sleep(self.chance.expovariate(10))
            if self._born is None and not self.disk.dead:
                life = Life(
                    self.loop,
                    self.database,
                    chance=self.chance,
                    clock=self._clock,
                    tell=self.tell,
                    after_turn=lambda: self._meet(""),
                )
                self.counts["starts"] += 1
                self._born = life
                try:
                    started = await life.start()
                except Crash:
                    continue
                if started:
                    self.tell("started")
                    self.life = life
                elif life.alive:
                    self._forget(life)

    def _forget(self, life: Life) -> None:
        self.deeds += life.deeds
        life.deeds = []
        life.bury()
        self.life = self._born = None

    async def _settle(self, caller: Caller, messages: Sequence[Message]) -> None:
        """Whoever does not know what became of what he may send again sends it until he does."""
        for message in messages:
            if message.protected and not message.decided:
                if not await caller.settle(message):
                    self._broken.append(f"{message.name} is not answered when all is well")
                self.counts["recovered"] += 1

    async def _ask_again(self, caller: Caller, messages: Sequence[Message]) -> None:
        """Whoever was told once that it is done is told so again, in the same words.

        So is he who was refused, where a copy of his came later and was not answered: the books may
        have changed between the two.
        """
        for message in messages:
            unanswered = message.sent_count > len(message.answers)
            told_once = isinstance(message, Order) and len(message.done) == 1
            asks = message.protected and (told_once or unanswered)
            if asks and not await caller.settle(message):
                self._broken.append(f"{message.name} is not answered again")

    async def _finish(self) -> None:
        """The end may be as rough as the rest: all that matters was acknowledged by now."""
        ending = self.chance.choice(("drain", "kill", "power loss", "power loss"))
        self.tell(f"the end: {ending}")
        if ending == "drain":
            await self._drain()
        else:
            self._crash(power=ending == "power loss")
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def _end(self) -> None:
        self.disk.dead = True
        self.loop.strands.kill_all()
        self.driver.close_all()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()
        self.disk.unregister()

    # What befalls it

    async def _befall(self) -> None:
        if not self.troubles:
            return
        seconds = self.chance.choice((0.2, 0.5, 1.5))
        while not self._calm:
            await asyncio.sleep(self.chance.expovariate(1 / seconds))
            if not self._calm:
                trouble = self.chance.choice(self.troubles)
                self.tell(f"trouble: {trouble}")
                await self._make(trouble)

    async def _make(self, trouble: str) -> None:
        self._power = trouble.startswith("power loss")
        if trouble in ("kill", "power loss"):
            self._crash(power=self._power)
        elif trouble.endswith("in a batch"):
            self._fuse.lay(MOMENTS)
        elif trouble.endswith("at a desk"):
            self._fuse.lay(DESK_MOMENTS)
        elif trouble.endswith("at a write"):
            self.disk.crash_after = self.chance.randrange(40)
        elif trouble == "clock jump":
            self.counts[trouble] += 1
            self._clock_offset += self.chance.choice((-1, 1)) * self.chance.random() * DAY_SECONDS
        elif trouble == "lock":
            self._take_lock()
        elif trouble == "reader":
            self._read_on()
        elif trouble == "drain":
            self.counts[trouble] += 1
            await self._drain()
        else:
            await self._spoil_disk(trouble)

    async def _spoil_disk(self, trouble: str) -> None:
        """For a while the disk does not do all that it is told."""
        share = self.chance.choice((0.02, 0.2, 1.0))
        kinds = ["full"]
        if trouble == "bad disk":
            kinds = self.chance.sample(DISK_FAULTS, self.chance.choice((1, 1, 2, 6)))
        self.disk.rates = dict.fromkeys(kinds, share)
        await asyncio.sleep(self.chance.expovariate(self.chance.choice((1, 10))))
        self.disk.rates = {}

    async def _drain(self) -> None:
        life, self.life = self.life, None
        if life is not None and life is self._born:
            await life.drain()
            if life is self._born and life.alive:
                self._forget(life)

    def _crash(self, *, power: bool) -> None:
        self._power = power
        if self._born is None or not self._born.alive:
            return
        try:
            self.disk.crash()
        except Crash:
            return

    def _on_crash(self) -> None:
        """The process is about to be gone, in the middle of whatever it does."""
        kind = "power losses" if self._power else "kills"
        self.counts[kind] += 1
        self.tell(f"crash: {kind}")
        self._fuse.moment = self.life = None
        if self._born is not None and self._born.alive:
            self._born.end()
        self.loop.call_soon(self._bury)

    def _bury(self) -> None:
        if self._lock is not None:
            self._lock = None
        self.loop.strands.kill_all()
        self.driver.close_all()
        if self._born is not None:
            self._forget(self._born)
        if self._power:
            self.disk.lose_power(self.chance.choice((0.0, 0.5, 0.95)))
        self.disk.dead = False

    def _meet(self, statement: str) -> None:
        """Whether this is where the crash comes, or where a strand waits for its turn."""
        strand = self.loop.strands.meet(statement, self.chance)
        if not statement and strand is not None and not strand.wrote:
            return
        if not self._calm and self._fuse.is_at(statement, desk=strand is not None):
            self.counts[f"crashes {self._fuse.moment}"] += 1
            self.disk.crash()

    def _take_lock(self) -> None:
        """Another process takes the ledger for itself, for a while."""
        if self._lock is not None or self.disk.dead:
            return
        try:
            other = self.driver.connect(f"file:{self.path}?mode=rw", 0)
            other.begin_quietly()
        except (sqlite3.Error, Crash):
            return
        self.counts["lock"] += 1
        self._lock = (self.loop.time() + self.chance.choice((0.1, 2.0, 8.0)), other)
        self.loop.call_at(self._lock[0], self._sleep, 0.0)

    def _read_on(self) -> None:
        """Another process reads, and keeps what it reads from being moved, for a while."""
        if self.disk.dead:
            return
        try:
            reader = self.driver.connect(f"file:{self.path}?mode=ro", 0)
            reader.read_quietly()
        except (sqlite3.Error, Crash):
            return
        self.counts["reader"] += 1
        self.loop.call_later(self.chance.choice((0.1, 0.5, 2.0)), reader.close)

    def sleep(self, seconds: float) -> None:
        """Wait as ``time.sleep`` does, on a machine that is slow to wake anyone."""
        if self.loop.strands.current is None:
            self._sleep(seconds)
        else:
            self.loop.strands.pause(max(seconds, SLEEP_SECONDS_MIN))

    def monotonic(self) -> float:
        """As ``time.monotonic``."""
        return self.loop.time()

    def note(self, entry: Entry) -> None:
        """The desk writes an entry."""
        if self._born is not None and entry.idempotency_key is not None:
            self._born.note(Saved(entry.idempotency_key, entry.entry_id))

    def _sleep(self, seconds: float) -> None:
        self.loop.pass_seconds(seconds)
        if self._lock is not None and self.loop.time() >= self._lock[0]:
            _, other = self._lock
            self._lock = None
            other.discard()
        self.loop.strands.run_due()

    def _calm_down(self) -> None:
        self.tell("calm")
        self._calm = True
        self.disk.rates = {}
        self.disk.crash_after = None
        self._fuse.moment = None
        if self._lock is not None:
            self._lock = (0.0, self._lock[1])
            self._sleep(0.0)
        self.network.mend()

    def _on_error(self, _: object, context: dict[str, Any]) -> None:
        """What nobody caught, ours or the product's."""
        error = context.get("exception")
        if not isinstance(error, Crash):
            told = traceback.format_exception(error) if error else [context["message"]]
            self._broken.append("".join(told))

    def _clock(self) -> int:
        return BEGINS_AT + int((self.loop.time() + self._clock_offset) * TICKS_PER_SECOND)

    def _make_network(self) -> Network:
        def share() -> float:
            return self.chance.choice((0.0, 0.1, 0.4))

        return Network(**{kind: share() for kind in KINDS})

    def _count(self, sent: Sent) -> None:
        self.counts += count_messages(sent)
        self.counts["moves"] += sum(line.endswith(" moves the log") for line in self.trace)
        self.counts["batches"] += sum(isinstance(deed, list) and bool(deed) for deed in self.deeds)
        for kind, count in self.disk.counts.items():
            self.counts[f"disk {kind} failed"] += count
        for kind, count in self.network.counts.items():
            self.counts[f"message {kind}"] += count
