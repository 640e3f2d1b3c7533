"""The simulation's disk: what lasts, what is torn, what is forgotten."""

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from simulation.disk import SECTOR, Crash, Disk, File, apply, sectors

FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE

SETTINGS = ("synchronous=EXTRA", "journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0")
"""Made so that nothing of its making can be lost, and then as the product sets it."""


@pytest.fixture
def disk() -> Iterator[Disk]:
    """A disk on which nothing goes wrong yet."""
    made = Disk("test-disk", random.Random(1), lambda _: None)
    yield made
    made.unregister()


@pytest.fixture
def connection(disk: Disk, tmp_path: Path) -> Iterator[apsw.Connection]:
    """A ledger of one table, each of whose commits is synced, on that disk."""
    opened = apsw.Connection(str(tmp_path / "ledger.db"), flags=FLAGS, vfs=disk.name)
    for statement in SETTINGS:
        opened.execute(f"PRAGMA {statement}")
    opened.execute("CREATE TABLE found (number INTEGER)")
    yield opened
    let_go(opened)


def let_go(connection: apsw.Connection) -> None:
    """Close it, whatever its disk says."""
    with suppress(Crash):
        connection.close(True)
    connection.close(True)


def add(connection: apsw.Connection, number: int) -> None:
    """A commit."""
    connection.execute("INSERT INTO found VALUES (?)", (number,))


def after_power_loss(disk: Disk, connection: apsw.Connection, share: float = 0.0) -> list[int]:
    """What another SQLite finds after the power went, and all that was not synced was lost."""
    path = Path(connection.filename)
    with pytest.raises(Crash):
        disk.crash()
    let_go(connection)
    disk.lose_power(share)
    disk.dead = False
    with apsw.Connection(str(path)) as other:
        return [number for (number,) in other.execute("SELECT number FROM found")]


def test_what_was_synced_outlasts_a_loss_of_power(disk: Disk, connection: apsw.Connection) -> None:
    """Each commit is there."""
    add(connection, 1)
    add(connection, 2)

    assert after_power_loss(disk, connection) == [1, 2]


def test_what_was_not_synced_does_not(disk: Disk, connection: apsw.Connection) -> None:
    """A commit that SQLite was told not to sync is gone, with all after it."""
    add(connection, 1)
    connection.execute("PRAGMA synchronous=OFF")
    add(connection, 2)

    assert after_power_loss(disk, connection) == [1]


def test_what_a_failed_sync_left_is_read_and_never_lasts(
    disk: Disk, connection: apsw.Connection
) -> None:
    """Opened anew the commit is there, and a later sync that succeeds does not save it."""
    add(connection, 1)
    disk.rates = {"sync": 1.0}
    with pytest.raises(apsw.IOError):
        add(connection, 2)
    file = disk.files[next(path for path in disk.files if path.endswith("-wal"))]
    disk.rates = {}
    shown = Path(f"{connection.filename}-wal").read_bytes()

    assert file.unsynced == []
    assert file.durable != shown
    file.sync()
    assert file.durable != shown


def test_a_write_is_torn_at_the_disk_s_sectors() -> None:
    """Each sector lasts or does not, by itself."""
    file = File(bytearray(b"0" * 4 * SECTOR), named=True, unsynced=[(100, b"1" * 3 * SECTOR)])
    file.keep_some(random.Random(3), 0.5)
    kept = {bytes(file.durable[first : first + 50]) for first in range(100, 3 * SECTOR, SECTOR)}

    assert kept == {b"0" * 50, b"1" * 50}
    assert sectors(500, b"x" * 20) == [(500, b"x" * 12), (512, b"x" * 8)]


def test_a_write_beyond_the_end_leaves_zeros_between() -> None:
    """As a file does."""
    content = bytearray(b"ab")
    apply(content, 4, b"c")
    assert content == b"ab\0\0c"
    apply(content, 1, None)
    assert content == b"a"


def test_a_full_disk_writes_what_there_was_room_for(
    disk: Disk, connection: apsw.Connection
) -> None:
    """SQLite is told, and what it had recorded before is as it was."""
    add(connection, 1)
    disk.rates = {"full": 1.0}
    with pytest.raises(apsw.FullError):
        add(connection, 2)
    disk.rates = {}

    assert disk.counts["full"] == 1
    assert after_power_loss(disk, connection, share=1.0) == [1]


def test_nothing_reaches_the_disk_after_a_crash(disk: Disk, connection: apsw.Connection) -> None:
    """At the write where the process ends a part is written, and then no more."""
    add(connection, 1)
    disk.crash_after = 1
    with pytest.raises(Crash):
        add(connection, 2)
    before = Path(f"{connection.filename}-wal").read_bytes()
    with pytest.raises(Crash):
        add(connection, 3)

    assert Path(f"{connection.filename}-wal").read_bytes() == before
