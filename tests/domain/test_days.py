"""Days and ages by the customer's calendar, also where a clock is changed at midnight."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydown.domain.ageing import AGE_BANDS, band_of, days_overdue, find_span
from paydown.domain.days import DAY_MAX, day_of, end_of, start_of, time_of

ZONES = [
    *("UTC", "Europe/London", "America/New_York", "America/Sao_Paulo", "Asia/Beirut"),
    *("Pacific/Apia", "Africa/Monrovia", "America/Havana", "Asia/Kathmandu"),
]
HOUR = 3600 * 10_000_000


@given(st.dates(date(1970, 1, 2), date(2099, 12, 31)), st.sampled_from(ZONES))
def test_a_day_lasts_from_its_start_to_its_end(day: date, zone: str) -> None:
    """Its first moment is in it, the last one too, and the ones beside it are not."""
    start, end = start_of(day, zone), end_of(day, zone)
    if day_of(start, zone) != day:  # skipped as a whole, when Samoa changed sides
        assert (zone, day) == ("Pacific/Apia", date(2011, 12, 30))
        return

    assert day_of(end - 1, zone) == day
    assert day_of(start - 1, zone) < day < day_of(end, zone)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/London", date(2026, 3, 29), 23),
        ("Europe/London", date(2026, 10, 25), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("America/Havana", date(2026, 11, 1), 25),
    ],
)
def test_a_day_on_which_the_clock_is_changed_has_its_own_length(
    zone: str, day: date, hours: int
) -> None:
    """Also where midnight itself is skipped or comes twice."""
    assert end_of(day, zone) - start_of(day, zone) == hours * HOUR


def test_the_last_day_of_all_has_an_end() -> None:
    """No day that can be asked for is beyond the calendar."""
    assert end_of(date.max, "Europe/London") == end_of(DAY_MAX, "Europe/London")
    assert time_of(start_of(date(2026, 7, 1), "Europe/London"), "UTC") == "23:00"


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(-200, 400))
def test_each_debt_is_in_one_band_and_that_is_the_one_it_is_found_in(on: date, days: int) -> None:
    """The bands leave nothing out, and a list by band holds what the report counts in it."""
    due_on = on - timedelta(days=days)
    holding = []
    for band in AGE_BANDS:
        span = find_span(band.name, on)
        after = span.due_from is None or due_on.isoformat() >= span.due_from
        if after and (span.due_before is None or due_on.isoformat() < span.due_before):
            holding.append(band.name)

    assert holding == [band_of(due_on, on)]
    assert days_overdue(due_on, on) == max(days, 0)


@pytest.mark.parametrize(
    ("days", "band"),
    [
        *((0, "not_due"), (1, "1-30"), (30, "1-30"), (31, "31-60"), (60, "31-60")),
        *((61, "61-90"), (90, "61-90"), (91, "over_90"), (5000, "over_90")),
    ],
)
def test_a_band_begins_and_ends_on_its_day(days: int, band: str) -> None:
    """An item is overdue from the day after the one it is due on."""
    assert band_of(date(2026, 3, 1) - timedelta(days=days), date(2026, 3, 1)) == band
