"""A ledger of the first Paydown, with all that was recorded in it, brought to this version."""

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command, op
from sqlalchemy import Connection, MetaData, Table, insert, inspect, select

import full_ledger
import ledgers
from makers import Maker, on_both_stores
from paydown import audit
from paydown.domain.model import Bundle
from paydown.domain.outcomes import KeyReplayed
from paydown.domain.searching import make_search_text
from paydown.storage import opening, schema
from paydown.storage.copying import TABLES
from paydown.storage.database import Database, Row
from paydown.storage.engine import find_database
from paydown.storage.faults import SchemaMismatch, StoreUnavailable
from paydown.storage.opening import migrate, open_store

CROWD = 10_001
"""Contacts enough to be folded in two goes."""

BUNDLES = (Bundle.BILLING_PAYMENT, Bundle.BILLING_WRITE_DOWN)
LATER_ACCOUNTS = ("1150", "2140")


@pytest.fixture
def first(maker: Maker, tmp_path: Path) -> str:
    """The URL of a ledger as the first Paydown left it."""
    source = maker.copy()
    full_ledger.record(source, tmp_path)
    url = maker.new()
    database = find_database(url)
    database.make()
    with source.read() as reading, database.rebuild() as writing:
        config = opening._alembic()
        config.attributes["connection"] = writing
        command.upgrade(config, "0001")
        copy_rows(reading, writing)
        writing.execute(
            insert(table_of(writing, "contact")),
            [{"customer_id": 2, "contact_id": f"c{n}", "name": f"Çağ {n}"} for n in range(CROWD)],
        )
        taken = "UPDATE account SET code = '2140' WHERE customer_id = 1 AND code = '2130'"
        writing.exec_driver_sql(taken)
    return url


def copy_rows(reading: Connection, writing: Connection) -> None:
    """What the first Paydown would have recorded of it."""
    known = inspect(writing).get_table_names()
    for table in TABLES:
        if table.name not in known:
            continue
        columns = [table.c[each.name] for each in table_of(writing, table.name).c]
        question = select(*columns)
        if table is schema.account:
            question = question.where(table.c.code.not_in(LATER_ACCOUNTS))
        if table is schema.login_grant:
            question = question.where(table.c.bundle.in_(BUNDLES))
        rows = [dict(row) for row in reading.execute(question).mappings()]
        writing.execute(insert(table_of(writing, table.name)), rows)


def table_of(connection: Connection, name: str) -> Table:
    """The table as it is there."""
    return Table(name, MetaData(), autoload_with=connection)


def read_all(database: Database, columns: dict[str, list[str]]) -> dict[str, list[Row]]:
    """The rows of the tables, by these of their columns."""
    with database.read() as connection:
        return {
            name: sorted(
                (
                    tuple(row)
                    for row in connection.exec_driver_sql(f"SELECT {', '.join(wanted)} FROM {name}")
                ),
                key=repr,
            )
            for name, wanted in columns.items()
        }


def columns_of(database: Database) -> dict[str, list[str]]:
    """Every table's columns."""
    with database.read() as connection:
        found = inspect(connection)
        return {
            name: [each["name"] for each in found.get_columns(name)]
            for name in found.get_table_names()
        }


@on_both_stores
def test_an_upgraded_ledger_holds_all_that_it_held(first: str) -> None:
    """Every row is there as it was, and the ledger is one of this version in every part."""
    database = find_database(first)
    columns = columns_of(database)
    before = read_all(database, columns)

    assert migrate(first) == "0001"
    after = read_all(open_store(first), columns)
    before.pop("alembic_version")
    assert after.pop("alembic_version") == [("0003",)]
    added = {*after.pop("account")} - {*before.pop("account")}
    assert added == {
        (1, 15, "2141", "Unapplied receipts", "liability", 1),
        (2, 15, "2140", "Unapplied receipts", "liability", 1),
    }
    assert after == before
    assert [found for found in audit.verify(database) if not found.ok] == []


@on_both_stores
def test_an_upgraded_ledger_has_what_the_desk_needs(first: str) -> None:
    """Every customer can take receipts, and every contact be searched for."""
    migrate(first)
    with open_store(first).read() as connection:
        defaults = connection.execute(select(schema.receipt_defaults)).all()
        contact = schema.contact.c
        contacts = connection.execute(
            select(contact.name, contact.reference, contact.search_text)
        ).all()

    assert sorted(map(tuple, defaults)) == [(1, 15), (2, 15)]
    assert len(contacts) > CROWD
    assert [each for each in contacts if each[2] != make_search_text(*each[:2])] == []


@on_both_stores
def test_a_retry_across_an_upgrade_is_answered_as_before(first: str) -> None:
    """What was recorded and answered by the first Paydown is recognised by this one."""
    migrate(first)
    with ledgers.Books(open_store(first)) as books:
        caller = books.caller()
        rows = books.count("posting")

        assert isinstance(books.record(full_ledger.keyed_payment(caller)).result, KeyReplayed)
        again = ledgers.pay(caller, {1: "2.50"}, reference=full_ledger.CARE)
        assert [line.replayed for line in books.outcome(again).lines] == [True]
        assert books.count("posting") == rows
        assert books.outcome(ledgers.pay(caller, {6: "1.00"}, reference="new")).success


def fail_at_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade that ends while tables are made anew."""
    monkeypatch.setattr(op, "create_index", interrupt)


def fail_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade that ends when all is done but the commit."""
    upgrade = opening._upgrade

    def upgrade_and_fail(connection: Connection) -> None:
        upgrade(connection)
        interrupt()

    monkeypatch.setattr(opening, "_upgrade", upgrade_and_fail)


def interrupt(*_: object, **__: object) -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt


@on_both_stores
@pytest.mark.parametrize("fail", [fail_at_an_index, fail_in_the_end])
def test_an_interrupted_upgrade_leaves_the_old_ledger(
    first: str, monkeypatch: pytest.MonkeyPatch, fail: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """The ledger is the first Paydown's still, whole, until an upgrade ends well."""
    database = find_database(first)
    columns = columns_of(database)
    before = read_all(database, columns)
    with monkeypatch.context() as patched:
        fail(patched)
        with pytest.raises(KeyboardInterrupt):
            migrate(first)

    assert columns_of(database) == columns
    assert read_all(database, columns) == before
    with pytest.raises(SchemaMismatch, match=r"older Paydown.*paydown migrate --database "):
        open_store(first)
    assert migrate(first) == "0001"
    assert [found for found in audit.verify(database) if not found.ok] == []


def test_a_damaged_ledger_is_not_upgraded(maker: Maker, first: str) -> None:
    """A row that leads nowhere is told before it is carried on."""
    maker.tamper(find_database(first), "DELETE FROM contact WHERE customer_id = 1")

    with pytest.raises(StoreUnavailable, match="is damaged, so it was left as it is: a row of"):
        migrate(first)
    with pytest.raises(SchemaMismatch, match="older Paydown"):
        open_store(first)
