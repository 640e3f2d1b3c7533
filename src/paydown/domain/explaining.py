"""Why an item's balance is what it is: what counted at a moment, in order, with a running balance.

Law of this file: for a fixed moment the answer never changes, however much is recorded later.
"""

from collections.abc import Sequence
from typing import NamedTuple

from paydown.domain.lines import Line, in_order
from paydown.domain.model import TICKS_PER_SECOND
from paydown.domain.wording import Locale, say_amount, say_minute, say_movement

PROVISIONAL_TICKS = 60 * TICKS_PER_SECOND
"""How long what was recorded at a time may still come to be seen."""


class Moment(NamedTuple):
    """What was true at ``as_of`` (None: whatever its value date), as it was known at ``known_at``.

    Both are ticks, and what happened at the very tick counts.
    """

    as_of: int | None
    known_at: int


class Step(NamedTuple):
    """A movement, and the balance that it left."""

    line: Line
    balance: int


def latest(lines: Sequence[Line], now: int) -> int:
    """The earliest time from now on at which all of these lines are known."""
    known = (line.undoing_recorded_at or line.recorded_at for line in lines)
    return max(now, *known)


def explain(lines: Sequence[Line], moment: Moment) -> list[Step]:
    """What had moved an item at the moment, out of all that ever moved it."""
    steps, balance = [], 0
    for line in in_order([each for each in lines if _counts(each, moment)]):
        balance += line.effect
        steps.append(Step(line.as_known_at(moment.known_at), balance))
    return steps


def tell(steps: Sequence[Step], moment: Moment, locale: Locale) -> list[str]:
    """The same in plain English, a line for each movement, and the balance in the last one."""
    balance = steps[-1].balance if steps else 0
    true = f" at {say_minute(moment.as_of, locale)}" if moment.as_of is not None else ""
    known = say_minute(moment.known_at, locale)
    told = [say_movement(step.line, step.balance, locale) for step in steps]
    told.append(f"The balance{true}, as known at {known}, is {say_amount(balance, locale)}.")
    return told


def is_provisional(known_at: int, now: int) -> bool:
    """Whether something recorded by then may not be seen yet."""
    return known_at > now - PROVISIONAL_TICKS


def _counts(line: Line, moment: Moment) -> bool:
    true = moment.as_of is None or line.value_at <= moment.as_of
    return true and line.recorded_at <= moment.known_at
