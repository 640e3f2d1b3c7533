"""Rows by the chunk, a ledger held still, and the mark of a copy that is not finished."""

from pathlib import Path
from threading import Thread

import pytest

import full_ledger
import ledgers
from makers import Maker, on_both_stores, on_every_store
from paydown.admin import Admin, NewCustomer
from paydown.config import list_settings
from paydown.domain.outcomes import Outcome
from paydown.storage import copying, opening
from paydown.storage.copying import TABLES
from paydown.storage.database import Database, Patience
from paydown.storage.engine import find_database
from paydown.storage.faults import SchemaMismatch, StoreLocked, StoreUnavailable
from paydown.storage.jobs import Unavailable


@pytest.fixture
def full(database: Database, tmp_path: Path) -> Database:
    """A ledger with rows of every kind."""
    full_ledger.fill(database, tmp_path)
    return database


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows at a time, so that a small ledger has many chunks."""
    monkeypatch.setattr(copying, "CHUNK_ROWS", 3)


def watch_nothing(_: int) -> None:
    """Nobody waits."""


@on_both_stores
@pytest.mark.usefixtures("small_chunks")
def test_rows_are_read_in_order_of_their_keys_from_any_key_on(full: Database) -> None:
    """From each row of each table the rest follows: none twice, none left out."""
    with full.read() as connection:
        for table in TABLES:
            with copying.reading(connection, table) as chunks:
                rows = [row for chunk in chunks for row in chunk]
            places = [table.c.keys().index(column.name) for column in table.primary_key]
            keys = [tuple(row[place] for place in places) for row in rows]
            assert keys == sorted(keys), table.name
            assert copying.find_last_key(connection, table) == keys[-1]
            for number, key in enumerate(keys, start=1):
                with copying.reading(connection, table, after=key) as chunks:
                    rest = list(chunks)
                assert [row for chunk in rest for row in chunk] == rows[number:]
                assert all(len(chunk) <= 3 for chunk in rest)


@on_both_stores
def test_a_tally_tells_one_changed_value(full: Database, maker: Maker) -> None:
    """Where the count and the sums stay, the digest differs; elsewhere nothing does."""
    before = tally(full)
    maker.tamper(full, "UPDATE contact SET name = 'Anne' WHERE name LIKE 'Anna%'")
    maker.tamper(full, "UPDATE billing_item SET balance = balance - 1 WHERE billing_id = 20")
    after = tally(full)

    assert {name for name in before if before[name] != after[name]} == {"contact", "billing_item"}
    assert before["contact"][:2] == after["contact"][:2]
    owed = [each["billing_item"].amounts["balance"] for each in (before, after)]
    assert owed[0] - owed[1] == 2
    assert before["posting"].rows == 75


def tally(database: Database) -> dict[str, copying.Tally]:
    """What each table holds."""
    with database.read() as connection:
        return {table.name: copying.tally(connection, table, watch_nothing) for table in TABLES}


@on_every_store
def test_nobody_changes_a_ledger_that_is_frozen(
    maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command waits and fails, the frozen view stays; afterwards all is as ever."""
    monkeypatch.setattr("paydown.storage.database.ADMIN_WAIT_SECONDS", 1)
    database = maker.copy()
    admin = Admin(database)
    with database.freeze():
        before = full_ledger.read_all(database)
        with pytest.raises(StoreLocked):
            admin.set_login_disabled(ledgers.TILL, disabled=True)
        assert full_ledger.read_all(database) == before
    admin.set_login_disabled(ledgers.TILL, disabled=True)

    assert full_ledger.read_all(database) != before


@on_both_stores
def test_what_is_frozen_cannot_be_written_by_its_holder_either(database: Database) -> None:
    """A copy cannot harm its source."""
    with pytest.raises(StoreUnavailable), database.freeze() as connection:
        connection.exec_driver_sql("UPDATE login SET disabled = 1")


@pytest.mark.parametrize("maker", ["postgresql"], indirect=True)
def test_a_payment_meets_a_frozen_ledger_as_it_meets_a_lock(maker: Maker) -> None:
    """It is not recorded and can be sent again; a batch under way is awaited."""
    database = opening.open_store(maker.copy().url, Patience(lock_seconds=1))
    with ledgers.Books(database) as books:
        command = ledgers.pay(books.caller(), {1: "2.50"}, reference="R")
        with database.freeze():
            assert isinstance(books.record(command).result, Unavailable)
        assert isinstance(books.record(command).result, Outcome)
        assert books.balances()[1] == 750


@on_both_stores
def test_the_longest_wait_of_the_settings_is_waited(maker: Maker) -> None:
    """It is none that the store takes for no wait at all, or refuses."""
    settings = {setting.name: setting for setting in list_settings()}
    longest = settings["lock_wait_seconds"].most
    assert longest is not None
    database = opening.open_store(maker.copy().url, Patience(lock_seconds=longest))
    with ledgers.Books(database) as books:
        command = ledgers.pay(books.caller(), {1: "2.50"})
        with database.write() as connection:
            database.hold_customer(connection, command.caller.customer_id)
            job = books.submit(command)
            assert not job.waiter.wait(0.5)
        assert isinstance(ledgers.finished(job).result, Outcome)


@pytest.mark.parametrize("maker", ["postgresql"], indirect=True)
def test_payments_and_a_freeze_never_wait_for_each_other(database: Database) -> None:
    """Frozen again and again under load: each freeze comes, and no payment is refused."""
    with ledgers.Books(database) as books:
        caller = books.caller()
        jobs = []

        def load() -> None:
            for number in range(300):
                command = ledgers.pay(caller, {21: "0.01"}, reference=str(number))
                jobs.append(books.record(command))

        callers = Thread(target=load)
        callers.start()
        for _ in range(20):
            with database.freeze():
                pass
        callers.join()

    assert len(jobs) == 300
    assert [job.result for job in jobs if not isinstance(job.result, Outcome)] == []


@on_both_stores
def test_a_marked_place_is_no_ledger_until_the_mark_is_gone(maker: Maker) -> None:
    """It can be neither opened nor migrated, only gone on with by whoever has the mark."""
    mark = opening.make_mark("5eed" * 16)
    url = maker.new()
    target = find_database(url)
    target.make()

    assert opening.begin_copy(target, mark)
    assert not opening.begin_copy(target, mark)
    opening.check_target(target)
    for refused in (opening.open_store, opening.migrate):
        with pytest.raises(SchemaMismatch, match="a copy that is not finished"):
            refused(url)
    with pytest.raises(SchemaMismatch, match="unfinished copy of another ledger"):
        opening.begin_copy(target, opening.make_mark("a5eed" * 16))
    opening.end_copy(target)
    assert opening.migrate(url) == "0003"
    assert full_ledger.read_all(opening.open_store(url))["customer"] == []


@on_both_stores
def test_a_ledger_without_a_row_is_an_empty_place(maker: Maker) -> None:
    """Whoever made one beforehand, with paydown migrate, made no mistake; a row is refused."""
    empty, used = maker.new(), maker.new()
    for url in (empty, used):
        opening.migrate(url)
    Admin(opening.open_store(used)).add_customer(NewCustomer("Club", bare=True))

    assert opening.begin_copy(find_database(empty), opening.make_mark("5eed"))
    with pytest.raises(SchemaMismatch, match="is not empty: it holds a ledger"):
        opening.begin_copy(find_database(used), opening.make_mark("5eed"))
    assert len(full_ledger.read_all(opening.open_store(used))["customer"]) == 1
