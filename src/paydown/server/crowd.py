"""Who gives way when there is room for no other connection.

Law of this file: nobody goes who has sent a whole head, is owed an answer, and reads what he is
sent. Of the others it is one of the place that has the most of them, and of these the one that has
waited for longest: who opens thousands crowds out himself. A place is an address, or all those of
IPv6 that one client commands.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from paydown.access import read_place


class Place(Protocol):
    """A connection, as the others see it."""

    @property
    def address(self) -> str:
        """Whose it is."""

    @property
    def waiting_since(self) -> float | None:
        """Since when it has waited for its peer to speak, read or go; None while it is owed."""

    def give_way(self) -> None:
        """Close, and count as a connection no longer."""


def make_room(places: Iterable[Place]) -> bool:
    """Have one of them give way; False where all are owed an answer."""
    waiting = [(place.waiting_since, place) for place in places]
    idle = [(since, place) for since, place in waiting if since is not None]
    if not idle:
        return False
    where = {address: read_place(address) for address in {each.address for _, each in idle}}
    counts = Counter(where[each.address] for _, each in idle)
    most = max(counts.values())
    _, longest = min(
        ((since, each) for since, each in idle if counts[where[each.address]] == most),
        key=lambda each: each[0],
    )
    longest.give_way()
    return True
