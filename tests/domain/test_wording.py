"""The sentences of an explanation that hardly any ledger needs."""

from typing import Any

import pytest

from paydown.domain.lines import Line
from paydown.domain.model import Kind
from paydown.domain.wording import Locale, say_movement

UK = Locale("GBP", 2, "Europe/London")
NOON = 17_700_336_000_000_000  # 2026-02-02, 12:00


def line(kind: Kind, **changes: Any) -> Line:
    """A posting of 12.40, of which little is known."""
    known = dict.fromkeys(Line._fields) | {
        "entry_id": bytes(16),
        "line_no": 1,
        "kind": kind,
        "request_id": "",
        "address": "",
        "value_at": NOON,
        "recorded_at": NOON,
        "amount": 1240,
        "balance_after": 0,
    }
    return Line(**{**known, **changes})


@pytest.mark.parametrize(
    ("posting", "sentence"),
    [
        (
            line(Kind.OPENING_BALANCE),
            (
                "2 Feb 2026: £12.40 counted as settled before the import "
                "(recorded 2 Feb 2026 12:00 by an operator). "
                "What was settled before an import debits opening balances and credits "
                "receivables. The balance was £1.00."
            ),
        ),
        (
            line(Kind.REVERSAL, notes="A mistake"),
            (
                "2 Feb 2026: £12.40 added to the balance by reversing the reversal, "
                "because: A mistake (recorded 2 Feb 2026 12:00 by an operator). "
                "A reversal is the exact mirror of what it undoes, once. The balance was £1.00."
            ),
        ),
    ],
    ids=["settled before an import", "a reversal of what a damaged ledger no longer has"],
)
def test_a_movement_is_told_by_what_is_known_of_it(posting: Line, sentence: str) -> None:
    """What is not known is left out, and the sentence stays one."""
    assert say_movement(posting, 100, UK) == sentence
