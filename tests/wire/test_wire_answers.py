"""Answers, byte for byte: the goldens are written by hand from the specification."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from paydown.api import answers
from paydown.domain.model import Kind, Line, Request
from paydown.domain.outcomes import LineOutcome, Outcome, Refusal
from paydown.wire.faults import Fault, Faults
from paydown.wire.headers import Media
from paydown.wire.messages import decode, encode, invalid, message

GOLDEN = Path(__file__).parent / "golden"
SAMPLES = Path(__file__).parent / "samples"
GUID = "6ae26b8d-5064-492b-b727-fcd34e07710b"
RECORDED, VALUE = "2025-07-01T11:00:02.1234567+01:00", "2025-07-01T10:00:00"


def payments(*billing_ids: int) -> Request:
    """A payments request for these items."""
    lines = tuple(Line(billing_id, Decimal(1)) for billing_id in billing_ids)
    return Request(Kind.PAYMENT, GUID, 28, 0, VALUE, lines)


def write_downs(*billing_ids: int) -> Request:
    """A write-downs request for these items."""
    lines = tuple(Line(billing_id, Decimal(1), 3) for billing_id in billing_ids)
    return Request(Kind.WRITE_DOWN, GUID, 5, 0, VALUE, lines, "goodwill")


ANSWERS = {
    "payments_recorded": encode(
        payments(101, 102),
        Outcome(
            None,
            (
                LineOutcome(101, 1050, RECORDED, VALUE),
                LineOutcome(102, 0, RECORDED, VALUE, replayed=True),
            ),
        ),
        2,
    ),
    "payments_some_refused": encode(
        payments(101, 102, 103),
        Outcome(
            None,
            (
                LineOutcome(101, 1234, RECORDED, "2025-07-01T09:00:00Z"),
                LineOutcome(102, 200, refusal=Refusal.amount_exceeds_balance),
                LineOutcome(103, None, refusal=Refusal.unknown_billing_item),
            ),
        ),
        2,
    ),
    "payments_refused_whole": encode(
        payments(1, 1),
        Outcome(Refusal.repeated_billing_id, (LineOutcome(1, None), LineOutcome(1, None))),
        2,
    ),
    "payments_refused_strictly": encode(
        payments(101, 102),
        Outcome(
            Refusal.lines_refused,
            (
                LineOutcome(101, None),
                LineOutcome(102, None, refusal=Refusal.amount_too_precise),
            ),
        ),
        2,
    ),
    "payments_without_lines": encode(payments(), Outcome(Refusal.no_lines, ()), 2),
    "payments_in_dinars": encode(
        payments(2147483647), Outcome(None, (LineOutcome(2147483647, 10**13, RECORDED, VALUE),)), 3
    ),
    "write_downs_recorded": encode(
        write_downs(101), Outcome(None, (LineOutcome(101, 5, RECORDED, VALUE),)), 0
    ),
    "write_downs_some_refused": encode(
        write_downs(101, -1),
        Outcome(
            None,
            (
                LineOutcome(101, 1, refusal=Refusal.unknown_gl_account),
                LineOutcome(-1, None, refusal=Refusal.unknown_billing_item),
            ),
        ),
        2,
    ),
    "invalid": invalid(
        Faults(
            (
                Fault("Idempotency-Key", "Send it once."),
                Fault("request.BillingPayments[0].Amount", "First."),
                Fault("request", "Line 1."),
                Fault("request.BillingPayments[0].Amount", "Second."),
                Fault("request", "Line 2."),
            )
        )
    ),
    "message": message("The body has more than 8 MiB: “too much”, £5."),
    "unauthorized": answers.UNAUTHENTICATED.body,
    "server_error": answers.FAILURE.body,
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_to_the_byte(name: str) -> None:
    """Member order, nulls, decimals, dates and sentences are exactly the specification's."""
    assert ANSWERS[name] == (GOLDEN / f"{name}.json").read_bytes()


def test_no_golden_is_left_over() -> None:
    """Every golden is compared with an answer."""
    assert {path.stem for path in GOLDEN.iterdir()} == set(ANSWERS) | {"faults"}


def test_the_sentences_of_a_400_to_the_byte() -> None:
    """A body with everything wrong is answered with every fault, in order, to the byte."""
    body = json.dumps(
        {
            "ContactId": 5,
            "PaymentDate": "0001-01-01T00:00:00",
            "BillingPayments": [
                {"BillingId": "1.0", "Amount": "NaN", "AuthorizationCode": "a" * 101},
                None,
                {"BillingId": 2, "Amount": 2, "ThirdPartyReference": 7, "Notes": "\0"},
            ],
        }
    )
    faults = decode(Kind.PAYMENT, body.encode(), Media.JSON, "Europe/London")
    assert isinstance(faults, Faults)
    assert invalid(faults) == (GOLDEN / "faults.json").read_bytes()


@pytest.mark.parametrize(
    "sample", sorted(SAMPLES.glob("*.response.json")), ids=lambda path: path.stem
)
def test_answers_have_the_shape_of_the_pages_own(sample: Path) -> None:
    """The members of the answer and of its lines are the vendor's, in the vendor's order."""
    theirs = json.loads(sample.read_text())
    name = "payments_recorded" if "BillingPayments" in theirs else "write_downs_recorded"
    ours = json.loads(ANSWERS[name])
    lines = "BillingPayments" if "BillingPayments" in theirs else "BillingWriteDowns"

    assert list(ours) == list(theirs)
    assert list(ours[lines][0]) == list(theirs[lines][0])


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_can_be_answered(refusal: Refusal) -> None:
    """Each refusal's sentence arrives as it is written, for the whole or for its line."""
    line = LineOutcome(1, None, refusal=refusal)
    whole = json.loads(encode(payments(1), Outcome(refusal, (LineOutcome(1, None),)), 2))
    part = json.loads(encode(payments(1), Outcome(None, (line,)), 2))

    assert (whole["ErrorMessage"], whole["Success"]) == (refusal.sentence, False)
    assert (part["BillingPayments"][0]["ErrorMessage"], part["Success"]) == (
        refusal.sentence,
        False,
    )
