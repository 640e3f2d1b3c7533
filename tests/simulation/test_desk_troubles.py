"""The desk on a disk that fails, in a process that dies: its word holds as that of the two calls.

Here is no server beside it: the desk alone records receipts under keys, and each trouble comes by
chance.
"""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from clerk import Clerk, document, receipt
from paydown import audit
from paydown.desk import Instruction
from paydown.storage import database
from paydown.storage.engine import find_file
from paydown.storage.faults import StoreUnavailable
from simulation.disk import FAULTS, Crash, Disk
from simulation.driver import Driver
from simulation.server import seeded

pytestmark = pytest.mark.no_cover  # the same again and again, which being measured slows

SEEDS = 100
STEPS = 30
SHARES = (0.0, 0.5, 0.95)
"""How much of what was not synced a loss of power may leave."""

CALL = "POST /v1/receipts"


class Desk:
    """One desk, whatever becomes of its process. ``told`` is each key's receipt."""

    def __init__(self, seed: int, path: Path) -> None:
        self.chance = random.Random(seed)
        self.path = path
        self.disk = Disk(f"desk-{seed}", self.chance, lambda _: None)
        self.driver = Driver(self.disk)
        self.told: dict[str, str] = {}
        self._meant: list[Instruction] = []

    def run(self) -> None:
        """All that befalls it; at the end the power goes once more."""
        often = {
            self.record: 7,
            self.mend_disk: 4,
            self.spoil_disk: 3,
            self.read: 3,
            self.die: 2,
            self.hang_up: 1,
        }
        self.clerk = Clerk(find_file(self.path))
        for act in self.chance.choices([*often], [*often.values()], k=STEPS):
            with suppress(StoreUnavailable):
                act()
        self.die(lost_power=True)

    def spoil_disk(self) -> None:
        """From now on it does not do all that it is told."""
        kinds = self.chance.sample([*FAULTS, "sync"], 2)
        self.disk.rates = dict.fromkeys(kinds, self.chance.choice((0.2, 1.0)))

    def mend_disk(self) -> None:
        """It does again."""
        self.disk.rates = {}

    def die(self, *, lost_power: bool | None = None) -> None:
        """The process ends, or the machine, and another one is started."""
        with suppress(Crash):
            self.disk.crash()
        self.driver.close_all()
        if self.chance.random() < 0.5 if lost_power is None else lost_power:
            self.disk.lose_power(self.chance.choice(SHARES))
        self.disk.rates, self.disk.dead = {}, False
        self.clerk = Clerk(find_file(self.path))

    def read(self) -> None:
        """Somebody reads, and stays: who closes the ledger meanwhile is not the last."""
        with suppress(sqlite3.Error):
            reader = self.driver.connect(f"file:{self.path}?mode=ro", 0)
            reader.execute("SELECT count(*) FROM entry").fetchone()

    def hang_up(self) -> None:
        """Whoever read has read enough."""
        self.driver.close_all()

    def record(self) -> None:
        """A receipt; or one that was meant before, of which nothing was told as yet."""
        untold = [each for each in self._meant if each.key not in self.told]
        if not untold or self.chance.random() < 0.4:
            self._meant.append(self.clerk.by(CALL, key=f"k{len(self._meant)}"))
            untold = self._meant[-1:]
        instruction = self.chance.choice(untold)
        told = document(self.clerk.desk.record_receipt(instruction, receipt("1.00")))["receipt_id"]
        self.told[str(instruction.key)] = told

    def check(self) -> list[str]:
        """All that is wrong in the end."""
        with self.clerk.database.write() as connection:
            found = connection.exec_driver_sql("SELECT entry_id FROM receipt").scalars()
            there = {entry_id.hex() for entry_id in found}
        lost = {key for key, told in self.told.items() if told.replace("-", "") not in there}
        twice = ["more is there than was meant"] if len(there) > len(self._meant) else []
        broken = [line for each in audit.verify(self.clerk.database) for line in each.detail]
        return [*twice, *(f"{key} is lost" for key in lost), *broken]


@pytest.fixture
def patch() -> Iterator[pytest.MonkeyPatch]:
    """Nobody waits for a lock that a dead process left."""
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(database, "ADMIN_WAIT_SECONDS", 0)
        yield patching


def troubles(seed: int, template: Path, folder: Path) -> tuple[int, list[str]]:
    """How many receipts were acknowledged, and what was wrong with them in the end."""
    path = folder / f"{seed}.db"
    shutil.copy(template, path)
    desk = Desk(seed, path)
    with seeded(desk.driver, desk.disk):
        try:
            desk.run()
            return len(desk.told), desk.check()
        finally:
            desk.driver.close_all()
            desk.disk.unregister()


@pytest.mark.usefixtures("patch")
def test_what_the_desk_acknowledged_is_there_and_once(template: Path, tmp_path: Path) -> None:
    """A hundred seeds of trouble, each to be had again by its number."""
    came = {seed: troubles(seed, template, tmp_path) for seed in range(SEEDS)}
    assert {seed: wrong for seed, (_, wrong) in came.items() if wrong} == {}
    assert sum(count for count, _ in came.values()) > 3 * SEEDS
