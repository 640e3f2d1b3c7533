"""Suggestions: exact before likely, nothing more than is owed or there, and bounded work."""

import time
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydown.domain.suggesting import (
    EACH_MAX,
    PAIRED_MAX,
    SHARES_MAX,
    SUMMED_MAX,
    Owing,
    find_subsets,
    propose,
)


def owing(*balances: int) -> list[Owing]:
    """Items that owe so much, each due a day after the one before."""
    return [Owing(n, each, f"2026-02-{n:02}") for n, each in enumerate(balances, start=1)]


def shown(unapplied: int, items: list[Owing]) -> list[tuple[str, dict[int, int]]]:
    """Each suggestion's rule and shares."""
    return [(each.rule, dict(each.shares)) for each in propose(unapplied, items)]


def test_an_exact_item_is_likelier_than_a_sum_than_the_oldest() -> None:
    """In that order, and the oldest as far as the money goes."""
    assert shown(1000, owing(700, 300, 1000)) == [
        ("exact_item", {3: 1000}),
        ("exact_subset", {1: 700, 2: 300}),
    ]
    assert shown(1000, owing(400, 700, 300)) == [
        ("exact_subset", {2: 700, 3: 300}),
        ("oldest_first", {1: 400, 2: 600}),
    ]


def test_the_same_shares_are_suggested_once() -> None:
    """Where the oldest item is the exact one, that is said alone."""
    assert shown(1000, owing(1000, 1000)) == [
        ("exact_item", {1: 1000}),
        ("exact_item", {2: 1000}),
    ]
    assert shown(1000, owing(1000)) == [("exact_item", {1: 1000})]


def test_more_money_than_debt_pays_it_all_and_leaves_a_rest() -> None:
    """Nothing is suggested beyond what an item owes."""
    assert shown(5000, owing(700, 300)) == [("oldest_first", {1: 700, 2: 300})]
    assert shown(5000, []) == shown(0, owing(700)) == []


def test_of_many_like_items_the_oldest_are_suggested() -> None:
    """A few of each rule, however many would do."""
    found = shown(2000, owing(*[1000] * 28))

    assert [shares for rule, shares in found if rule == "exact_subset"] == [
        {1: 1000, 2: 1000},
        {1: 1000, 3: 1000},
        {1: 1000, 4: 1000},
    ]
    assert len(shown(1000, owing(*[1000] * 28))) == EACH_MAX


def test_money_goes_over_as_many_items_as_a_request_can_name() -> None:
    """The rest is left over."""
    many = [Owing(n, 1, "2026-02-01") for n in range(1, SHARES_MAX + 100)]

    assert propose(10**6, many)[-1].total == SHARES_MAX


@given(st.lists(st.integers(1, 12), max_size=9), st.integers(1, 60))
def test_a_sum_is_found_wherever_there_is_one(balances: list[int], total: int) -> None:
    """As trying every set of two and more would, the smallest sets first."""
    items = owing(*balances)
    every = sorted(
        (len(chosen), chosen)
        for size in range(2, len(items) + 1)
        for chosen in combinations(range(len(items)), size)
        if sum(items[index].balance for index in chosen) == total
    )
    expected = [tuple(items[index] for index in chosen) for _, chosen in every[:EACH_MAX]]

    assert find_subsets(total, items) == expected


@given(st.lists(st.integers(1, 10**13), max_size=60), st.integers(1, 10**13))
def test_no_suggestion_overspends(balances: list[int], unapplied: int) -> None:
    """Neither the receipt nor any item, and each item is named once."""
    items = [Owing(n, each, "2026-02-01") for n, each in enumerate(balances)]
    for proposal in propose(unapplied, items):
        named = [share.billing_id for share in proposal.shares]

        assert proposal.total <= unapplied
        assert len(set(named)) == len(named)
        assert all(0 < share.amount <= balances[share.billing_id] for share in proposal.shares)


@pytest.mark.parametrize("places", [(0, 299), (298, 299), (0, 150, 299), (297, 298, 299)])
def test_a_sum_of_two_or_three_is_found_among_many(places: tuple[int, ...]) -> None:
    """Whenever they are due: the others owe an even amount each, so that none of theirs is odd."""
    balances = [20_000 + 2 * place for place in range(PAIRED_MAX)]
    for place, amount in zip(places, (7, 400, 6), strict=False):
        balances[place] = amount
    items = [Owing(n, each, "2026-02-01") for n, each in enumerate(balances)]
    total = sum(balances[place] for place in places)

    assert shown(total, items)[0] == ("exact_subset", {n: balances[n] for n in places})


def test_two_items_are_likelier_than_four() -> None:
    """The smallest set comes first, also where its items are due last."""
    many = owing(250, 250, 250, 250, *[9000] * 20, 400, 600)

    assert shown(1000, many)[:2] == [
        ("exact_subset", {25: 400, 26: 600}),
        ("exact_subset", {1: 250, 2: 250, 3: 250, 4: 250}),
    ]


def test_the_search_looks_at_a_bounded_number_of_items() -> None:
    """A sum of four is looked for among few, one of two among many; and it takes no time."""
    last = [1] * SUMMED_MAX + [400, 500, 600, 700]
    later = [Owing(n, each, "2026-02-01") for n, each in enumerate([1] * PAIRED_MAX + [500, 600])]
    alike = [Owing(n, 1000, "2026-02-01") for n in range(2000)]
    began = time.process_time()

    assert [rule for rule, _ in shown(2200, owing(*last))] == ["oldest_first"]
    assert [rule for rule, _ in shown(1100, later)] == ["oldest_first"]
    assert [rule for rule, _ in shown(3000, alike)] == ["exact_subset"] * EACH_MAX
    assert time.process_time() - began < 2
