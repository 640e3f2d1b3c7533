"""``paydown verify`` itself: what is altered behind its back is found and named."""

import pytest

import desk_rows
import ledgers
from ledgers import Books, pay, write_down
from makers import Maker, on_both_stores
from paydown import audit
from paydown.storage.database import Database

ALLOCATIONS, REVERSALS = (
    f"SELECT entry_id FROM entry WHERE kind = '{kind}'" for kind in ("allocation", "reversal")
)
ALTERATIONS = {
    "UPDATE billing_item SET balance = balance - 1 WHERE billing_id = 1": {
        "item_balances",
        "balances_after",
        "receivables_tie_out",
    },
    "UPDATE billing_item SET total_amount = total_amount + 1 WHERE billing_id = 1": {
        "item_balances",
        "imported_items",
    },
    "UPDATE billing_item SET balance = -1 WHERE billing_id = 1": {"balances_within_totals"},
    "UPDATE billing_item SET contact_id = 'f9025eb8-7bcb-4f72-aa35-ca5d82e6cb01' "
    "WHERE billing_id = 1": {"entries_agree_with_postings", "imported_items"},
    "UPDATE billing_item SET description = 'x' WHERE billing_id = 1": {"imported_items"},
    "UPDATE posting SET amount = amount + 1 WHERE billing_id = 1 AND balance_after = 600": {
        "entries_unaltered",
        "item_balances",
        "balances_after",
    },
    "UPDATE posting SET amount = -amount WHERE billing_id = 1": {"debits_equal_credits"},
    "UPDATE posting SET reference = 'x' WHERE billing_id = 1": {"entries_unaltered"},
    "UPDATE posting SET notes = 'x' WHERE billing_id = 1": {"entries_unaltered"},
    "UPDATE posting SET balance_after = balance_after + 1 WHERE billing_id = 1": {
        "entries_unaltered",
        "balances_after",
    },
    "UPDATE posting SET debit_account_id = credit_account_id WHERE billing_id = 1": {
        "debits_equal_credits",
        "posting_accounts",
    },
    "UPDATE posting SET value_at = 0 WHERE billing_id = 1": {"entries_agree_with_postings"},
    "UPDATE entry SET recorded_at = recorded_at - 1": {"entries_unaltered"},
    "UPDATE entry SET tender_type_id = 1 WHERE kind = 'payment'": {
        "entries_unaltered",
        "posting_accounts",
    },
    "UPDATE entry SET staff_user = 'x'": {"entries_unaltered"},
    "DELETE FROM posting WHERE billing_id = 1": {
        "entries_unaltered",
        "item_balances",
        "entries_agree_with_postings",
    },
    "DELETE FROM entry WHERE kind = 'payment'": {"database_intact", "kept_answers"},
    "DELETE FROM kept_answer": {"kept_answers"},
    "UPDATE kept_answer SET idempotency_key = 'x'": {"kept_answers"},
    "UPDATE kept_answer SET body = fingerprint": {"answers_unaltered"},
    "UPDATE kept_answer SET fingerprint = body": {"answers_unaltered"},
    "UPDATE imported_row SET balance = balance - 1": {"imported_items"},
    "UPDATE item_defaults SET next_billing_id = 1": {"billing_ids"},
    "UPDATE tender_type SET clearing_account_id = 1": {"posting_accounts"},
    "UPDATE posting SET debit_account_id = 13 WHERE billing_id IS NULL": {
        "posting_accounts",
        "reversals_mirror",
    },
    f"UPDATE posting SET debit_account_id = 13 WHERE entry_id IN ({ALLOCATIONS})": {
        "allocations",
        "unapplied_tie_out",
    },
    f"UPDATE posting SET value_at = 0 WHERE entry_id IN ({REVERSALS})": {"reversals_mirror"},
    f"UPDATE posting SET reference = 'x' WHERE entry_id IN ({REVERSALS})": {"reversals_mirror"},
    "DELETE FROM reversal": {"reversals_mirror", "receipts_add_up", "unapplied_tie_out"},
    "UPDATE reversal SET reversed_line_no = 3 - reversed_line_no": {"reversals_mirror"},
    "DELETE FROM allocation": {"allocations", "receipts_add_up"},
    "DELETE FROM receipt": {"receipts_add_up", "allocations", "unapplied_tie_out"},
    "UPDATE receipt SET unapplied = unapplied - 1 WHERE unapplied > 0": {
        "receipts_add_up",
        "unapplied_tie_out",
    },
    "UPDATE receipt SET amount = amount + 1": {"receipts_add_up"},
    "UPDATE receipt SET contact_id = 'f9025eb8-7bcb-4f72-aa35-ca5d82e6cb01'": {
        "receipts_add_up",
        "allocations",
    },
    "UPDATE created_item SET is_external = 1 - is_external": {"created_items"},
    "UPDATE created_item SET billing_type_id = 2": {"created_items"},
    f"UPDATE created_item SET beneficiary_id = '{ledgers.ANNA}'": {"entries_unaltered"},
    "UPDATE created_item SET agreement_id = 7 WHERE agreement_id = 77": {"entries_unaltered"},
    "UPDATE billing_item SET due_on = '2026-04-02' WHERE billing_id = 901": {"entries_unaltered"},
    "UPDATE billing_item SET description = 'x' WHERE billing_id = 902": {"entries_unaltered"},
    "UPDATE contact SET search_text = 'x'": {"contacts_findable"},
    "UPDATE contact SET name = 'Änne' WHERE reference IS NOT NULL": {"contacts_findable"},
    "DELETE FROM imported_row WHERE billing_id = 1": {"created_items"},
    "DELETE FROM desk_answer": {"desk_answers"},
    "UPDATE desk_answer SET status = 400": {"desk_answers", "answers_unaltered"},
    "UPDATE desk_answer SET body = fingerprint": {"answers_unaltered"},
    "DROP INDEX ix_posting_history": {"schema_intact"},
}


@pytest.fixture
def used(database: Database) -> Database:
    """A ledger in which something was recorded."""
    with Books(database) as books:
        caller = books.caller()
        paid = books.outcome(pay(caller, {1: "4.00", 2: "1.00"}, key="k", reference="a")).entry
        books.outcome(pay(caller, {3: "4.00"}, reference="r"))
        books.outcome(pay(caller, {3: "4.00"}, reference="r"))
        with database.read() as connection:
            account_id = connection.exec_driver_sql(
                "SELECT account_id FROM account WHERE code = '6000' AND customer_id = 1"
            ).scalar_one()
        books.outcome(write_down(caller, {4: "1.50"}, account_id))
    assert paid is not None
    with database.write() as connection:
        desk_rows.fill(connection, paid)
    return database


def broken(database: Database) -> set[str]:
    """The names of the invariants that do not hold."""
    return {finding.invariant for finding in audit.verify(database) if not finding.ok}


@on_both_stores
def test_an_honest_ledger_satisfies_every_invariant(used: Database) -> None:
    """Nothing is found where nothing is wrong, and all of it was looked at."""
    findings = {finding.invariant: finding for finding in audit.verify(used)}

    assert all(finding.ok and finding.detail == [] for finding in findings.values())
    assert findings["item_balances"].examined == 2 * len(ledgers.ITEMS) + 2
    assert findings["entries_unaltered"].examined == 4 + 3 + 7
    assert findings["contacts_findable"].examined == 4
    assert findings["kept_answers"].examined == 1
    assert findings["reversals_mirror"].examined == 3
    assert findings["receipts_add_up"].examined == 2


@on_both_stores
@pytest.mark.parametrize("statement", ALTERATIONS)
def test_an_alteration_is_found_and_named(maker: Maker, used: Database, statement: str) -> None:
    """Each row changed behind the books' back breaks the invariants that it should."""
    maker.tamper(used, statement)

    assert broken(used) >= ALTERATIONS[statement]


def test_every_invariant_can_be_broken() -> None:
    """No invariant is there for show: some alteration breaks each."""
    names = {question.name for question in audit.QUESTIONS}
    named = set().union(*ALTERATIONS.values())

    assert named >= names | {
        "database_intact",
        "schema_intact",
        "entries_unaltered",
        "answers_unaltered",
        "contacts_findable",
    }


def test_a_guard_taken_away_is_found(database: Database) -> None:
    """Without its trigger a table is no longer append-only, and that is told."""
    with database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER entry_no_update")

    assert broken(database) == {"schema_intact"}


@on_both_stores
def test_the_breach_names_the_item_and_the_amounts(maker: Maker, used: Database) -> None:
    """The detail says which item, and what differs."""
    maker.tamper(
        used, "UPDATE billing_item SET balance = 599 WHERE billing_id = 1 AND customer_id = 1"
    )
    detail = {f.invariant: f.detail for f in audit.verify(used)}["item_balances"]

    assert detail == [
        "item 1 of customer 1: total 1000, charged 1000; balance 599, postings leave 600"
    ]


@on_both_stores
def test_many_breaches_are_counted_beyond_the_first(maker: Maker, used: Database) -> None:
    """Twenty are named, the rest counted."""
    maker.tamper(used, "UPDATE imported_row SET description = 'x'")
    detail = {f.invariant: f.detail for f in audit.verify(used)}["imported_items"]

    assert len(detail) == audit.DETAILS_MAX + 1
    assert detail[-1] == f"and {2 * len(ledgers.ITEMS) - audit.DETAILS_MAX} more"
