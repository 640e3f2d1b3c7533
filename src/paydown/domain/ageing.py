"""Ageing: by how many days a debt is overdue.

Law of this file: an item is overdue from the day after the one it is due on, by the calendar of
the customer's own days.
"""

from datetime import date
from typing import NamedTuple


class AgeBand(NamedTuple):
    """So many days overdue, the bounds included; None is no bound."""

    name: str
    least: int | None
    most: int | None


AGE_BANDS = (
    AgeBand("not_due", None, 0),
    AgeBand("1-30", 1, 30),
    AgeBand("31-60", 31, 60),
    AgeBand("61-90", 61, 90),
    AgeBand("over_90", 91, None),
)
NOT_DUE = AGE_BANDS[0].name


class DueSpan(NamedTuple):
    """Due from a day on, and before another, as texts of days; None is no bound."""

    due_from: str | None
    due_before: str | None


def days_overdue(due_on: date, on: date) -> int:
    """By how many days it is overdue on that day; 0 where it is not."""
    return max((on - due_on).days, 0)


def band_of(due_on: date, on: date) -> str:
    """The name of the band that the debt is in on that day."""
    days = days_overdue(due_on, on)
    return next(band.name for band in AGE_BANDS if band.most is None or days <= band.most)


def find_span(band_name: str, on: date) -> DueSpan:
    """When the items of that band on that day were or will be due."""
    band = next(band for band in AGE_BANDS if band.name == band_name)
    return DueSpan(
        None if band.most is None else _days_before(on, band.most),
        None if band.least is None else _days_before(on, band.least - 1),
    )


def _days_before(on: date, days: int) -> str:
    return date.fromordinal(max(on.toordinal() - days, 1)).isoformat()
