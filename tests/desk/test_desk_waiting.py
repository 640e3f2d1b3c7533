"""What the desk waits for on a shared database, and what it then decides by."""

import threading
from collections.abc import Callable

import pytest

import postgres
from clerk import Clerk, because, code, document, entry_guid, shares
from ledgers import Books, pay
from makers import on_postgresql
from paydown.desk import Result
from paydown.service import read_clock
from paydown.storage.database import Database

pytestmark = on_postgresql


@pytest.fixture
def clerk(database: Database) -> Clerk:
    """The till, at the desk."""
    return Clerk(database)


def decide_behind(clerk: Clerk, change: str, write: Callable[[], Result]) -> tuple[Result, int]:
    """Let the write wait for a change that is under way; what it said, and when it went on."""
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(write()))
    with clerk.database.connect() as other:
        other.exec_driver_sql("BEGIN")
        other.exec_driver_sql(f"{change} WHERE customer_id = 1 AND billing_id = 1")
        thread.start()
        postgres.wait_for_waiting(clerk.database.url)
        released_at = read_clock()
        other.exec_driver_sql("COMMIT")
    thread.join()
    return results[0], released_at


def test_an_allocation_is_decided_by_what_the_item_owes_at_last(clerk: Clerk) -> None:
    """What came in while it waited for the item counts."""
    received = clerk.receive("30.00")
    told, _ = decide_behind(
        clerk,
        "UPDATE billing_item SET balance = 50",
        lambda: clerk.desk.allocate(clerk.by(), received, shares({1: "1.00"})),
    )

    assert code(told) == "422 amount_exceeds_balance /lines/0/amount"
    assert clerk.unapplied(received) == 3000


def test_a_charge_is_not_reversed_under_a_payment(clerk: Clerk) -> None:
    """One that was under way when the reversal came is on the item when it is judged."""
    (charge,) = clerk.postings_of(1)
    told, _ = decide_behind(
        clerk,
        "UPDATE billing_item SET balance = 999",
        lambda: clerk.desk.reverse_posting(clerk.by(), charge, because()),
    )

    assert code(told) == "409 item_paid"


def test_the_record_date_is_taken_when_the_wait_is_over(books: Books, clerk: Clerk) -> None:
    """So that nothing is recorded before what it was decided by."""
    entry = books.outcome(pay(clerk.caller, {1: "1.00"})).entry
    assert entry is not None
    told, released_at = decide_behind(
        clerk,
        "UPDATE billing_item SET description = 'Changed'",
        lambda: clerk.desk.reverse_entry(clerk.by(), entry_guid(entry.entry_id), because()),
    )
    recorded = clerk.entry(document(told)["entry"]["entry_id"])

    assert recorded.recorded_at > released_at
