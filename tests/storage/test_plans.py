"""How SQLite finds what the hot statements ask for: never by reading a table that grows."""

import pytest

from paydown.storage import store
from paydown.storage.database import Database
from paydown.storage.statements import Statement

STATEMENTS = {name: value for name, value in vars(store).items() if isinstance(value, Statement)}
LOOKUPS = {
    "_FIND_ACCOUNTS": "SEARCH account USING PRIMARY KEY (customer_id=? AND account_id=?)",
    "_FIND_ANSWERS": (
        "SEARCH kept_answer USING PRIMARY KEY "
        "(customer_id=? AND login_id=? AND kind=? AND idempotency_key=?)"
    ),
    "_FIND_CONTACTS": "SEARCH contact USING PRIMARY KEY (customer_id=? AND contact_id=?)",
    "_FIND_ENTRY": "SEARCH entry USING PRIMARY KEY (customer_id=? AND entry_id=?)",
    "_FIND_ITEMS": "SEARCH billing_item USING PRIMARY KEY (customer_id=? AND billing_id=?)",
    "_FIND_REFERENCED": (
        "SEARCH posting USING INDEX ix_posting_history "
        "(customer_id=? AND billing_id=? AND value_at=? AND reference=?)"
    ),
    "_FIND_REPLAY": (
        "SEARCH replay USING PRIMARY KEY (customer_id=? AND replayed_at=? AND entry_id=?)"
    ),
    "_FIND_TENDER_TYPES": (
        "SEARCH tender_type USING PRIMARY KEY (customer_id=? AND tender_type_id=?)"
    ),
    "_FIND_UNREFERENCED": (
        "SEARCH posting USING INDEX ix_posting_history "
        "(customer_id=? AND billing_id=? AND value_at=? AND reference=?)"
    ),
    "_LOWER_BALANCE": "SEARCH billing_item USING PRIMARY KEY (customer_id=? AND billing_id=?)",
}
IS_REVERSED = (
    "SEARCH reversal USING PRIMARY KEY "
    "(customer_id=? AND reversed_entry_id=? AND reversed_line_no=?)"
)


def plan(database: Database, statement: Statement) -> list[str]:
    """The steps of the statement's plan."""
    with database.read() as connection:
        rows = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {statement.sqlite.sql}", ("[]",) * len(statement.sqlite.names)
        )
        return [row.detail for row in rows]


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_hot_statement_goes_by_a_key(database: Database, name: str) -> None:
    """Each look-up uses its whole key; nothing but the list that was asked for is scanned."""
    steps = plan(database, STATEMENTS[name])

    assert [step for step in steps if "SCAN" in step and "json_each VIRTUAL" not in step] == []
    if not name.startswith("_ADD"):
        assert LOOKUPS[name] in steps
    if name.endswith("REFERENCED"):
        assert IS_REVERSED in [step.replace(" EXISTS", "") for step in steps]
