"""The wire's dates: tables that read as the specification, and properties."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paydown.wire.formats import read_date, read_day, write_instant

LONDON = "Europe/London"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICKS_PER_DAY = 86_400 * 10**7
TICKS_2100 = int((datetime(2100, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * 10**7

ZONES = st.sampled_from(
    [
        LONDON,
        "UTC",
        "Europe/Dublin",
        "America/New_York",
        "America/St_Johns",
        "Asia/Kolkata",
        "Africa/Casablanca",
        "Australia/Lord_Howe",
        "Pacific/Kiritimati",
        "Africa/Monrovia",
    ]
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        # An offset: answered in the customer's zone, summer and winter.
        ("2025-04-25T14:29:34.3402471+01:00", "2025-04-25T14:29:34.3402471+01:00"),
        ("2026-02-05T00:13:12.497898+00:00", "2026-02-05T00:13:12.497898+00:00"),
        ("2025-07-01T10:00:00+00:00", "2025-07-01T11:00:00+01:00"),
        ("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00+00:00"),
        ("2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00+00:00"),
        ("2026-01-01T10:00:00+0100", "2026-01-01T09:00:00+00:00"),
        ("2026-01-01T10:00:00+01", "2026-01-01T09:00:00+00:00"),
        ("2026-01-01T10:00:00-05:30", "2026-01-01T15:30:00+00:00"),
        ("2026-01-01T10:00:00+14:00", "2025-12-31T20:00:00+00:00"),
        ("2026-01-01T10:00:00-14:00", "2026-01-02T00:00:00+00:00"),
        ("2026-01-01T10:00+01:00", "2026-01-01T09:00:00+00:00"),
        # Z: answered with Z.
        ("2025-07-01T10:00:00Z", "2025-07-01T10:00:00Z"),
        ("2025-07-01t10:00:00z", "2025-07-01T10:00:00Z"),
        ("2025-07-01T10:00Z", "2025-07-01T10:00:00Z"),
        # Neither: the customer's local time, answered without.
        ("2025-07-01T10:00:00", "2025-07-01T10:00:00"),
        ("2025-07-01T10:00", "2025-07-01T10:00:00"),
        ("2025-07-01", "2025-07-01T00:00:00"),
        # Fractions: trailing zeros dropped, a fraction of zeros is none, the eighth digit is cut.
        ("2025-07-01T10:00:00.5Z", "2025-07-01T10:00:00.5Z"),
        ("2025-07-01T10:00:00.5000000Z", "2025-07-01T10:00:00.5Z"),
        ("2025-07-01T10:00:00.000Z", "2025-07-01T10:00:00Z"),
        ("2025-07-01T10:00:00.00000009Z", "2025-07-01T10:00:00Z"),
        ("2025-07-01T10:00:00.123456789Z", "2025-07-01T10:00:00.1234567Z"),
        ("2025-07-01T10:00:00.0000001", "2025-07-01T10:00:00.0000001"),
        ("2024-02-29T23:59:59.9999999+00:00", "2024-02-29T23:59:59.9999999+00:00"),
        # The first and the last year.
        ("1970-01-01", "1970-01-01T00:00:00"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("1970-01-01T00:00:00+00:00", "1970-01-01T01:00:00+01:00"),
        ("2099-12-31T23:59:59.9999999Z", "2099-12-31T23:59:59.9999999Z"),
    ],
)
def test_dates_as_an_answer_writes_them(text: str, written: str) -> None:
    """A date goes out in its customer's zone, with Z or without offset, as it came in."""
    value = read_date(text, LONDON)
    assert value is not None
    assert value[1] == written


@pytest.mark.parametrize("text", ["1970-01-01", "2026-02-28", "2028-02-29", "2099-12-31"])
def test_a_day_is_a_date_without_a_time(text: str) -> None:
    """It reads as the calendar's day, whatever the zone."""
    assert str(read_day(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "2026-02-29", "2026-02-28T00:00", "1969-12-31", "2100-01-01", "20260228", "2026-W09-6"],
)
def test_texts_that_are_no_day(text: str) -> None:
    """Neither what no calendar has, nor another form of a day."""
    assert read_day(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "today",
        "2026",
        "2026-02",
        "20260205",
        "05/02/2026",
        "2026-2-5",
        "2026-02-30",
        "2025-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-02-05T",
        "2026-02-05T10",
        "2026-02-05 10:15:00",
        "2026-02-05T10:15:00 00:00",
        "2026-02-05T24:00:00",
        "2026-02-05T10:60:00",
        "2026-02-05T10:15:60",
        "2026-02-05T10:15:00.",
        "2026-02-05T10:15:00.Z",
        "2026-02-05T10:15.5",
        "2026-02-05T10:15:00,5",
        "2026-02-05Z",
        "2026-02-05+01:00",
        "2026-02-05T10:15:00+1:00",
        "2026-02-05T10:15:00+01:60",
        "2026-02-05T10:15:00+14:01",
        "2026-02-05T10:15:00-15:00",
        "2026-02-05T10:15:00ZZ",
        "2026-02-05T10:15:00Z\n",
        " 2026-02-05T10:15:00Z",
        "/Date(1770286500000)/",
        "1770286500",
        "202\N{ARABIC-INDIC DIGIT SIX}-02-05",
        "2026-02-05T10:15:00.\N{ARABIC-INDIC DIGIT FIVE}Z",
        "0001-01-01T00:00:00",
        "1969-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        "1969-12-31T23:30:00-01:00",
        "2099-12-31T23:30:00-01:00",
        "9999-12-31T23:59:59Z",
    ],
)
def test_texts_that_are_no_date(text: str) -> None:
    """Only ISO 8601 dates of 1970 to 2099 are read, judged as they come and as they go."""
    assert read_date(text, LONDON) is None


def test_a_skipped_local_time_is_read_with_the_offset_before_it() -> None:
    """Half past one on the night that London skips it is half past one UTC, written as sent."""
    assert read_date("2026-03-29T01:30:00", LONDON) == (
        read_ticks("2026-03-29T01:30:00Z"),
        "2026-03-29T01:30:00",
    )


def test_a_doubled_local_time_is_the_first() -> None:
    """Half past one on the night that London has it twice is the summer one."""
    assert read_date("2026-10-25T01:30:00", LONDON) == (
        read_ticks("2026-10-25T00:30:00Z"),
        "2026-10-25T01:30:00",
    )


def test_a_doubled_hour_is_told_apart_by_its_offset() -> None:
    """Both half past ones are written with the offset that London has at that instant."""
    first, second = (read_date(f"2026-10-25T0{hour}:30:00+00:00", LONDON) for hour in (0, 1))
    assert first == (read_ticks("2026-10-25T00:30:00Z"), "2026-10-25T01:30:00+01:00")
    assert second == (read_ticks("2026-10-25T01:30:00Z"), "2026-10-25T01:30:00+00:00")


def test_an_offset_with_seconds_is_written_in_minutes() -> None:
    """Liberia kept -00:44:30 until 1972, which .NET cannot write: the instant stays the same."""
    value = read_date("1971-02-05T10:00:00+00:00", "Africa/Monrovia")
    assert value == (read_ticks("1971-02-05T10:00:00Z"), "1971-02-05T09:15:00-00:45")
    assert read_date(value[1], "UTC") == (value[0], "1971-02-05T10:00:00+00:00")


def read_ticks(text: str) -> int:
    """The ticks of a date that comes with Z."""
    whole = datetime.fromisoformat(text)
    return int((whole - EPOCH).total_seconds()) * 10**7


def as_sent(local: datetime, fraction: str, offset: str) -> str:
    """The date as a client writes it."""
    return f"{local:%Y-%m-%dT%H:%M:%S}" + (f".{fraction}" if fraction else "") + offset


# DTZ001: these are local times, which have no zone.
LOCAL_TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 30)).map(  # noqa: DTZ001
    lambda local: local.replace(microsecond=0)
)
FRACTIONS = st.text("0123456789", max_size=12)


@settings(deadline=None)
@given(LOCAL_TIMES, FRACTIONS, st.integers(-840, 840), ZONES)
def test_instants_are_exact(local: datetime, fraction: str, minutes: int, zone: str) -> None:
    """Whatever the offset and the zone, the instant is kept to 100 ns; only cut digits are lost."""
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = as_sent(local, fraction, f"{sign}{hours:02}:{rest:02}")
    days = local.date().toordinal() - date(1970, 1, 1).toordinal()
    minute_of_day = local.hour * 60 + local.minute - minutes
    seconds = days * 86400 + minute_of_day * 60 + local.second + Fraction(f"0.{fraction or 0}")

    value = read_date(text, zone)

    assert value is not None
    assert 0 <= seconds - Fraction(value[0], 10**7) < Fraction(1, 10**7)
    assert read_date(value[1], zone) == value


@settings(deadline=None)
@given(LOCAL_TIMES, FRACTIONS, ZONES)
def test_local_times_are_exact(local: datetime, fraction: str, zone: str) -> None:
    """A local time is the first instant that shows it, or is read with the offset before a gap."""
    value = read_date(as_sent(local, fraction, ""), zone)
    assert value is not None
    instant = EPOCH + timedelta(seconds=value[0] // 10**7)

    tz = ZoneInfo(zone)
    day = timedelta(days=1)
    offsets = [(local.replace(tzinfo=tz) + step).utcoffset() or timedelta() for step in (-day, day)]
    instants = [local.replace(tzinfo=UTC) - offset for offset in offsets]
    showing = [each for each in instants if each.astimezone(tz).replace(tzinfo=None) == local]
    assert instant == min(showing, default=instants[0])


@settings(deadline=None)
@given(st.integers(TICKS_PER_DAY, TICKS_2100 - TICKS_PER_DAY), ZONES)
def test_written_instants_come_back(ticks: int, zone: str) -> None:
    """A ProcessDate carries an offset, never Z, and reads back as the same 100 ns."""
    written = write_instant(ticks, zone)
    whole, fraction = written[:19], written[19:-6].removeprefix(".")
    local = (EPOCH + timedelta(seconds=ticks // 10**7)).astimezone(ZoneInfo(zone))

    assert (read_date(written, zone) or (None,))[0] == ticks
    assert zone == "Africa/Monrovia" or whole == f"{local:%Y-%m-%dT%H:%M:%S}"
    assert not fraction.endswith("0")


@pytest.mark.parametrize(
    ("ticks", "written"),
    [
        (0, "1970-01-01T01:00:00+01:00"),
        (17455877743402471, "2025-04-25T14:29:34.3402471+01:00"),
        (17702503924978980, "2026-02-05T00:13:12.497898+00:00"),
        (17702503920000000, "2026-02-05T00:13:12+00:00"),
        (17702503920000001, "2026-02-05T00:13:12.0000001+00:00"),
        (-10_000_000, "1970-01-01T00:59:59+01:00"),
    ],
)
def test_instants_written(ticks: int, written: str) -> None:
    """An instant is written with the offset London has then and no superfluous zero."""
    assert write_instant(ticks, LONDON) == written
