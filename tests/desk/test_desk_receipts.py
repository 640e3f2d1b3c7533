"""Money without items: recorded, applied, taken back; never more of it than there is."""

import pytest

from clerk import PAID, Clerk, code, document, other_customer, receipt, shares
from ledgers import DISABLED_TENDER, Books, pay
from makers import on_both_stores
from paydown.desk import Result
from paydown.storage.database import Database
from paydown.wire.v1 import orders

pytestmark = on_both_stores

NOBODY = "019c2d0e-5f70-7a3c-9d3e-1f2a3b4c5d6e"


@pytest.fixture
def clerk(database: Database) -> Clerk:
    """The till, at the desk."""
    return Clerk(database)


def take_back(clerk: Clerk, receipt_id: str, posting_id: str) -> Result:
    """Unallocate."""
    order = orders.Unallocation(allocation_id=posting_id, reason="Other item")
    return clerk.desk.unallocate(clerk.by(), receipt_id, order)


def test_a_receipt_is_a_liability_until_it_is_applied(clerk: Clerk) -> None:
    """It stands on the account of unapplied receipts, and leaves it as items are paid by it."""
    told = document(
        clerk.desk.record_receipt(
            clerk.by(staff_user="ann"),
            receipt("30.00", reference="BACS 7", authorization_code="A1", notes="For May"),
        )
    )
    received = told["receipt_id"]
    applied = document(clerk.desk.allocate(clerk.by(), received, shares({2: "10.00", 1: "4.00"})))

    assert (told["amount"], told["unapplied"], told["allocations"]) == ("30.00", "30.00", [])
    assert (told["reference"], told["authorization_code"]) == ("BACS 7", "A1")
    assert (told["notes"], told["value_at"]) == ("For May", PAID)
    assert applied["unapplied"] == "16.00"
    assert [(each["billing_id"], each["amount"]) for each in applied["allocations"]] == [
        (2, "10.00"),
        (1, "4.00"),
    ]
    assert (clerk.balance(1), clerk.balance(2)) == (600, 0)
    assert clerk.unapplied(received) == 1600
    assert clerk.breaches() == []


def test_an_allocation_is_taken_back_alone(clerk: Clerk) -> None:
    """Item and receipt both have it again, and the other allocation stands."""
    received = clerk.receive("30.00")
    document(clerk.desk.allocate(clerk.by(), received, shares({2: "10.00", 1: "4.00"})))
    allocation = clerk.postings_of(2)[-1]
    told = document(take_back(clerk, received, allocation))
    again = take_back(clerk, received, allocation)

    assert told["unapplied"] == "26.00"
    assert [each["billing_id"] for each in told["allocations"]] == [2]
    assert told["allocations"][0]["reversed_by"]["reason"] == "Other item"
    assert code(again) == "409 already_reversed"
    assert (clerk.balance(1), clerk.balance(2)) == (600, 1000)
    assert clerk.breaches() == []


def test_only_an_allocation_of_the_receipt_is_taken_back_from_it(
    books: Books, clerk: Clerk
) -> None:
    """Neither another receipt's nor a payment is, and nothing is changed."""
    first, second = clerk.receive(), clerk.receive()
    document(clerk.desk.allocate(clerk.by(), first, shares({1: "1.00"})))
    books.outcome(pay(clerk.caller, {2: "1.00"}))

    for posting_id in (clerk.postings_of(1)[-1], clerk.postings_of(2)[-1], f"{NOBODY}.1"):
        refused = take_back(clerk, second, posting_id)
        assert code(refused) == "422 unknown_allocation /allocation_id"
    assert code(take_back(clerk, NOBODY, clerk.postings_of(1)[-1])) == "404 unknown_receipt"
    assert clerk.balance(1) == 900
    assert clerk.breaches() == []


def test_a_receipt_that_cannot_be_taken_says_why(clerk: Clerk) -> None:
    """Each member at fault is pointed to, and nothing is recorded."""
    before = clerk.rows("entry")
    refusals = {
        "422 unknown_contact /contact_id": receipt(contact_id=NOBODY),
        "422 invalid_value /contact_id": receipt(contact_id="anna"),
        "422 unknown_tender_type /tender_type_id": receipt(tender_type_id=99),
        "422 inactive_tender_type /tender_type_id": receipt(tender_type_id=DISABLED_TENDER),
        "422 amount_not_positive /amount": receipt("0.00"),
        "422 amount_too_precise /amount": receipt("1.001"),
        "422 amount_too_large /amount": receipt("100000000000.01"),
        "422 invalid_value /amount /value_at": receipt("ten", value_at="2026-02-05T10:00:00"),
        "422 invalid_value /value_at": receipt(value_at="2026-02-05"),
    }
    told = [code(clerk.desk.record_receipt(clerk.by(), each)) for each in refusals.values()]

    assert told == list(refusals)
    assert clerk.rows("entry") == before
    assert clerk.rows("desk_answer") == []
    document(clerk.desk.record_receipt(clerk.by(), receipt("100000000000.00")))
    assert clerk.breaches() == []


def test_an_allocation_that_cannot_be_made_says_why(clerk: Clerk) -> None:
    """All the lines at fault at once; none is applied where one is not."""
    received = clerk.receive("30.00")
    refusals = {
        "422 unknown_billing_item /lines/1/billing_id": shares({1: "1.00", 31: "1.00"}),
        "422 unknown_billing_item /lines/0/billing_id": shares({99: "1.00"}),
        "422 amount_not_positive /lines/0/amount": shares({1: "0"}),
        "422 amount_too_precise /lines/0/amount": shares({1: "0.001"}),
        "422 amount_exceeds_balance /lines/0/amount": shares({1: "10.01", 2: "1.00"}),
        "422 amount_exceeds_balance /lines/0/amount /lines/1/billing_id": shares(
            {22: "0.01", 31: "1.00"}
        ),
        "422 amount_exceeds_unapplied /lines": shares({21: "29.99", 1: "0.02"}),
        "422 invalid_value /lines/1/amount /value_at": shares({1: "1", 2: "x"}, value_at="now"),
        "422 value_before_receipt /value_at": shares({1: "1"}, value_at="2026-02-05T09:59:59Z"),
    }
    told = [code(clerk.desk.allocate(clerk.by(), received, each)) for each in refusals.values()]
    twice = orders.Allocations(
        lines=[orders.AllocationLine(billing_id=1, amount="1.00") for _ in range(2)]
    )

    assert told == list(refusals)
    assert code(clerk.desk.allocate(clerk.by(), received, twice)) == (
        "422 repeated_billing_id /lines/0/billing_id /lines/1/billing_id"
    )
    assert code(clerk.desk.allocate(clerk.by(), NOBODY, shares({1: "1"}))) == "404 unknown_receipt"
    assert clerk.unapplied(received) == 3000
    assert clerk.breaches() == []


def test_a_receipt_of_the_future_is_applied_when_it_comes(clerk: Clerk) -> None:
    """An allocation without a date is of now, but never of before its receipt."""
    received = clerk.receive(value_at="2098-01-01T00:00:00Z")
    told = document(clerk.desk.allocate(clerk.by(), received, shares({1: "1.00"})))

    assert told["allocations"][0]["value_at"].startswith("2098-01-01T00:00:00")
    assert clerk.breaches() == []


def test_another_customers_receipt_is_unknown(clerk: Clerk) -> None:
    """It is answered as one that never was."""
    received = clerk.receive()
    stranger = Clerk(clerk.database, caller=other_customer(clerk.caller))
    document(clerk.desk.allocate(clerk.by(), received, shares({1: "1.00"})))

    told = stranger.desk.allocate(stranger.by(), received, shares({1: "1.00"}))
    assert code(told) == "404 unknown_receipt"
    assert code(take_back(stranger, received, clerk.postings_of(1)[-1])) == "404 unknown_receipt"
    assert clerk.balance(1) == 900
