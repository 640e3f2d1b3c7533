"""Suggestions: which items a sum of money may be meant for. Nothing is decided here.

Law of this file: the work is bounded. An exact sum is looked for in small sets among many items
and in sets of any size among few, so that the absence of one is no proof that there is none.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from typing import NamedTuple

SUMMED_MAX = 20
"""Among how many items all sets are looked at for an exact sum: 2 to the 20th power at most."""

PAIRED_MAX = 300
"""Among how many items two or three are looked for that make an exact sum."""

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
        for subset in find_subsets(unapplied, oldest)
    ]
    proposals.append(Proposal(OLDEST_FIRST, _fill(unapplied, oldest)))
    return _without_repeats(proposals)


def find_subsets(total: int, items: Sequence[Owing]) -> list[tuple[Owing, ...]]:
    """Sets of two items or more that owe exactly the total: a few, the smallest sets first.

    Of equally small sets, those of the items named first come first.
    """
    balances = [item.balance for item in items]
    found = {
        *islice(_find_pairs(total, balances[:PAIRED_MAX]), EACH_MAX),
        *islice(_find_triples(total, balances[:PAIRED_MAX]), EACH_MAX),
        *_find_sets(total, balances[:SUMMED_MAX]),
    }
    first = sorted(found, key=lambda chosen: (len(chosen), chosen))[:EACH_MAX]
    return [tuple(items[index] for index in chosen) for chosen in first]


def _find_pairs(total: int, balances: Sequence[int], start: int = 0) -> Iterator[tuple[int, ...]]:
    """Every two from ``start`` on, by their places, that sum to the total; the first ones first."""
    places = defaultdict(list)
    for place in range(start, len(balances)):
        places[balances[place]].append(place)
    for left in range(start, len(balances)):
        for right in places.get(total - balances[left], ()):
            if right > left:
                yield left, right


def _find_triples(total: int, balances: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for first, balance in enumerate(balances):
        if balance < total:
            for rest in _find_pairs(total - balance, balances, first + 1):
                yield first, *rest


def _find_sets(total: int, balances: Sequence[int]) -> list[tuple[int, ...]]:
    """Sets of any size above one that sum to the total, the smallest among them.

    Each half is summed in every way, then the halves are matched.
    """
    half = len(balances) // 2
    matching: dict[int, list[tuple[int, ...]]] = {}
    for right in _sets_of(range(half, len(balances))):
        matching.setdefault(_sum(balances, right), []).append(right)
    found: list[tuple[int, ...]] = []
    for left in _sets_of(range(half)):
        rest = matching.get(total - _sum(balances, left), [])
        found += [left + right for right in rest if len(left) + len(right) > 1][:EACH_MAX]
    return found


def _sets_of(indexes: range) -> list[tuple[int, ...]]:
    """Every set of the indexes, the smallest first and each in order."""
    return [chosen for size in range(len(indexes) + 1) for chosen in combinations(indexes, size)]


def _sum(balances: Sequence[int], chosen: tuple[int, ...]) -> int:
    return sum(balances[place] for place in chosen)


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
