"""The wire's decimals, dates and guids, exact in both directions.

Law of this file: a reader answers None for what the wire does not allow, and never raises; digits
are ASCII; no number passes through a float; a literal, however long, costs no more than reading it.
"""

import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from paydown.domain.days import find_zone
from paydown.domain.model import TICKS_PER_SECOND
from paydown.domain.money import DIGITS_MAX, digit_count

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
YEAR_MIN, YEAR_MAX = "1970", "2099"
FRACTION_DIGITS_MAX = 7
OFFSET_MINUTES_MAX = 14 * 60
"""The widest offset that .NET can hold, and that any place on earth keeps."""

EXPONENT_DIGITS_MAX = 8
"""No body is long enough for its zeros to bring a longer exponent back among 28 digits."""

_ZERO = Decimal(0)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local times and instants are both counted from it
_MINUTE = timedelta(minutes=1)
_STAMP_LENGTH = len("2026-02-05T10:15:00+00:00")

_HYPHENATED = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_GUID_D = re.compile(_HYPHENATED).fullmatch
_GUID_N = re.compile("[0-9a-fA-F]{32}").fullmatch
_GUID_B_OR_P = re.compile(rf"\{{{_HYPHENATED}\}}|\({_HYPHENATED}\)").fullmatch

_INT32 = re.compile("(-?)0*([0-9]{1,10})").fullmatch
_PLAIN_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?").fullmatch
_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?)0*([0-9]+))?").fullmatch

_DAY = re.compile("(?:19[7-9][0-9]|20[0-9]{2})-[0-9]{2}-[0-9]{2}").fullmatch
_DATE = re.compile(
    r"""
    (                                                         # 1: to the whole second
      (?:19[7-9][0-9]|20[0-9]{2})-[0-9]{2}-[0-9]{2}
      ([Tt](?:[01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2})?)?        # 2: the time, 3: its seconds
    )
    (?(3)(?:\.([0-9]+))?)                                     # 4: the fraction of a second
    (?(2)([Zz]|[+-][0-9]{2}(?::?[0-5][0-9])?)?)               # 5: the offset
    """,
    re.VERBOSE,
).fullmatch


def read_guid(text: str) -> str | None:
    """The guid in lower case with hyphens, from its .NET form D, N, B or P in any case."""
    if _GUID_D(text):
        return text.lower()
    if _GUID_B_OR_P(text):
        return text[1:-1].lower()
    if _GUID_N(text):
        text = text.lower()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    return None


def read_int32(literal: str) -> int | None:
    """The whole number, from digits alone: ``1.0`` and ``1e2`` are none."""
    match = _INT32(literal)
    if match is None:
        return None
    value = int(match[1] + match[2])
    return value if INT32_MIN <= value <= INT32_MAX else None


def read_id(literal: str) -> int | None:
    """The same above zero."""
    value = read_int32(literal)
    return value if value is not None and value > 0 else None


def read_amount(literal: str) -> Decimal | None:
    """The exact amount, at most 28 digits written out. Zero comes as plain zero, never ``-0``."""
    if len(literal) <= DIGITS_MAX and _PLAIN_NUMBER(literal):
        return Decimal(literal) or _ZERO
    match = _NUMBER(literal)
    if match is None:
        return None
    sign, whole, fraction, exponent_sign, exponent = match.groups(default="")
    coefficient = (whole + fraction).lstrip("0")
    digits = coefficient.rstrip("0")
    if not digits:
        return _ZERO
    if len(digits) > DIGITS_MAX or len(exponent) > EXPONENT_DIGITS_MAX:
        return None
    power = int(exponent_sign + (exponent or "0")) - len(fraction) + len(coefficient) - len(digits)
    amount = Decimal(f"{sign}{digits}E{power}")
    return amount if digit_count(amount) <= DIGITS_MAX else None


def write_amount(minor: int, minor_digits: int) -> str:
    """Minor units as a JSON number: a digit after the point always, a superfluous zero never."""
    whole, fraction = divmod(abs(minor), 10**minor_digits)
    decimals = f"{fraction:0{minor_digits}d}".rstrip("0") or "0"
    return f"{'-' if minor < 0 else ''}{whole}.{decimals}"


def read_date(text: str, time_zone: str) -> tuple[int, str] | None:
    """The ticks of an ISO 8601 date, and the date as an answer writes it.

    A date with an offset is answered in the customer's zone, one with ``Z`` with ``Z``, one with
    neither as the local time that it is. A local time that spring skips is read with the offset
    before it, one that autumn doubles is the first. Digits past the seventh are cut. The year is
    1970 to 2099 both as it came and as it goes out, so what is answered can always be sent again.
    """
    match = _DATE(text)
    if match is None:
        return None
    whole, _, _, fraction, offset = match.groups(default="")
    try:
        local = datetime.fromisoformat(whole)
    except ValueError:  # 30 February, say, or minute 60
        return None
    zone, seconds = find_zone(time_zone), _seconds(local - _EPOCH)
    fraction = fraction[:FRACTION_DIGITS_MAX].rstrip("0")
    if offset in {"Z", "z"}:
        written = f"{_with_fraction(local.isoformat(), fraction)}Z"
    elif not offset:
        seconds -= _seconds(_offset(zone, local))
        written = _with_fraction(local.isoformat(), fraction)
    else:
        minutes = int(offset[1:3]) * 60 + int(offset[3:].lstrip(":") or 0)
        if minutes > OFFSET_MINUTES_MAX:
            return None
        seconds += -60 * minutes if offset[0] == "+" else 60 * minutes
        written = _write(seconds, fraction, zone)
        if not YEAR_MIN <= written[:4] <= YEAR_MAX:
            return None
    return seconds * TICKS_PER_SECOND + int(fraction.ljust(FRACTION_DIGITS_MAX, "0")), written


def read_day(text: str) -> date | None:
    """The day of a date that has no time, of the years 1970 to 2099."""
    try:
        return date.fromisoformat(text) if _DAY(text) else None
    except ValueError:  # 30 February, say
        return None


def write_instant(ticks: int, time_zone: str) -> str:
    """The instant with the offset that the customer's zone has then, never ``Z``."""
    seconds, fraction = divmod(ticks, TICKS_PER_SECOND)
    digits = f"{fraction:0{FRACTION_DIGITS_MAX}d}".rstrip("0")
    return _write(seconds, digits, find_zone(time_zone))


def _offset(zone: ZoneInfo, local: datetime) -> timedelta:
    offset = zone.utcoffset(local)
    assert offset is not None, "a named zone always has one"
    return offset


def _seconds(span: timedelta) -> int:
    return span.days * 86_400 + span.seconds


def _write(seconds: int, fraction: str, zone: ZoneInfo) -> str:
    return _with_fraction(_write_second(seconds, zone), fraction)


@lru_cache(maxsize=1024)
def _write_second(seconds: int, zone: ZoneInfo) -> str:
    local = datetime.fromtimestamp(seconds, zone)
    stamp = local.isoformat()
    if len(stamp) > _STAMP_LENGTH:  # an offset with seconds (Liberia's until 1972): .NET has none
        minutes = _offset(zone, local) // _MINUTE
        stamp = datetime.fromtimestamp(seconds, timezone(minutes * _MINUTE)).isoformat()
    return stamp


def _with_fraction(stamp: str, fraction: str) -> str:
    return f"{stamp[:19]}.{fraction}{stamp[19:]}" if fraction else stamp
