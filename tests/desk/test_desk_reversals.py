"""What is undone: once, exactly, and so that the same may be recorded anew."""

import pytest

from clerk import (
    PAID,
    Clerk,
    because,
    code,
    document,
    entry_guid,
    item,
    other_customer,
    shares,
)
from ledgers import Books, pay, write_down
from makers import on_both_stores, on_every_store
from paydown.desk import Instruction, Operator, Refused, Result, reversals
from paydown.domain.model import Command
from paydown.domain.outcomes import KeyReplayed
from paydown.storage.database import Database

BAD_DEBT = 13


@pytest.fixture
def clerk(database: Database) -> Clerk:
    """The till, at the desk."""
    return Clerk(database)


def record(books: Books, command: Command) -> str:
    """Record the command; its entry's guid."""
    entry = books.outcome(command).entry
    assert entry is not None
    return entry_guid(entry.entry_id)


def undo(clerk: Clerk, identity: str, **more: str) -> Result:
    """Reverse an entry, or a posting by its id."""
    reverse = clerk.desk.reverse_posting if "." in identity else clerk.desk.reverse_entry
    return reverse(clerk.by(), identity, because(**more))


@on_every_store
def test_a_payment_is_undone_line_by_line(books: Books, clerk: Clerk) -> None:
    """The item is open again, the other line stands, and the entry says why, who and what."""
    paid = record(books, pay(clerk.caller, {1: "4.00", 2: "6.00"}, reference="R-1"))
    told = document(
        clerk.desk.reverse_posting(clerk.by(staff_user="ann"), f"{paid}.2", because("Bounced"))
    )
    entry = told["entry"]
    original, mirror = (clerk.posting(f"{paid}.2"), clerk.posting(f"{entry['entry_id']}.1"))

    assert told["items"] == [{"billing_id": 2, "balance": "10.00"}]
    assert told["value_at_rule"] == "original"
    assert (entry["kind"], entry["notes"], entry["staff_user"]) == ("reversal", "Bounced", "ann")
    assert entry["value_at"] == PAID
    assert mirror.debit_account_id == original.credit_account_id
    assert mirror.credit_account_id == original.debit_account_id
    assert (mirror.amount, mirror.reference, mirror.balance_after) == (600, "R-1", 1000)
    assert (clerk.balance(1), clerk.balance(2)) == (600, 1000)
    assert clerk.breaches() == []


@on_every_store
def test_an_entry_is_undone_as_far_as_it_stands(books: Books, clerk: Clerk) -> None:
    """What was undone before is left out, and nothing is undone twice, nor a reversal at all."""
    paid = record(books, write_down(clerk.caller, dict.fromkeys((1, 2, 3), "4.00"), BAD_DEBT))
    first = document(undo(clerk, f"{paid}.2"))["entry"]["entry_id"]
    told = document(undo(clerk, paid))

    assert [each["billing_id"] for each in told["items"]] == [1, 3]
    assert code(undo(clerk, paid)) == "409 already_reversed"
    assert code(undo(clerk, f"{paid}.2")) == "409 already_reversed"
    assert code(undo(clerk, f"{paid}.3")) == "409 already_reversed"
    assert code(undo(clerk, first)) == "409 not_reversible"
    assert code(undo(clerk, f"{first}.1")) == "409 not_reversible"
    assert [clerk.balance(number) for number in (1, 2, 3)] == [1000, 1000, 1000]
    assert clerk.breaches() == []


@on_every_store
def test_the_reversed_line_may_be_recorded_anew(books: Books, clerk: Clerk) -> None:
    """Its retry protection ends, but its Idempotency-Key has its first answer for ever."""
    keyed = pay(clerk.caller, {1: "4.00"}, reference="R-1", key="first")
    plain = pay(clerk.caller, {1: "4.00"}, reference="R-1")
    paid = record(books, keyed)
    answered = books.record(keyed).result
    assert books.outcome(plain).lines[0].replayed
    document(undo(clerk, paid))
    anew = books.outcome(plain)
    again = books.outcome(plain)

    assert isinstance(answered, KeyReplayed)
    assert books.record(keyed).result == answered
    assert not anew.lines[0].replayed
    assert anew.lines[0].balance == 600
    assert again.lines[0].replayed
    assert clerk.balance(1) == 600
    assert clerk.breaches() == []


@on_both_stores
def test_a_charge_is_undone_once_nothing_is_paid_on_it(books: Books, clerk: Clerk) -> None:
    """Until then it is refused with what to do first; then nothing is owed, nor can be paid."""
    made = document(clerk.desk.create_item(clerk.by(), item("25.00")))["billing_id"]
    charged = clerk.entry_of(made)
    paid = record(books, pay(clerk.caller, {made: "0.01"}))
    refused = undo(clerk, charged)
    document(undo(clerk, paid))
    told = document(undo(clerk, charged))

    assert code(refused) == "409 item_paid"
    assert isinstance(refused, Refused)
    assert refused.detail.endswith(f" Reverse that first, then the charge. The item is {made}.")
    assert told["items"] == [{"billing_id": made, "balance": "0.00"}]
    assert books.outcome(pay(clerk.caller, {made: "0.01"})).entry is None
    assert clerk.breaches() == []


@on_both_stores
def test_an_imported_item_is_undone_from_its_opening_balance(clerk: Clerk) -> None:
    """Item 21 was imported with a part paid: that goes first, and then the charge."""
    opening, charge = sorted(
        clerk.postings_of(21), key=lambda each: clerk.posting(each).balance_after
    )
    refused = undo(clerk, charge)
    told = document(undo(clerk, opening))

    assert code(refused) == "409 item_paid"
    assert told["items"] == [{"billing_id": 21, "balance": "250.00"}]
    document(undo(clerk, charge))
    assert clerk.balance(21) == 0
    assert clerk.breaches() == []


@on_both_stores
def test_a_receipt_is_undone_once_nothing_of_it_is_applied(clerk: Clerk) -> None:
    """Its allocations go first, by either way; then nothing of it is left to apply."""
    received = clerk.receive("30.00")
    document(clerk.desk.allocate(clerk.by(), received, shares({1: "4.00", 2: "5.00"})))
    refused = undo(clerk, received)
    allocated = clerk.entry_of(1)
    told = document(undo(clerk, allocated))
    left = clerk.unapplied(received)
    document(undo(clerk, received))

    assert code(refused) == "409 receipt_applied"
    assert told["items"] == [
        {"billing_id": 1, "balance": "10.00"},
        {"billing_id": 2, "balance": "10.00"},
    ]
    assert left == 3000
    assert clerk.unapplied(received) == 0
    again = clerk.desk.allocate(clerk.by(), received, shares({1: "0.01"}))
    assert code(again) == "409 receipt_reversed"
    assert clerk.breaches() == []


@on_both_stores
def test_a_reversal_is_dated_as_it_is_told_and_never_before(books: Books, clerk: Clerk) -> None:
    """A date before the original's is refused at its member, and so is a blank reason."""
    paid = record(books, pay(clerk.caller, {1: "1.00", 2: "1.00"}))
    early = undo(clerk, paid, value_at="2026-02-05T09:59:59.9999999Z")
    unsaid = undo(clerk, paid, reason=" \n")
    same = document(undo(clerk, f"{paid}.1", value_at="2026-02-05T11:00:00+01:00"))
    later = document(undo(clerk, f"{paid}.2", value_at="2026-06-01T00:00:00Z"))

    assert code(early) == "422 value_before_original /value_at"
    assert code(unsaid) == "422 invalid_value /reason"
    assert (same["value_at_rule"], same["entry"]["value_at"]) == ("given", PAID)
    assert later["entry"]["value_at"] == "2026-06-01T01:00:00+01:00"
    assert clerk.entry(later["entry"]["entry_id"]).value_written == "2026-06-01T00:00:00Z"
    assert clerk.breaches() == []


@on_both_stores
def test_what_is_not_the_customers_own_is_unknown(books: Books, clerk: Clerk) -> None:
    """Another customer's entries are answered as those that never were."""
    paid = record(books, pay(clerk.caller, {1: "1.00"}))
    stranger = Clerk(clerk.database, caller=other_customer(clerk.caller))
    nobodys = "019c2d0e-5f70-7a3c-9d3e-1f2a3b4c5d6e"

    for other in (paid, nobodys):
        assert code(undo(stranger, other)) == "404 unknown_entry"
        assert code(undo(stranger, f"{other}.1")) == "404 unknown_posting"
    assert code(undo(clerk, f"{paid}.2")) == "404 unknown_posting"
    assert clerk.balance(1) == 900


def test_a_great_entry_is_undone_by_its_postings_only(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import's entry can be too large for one reversal; one posting of it is not."""
    monkeypatch.setattr(reversals, "POSTINGS_MAX", 20)
    charge, *_ = clerk.postings_of(1)
    refused = undo(clerk, charge.partition(".")[0])
    document(undo(clerk, charge))

    assert code(refused) == "409 entry_too_large"
    assert clerk.balance(1) == 0
    assert clerk.breaches() == []


@pytest.mark.parametrize(("count_max", "done"), [(2, False), (3, True)])
def test_an_entry_of_just_so_many_postings_is_undone_as_a_whole(
    books: Books, clerk: Clerk, monkeypatch: pytest.MonkeyPatch, count_max: int, done: bool
) -> None:
    """One more is too many, and nothing of it is undone."""
    monkeypatch.setattr(reversals, "POSTINGS_MAX", count_max)
    paid = record(books, pay(clerk.caller, dict.fromkeys((1, 2, 3), "4.00")))
    told = undo(clerk, paid)

    assert done or code(told) == "409 entry_too_large"
    assert [clerk.balance(number) for number in (1, 2, 3)] == [1000 if done else 600] * 3
    assert clerk.breaches() == []


@on_both_stores
def test_an_operator_reverses_without_a_login(books: Books, clerk: Clerk) -> None:
    """At the machine itself nobody is logged in: the entry names none, and once is all."""
    paid = record(books, pay(clerk.caller, {1: "1.00"}))
    by = Instruction(Operator(clerk.caller.customer_id, "Europe/London"), "paydown entry reverse")
    told = document(clerk.desk.reverse_entry(by, paid, because()))
    again = clerk.desk.reverse_entry(by, paid, because())

    assert told["entry"]["caller"] is None
    assert code(again) == "409 already_reversed"
    assert clerk.balance(1) == 1000
    assert clerk.breaches() == []
