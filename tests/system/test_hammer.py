"""Two hundred callers, and a server killed every few seconds: the books and theirs agree.

It runs for a few seconds. For a minute, as ``make hammer`` does: PAYDOWN_HAMMER_SECONDS=60.
"""

import asyncio
import itertools
import os
import random
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hammer import (
    CALLERS,
    SCARCE,
    Caller,
    Score,
    find_gl_account,
    prepare,
    read_books,
    reconcile,
)
from processes import Server, run

from makers import Maker
from paydown.storage.database import Database

pytestmark = pytest.mark.no_cover  # the same again and again, which being measured slows

SECONDS = int(os.environ.get("PAYDOWN_HAMMER_SECONDS", "12"))
KILL_EVERY = 5 if SECONDS >= 60 else 3


class Fleet:
    """Servers on one ledger, some of which have several processes; each can be killed."""

    def __init__(self, url: str, folder: Path, *workers: int) -> None:
        self._url = url
        self._folder = folder
        self._workers = workers
        self._chance = random.Random(1)
        self._running = [self._start(count) for count in workers]
        self._starting: dict[int, asyncio.Task[None]] = {}
        self.killed = 0

    def _start(self, workers: int) -> Server:
        options = ("--database", self._url, "--workers", str(workers), "--log-successes", "1000")
        return Server(
            "serve", *options, log=self._folder / f"{len(list(self._folder.glob('*.log')))}.log"
        )

    def find_url(self) -> str:
        """Where one of the servers is, or was a moment ago. Each process is met as often."""
        return self._chance.choices(self._running, self._workers)[0].base_url

    async def kill_in_turn(self, working: Callable[[], bool]) -> None:
        """Kill a server, have it start again, and go on to the next; of some, kill a part."""
        kill_at = time.monotonic()
        async with asyncio.TaskGroup() as starts:
            for number, part in itertools.cycle(self._victims()):
                kill_at += KILL_EVERY
                await asyncio.sleep(kill_at - time.monotonic())
                if not working():
                    return
                if number in self._starting:
                    await self._starting.pop(number)
                if part:
                    self._kill_part(number)
                else:
                    self._running[number].kill()
                    self._starting[number] = starts.create_task(self._restart(number))
                self.killed += 1

    def _victims(self) -> Iterator[tuple[int, bool]]:
        """Each server by its number; one of several processes first loses one of them."""
        for number, count in enumerate(self._workers):
            if count > 1:
                yield number, True
            yield number, False

    def _kill_part(self, number: int) -> None:
        log = self._running[number].log.read_text()
        os.kill(int(re.findall(r"Started server process \[(\d+)", log)[-1]), signal.SIGKILL)

    async def _restart(self, number: int) -> None:
        self._running[number] = await asyncio.to_thread(self._start, self._workers[number])

    def complaints(self) -> list[str]:
        """What the servers themselves call an error, other than to have been killed."""
        lines = itertools.chain(
            *(each.read_text().splitlines() for each in self._folder.glob("*.log"))
        )
        errors = [line for line in lines if '"level":"error"' in line or "Traceback" in line]
        return [line for line in errors if "a worker ended and is replaced" not in line]

    def stop(self) -> list[int]:
        """Drain all; the status of each."""
        return [server.stop() for server in self._running]


async def hammer(fleet: Fleet, score: Score, gl_account: int) -> None:
    """All callers at work, and a killer."""
    ends_at = time.monotonic() + SECONDS
    callers = [Caller(number, score, fleet.find_url, gl_account) for number in range(CALLERS)]

    def working() -> bool:
        return time.monotonic() < ends_at

    async with asyncio.TaskGroup() as group:
        group.create_task(fleet.kill_in_turn(working))
        for caller in callers:
            group.create_task(caller.work(working))


async def settle(fleet: Fleet, score: Score) -> None:
    """Whoever does not know what became of a request sends it until it is answered."""
    caller = Caller(0, score, fleet.find_url, 0)
    for sent in score.sent:
        while sent.read is None:
            await caller.try_once(sent)
    caller.leave()


@pytest.mark.timeout(SECONDS * 2 + 120)
@pytest.mark.parametrize(
    ("maker", "workers"),
    [("sqlite", (1,)), ("postgresql", (2, 1, 1))],
    indirect=["maker"],
    ids=["sqlite-one-process", "postgresql-four-processes"],
)
def test_the_books_and_the_callers_agree_to_the_penny(
    maker: Maker, workers: tuple[int, ...], tmp_path: Path
) -> None:
    """What was acknowledged is recorded once; all else at most once, and once when sent again."""
    database = maker.copy()
    prepare(database)
    gl_account, before, score = find_gl_account(database), read_books(database), Score()

    fleet = Fleet(database.url, tmp_path, *workers)
    asyncio.run(hammer(fleet, score, gl_account))
    assert set(fleet.stop()) == {0}
    reconcile(score.sent, before, read_books(database))
    assert_hard(fleet, score, database)

    again = Fleet(database.url, tmp_path, 1)
    asyncio.run(settle(again, score))
    assert again.stop() == [0]
    assert again.complaints() == []
    reconcile(score.sent, before, read_books(database))
    verified = run("verify", "--database", database.url)
    assert verified.returncode == 0, verified.stdout


def assert_hard(fleet: Fleet, score: Score, database: Database) -> None:
    """The load was one that proves something."""
    found = read_books(database)
    recorded = {name for name, _, _ in found.postings}
    doubtful = [sent.name for sent in score.sent if sent.read is None]
    refused = [sent for sent in score.sent if sent.read and not all(sent.read.values())]

    assert fleet.killed >= SECONDS // KILL_EVERY - 2
    assert len(recorded) > 20 * SECONDS
    assert score.lost_answers > SECONDS
    assert recorded.intersection(doubtful), "nothing was recorded without being acknowledged"
    assert refused, "no item ran dry"
    assert all(found.balances[item] < 100 for item in SCARCE)
