"""The rules of the two calls, as tables."""

import pytest
from rule_tables import Row, read_rows, say, stamp, world

from paydown.domain.decide import decide
from paydown.domain.outcomes import Outcome, Refusal

EACH_RULE = """
# what is recorded
payment    A      28 lenient 1:4.00               -> ok 6.00
payment    A      28 lenient 1:10.00              -> ok 0.00
payment    A      28 lenient 1:10                 -> ok 0.00
payment    A      28 lenient 1:2.000              -> ok 8.00
payment    A      28 lenient 1:0.01 4:7.50        -> ok 9.99 0.00
write_down A      28 lenient 1:4.00@50            -> ok 6.00
write_down A      28 strict  1:4.00@50 4:1@50     -> ok 6.00 6.50
# what refuses the whole
payment    A      28 lenient                      -> no_lines
payment    A      28 lenient 1:1.00 1:1.00        -> repeated_billing_id - -
payment    nobody 28 lenient 1:1.00               -> unknown_contact -
payment    A      99 lenient 1:1.00               -> unknown_tender_type -
payment    A      4  lenient 1:1.00 4:1.00        -> inactive_tender_type - -
# what refuses a line, and lets the others be recorded
payment    A      28 lenient 99:1.00 1:1.00       -> ok unknown_billing_item 9.00
payment    A      28 lenient 3:1.00 1:1.00        -> ok unknown_billing_item 9.00
write_down A      28 lenient 1:1.00@59 4:1.00@50  -> ok unknown_gl_account=10.00 6.50
write_down A      28 lenient 1:1.00@51 4:1.00@50  -> ok inactive_gl_account=10.00 6.50
write_down A      28 lenient 1:1.00@10 4:1.00@50  -> ok receivable_gl_account=10.00 6.50
payment    A      28 lenient 1:0.00 4:1.00        -> ok amount_not_positive=10.00 6.50
payment    A      28 lenient 1:-1.00              -> ok amount_not_positive=10.00
payment    A      28 lenient 1:1.001              -> ok amount_too_precise=10.00
payment    A      28 lenient 1:10.01              -> ok amount_exceeds_balance=10.00
payment    A      28 lenient 2:0.01               -> ok amount_exceeds_balance=0.00
payment    A      28 lenient 1:9999999999999999999999999.99 -> ok amount_exceeds_balance=10.00
# strict handling: all or none, and the lines at fault keep their words
payment    A      28 strict  1:1.00 4:8.00        -> lines_refused - amount_exceeds_balance
payment    A      28 strict  3:1.00 2:1 -> lines_refused unknown_billing_item amount_exceeds_balance
"""

# Each row could be refused for two reasons at least: the one that ``Refusal`` lists first wins.
PRECEDENCE = """
payment    nobody 99 strict  1:99.00 1:99.00      -> repeated_billing_id - -
payment    nobody 99 lenient                      -> no_lines
payment    nobody 99 lenient 99:0                 -> unknown_contact -
payment    nobody 4  lenient 99:0                 -> unknown_contact -
payment    A      99 lenient 99:0                 -> unknown_tender_type -
payment    A      4  strict  99:0                 -> inactive_tender_type -
write_down A      28 lenient 99:0@59              -> ok unknown_billing_item
write_down A      28 lenient 3:0@51               -> ok unknown_billing_item
write_down A      28 lenient 1:0@59               -> ok unknown_gl_account=10.00
write_down A      28 lenient 1:0.001@51           -> ok inactive_gl_account=10.00
write_down A      28 lenient 1:99@10              -> ok receivable_gl_account=10.00
payment    A      28 lenient 1:-0.001             -> ok amount_not_positive=10.00
payment    A      28 lenient 1:99.999             -> ok amount_too_precise=10.00
payment    A      28 strict  1:99.00              -> lines_refused amount_exceeds_balance
"""


def _id(row: Row) -> str:
    return " ".join(row.text.split())


@pytest.mark.parametrize("row", read_rows(EACH_RULE), ids=_id)
def test_each_rule(row: Row) -> None:
    """Each command has the outcome that its row says."""
    outcome = decide(row.command, world(), stamp(1))

    assert isinstance(outcome, Outcome)
    assert say(outcome) == [row.root, *row.lines]


@pytest.mark.parametrize("row", read_rows(PRECEDENCE), ids=_id)
def test_precedence(row: Row) -> None:
    """Where two rules would refuse, the earlier one speaks."""
    outcome = decide(row.command, world(), stamp(1))

    assert isinstance(outcome, Outcome)
    assert say(outcome) == [row.root, *row.lines]


def test_success_is_the_absence_of_every_refusal() -> None:
    """One refused line, or a refusal of the whole, and the answer is no success."""
    for row in read_rows(EACH_RULE):
        outcome = decide(row.command, world(), stamp(1))
        assert isinstance(outcome, Outcome)
        refused = {refusal.name for refusal in Refusal} & {
            word.partition("=")[0] for word in (row.root, *row.lines)
        }

        assert outcome.success is not bool(refused)


def test_each_refusal_has_a_row() -> None:
    """No refusal is left without a row that shows it."""
    told = [
        word.partition("=")[0] for row in read_rows(EACH_RULE) for word in (row.root, *row.lines)
    ]

    assert {refusal.name for refusal in Refusal} <= set(told)


def test_precedence_covers_each_neighbouring_pair() -> None:
    """Every refusal but the last, which can only come last, wins a row of the precedence table."""
    winners = {
        word.partition("=")[0] for row in read_rows(PRECEDENCE) for word in (row.root, *row.lines)
    }

    assert {refusal.name for refusal in Refusal} - {"lines_refused"} <= winners
