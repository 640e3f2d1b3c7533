"""Who gives way when there is room for no other connection.

Law of this file: nobody goes who has sent a whole head and is owed an answer. Of the others it is
one of the address that has the most of them, and of these the one that has waited for longest: who
opens thousands crowds out himself.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Protocol


class Place(Protocol):
    """A connection, as the others see it."""

    @property
    def address(self) -> str:
        """Whose it is."""

    @property
    def waiting_since(self) -> float | None:
        """Since when it has waited for its peer to say something; None while an answer is owed."""

    def give_way(self) -> None:
        """Close, and count as a connection no longer."""


def make_room(places: Iterable[Place]) -> bool:
    """Have one of them give way; False where all are owed an answer."""
    waiting = [(place.waiting_since, place) for place in places]
    idle = [(since, place) for since, place in waiting if since is not None]
    if not idle:
        return False
    counts = Counter(place.address for _, place in idle)
    most = max(counts.values())
    _, longest = min(
        ((since, place) for since, place in idle if counts[place.address] == most),
        key=lambda each: each[0],
    )
    longest.give_way()
    return True
