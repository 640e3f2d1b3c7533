"""Amounts, days and movements in plain English.

Law of this file: what it says depends on nothing but what it is given, so that a sentence about the
past never changes.
"""

from typing import NamedTuple
from uuid import UUID

from paydown.domain import days
from paydown.domain.lines import Line
from paydown.domain.model import Kind
from paydown.domain.money import to_decimal

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}
_NAMES = {
    Kind.CHARGE: "charge",
    Kind.OPENING_BALANCE: "opening credit",
    Kind.PAYMENT: "payment",
    Kind.WRITE_DOWN: "write-down",
    Kind.RECEIPT: "receipt",
    Kind.ALLOCATION: "allocation",
    Kind.REVERSAL: "reversal",
}
RULES = {
    Kind.CHARGE: "A charge debits the item's receivables account and credits income.",
    Kind.OPENING_BALANCE: (
        "What was settled before an import debits opening balances and credits receivables."
    ),
    Kind.PAYMENT: "A payment debits its tender type's clearing account and credits receivables.",
    Kind.WRITE_DOWN: "A write-down debits the account named on it and credits receivables.",
    Kind.RECEIPT: (
        "A receipt debits its tender type's clearing account and credits unapplied receipts."
    ),
    Kind.ALLOCATION: "An allocation debits unapplied receipts and credits receivables.",
    Kind.REVERSAL: "A reversal is the exact mirror of what it undoes, once.",
}
"""Under which rule each kind of posting moves what it moves."""


class Locale(NamedTuple):
    """How a customer counts money and days."""

    currency: str
    minor_digits: int
    time_zone: str


def say_amount(minor: int, locale: Locale) -> str:
    """Such as £1,250.00 or -CHF 5.00."""
    mark = _SIGNS.get(locale.currency, f"{locale.currency} ")
    return f"{'-' if minor < 0 else ''}{mark}{to_decimal(abs(minor), locale.minor_digits):,f}"


def say_day(ticks: int, locale: Locale) -> str:
    """The day of a time, such as 5 Feb 2026."""
    day = days.day_of(ticks, locale.time_zone)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def say_minute(ticks: int, locale: Locale) -> str:
    """A time to the minute, such as 5 Feb 2026 09:13."""
    return f"{say_day(ticks, locale)} {days.time_of(ticks, locale.time_zone)}"


def say_what(line: Line, locale: Locale) -> str:
    """What a line is, for a statement: such as ``Payment, Cash``."""
    match line.kind:
        case Kind.CHARGE:
            return line.item_description or "Charge"
        case Kind.OPENING_BALANCE:
            return "Settled before the import"
        case Kind.WRITE_DOWN:
            return f"Write-down, {line.debit_name}"
        case Kind.REVERSAL:
            return f"Reversal of {_say_undone(line, locale)}{_after(': ', line.notes)}"
        case _:
            return f"{_NAMES[Kind(line.kind)].capitalize()}{_after(', ', line.tender_name)}"


def say_movement(line: Line, balance: int, locale: Locale) -> str:
    """The sentences for one movement and the balance that it left."""
    return (
        f"{say_day(line.value_at, locale)}: {_say_happened(line, locale)}{_say_particulars(line)} "
        f"({_say_recorded(line, locale)}). {RULES[Kind(line.kind)]} "
        f"The balance was {say_amount(balance, locale)}.{_say_undoing(line, locale)}"
    )


def _say_happened(line: Line, locale: Locale) -> str:
    amount = say_amount(line.amount, locale)
    match line.kind:
        case Kind.CHARGE:
            return f"{amount} charged{_after(' for ', line.item_description)}"
        case Kind.OPENING_BALANCE:
            return f"{amount} counted as settled before the import"
        case Kind.PAYMENT:
            return f"{amount} paid{_after(' by ', line.tender_name)}"
        case Kind.WRITE_DOWN:
            account = printable(f"{line.debit_code} {line.debit_name}")
            return f"{amount} written down against {account}"
        case Kind.ALLOCATION:
            receipt = "" if line.receipt_id is None else f" {UUID(bytes=line.receipt_id)}"
            return f"{amount} applied from receipt{receipt}"
        case _:
            moved = "added to" if line.raises else "taken off"
            undone = _say_undone(line, locale)
            reason = _after(", because: ", line.notes)
            return f"{amount} {moved} the balance by reversing the {undone}{reason}"


def _say_undone(line: Line, locale: Locale) -> str:
    name = _NAMES[Kind(line.undone_kind or Kind.REVERSAL)]
    if line.undone_value_at is None:
        return name
    return f"{name} of {say_day(line.undone_value_at, locale)}"


def _say_particulars(line: Line) -> str:
    """What the caller said of it. A reversal's notes are its reason, which was said before."""
    notes = None if line.kind == Kind.REVERSAL else line.notes
    return (
        f"{_after(', reference ', line.reference)}"
        f"{_after(', authorization code ', line.authorization_code)}{_after(', notes: ', notes)}"
    )


def _say_undoing(line: Line, locale: Locale) -> str:
    if line.undoing is None or line.undoing_value_at is None or line.undoing_recorded_at is None:
        return ""
    return (
        f" It was reversed with effect from {say_day(line.undoing_value_at, locale)}, recorded "
        f"{say_minute(line.undoing_recorded_at, locale)} by posting {line.undoing}"
        f"{_after(': ', line.undoing_notes)}."
    )


def _say_recorded(line: Line, locale: Locale) -> str:
    who = line.caller or "an operator"
    return (
        f"recorded {say_minute(line.recorded_at, locale)} by {who}"
        f"{_after(' for ', line.staff_user)}{_after(' from ', line.address)}"
        f"{_after(', request ', line.request_id)}"
    )


def printable(text: str) -> str:
    """A text of others on one line: what would break it, or move a terminal, is shown escaped."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _after(words: str, text: str | None) -> str:
    return f"{words}{printable(text)}" if text else ""
