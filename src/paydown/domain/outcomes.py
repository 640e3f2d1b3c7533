"""What can come of a command: the refusals, in their order of precedence, and the outcome itself.

Law of this file: the order in which ``Refusal`` lists its members is the order in which the rules
are tried, and is part of the API. Each member has a row in ``docs/reference/refusals.md``.
"""

from enum import Enum, StrEnum
from typing import NamedTuple

from paydown.domain.model import Entry, RecordedLine


class Level(StrEnum):
    """How far a refusal reaches: the whole request or one line."""

    GLOBAL = "global"
    LINE = "line"


class Refusal(Enum):
    """Why a request or a line was not recorded. ``name`` and ``sentence`` are stable."""

    no_lines = (
        Level.GLOBAL,
        "No lines were sent. Send at least one line with a BillingId and an Amount.",
    )
    repeated_billing_id = (
        Level.GLOBAL,
        "A BillingId stands on more than one line. Send each on one line, its amounts added up.",
    )
    unknown_contact = (
        Level.GLOBAL,
        "ContactId is not a contact of this customer. Send that of the contact who owns the items.",
    )
    unknown_tender_type = (
        Level.GLOBAL,
        "TenderTypeId is not a tender type of this customer. Send one of its own, such as 28.",
    )
    inactive_tender_type = (
        Level.GLOBAL,
        "TenderTypeId is a tender type that is no longer in use. Send an active one.",
    )
    unknown_billing_item = (
        Level.LINE,
        "BillingId is not a billing item of this contact.",
    )
    unknown_gl_account = (
        Level.LINE,
        "GLAccountId is not a GL account of this customer.",
    )
    inactive_gl_account = (
        Level.LINE,
        "GLAccountId is a GL account that is no longer in use. Send an active one.",
    )
    receivable_gl_account = (
        Level.LINE,
        "GLAccountId is a receivables account. Send an account that can bear a write-down.",
    )
    amount_not_positive = (
        Level.LINE,
        "Amount must be greater than zero.",
    )
    amount_too_precise = (
        Level.LINE,
        "Amount has more decimals than the currency has.",
    )
    amount_exceeds_balance = (
        Level.LINE,
        "Amount must not exceed the balance of the billing item.",
    )
    lines_refused = (
        Level.GLOBAL,
        "Nothing was recorded: with strict handling one refused line refuses them all.",
    )

    def __init__(self, level: Level, sentence: str) -> None:
        self.level = level
        self.sentence = sentence


class LineOutcome(NamedTuple):
    """What came of one line. Dates are set exactly when the line is recorded, now or before."""

    billing_id: int
    balance: int | None
    recorded_written: str | None = None
    value_written: str | None = None
    refusal: Refusal | None = None
    replayed: bool = False


class Outcome(NamedTuple):
    """What came of a command: a ``LineOutcome`` for each line, in order, and the entry to save."""

    refusal: Refusal | None
    lines: tuple[LineOutcome, ...]
    entry: Entry | None = None
    replays: tuple[RecordedLine, ...] = ()

    @property
    def success(self) -> bool:
        """True exactly when neither the whole nor any line was refused."""
        return self.refusal is None and all(line.refusal is None for line in self.lines)


class KeyReplayed(NamedTuple):
    """The command's Idempotency-Key has recorded this very request: the first answer's body."""

    body: bytes


class KeyConflict(NamedTuple):
    """The command's Idempotency-Key has recorded another request."""


Decision = Outcome | KeyReplayed | KeyConflict
