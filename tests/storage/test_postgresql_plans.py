"""Every key and every hot statement goes by the customer, so that a customer can have a node."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

import postgres
from paydown.storage import postgresql_database, schema, store
from paydown.storage.opening import open_store
from paydown.storage.postgresql_database import PostgreSQLSession
from paydown.storage.statements import Statement

HOLDS = ("_HOLD_CUSTOMERS", "_HOLD_ITEMS")
STATEMENTS = {
    **{
        name: value.postgresql.sql
        for name, value in vars(store).items()
        if isinstance(value, Statement)
    },
    **{name: getattr(postgresql_database, name) for name in HOLDS},
}
LOOKUPS = {
    "_FIND_ACCOUNTS": {"pk_account": ["customer_id", "account_id"]},
    "_FIND_ANSWERS": {"pk_kept_answer": ["customer_id", "login_id", "kind", "idempotency_key"]},
    "_FIND_CONTACTS": {"pk_contact": ["customer_id", "contact_id"]},
    "_FIND_ENTRY": {"pk_entry": ["customer_id", "entry_id"]},
    "_FIND_REPLAY": {"pk_replay": ["customer_id", "replayed_at", "entry_id"]},
    "_FIND_ITEMS": {"pk_billing_item": ["customer_id", "billing_id"]},
    "_FIND_REFERENCED": {
        "ix_posting_history": ["customer_id", "billing_id", "value_at", "reference"],
        "pk_entry": ["customer_id", "entry_id"],
        "pk_reversal": ["customer_id", "reversed_entry_id", "reversed_line_no"],
    },
    "_FIND_TENDER_TYPES": {"pk_tender_type": ["customer_id", "tender_type_id"]},
    "_FIND_UNREFERENCED": {
        "ix_posting_history": ["customer_id", "billing_id", "value_at", "reference"],
        "pk_entry": ["customer_id", "entry_id"],
        "pk_reversal": ["customer_id", "reversed_entry_id", "reversed_line_no"],
    },
    "_HOLD_ITEMS": {"pk_billing_item": ["customer_id", "billing_id"]},
    "_LOWER_BALANCE": {"pk_billing_item": ["customer_id", "billing_id"]},
}

# Found by name before the customer is known, or belonging to several customers.
WITHOUT_CUSTOMER = {
    *("pk_login", "uq_login_user_name", "uq_customer_customer_guid", "alembic_version_pkc"),
    *("fk_entry_login_id", "fk_login_grant_login_id", "fk_replay_login_id"),
    "fk_desk_answer_login_id",
}
FIRST_COLUMNS = """
SELECT coalesce(k.conname, c.relname), a.attname
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT k.conname, a.attname
FROM pg_constraint k
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace
"""
CROWD = [
    "SET session_replication_role = replica",
    "INSERT INTO contact SELECT 1, 'c' || n, 'Name', NULL, 'name' FROM generate_series(1, 5000) n",
    (
        "INSERT INTO account SELECT 1, 100 + n, 'a' || n, 'Name', 'income', 1 "
        "FROM generate_series(1, 2000) n"
    ),
    "INSERT INTO tender_type SELECT 1, 100 + n, 'Name', 1, 1 FROM generate_series(1, 2000) n",
    (
        "INSERT INTO billing_item SELECT 1, 100 + n, 'c' || n, 'Fee', 1000, 1000, '2026-01-31', 1 "
        "FROM generate_series(1, 5000) n"
    ),
    (
        "INSERT INTO entry SELECT 1, sha256(n::text::bytea), 'payment', 'c' || n, 28, 1, 'k' || n, "
        "NULL, '', '', n, '', n, '', NULL, '' FROM generate_series(1, 5000) n"
    ),
    (
        "INSERT INTO posting SELECT 1, sha256(n::text::bytea), n, 1, 100 + n % 50, 1, 2, 1, 0, "
        "'r' || n, NULL, NULL FROM generate_series(1, 5000) n"
    ),
    (
        "INSERT INTO kept_answer SELECT 1, 1, 'payment', 'k' || n, '', sha256(n::text::bytea), '', "
        "'' FROM generate_series(1, 5000) n"
    ),
    (
        "INSERT INTO reversal SELECT 1, sha256(n::text::bytea), 1, sha256((n + 1)::text::bytea), 1 "
        "FROM generate_series(1, 5000, 2) n"
    ),
]


@contextmanager
def writing(url: str) -> Iterator[psycopg.Connection]:
    """The connection of a writer to the ledger."""
    session = open_store(url).session()
    assert isinstance(session, PostgreSQLSession)
    session.begin()
    assert session._connection is not None
    yield session._connection
    session.close()


@pytest.fixture(scope="module", params=["never counted", "counted"])
def crowded(
    request: pytest.FixtureRequest, every_database: postgres.Databases
) -> Iterator[psycopg.Connection]:
    """A writer's connection to a ledger of some thousand rows, with statistics and without."""
    url = every_database.copy()
    postgres.execute(url, *CROWD, *(["ANALYZE"] if request.param == "counted" else []))
    with writing(url) as connection:
        yield connection


@pytest.fixture(scope="module")
def new(every_database: postgres.Databases) -> Iterator[psycopg.Connection]:
    """A writer's connection to a ledger of a few rows."""
    with writing(every_database.copy()) as connection:
        yield connection


def scans(connection: psycopg.Connection, sql: str) -> Iterator[dict[str, Any]]:
    """Every step of the statement's plan that reads a table, as the server will run it."""
    count = len(set(re.findall(r"\$\d+", sql)))
    connection.execute(f"PREPARE asked AS {sql}")
    values = ", ".join(["NULL"] * count)
    try:
        (found,) = connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE asked ({values})").fetchone()
    finally:
        connection.execute("DEALLOCATE asked")
    steps = [found[0]["Plan"]]
    while steps:
        step = steps.pop()
        steps += step.get("Plans", [])
        if "Relation Name" in step and "Scan" in step["Node Type"]:
            yield step


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_hot_statement_goes_by_its_whole_key(crowded: psycopg.Connection, name: str) -> None:
    """No table that grows is walked through, whatever the server knows of its size."""
    found = {
        step.get("Index Name", step["Node Type"]): re.findall(
            r"\((\w+) (?:=|IS NULL)", step.get("Index Cond", "")
        )
        for step in scans(crowded, STATEMENTS[name])
    }

    assert found == LOOKUPS.get(name, {})


@pytest.mark.parametrize("name", STATEMENTS)
def test_what_is_planned_in_a_new_ledger_goes_by_a_key(new: psycopg.Connection, name: str) -> None:
    """A plan made while a table is small is used while it grows: it too walks through none."""
    assert [step for step in scans(new, STATEMENTS[name]) if step["Node Type"] == "Seq Scan"] == []


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_hot_statement_names_the_customer(name: str) -> None:
    """Each table that a statement reads or writes is bound to a customer."""
    sql = STATEMENTS[name]
    if added := re.match(r"INSERT INTO \w+ \((\w+),", sql):
        assert added[1] == "customer_id"
        return
    named = re.findall(r"(?:FROM|JOIN|UPDATE) (\w+)(?: (item))?\b(?! AS|\()", sql)
    tables = [alias or table for table, alias in named if table in schema.metadata.tables]
    bound = [table for table in tables if re.search(rf"\b{table}\.customer_id = ", sql)]

    assert bound == tables
    assert "customer_id" in sql


def test_every_key_begins_with_the_customer(databases: postgres.Databases) -> None:
    """Primary keys, indexes and references, but for those found before a customer is known."""
    with psycopg.connect(databases.copy()) as connection:
        first = dict(connection.execute(FIRST_COLUMNS))

    assert len(first) > 30
    assert {name for name in first if first[name] != "customer_id"} == WITHOUT_CUSTOMER


def test_nothing_counts_for_everybody(databases: postgres.Databases) -> None:
    """No sequence and no identity column makes one customer wait for another's numbers."""
    url = databases.copy()

    assert postgres.ask(url, "SELECT relname FROM pg_class WHERE relkind = 'S'") == []
