"""The wire's guids and numbers: tables that read as the specification, and properties."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydown.wire.formats import read_amount, read_guid, read_int32, write_amount

GUID = "6ae26b8d-5064-492b-b727-fcd34e07710b"
MEGABYTE = 2**20


@pytest.mark.parametrize(
    ("text", "guid"),
    [
        ("6ae26b8d-5064-492b-b727-fcd34e07710b", GUID),
        ("6AE26B8D-5064-492B-B727-FCD34E07710B", GUID),
        ("6ae26b8d5064492bb727fcd34e07710b", GUID),
        ("6AE26B8D5064492BB727FCD34E07710B", GUID),
        ("{6ae26b8d-5064-492b-b727-fcd34e07710B}", GUID),
        ("(6ae26b8d-5064-492b-b727-fcd34e07710b)", GUID),
        ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"),
        ("", None),
        ("6ae26b8d-5064-492b-b727-fcd34e07710", None),
        ("6ae26b8d-5064-492b-b727-fcd34e07710b\n", None),
        (" 6ae26b8d-5064-492b-b727-fcd34e07710b", None),
        ("6ae26b8d-5064492b-b727-fcd34e07710b", None),
        ("{6ae26b8d-5064-492b-b727-fcd34e07710b)", None),
        ("(6ae26b8d-5064-492b-b727-fcd34e07710b}", None),
        ("{6ae26b8d5064492bb727fcd34e07710b}", None),
        ("6ae26b8d-5064-492b-b727-fcd34e07710g", None),
        ("\N{ARABIC-INDIC DIGIT SIX}ae26b8d-5064-492b-b727-fcd34e07710b", None),
    ],
)
def test_guid_forms(text: str, guid: str | None) -> None:
    """The forms D, N, B and P are read in any case and come out lower-case and hyphenated."""
    assert read_guid(text) == guid


@given(st.uuids(), st.booleans(), st.sampled_from(["{0}", "{{{0}}}", "({0})", "{0.hex}"]))
def test_every_guid_in_every_form(guid: object, upper: bool, form: str) -> None:
    """Whatever the guid and its form, the same lower-case hyphenated guid is read."""
    text = form.format(guid)
    assert read_guid(text.upper() if upper else text) == str(guid)


@pytest.mark.parametrize(
    ("literal", "number"),
    [
        ("1", 1),
        ("0", 0),
        ("-0", 0),
        ("-1", -1),
        ("007", 7),
        ("2147483647", 2147483647),
        ("2147483648", None),
        ("-2147483648", -2147483648),
        ("-2147483649", None),
        ("0" * MEGABYTE + "7", 7),
        ("9" * MEGABYTE, None),
        ("", None),
        ("-", None),
        ("+1", None),
        (" 1", None),
        ("1\n", None),
        ("1.0", None),
        ("1e2", None),
        ("1_0", None),
        ("0x1", None),
        ("NaN", None),
        ("true", None),
        ("\N{ARABIC-INDIC DIGIT ONE}", None),
    ],
)
def test_int32(literal: str, number: int | None) -> None:
    """An Int32 is ASCII digits only, within its range, whatever zeros stand in front."""
    assert read_int32(literal) == number


@pytest.mark.parametrize(
    ("literal", "amount"),
    [
        ("2", "2"),
        ("2.0", "2.0"),
        ("12.34", "12.34"),
        ("-12.5", "-12.5"),
        ("0.1", "0.1"),
        ("007.50", "7.50"),
        ("1e2", "100"),
        ("1E+2", "100"),
        ("125e-1", "12.5"),
        ("1e0002", "100"),
        ("0.000", "0"),
        ("-0", "0"),
        ("-0.00e-5", "0"),
        ("0e99999999999", "0"),
        ("9999999999999999999999999999", "9999999999999999999999999999"),
        ("99999999999999.99999999999999", "99999999999999.99999999999999"),
        ("0." + "0" * 27 + "1", "0." + "0" * 27 + "1"),
        ("1" + "0" * 27, "1" + "0" * 27),
        ("1e27", "1" + "0" * 27),
        ("2." + "0" * 100, "2"),
        ("0" * 100 + "2", "2"),
        ("0." + "0" * MEGABYTE + f"1e{MEGABYTE}", "0.1"),
        ("1" + "0" * MEGABYTE + f"e-{MEGABYTE}", "1"),
    ],
)
def test_amounts_that_are_read(literal: str, amount: str) -> None:
    """An amount is read exactly, judged by its value and not by how long it is written."""
    assert read_amount(literal) == Decimal(amount)


@pytest.mark.parametrize(
    "literal",
    [
        "",
        "-",
        "+2",
        " 2",
        "2 ",
        "2\n",
        "2.",
        ".5",
        "1,000",
        "1_0",
        "£2",
        "1e",
        "1e+",
        "1e1.5",
        "0x10",
        "NaN",
        "Infinity",
        "-Infinity",
        "sNaN",
        "true",
        "\N{ARABIC-INDIC DIGIT TWO}",
        "\N{FULLWIDTH DIGIT TWO}",
        "2.\N{ARABIC-INDIC DIGIT ZERO}",
    ],
)
def test_texts_that_are_no_amount(literal: str) -> None:
    """A number in a text is ASCII digits, a point and an exponent, and nothing else."""
    assert read_amount(literal) is None


@pytest.mark.parametrize(
    "literal",
    [
        "1" + "0" * 28,
        "12345678901234567890123456789",
        "1.2345678901234567890123456789",
        "0." + "0" * 28 + "1",
        "1e28",
        "1e-29",
        "1e400",
        "-1e400",
        "1e-400",
        "1e999999999999",
        "1e-999999999999999999999999",
        "1" * MEGABYTE,
        "0." + "1" * MEGABYTE,
        "1e" + "9" * MEGABYTE,
    ],
)
def test_amounts_of_more_than_28_digits(literal: str) -> None:
    """More than 28 digits, written out, is no amount, and saying so costs nothing."""
    assert read_amount(literal) is None


def test_zero_has_one_face() -> None:
    """Every zero is read as the same zero, so no two requests differ by the sign of nothing."""
    assert {str(read_amount(zero)) for zero in ("0", "-0", "0.00", "-0e5", "0" * 40)} == {"0"}


@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
)
def test_amounts_are_exact(literal: str) -> None:
    """Whatever number is written, the amount that is read has exactly its value."""
    mantissa, _, exponent = literal.lower().partition("e")
    value = Fraction(mantissa) * Fraction(10) ** int(exponent or 0)
    whole, _, decimals = f"{Decimal(literal).normalize():f}".lstrip("-").partition(".")
    fits = len(whole.lstrip("0") + decimals) <= 28 and len(decimals) <= 28

    amount = read_amount(literal)

    assert (amount is not None) == (fits or not value)
    assert amount is None or Fraction(amount) == value


@pytest.mark.parametrize(
    ("minor", "minor_digits", "written"),
    [
        (200, 2, "2.0"),
        (1250, 2, "12.5"),
        (1234, 2, "12.34"),
        (0, 2, "0.0"),
        (1, 2, "0.01"),
        (10, 2, "0.1"),
        (100000, 2, "1000.0"),
        (5, 0, "5.0"),
        (50, 0, "50.0"),
        (0, 0, "0.0"),
        (5, 3, "0.005"),
        (1230, 3, "1.23"),
        (12345, 4, "1.2345"),
        (10**13, 2, "100000000000.0"),
        (-150, 2, "-1.5"),
        (-1, 2, "-0.01"),
    ],
)
def test_amounts_written(minor: int, minor_digits: int, written: str) -> None:
    """An amount has at least one digit after the point and no superfluous zero."""
    assert write_amount(minor, minor_digits) == written


@given(st.integers(-(10**13), 10**13), st.integers(0, 4))
def test_amounts_come_back(minor: int, minor_digits: int) -> None:
    """What is written reads back as the same amount, in the one shortest form."""
    written = write_amount(minor, minor_digits)
    whole, _, decimals = written.partition(".")

    assert read_amount(written) == Decimal(minor).scaleb(-minor_digits)
    assert decimals == "0" or (decimals and not decimals.endswith("0"))
    assert whole.lstrip("-") == str(abs(minor) // 10**minor_digits)
