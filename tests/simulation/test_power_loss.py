"""A server that lives through a sync that fails, and then the power goes."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import ledgers
from ledgers import Books, pay
from paydown.domain.outcomes import KeyReplayed, Outcome
from paydown.storage import sqlite
from paydown.storage.database import Database
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
