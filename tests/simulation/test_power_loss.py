"""A server that lives through a sync that fails, and then the power goes."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import ledgers
from clerk import Clerk, document, receipt
from ledgers import Books, pay
from paydown.desk import Told
from paydown.domain.outcomes import KeyReplayed, Outcome
from paydown.storage import sqlite
from paydown.storage.database import Database
from paydown.storage.engine import find_file
from paydown.storage.faults import StoreUnavailable
from paydown.storage.jobs import Unavailable
from simulation.disk import Crash, Disk
from simulation.driver import Driver


@pytest.fixture
def disk() -> Iterator[Disk]:
    """A disk that fails on command."""
    made = Disk("power", random.Random(1), lambda _: None)
    yield made
    made.unregister()


@pytest.fixture
def driver(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """What opens every ledger on that disk."""
    made = Driver(disk)
    monkeypatch.setattr(sqlite, "open_driver", made.connect)
    monkeypatch.setattr(sqlite, "write_anew", disk.write_anew)
    return made


@pytest.fixture
def database(driver: Driver, template: Path, tmp_path: Path) -> Database:
    """A ledger on that disk."""
    return ledgers.copy_ledger(template, tmp_path / "ledger.db")


def lose_power(disk: Disk, driver: Driver) -> None:
    """The machine is gone, and all that was not synced with it."""
    with pytest.raises(Crash):
        disk.crash()
    driver.close_all()
    disk.lose_power(0.0)
    disk.dead = False


def test_what_a_failed_sync_left_is_not_believed_before_it_is_on_the_disk(
    database: Database, disk: Disk, driver: Driver
) -> None:
    """Answered from a commit that was in doubt, a retry is as durable as any payment."""
    with Books(database) as books:
        command = pay(books.caller(), {1: "4"}, key="k")
        disk.rates = {"sync": 1.0}
        assert isinstance(books.record(command).result, Unavailable)
        disk.rates = {}
        assert isinstance(books.record(command).result, KeyReplayed)
        lose_power(disk, driver)

    with Books(database) as books:
        assert books.balances()[1] == 600


def test_a_payment_behind_a_failed_sync_lasts(
    database: Database, disk: Disk, driver: Driver
) -> None:
    """What is recorded after it does not stand in the log behind what never reached the disk."""
    with Books(database) as books:
        disk.rates = {"sync": 1.0}
        assert isinstance(books.record(pay(books.caller(), {1: "4"})).result, Unavailable)
        disk.rates = {}
        assert isinstance(books.record(pay(books.caller(), {2: "4"})).result, Outcome)
        lose_power(disk, driver)

    with Books(database) as books:
        assert books.balances()[2] == 600


def test_a_server_that_starts_anew_believes_it_as_little(
    database: Database, disk: Disk, driver: Driver
) -> None:
    """The server that saw the sync fail was killed; the next one acknowledges what will last."""
    with Books(database) as books:
        command = pay(books.caller(), {1: "4"}, key="k")
        disk.rates = {"sync": 1.0}
        assert isinstance(books.record(command).result, Unavailable)
        with pytest.raises(Crash):
            disk.crash()
        driver.close_all()
    disk.rates, disk.dead = {}, False

    with Books(database) as books:
        assert isinstance(books.record(command).result, KeyReplayed)
        lose_power(disk, driver)
    with Books(database) as books:
        assert books.balances()[1] == 600


def test_what_is_not_on_the_disk_is_not_moved_into_the_file(
    database: Database, disk: Disk, driver: Driver
) -> None:
    """While the log cannot be written anew, closing the ledger leaves the file as it is."""
    with Books(database) as books:
        disk.rates = {"sync": 1.0}
        assert isinstance(books.record(pay(books.caller(), {1: "4"})).result, Unavailable)
        disk.rates, told = {"write": 1.0}, []
        disk.tell = told.append
        assert isinstance(books.record(pay(books.caller(), {2: "4"})).result, Unavailable)
        disk.rates = {}

    assert [line for line in told if line.startswith("disk write ledger.db ")] == []


def test_the_desk_moves_nothing_that_is_not_on_the_disk(database: Database, disk: Disk) -> None:
    """Nor does whoever only looked, or made sure that the ledger is there."""
    with database.connect() as connection:
        with Books(database) as books:
            disk.rates = {"sync": 1.0}
            assert isinstance(books.record(pay(books.caller(), {1: "4"})).result, Unavailable)
            disk.rates, told = {"write": 1.0}, []
            disk.tell = told.append
            connection.exec_driver_sql("SELECT COUNT(*) FROM entry").scalar_one()
        with pytest.raises(StoreUnavailable), database.begin_write(connection):
            pytest.fail("it was written anew by nobody")
        disk.rates = {}
    database.make()

    assert [line for line in told if line.startswith("disk write ledger.db ")] == []


def lose_process(disk: Disk, driver: Driver) -> None:
    """The server is gone, and what it wrote without a sync is in memory alone."""
    with pytest.raises(Crash):
        disk.crash()
    driver.close_all()
    disk.rates, disk.dead = {}, False


def read_on(database: Database, driver: Driver) -> None:
    """Somebody reads for a while: who closes the ledger meanwhile is not the last."""
    reader = driver.connect(f"file:{database.file}?mode=ro", 0)
    reader.execute("SELECT count(*) FROM entry").fetchone()


def test_the_desk_of_a_server_that_starts_anew_believes_it_as_little(
    database: Database, disk: Disk, driver: Driver
) -> None:
    """A receipt of a commit in doubt is acknowledged to its retry once it will last."""
    clerk, order = Clerk(database), receipt("30.00")
    instruction = clerk.by(key="k")
    read_on(database, driver)
    clerk.receive("1.00")
    disk.rates = {"sync": 1.0}
    with pytest.raises(StoreUnavailable):
        clerk.desk.record_receipt(instruction, order)
    lose_process(disk, driver)

    read_on(database, driver)
    told = Clerk(find_file(database.file)).desk.record_receipt(instruction, order)
    assert isinstance(told, Told)
    assert told.replayed
    lose_power(disk, driver)
    with database.write():
        assert clerk.unapplied(document(told)["receipt_id"]) == 3_000


def test_the_desks_receipt_behind_a_failed_sync_lasts(
    database: Database, disk: Disk, driver: Driver
) -> None:
    """What the desk records while the writer is in doubt stands behind nothing that may go."""
    clerk = Clerk(database)
    with Books(database) as books:
        disk.rates = {"sync": 1.0}
        assert isinstance(books.record(pay(books.caller(), {1: "4"})).result, Unavailable)
        disk.rates = {}
        read_on(database, driver)
        receipt_id = clerk.receive("30.00")
        lose_power(disk, driver)

    with database.write():
        assert clerk.unapplied(receipt_id) == 3_000
