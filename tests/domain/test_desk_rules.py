"""The rules of the desk: charging, reversing and allocating, without a store."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from paydown.domain.allocating import Allocated, AllocationFacts, ReceiptFact, Share, allocate
from paydown.domain.charging import (
    BILLING_ID_MAX,
    BillingTypeFact,
    ChargedItem,
    ChargingFacts,
    NewBilling,
    charge,
    post,
)
from paydown.domain.desk_refusals import DeskRefusal, Objection
from paydown.domain.model import ItemFact, Kind, Posting
from paydown.domain.money import AMOUNT_MAX
from paydown.domain.reversing import ReceiptState, Undoing, effects, reverse

RECEIVABLES, EXTERNAL_RECEIVABLES, INCOME, CLEARING, UNAPPLIED = 10, 11, 40, 12, 21
ANNA, BEN = "anna", "ben"
NOW = (17_000_000, "2026-02-05")


def charging_facts(**more: int) -> ChargingFacts:
    """Two contacts, one billing type in use and one that is not."""
    active = BillingTypeFact("Membership", INCOME, "4000", EXTERNAL_RECEIVABLES, active=True)
    return ChargingFacts(
        minor_digits=2,
        contacts=frozenset((ANNA, BEN)),
        billing_types={1: active, 2: active._replace(active=False)},
        receivables_account_id=RECEIVABLES,
        next_billing_id=more.get("next_billing_id", 7),
    )


def billing(**more: object) -> NewBilling:
    """Anna's membership."""
    made = NewBilling(ANNA, 1, Decimal("25.00"), effective=NOW, due_on="2026-02-28")
    return made._replace(**more)  # type: ignore[arg-type]


def posting(**more: object) -> Posting:
    """A payment of 4.00 on item 1, after which it owes 6.00."""
    made = Posting(1, 1, 400, CLEARING, RECEIVABLES, 600, "R-1", "Notes", "A1")
    return made._replace(**more)  # type: ignore[arg-type]


def item(balance: int, contact_id: str = ANNA) -> ItemFact:
    """What is known of an item."""
    return ItemFact(contact_id, balance, RECEIVABLES)


# Each row could be refused for two reasons at least: the one that is tried first wins.
@pytest.mark.parametrize(
    ("wrong", "objection"),
    [
        ({"contact_id": "x", "beneficiary_id": "y"}, ("unknown_contact", "/contact_id")),
        ({"beneficiary_id": "y", "billing_type_id": 9}, ("unknown_contact", "/beneficiary_id")),
        (
            {"billing_type_id": 9, "total_amount": Decimal(0)},
            ("unknown_billing_type", "/billing_type_id"),
        ),
        (
            {"billing_type_id": 2, "total_amount": Decimal(0)},
            ("inactive_billing_type", "/billing_type_id"),
        ),
        ({"total_amount": Decimal("-0.001")}, ("amount_not_positive", "/total_amount")),
        (
            {"total_amount": Decimal("1e12") + Decimal("0.001")},
            ("amount_too_precise", "/total_amount"),
        ),
        (
            {"total_amount": Decimal(AMOUNT_MAX) / 100 + Decimal("0.01")},
            ("amount_too_large", "/total_amount"),
        ),
    ],
)
def test_a_charge_is_refused_by_the_first_rule_it_breaks(
    wrong: dict[str, object], objection: tuple[str, str]
) -> None:
    """And takes no BillingId."""
    facts = charging_facts()

    assert charge(billing(**wrong), facts) == Objection(DeskRefusal[objection[0]], objection[1])
    assert facts.next_billing_id == 7


@pytest.mark.parametrize(
    ("external", "owed_on"), [(False, RECEIVABLES), (True, EXTERNAL_RECEIVABLES)]
)
def test_a_charge_moves_income_to_what_is_owed(external: bool, owed_on: int) -> None:
    """The item takes the next number, and owes its total from the first."""
    facts = charging_facts(next_billing_id=BILLING_ID_MAX)
    charged = charge(billing(is_external=external, total_amount=Decimal(10**11)), facts)
    assert isinstance(charged, ChargedItem)
    made = post(charged, line_no=3)

    assert (charged.billing_id, charged.beneficiary_id) == (BILLING_ID_MAX, ANNA)
    assert charged.description == "Membership"
    assert (made.line_no, made.debit_account_id, made.credit_account_id) == (3, owed_on, INCOME)
    assert made.amount == made.balance_after == AMOUNT_MAX
    assert charge(billing(), facts) == Objection(DeskRefusal.billing_ids_used_up)


def test_a_reversal_is_the_exact_mirror() -> None:
    """Accounts swapped, all else the same but the notes, which are the reversal's own."""
    undoing = Undoing(Kind.PAYMENT, [posting(line_no=5)], {1: item(balance=100)})
    mirrors = reverse(undoing)

    assert mirrors == (Posting(1, 1, 400, RECEIVABLES, CLEARING, 500, "R-1", None, "A1"),)
    assert effects(undoing) == {1: 400}


def test_a_charge_is_reversed_only_where_nothing_is_paid() -> None:
    """A penny less than the total, and it is refused."""
    charged = posting(amount=1000, debit_account_id=RECEIVABLES, credit_account_id=INCOME)
    paid = Undoing(Kind.CHARGE, [charged], {1: item(balance=999)})
    unpaid = paid._replace(items={1: item(balance=1000)})
    mirrors = reverse(unpaid)

    assert reverse(paid) == Objection(DeskRefusal.item_paid, billing_id=1)
    assert isinstance(mirrors, tuple)
    assert mirrors[0].balance_after == 0
    assert effects(unpaid) == {1: -1000}


def test_a_receipt_is_reversed_only_where_nothing_is_applied() -> None:
    """Then nothing of it is left."""
    received = posting(billing_id=None, credit_account_id=UNAPPLIED, balance_after=400)
    applied = Undoing(Kind.RECEIPT, [received], {}, ReceiptState(amount=400, unapplied=399))
    mirrors = reverse(applied._replace(receipt=ReceiptState(amount=400, unapplied=400)))

    assert reverse(applied) == Objection(DeskRefusal.receipt_applied)
    assert isinstance(mirrors, tuple)
    assert (mirrors[0].billing_id, mirrors[0].balance_after) == (None, 0)
    assert mirrors[0].debit_account_id == UNAPPLIED


def test_a_reversal_is_never_reversed() -> None:
    """Whatever it undid."""
    undoing = Undoing(Kind.REVERSAL, [posting()], {1: item(balance=1000)})

    assert reverse(undoing) == Objection(DeskRefusal.not_reversible)


def receipt(unapplied: int) -> ReceiptFact:
    """Anna's lump sum."""
    return ReceiptFact(ANNA, 10_000, unapplied, UNAPPLIED, *NOW)


def test_all_that_stands_against_an_allocation_is_said() -> None:
    """Line by line; another contact's item is as one that is not there."""
    shares = [
        Share(1, Decimal("4.00")),
        Share(2, Decimal("4.00")),
        Share(9, Decimal("4.00")),
        Share(3, Decimal(0)),
        Share(4, Decimal("10.01")),
        Share(1, Decimal("4.00")),
    ]
    items = {1: item(1000), 2: item(1000, BEN), 3: item(1000), 4: item(1000)}

    assert allocate(shares, AllocationFacts(2, receipt(10_000), items)) == [
        Objection(DeskRefusal.repeated_billing_id, "/lines/0/billing_id"),
        Objection(DeskRefusal.unknown_billing_item, "/lines/1/billing_id"),
        Objection(DeskRefusal.unknown_billing_item, "/lines/2/billing_id"),
        Objection(DeskRefusal.amount_not_positive, "/lines/3/amount"),
        Objection(DeskRefusal.amount_exceeds_balance, "/lines/4/amount"),
        Objection(DeskRefusal.repeated_billing_id, "/lines/5/billing_id"),
    ]


@given(
    amounts=some.lists(some.integers(1, 1000), min_size=1, max_size=6),
    unapplied=some.integers(0, 6000),
)
def test_an_allocation_takes_what_its_lines_say_or_nothing(
    amounts: list[int], unapplied: int
) -> None:
    """It debits what is unapplied, credits what is owed, and never takes more than is left."""
    shares = [Share(place, Decimal(each) / 100) for place, each in enumerate(amounts, start=1)]
    items = {share.billing_id: item(1000) for share in shares}
    allocated = allocate(shares, AllocationFacts(2, receipt(unapplied), items))

    if sum(amounts) > unapplied:
        assert allocated == [Objection(DeskRefusal.amount_exceeds_unapplied, "/lines")]
        return
    assert isinstance(allocated, Allocated)
    assert [each.amount for each in allocated.postings] == amounts
    assert {each.debit_account_id for each in allocated.postings} == {UNAPPLIED}
    assert {each.credit_account_id for each in allocated.postings} == {RECEIVABLES}
    for made in allocated.postings:
        assert made.balance_after == 1000 - made.amount
    assert -sum(allocated.effects.values()) == sum(amounts)


@given(balance=some.integers(0, 1000), amount=some.integers(1, 1000))
def test_what_is_applied_and_taken_back_leaves_things_as_they_were(
    balance: int, amount: int
) -> None:
    """The mirror of an allocation ends at the balance that the allocation began at."""
    if amount > balance:
        return
    shares = [Share(1, Decimal(amount) / 100)]
    allocated = allocate(shares, AllocationFacts(2, receipt(1000), {1: item(balance)}))
    assert isinstance(allocated, Allocated)
    after = {1: item(balance + allocated.effects[1])}
    undoing = Undoing(Kind.ALLOCATION, allocated.postings, after)
    mirrors = reverse(undoing)

    assert isinstance(mirrors, tuple)
    assert mirrors[0].balance_after == balance
    assert effects(undoing) == {1: amount}
