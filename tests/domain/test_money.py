"""The one door for money."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydown.domain import money


@given(st.integers(-(10**15), 10**15), st.integers(0, 4))
def test_minor_units_survive_the_way_out_and_back(minor: int, digits: int) -> None:
    """No penny is lost between the inside and the wire."""
    assert money.to_minor(money.to_decimal(minor, digits), digits) == minor


@given(st.integers(1, 10**13), st.integers(0, 3), st.integers(1, 9))
def test_what_the_currency_cannot_hold_is_never_rounded(minor: int, digits: int, more: int) -> None:
    """One decimal too many is refused, not rounded away."""
    amount = money.to_decimal(minor * 10 + more, digits + 1)

    assert money.to_minor(amount, digits) is None


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("0", 1),
        ("0.000", 1),
        ("0E+999999", 1),
        ("2.000", 1),
        ("12.34", 4),
        ("0.05", 2),
        ("-1.50", 2),
        ("1E+27", 28),
        ("1E+400", 401),
        ("1E-28", 28),
        ("1E-400", 400),
        ("1200", 4),
        ("9999999999999999999999999999", 28),
        ("99999999999999999999999999999", 29),
    ],
)
def test_digits_are_counted_as_written_out(text: str, digits: int) -> None:
    """Without exponent and superfluous zeros, and without writing a huge number out."""
    assert money.digit_count(Decimal(text)) == digits
