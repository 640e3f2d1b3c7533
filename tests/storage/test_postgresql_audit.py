"""What PostgreSQL itself guards, and how ``paydown verify`` notices a guard that was taken away."""

import psycopg
import pytest

import postgres
from ledgers import Books, pay
from paydown import audit
from paydown.storage.database import Database
from paydown.storage.opening import open_store

TAKEN_AWAY = {
    "DROP TRIGGER entry_append_only ON entry": "trigger entry_append_only is missing",
    "ALTER TABLE posting DISABLE TRIGGER posting_append_only": (
        "trigger posting_append_only was changed"
    ),
    "CREATE OR REPLACE FUNCTION paydown_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN RETURN NULL; END'": "trigger entry_append_only was changed",
    "DROP INDEX ix_posting_history": "index ix_posting_history is missing",
    "ALTER TABLE billing_item DROP CONSTRAINT ck_billing_item_balance": (
        "table billing_item was changed"
    ),
    "ALTER TABLE posting DROP CONSTRAINT fk_posting_customer_id_entry_id": (
        "table posting was changed"
    ),
    "ALTER TABLE posting DISABLE TRIGGER ALL": "table posting was changed",
    "ALTER TABLE posting ALTER COLUMN line_no TYPE integer": "table posting was changed",
    "ALTER TABLE posting ALTER COLUMN amount DROP NOT NULL": "table posting was changed",
    "ALTER TABLE contact ALTER COLUMN name SET DEFAULT 'x'": "table contact was changed",
    "ALTER TABLE contact ADD COLUMN more text": "table contact was changed",
    "CREATE TABLE stranger (a integer)": "table stranger is not Paydown's",
    "CREATE RULE none AS ON DELETE TO replay DO INSTEAD NOTHING": "table replay was changed",
    "ALTER TABLE entry ENABLE ROW LEVEL SECURITY": "table entry was changed",
}


@pytest.fixture
def ledger(databases: postgres.Databases) -> Database:
    """A ledger in which something was recorded."""
    database = open_store(databases.copy())
    with Books(database) as books:
        books.outcome(pay(books.caller(), {1: "4.00"}, reference="r"))
        books.outcome(pay(books.caller(), {1: "4.00"}, reference="r"))
    return database


def broken(database: Database) -> dict[str, list[str]]:
    """What is said of each invariant that does not hold."""
    return {found.invariant: found.detail for found in audit.verify(database) if not found.ok}


@pytest.mark.parametrize("statement", TAKEN_AWAY)
def test_a_guard_taken_away_is_named(ledger: Database, statement: str) -> None:
    """A trigger, an index, a constraint or a column that is not as it was made."""
    postgres.execute(ledger.url, statement)

    assert TAKEN_AWAY[statement] in broken(ledger)["schema_intact"]


def test_a_row_that_leads_nowhere_is_counted(ledger: Database) -> None:
    """A reference that a switched-off guard let go astray is found in its table."""
    postgres.execute(
        ledger.url,
        "SET session_replication_role = replica",
        "DELETE FROM posting WHERE line_no = 1",
    )

    assert (
        "1 rows of replay refer to rows of posting that are not there"
        in (broken(ledger)["database_intact"])
    )


@pytest.mark.parametrize("table", ["entry", "posting"])
@pytest.mark.parametrize(
    "change", ["UPDATE {} SET value_at = 0", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_no_role_changes_what_was_recorded(ledger: Database, table: str, change: str) -> None:
    """Not even the one that owns the tables and may do everything else."""
    with pytest.raises(psycopg.errors.RaiseException, match="is append-only"):
        postgres.execute(ledger.url, change.format(table))

    assert broken(ledger) == {}


def test_a_server_may_record_while_the_books_are_proved(ledger: Database) -> None:
    """All questions are asked of one moment: what is paid meanwhile is no breach."""
    with Books(ledger) as books:
        findings = audit.verify(ledger)
        first = next(findings)
        books.outcome(pay(books.caller(), {2: "1.00"}))

        assert [found for found in (first, *findings) if not found.ok] == []
        assert books.balances()[2] == 900
