"""A backup of a ledger that a server records into, and what callers had been told by then."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from hammer import Caller, Score, find_gl_account, prepare, read_books, reconcile
from processes import PAYDOWN, Server, run

from makers import Maker, on_both_stores
from paydown.storage.database import Database
from paydown.storage.opening import open_store

pytestmark = pytest.mark.no_cover  # the same again and again, which being measured slows

CALLERS = 24
BACKUPS = 2
TOLD_MIN = 100
"""How many answers come before each."""


class Backup(NamedTuple):
    """One that was made while callers were at work."""

    file: Path
    told: frozenset[str]
    """The requests that had been answered when it began."""
    answered_meanwhile: int
    seconds: float


async def work(database: Database, server: Server, score: Score, folder: Path) -> list[Backup]:
    """All callers, and one backup after the other beside them."""
    at_work = True
    gl_account = find_gl_account(database)
    async with asyncio.TaskGroup() as group:
        for number in range(CALLERS):
            caller = Caller(number, score, lambda: server.base_url, gl_account)
            group.create_task(caller.work(lambda: at_work))
        made = []
        for number in range(BACKUPS):
            await answered(score, TOLD_MIN * (number + 1))
            made.append(await back_up(database, score, folder / f"{number}.db"))
        at_work = False
    return made


async def answered(score: Score, count: int) -> None:
    """Wait until so many requests were, for half a minute at most."""
    for _ in range(300):
        if sum(sent.read is not None for sent in score.sent) >= count:
            return
        await asyncio.sleep(0.1)


async def back_up(database: Database, score: Score, file: Path) -> Backup:
    """One backup, by the command."""
    told = frozenset(sent.name for sent in score.sent if sent.read is not None)
    words = [PAYDOWN, "backup", "--database", database.url, "--to", file]
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(*words)
    assert await process.wait() == 0
    seconds = time.monotonic() - began
    answered = sum(sent.read is not None for sent in score.sent)
    return Backup(file, told, answered - len(told), seconds)


@pytest.mark.timeout(120)
@on_both_stores
def test_a_backup_holds_all_that_was_acknowledged_before_it(
    maker: Maker, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Taken under load, it is one moment of the books: proved, and callers did not wait for it."""
    database, score = maker.copy(), Score()
    prepare(database)
    before = read_books(database)
    server = Server("serve", "--database", database.url, log=tmp_path / "log")
    made = asyncio.run(work(database, server, score, tmp_path))
    assert server.stop() == 0

    for backup in made:
        record_property("backups under load, seconds with their proof", backup.seconds)
        sent = [
            each if each.name in backup.told else replace(each, read=None) for each in score.sent
        ]
        reconcile(sent, before, read_books(open_store(f"sqlite:///{backup.file}")))
        assert backup.answered_meanwhile > 20
    verified = run("verify", "--database", f"sqlite:///{made[-1].file}")
    assert verified.returncode == 0, verified.stdout
    assert score.unavailable == 0
    assert len(made[-1].told) > len(made[0].told) >= TOLD_MIN
