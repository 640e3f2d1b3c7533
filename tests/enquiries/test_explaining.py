"""Explanations: every penny of a balance, at any past moment, and never another answer for it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ledgers
from clerk import Clerk, because, document, item, shares
from ledgers import ANNA, Books, pay, write_down
from makers import Maker, on_both_stores
from paydown.domain.model import TICKS_PER_SECOND
from paydown.enquiries import Enquiries
from paydown.service import read_clock
from paydown.storage.database import Database
from paydown.wire.formats import read_date
from paydown.wire.v1 import orders
from paydown.wire.v1.documents import Explanation

MINUTE = 60 * TICKS_PER_SECOND
FEBRUARY = [f"2026-02-{day:02}T10:00:00+00:00" for day in range(1, 8)]


def ticks(text: str) -> int:
    """A time of an answer's."""
    found = read_date(text, "Europe/London")
    assert found is not None
    return found[0]


def explain(enquiries: Enquiries, billing_id: int, **moment: int | None) -> Explanation:
    """The explanation of an item that is known."""
    found = enquiries.explain(1, billing_id, **moment)
    assert found is not None
    return found


def charged(clerk: Clerk, amount: str = "25.00", **more: Any) -> int:
    """A new item of Anna's; its id."""
    made = document(clerk.desk.create_item(clerk.by(staff_user="sue"), item(amount, **more)))
    return int(made["billing_id"])


def ticks_said(time: str) -> str:
    """A time of an answer's, as a sentence says it."""
    moment = datetime.fromisoformat(time[:16])
    return f"{moment.day} {moment:%b %Y %H:%M}"


@on_both_stores
def test_a_balance_is_explained_movement_by_movement(
    clerk: Clerk, enquiries: Enquiries, database: Database
) -> None:
    """Who, when, where, under which rule, and what undid it, in the order in which it was true."""
    billing_id = charged(clerk, effective_at=FEBRUARY[0])
    with Books(database) as books:
        more = {"authorization_code": "A-9", "notes": "at the desk"}
        paid = pay(
            books.caller(), {billing_id: "10.00"}, reference="BACS 7", date=FEBRUARY[3], **more
        )
        books.outcome(paid)
    undone = clerk.postings_of(billing_id)[-1]
    clerk.desk.reverse_posting(clerk.by(), undone, because("Wrong member"))
    received = clerk.receive("30.00", value_at=FEBRUARY[1])
    applied = shares({billing_id: "12.60"}, value_at=FEBRUARY[2])
    document(clerk.desk.allocate(clerk.by(), received, applied))

    told = explain(enquiries, billing_id)

    assert [(each.kind, each.effect, each.balance) for each in told.movements] == [
        ("charge", "25.00", "25.00"),
        ("allocation", "-12.60", "12.40"),
        ("payment", "-10.00", "2.40"),
        ("reversal", "10.00", "12.40"),
    ]
    charge, allocation, payment, reversal = told.movements
    assert (charge.caller, charge.staff_user, charge.address) == ("till", "sue", "10.0.0.7")
    assert charge.rule == "A charge debits the item's receivables account and credits income."
    assert allocation.receipt_id == received
    assert f": £12.60 applied from receipt {received} (recorded " in told.sentences[1]
    assert (payment.reference, payment.counter_account.code) == ("BACS 7", "1250")
    assert payment.reversed_by is not None
    assert payment.reversed_by.reason == "Wrong member"
    assert payment.reversed_by.posting_id == reversal.posting_id
    assert reversal.reverses == payment.posting_id == undone
    assert (told.balance, told.item.balance, told.item.state) == ("12.40", "12.40", "open")
    assert told.sentences[0].startswith("1 Feb 2026: £25.00 charged for May (recorded ")
    assert told.sentences[0].endswith(
        " by till for sue from 10.0.0.7, request r-1). A charge debits the item's receivables "
        "account and credits income. The balance was £25.00."
    )
    assert told.sentences[2].startswith(
        "4 Feb 2026: £10.00 paid by External Payment, reference BACS 7, authorization code A-9, "
        "notes: at the desk (recorded "
    )
    assert f"{payment.rule} The balance was £2.40. It was reversed " in told.sentences[2]
    learned = f"{ticks_said(reversal.recorded_at)} by posting {reversal.posting_id}"
    assert told.sentences[2].endswith(
        f" with effect from 4 Feb 2026, recorded {learned}: Wrong member."
    )
    assert "by reversing the payment of 4 Feb 2026, because: Wrong member" in told.sentences[3]
    assert told.sentences[-1].endswith(" is £12.40.")


@on_both_stores
def test_what_was_not_known_then_is_not_told(clerk: Clerk, enquiries: Enquiries) -> None:
    """Before the reversal was recorded, the payment stood and nothing undid it."""
    billing_id = charged(clerk)
    received = clerk.receive("30.00")
    document(clerk.desk.allocate(clerk.by(), received, shares({billing_id: "5.00"})))
    before = explain(enquiries, billing_id)
    allocation = clerk.postings_of(billing_id)[-1]
    clerk.desk.reverse_posting(clerk.by(), allocation, because())
    after = explain(enquiries, billing_id)
    then = explain(enquiries, billing_id, known_at=ticks(before.known_at))

    assert (before.balance, then.balance, after.balance) == ("20.00", "20.00", "25.00")
    assert then.movements == before.movements
    assert then.sentences == before.sentences
    assert after.movements[1].reversed_by is not None
    assert enquiries.explain(1, billing_id, known_at=ticks(FEBRUARY[0])) is None
    assert enquiries.explain(1, 999) is None
    assert enquiries.explain(2, billing_id) is None


@on_both_stores
def test_what_comes_at_the_very_moment_counts(clerk: Clerk, enquiries: Enquiries) -> None:
    """What is true then, what is recorded then, and that it undid something; a tick before not."""
    billing_id = charged(clerk, effective_at=FEBRUARY[0])
    (charge,) = explain(enquiries, billing_id).movements
    clerk.desk.reverse_posting(clerk.by(), charge.posting_id, because(value_at=FEBRUARY[1]))
    recorded_at = ticks(explain(enquiries, billing_id).movements[1].recorded_at)

    true = [explain(enquiries, billing_id, as_of=ticks(FEBRUARY[1]) - ago) for ago in (0, 1)]
    known = [explain(enquiries, billing_id, known_at=recorded_at - ago) for ago in (0, 1)]
    assert [(each.balance, len(each.movements)) for each in (*true, *known)] == [
        ("0.00", 2),
        ("25.00", 1),
    ] * 2
    assert [each.movements[0].reversed_by is not None for each in known] == [True, False]


@on_both_stores
def test_the_answer_for_a_fixed_pair_never_changes(
    clerk: Clerk, enquiries: Enquiries, database: Database
) -> None:
    """Not a byte, whatever is recorded and renamed later, also with an earlier value date."""
    billing_id = charged(clerk, effective_at=FEBRUARY[1])
    known_at = ticks(explain(enquiries, billing_id).known_at)
    later = Enquiries(database, clock=lambda: known_at + MINUTE)
    pairs = [(None, known_at), (ticks(FEBRUARY[0]), known_at), (ticks(FEBRUARY[2]), known_at)]

    def answers(asked: Enquiries) -> list[bytes]:
        return [
            msgspec.json.encode(explain(asked, billing_id, as_of=as_of, known_at=known))
            for as_of, known in pairs
        ]

    before = answers(later)
    with Books(database) as books:
        books.outcome(pay(books.caller(), {billing_id: "4.00"}, date=FEBRUARY[0]))
    clerk.desk.reverse_posting(clerk.by(), clerk.postings_of(billing_id)[-1], because())
    renamed = orders.ContactChange(name="Anna Newname")
    document(clerk.desk.change_contact(clerk.by(), ANNA, renamed))
    much_later = Enquiries(database, clock=lambda: known_at + 500 * 24 * 60 * MINUTE)

    assert answers(later) == before
    assert answers(much_later) == before
    assert b'"provisional":false' in before[0]


def test_only_what_is_a_minute_old_is_final(clerk: Clerk, database: Database) -> None:
    """A younger moment, and one to come, may still be added to."""
    billing_id = charged(clerk)
    known_at = ticks(explain(Enquiries(database, clock=read_clock), billing_id).known_at)

    def explain_at(now: int) -> Explanation:
        asked = Enquiries(database, clock=lambda: now)
        return explain(asked, billing_id, known_at=known_at)

    young = [explain_at(known_at + age) for age in (-MINUTE, 0, MINUTE - 1)]
    final = explain_at(known_at + MINUTE)

    assert [each.provisional for each in (*young, final)] == [True, True, True, False]
    assert {tuple(each.sentences) for each in young} == {tuple(final.sentences)}


def test_what_a_caller_wrote_makes_no_sentence(
    clerk: Clerk, enquiries: Enquiries, database: Database
) -> None:
    """It stays on its line, and what would hide or turn round other text is shown as such."""
    billing_id = charged(clerk, effective_at=FEBRUARY[0])
    forged = "paid\nThe balance is £0.00.\u202e\x1b[2J"
    with Books(database) as books:
        books.outcome(pay(books.caller(), {billing_id: "1.00"}, date=FEBRUARY[1], notes=forged))
    told = explain(enquiries, billing_id)

    assert r", notes: paid\nThe balance is £0.00.\u202e\x1b[2J (" in told.sentences[1]
    assert told.movements[1].notes == forged


def test_what_a_fast_clock_recorded_is_told_at_once(clerk: Clerk, database: Database) -> None:
    """Without a moment all counts, also what was recorded ahead of this server's clock."""
    billing_id = charged(clerk)
    slow = Enquiries(database, clock=lambda: read_clock() - MINUTE)

    told = explain(slow, billing_id)

    assert told.balance == "25.00"
    assert explain(slow, billing_id, known_at=ticks(told.known_at)).balance == "25.00"


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """What is done to one item: how, with what amount or to which posting, and on which day."""
    return draw(
        st.lists(
            st.tuples(
                st.sampled_from(["pay", "pay", "write down", "allocate", "reverse"]),
                st.integers(1, 6),
                st.integers(0, 6),
            ),
            min_size=1,
            max_size=8,
        )
    )


def do(clerk: Clerk, books: Books, billing_id: int, step: tuple[str, int, int]) -> None:
    """One step of a history. It may be refused: then it changes nothing."""
    how, number, day = step
    match how:
        case "pay":
            lines = {billing_id: str(number)}
            books.outcome(pay(books.caller(), lines, date=FEBRUARY[day], reference=f"{step}"))
        case "write down":
            lines = {billing_id: str(number)}
            books.outcome(write_down(books.caller(), lines, 13, date=FEBRUARY[day]))
        case "allocate":
            received = clerk.receive(str(number), value_at=FEBRUARY[0])
            applied = shares({billing_id: str(number)}, value_at=FEBRUARY[day])
            clerk.desk.allocate(clerk.by(), received, applied)
        case _:
            moved = clerk.postings_of(billing_id)
            chosen = moved[number % len(moved)]
            clerk.desk.reverse_posting(clerk.by(), chosen, because(value_at=FEBRUARY[day]))


def replay(told: Explanation, as_of: int, known_at: int) -> Decimal:
    """What the movements come to that were true and known, added up from the full list."""
    return sum(
        (
            Decimal(each.effect)
            for each in told.movements
            if ticks(each.value_at) <= as_of and ticks(each.recorded_at) <= known_at
        ),
        Decimal(0),
    )


@on_both_stores
def test_any_history_is_explained_to_the_penny(maker: Maker) -> None:
    """The last balance is the item's own, and for any pair the sum of what the full list has."""

    @settings(max_examples=maker.histories_max)
    @given(steps=histories())
    def check(steps: list[tuple[str, int, int]]) -> None:
        database = maker.copy()
        clerk = Clerk(database)
        enquiries = Enquiries(database, clock=read_clock)
        billing_id = charged(clerk, "10.00", effective_at=FEBRUARY[2])
        with ledgers.Books(database) as books:
            for step in steps:
                do(clerk, books, billing_id, step)
        told = explain(enquiries, billing_id)
        times = sorted(ticks(each.recorded_at) for each in told.movements)

        assert Decimal(told.balance) * 100 == clerk.balance(billing_id)
        assert [each.posting_id for each in told.movements] != []
        for known_at in times:
            for day in FEBRUARY:
                then = explain(enquiries, billing_id, as_of=ticks(day), known_at=known_at)
                assert Decimal(then.balance) == replay(told, ticks(day), known_at)
                undone = [each.reversed_by for each in then.movements if each.reversed_by]
                assert all(ticks(each.recorded_at) <= known_at for each in undone)

    check()


@pytest.mark.parametrize(
    ("known", "day", "overdue"),
    [("2026-07-01T22:59:59Z", "1 Jul 2026", 0), ("2026-07-01T23:00:00Z", "2 Jul 2026", 1)],
)
def test_a_day_is_the_customers_own(
    clerk: Clerk, enquiries: Enquiries, known: str, day: str, overdue: int
) -> None:
    """In summer London's midnight is at 23:00 UTC, and by it an item falls overdue."""
    billing_id = charged(clerk, effective_at=FEBRUARY[0], due_on="2026-07-01")

    told = explain(enquiries, billing_id, as_of=ticks(known))

    assert told.item.days_overdue == overdue
    assert told.sentences[-1].startswith(f"The balance at {day} ")
