"""The one door for money.

Law of this file: inside, an amount is an ``int`` of the customer's minor units (pence); outside, at
the wire and in files, it is a ``Decimal``. Nothing here rounds, and no float comes in or goes out.
"""

from decimal import Decimal

AMOUNT_MAX = 10**13
"""Greatest total, balance or receipt in minor units; 900,000 of them still fit 64 bits."""

DIGITS_MAX = 28
"""Most digits an amount may have when written out (what a .NET Decimal surely holds)."""


def to_minor(amount: Decimal, minor_digits: int) -> int | None:
    """The amount in minor units, or None when it has more decimals than the currency.

    Judged by value: ``2.000`` is two pounds. The amount must be finite and pass ``digit_count``.
    """
    scaled = amount.scaleb(minor_digits)
    minor = int(scaled)
    return minor if minor == scaled else None


def to_decimal(minor: int, minor_digits: int) -> Decimal:
    """The amount as a Decimal of the currency's main unit, exact."""
    return Decimal(minor).scaleb(-minor_digits)


def digit_count(amount: Decimal) -> int:
    """How many digits the finite amount has written out without exponent or superfluous zeros."""
    if not amount:
        return 1
    _, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int), "a finite Decimal"
    significant = len(digits)
    while digits[significant - 1] == 0:
        significant -= 1
    exponent += len(digits) - significant
    return significant + exponent if exponent >= 0 else max(significant, -exponent)
