"""Where a crash can be had on purpose: at a statement of a batch's, or of a write of the desk's."""

import random
from collections.abc import Mapping

MOMENTS = {
    "before load": "BEGIN IMMEDIATE",
    "while saving": "INSERT INTO posting",
    "between save and commit": "COMMIT",
    "after commit": "COMMITTED",
    "before the answer": "",
}
"""In a batch: at the statement that begins so."""

DESK_MOMENTS = {
    "before the desk's begin": "BEGIN IMMEDIATE",
    "while the desk writes": "INSERT INTO",
    "before the desk's commit": "COMMIT",
    "after the desk's commit": "COMMITTED",
    "before the desk's answer": "",
}
"""The same in a write of the desk's. Of its INSERTs it may be any."""

INSERTS_MAX = 4


class Fuse:
    """A crash that waits for its moment. ``moment`` is None where none does."""

    def __init__(self, chance: random.Random) -> None:
        self.moment: str | None = None
        self._chance = chance
        self._to_pass = 0

    def lay(self, moments: Mapping[str, str]) -> None:
        """Choose one of the moments, and wait for it."""
        self.moment = self._chance.choice(list(moments))
        self._to_pass = 0
        if moments[self.moment] == "INSERT INTO":
            self._to_pass = self._chance.randrange(INSERTS_MAX)

    def is_at(self, statement: str, *, desk: bool) -> bool:
        """Whether its moment has come, at a statement of the desk's or of a batch's."""
        wanted = (DESK_MOMENTS if desk else MOMENTS).get(self.moment or "")
        if wanted is None:
            return False
        if statement != wanted and not (wanted and statement.startswith(f"{wanted} ")):
            return False
        self._to_pass -= 1
        return self._to_pass < 0
