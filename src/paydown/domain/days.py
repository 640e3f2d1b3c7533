"""Days: what the calendar says at a moment, in a customer's time zone.

Law of this file: a day begins where its first moment is, also where a change of the clock skips
midnight or doubles it. No day is ever that of UTC unless the customer's zone is.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from paydown.domain.model import TICKS_PER_SECOND

DAY_MAX = date(9999, 12, 30)
"""The last day that another one follows."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(ticks: int, time_zone: str) -> date:
    """The day that it is then."""
    return _local(ticks, time_zone).date()


def time_of(ticks: int, time_zone: str) -> str:
    """The time of day that it is then, to the minute, such as 09:13."""
    return f"{_local(ticks, time_zone):%H:%M}"


def start_of(day: date, time_zone: str) -> int:
    """The first moment of the day, in ticks."""
    local = datetime.combine(day, time(), find_zone(time_zone))
    offset = local.utcoffset()
    assert offset is not None, "a named zone always has one"
    since = local.replace(tzinfo=UTC) - _EPOCH - offset
    return (since.days * 86_400 + since.seconds) * TICKS_PER_SECOND


def end_of(day: date, time_zone: str) -> int:
    """The first moment after the day, in ticks."""
    return start_of(min(day, DAY_MAX) + timedelta(days=1), time_zone)


def _local(ticks: int, time_zone: str) -> datetime:
    moment = _EPOCH + timedelta(seconds=ticks // TICKS_PER_SECOND)
    return moment.astimezone(find_zone(time_zone))


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo:
    """The time zone of that name."""
    return ZoneInfo(name)
