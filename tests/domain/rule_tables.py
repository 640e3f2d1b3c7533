"""Rule tables: one row, one command, one outcome, read as the specification.

The world of every table: contacts A (items 1, 2, 4) and B (item 3); item 1 owes 10.00 of 10.00,
item 2 nothing, item 3 owes 5.00, item 4 owes 7.50. Tender type 28 is active, 4 is not. Account 50
is an active expense account, 51 an inactive one, 10 the receivables account; 28 clears tender 28.

A line is ``item:amount`` with ``@account`` for a write-down and ``#reference`` for a payment. An
outcome is the balance left, a refusal's name (with the balance shown, if any, as ``name=balance``),
``=balance`` for a replay, or ``-`` for a line that is only echoed.
"""

from decimal import Decimal
from typing import NamedTuple

from paydown.domain.decide import Facts
from paydown.domain.model import (
    AccountFact,
    AccountType,
    Caller,
    Command,
    ItemFact,
    Kind,
    Line,
    Request,
    Stamp,
    TenderTypeFact,
)
from paydown.domain.outcomes import LineOutcome, Outcome

CUSTOMER = 7
CALLER = Caller(CUSTOMER, 3, "till", 2, "Europe/London", frozenset())
WHOLE_SECOND = 17_700_000_000_000_000
TICK = WHOLE_SECOND + 1


class Row(NamedTuple):
    """One row of a table, parsed."""

    text: str
    command: Command
    root: str
    lines: list[str]


def world() -> Facts:
    """The facts that every table starts from."""
    return Facts(
        contacts={(CUSTOMER, "A"): True, (CUSTOMER, "B"): True, (CUSTOMER, "nobody"): False},
        tender_types={
            (CUSTOMER, 28): TenderTypeFact(28, active=True),
            (CUSTOMER, 4): TenderTypeFact(28, active=False),
            (CUSTOMER, 99): None,
        },
        accounts={
            (CUSTOMER, 50): AccountFact(AccountType.EXPENSE, active=True),
            (CUSTOMER, 51): AccountFact(AccountType.EXPENSE, active=False),
            (CUSTOMER, 10): AccountFact(AccountType.RECEIVABLE, active=True),
            (CUSTOMER, 59): None,
        },
        items={
            (CUSTOMER, 1): ItemFact("A", 1000, 10),
            (CUSTOMER, 2): ItemFact("A", 0, 10),
            (CUSTOMER, 3): ItemFact("B", 500, 10),
            (CUSTOMER, 4): ItemFact("A", 750, 10),
            (CUSTOMER, 99): None,
        },
    )


def stamp(number: int) -> Stamp:
    """The n-th entry's identity and record date."""
    return Stamp(number.to_bytes(16), 1_000 + number, f"recorded-{number}")


def make_line(text: str) -> Line:
    """``1:4.00@50`` or ``1:4.00#ref`` as a line."""
    item, _, rest = text.partition(":")
    rest, _, reference = rest.partition("#")
    amount, _, account = rest.partition("@")
    return Line(int(item), Decimal(amount), int(account) if account else None, reference or None)


def make_command(
    kind: Kind, contact: str, tender: int, lines: list[Line], **more: object
) -> Command:
    """A command of the table's caller, dated a whole second unless ``value_at`` says otherwise."""
    value_at = more.pop("value_at", WHOLE_SECOND)
    notes = more.pop("notes", None)
    assert isinstance(value_at, int)
    assert notes is None or isinstance(notes, str)
    request = Request(kind, contact, tender, value_at, f"value-{value_at}", tuple(lines), notes)
    return Command(request, CALLER)._replace(**more)


def read_rows(table: str) -> list[Row]:
    """The rows of a table; blank lines and lines that begin with # are for the reader."""
    rows = []
    for text in (line.strip() for line in table.splitlines()):
        if not text or text.startswith("#"):
            continue
        asked, _, told = text.partition("->")
        kind, contact, tender, handling, *lines = asked.split()
        root, *outcomes = told.split()
        command = make_command(
            Kind(kind),
            contact,
            int(tender),
            [make_line(line) for line in lines],
            strict=handling == "strict",
        )
        rows.append(Row(text, command, root, outcomes))
    assert rows, "an empty table proves nothing"
    return rows


def say(outcome: Outcome) -> list[str]:
    """The outcome in the table's own words, the root first."""
    return [
        outcome.refusal.name if outcome.refusal else "ok",
        *(_say_line(line) for line in outcome.lines),
    ]


def _say_line(line: LineOutcome) -> str:
    balance = "" if line.balance is None else f"{line.balance / Decimal(100):.2f}"
    if line.refusal:
        return f"{line.refusal.name}={balance}" if balance else line.refusal.name
    if line.replayed:
        return f"={balance}"
    return balance or "-"
