"""Suggestions: which items a sum of money may be meant for. Nothing is decided here.

Law of this file: the work is bounded. An exact sum is looked for among the ``SUMMED_MAX`` items
due first and no further, so that the absence of one is no proof that there is none.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

SUMMED_MAX = 20
"""Among how many items an exact sum is looked for: at most 2 to the 20th power of sets."""

EACH_MAX = 3
"""How many suggestions come of one rule."""

SHARES_MAX = 1_000
"""Over how many items money is spread: as many as one request can name."""

EXACT_ITEM, EXACT_SUBSET, OLDEST_FIRST = "exact_item", "exact_subset", "oldest_first"


class Owing(NamedTuple):
    """An item that owes something, and the day it is due on as a text."""

    billing_id: int
    balance: int
    due_on: str


class Share(NamedTuple):
    """A part of the money, for one item."""

    billing_id: int
    amount: int


class Proposal(NamedTuple):
    """One way to use the money, by a rule."""

    rule: str
    shares: tuple[Share, ...]

    @property
    def total(self) -> int:
        """What of the money it uses."""
        return sum(share.amount for share in self.shares)


def propose(unapplied: int, owing: Sequence[Owing]) -> list[Proposal]:
    """The ways to use the money, the likeliest first, none twice.

    First the items that owe exactly this, the oldest first; then sets of items that do together,
    the fewest items first; then the oldest debts, as far as it goes.
    """
    if unapplied <= 0:
        return []
    oldest = sorted(owing, key=lambda item: (item.due_on, item.billing_id))
    proposals = [
        Proposal(EXACT_ITEM, (Share(item.billing_id, item.balance),))
        for item in oldest
        if item.balance == unapplied
    ][:EACH_MAX]
    proposals += [
        Proposal(EXACT_SUBSET, tuple(Share(item.billing_id, item.balance) for item in subset))
        for subset in find_subsets(unapplied, oldest[:SUMMED_MAX])
    ]
    proposals.append(Proposal(OLDEST_FIRST, _fill(unapplied, oldest)))
    return _without_repeats(proposals)


def find_subsets(total: int, items: Sequence[Owing]) -> list[tuple[Owing, ...]]:
    """Sets of two items or more that owe exactly the total: a few, the smallest sets first.

    Each half of the items is summed in every way, then the halves are matched. Of equally small
    sets, those of the items named first come first.
    """
    half = len(items) // 2
    matching: dict[int, list[tuple[int, ...]]] = {}
    for right in _sets_of(range(half, len(items))):
        matching.setdefault(_sum(items, right), []).append(right)
    found: list[tuple[int, ...]] = []
    for left in _sets_of(range(half)):
        rest = matching.get(total - _sum(items, left), [])
        found += [left + right for right in rest if len(left) + len(right) > 1][:EACH_MAX]
    found.sort(key=lambda chosen: (len(chosen), chosen))
    return [tuple(items[index] for index in chosen) for chosen in found[:EACH_MAX]]


def _sets_of(indexes: range) -> list[tuple[int, ...]]:
    """Every set of the indexes, the smallest first and each in order."""
    return [chosen for size in range(len(indexes) + 1) for chosen in combinations(indexes, size)]


def _sum(items: Sequence[Owing], chosen: tuple[int, ...]) -> int:
    return sum(items[index].balance for index in chosen)


def _fill(unapplied: int, oldest: Sequence[Owing]) -> tuple[Share, ...]:
    shares = []
    for item in oldest[:SHARES_MAX]:
        amount = min(unapplied, item.balance)
        if amount == 0:
            break
        shares.append(Share(item.billing_id, amount))
        unapplied -= amount
    return tuple(shares)


def _without_repeats(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Each set of shares once, under the first rule that found it."""
    first: dict[tuple[Share, ...], Proposal] = {}
    for proposal in proposals:
        if proposal.shares:
            first.setdefault(tuple(sorted(proposal.shares)), proposal)
    return list(first.values())
