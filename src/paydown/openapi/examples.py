"""Requests and the answers they get, each made by the code that reads and makes the real ones.

Law of this file: an answer stands in the document as it is sent, to the byte: no float in between.
"""

import msgspec

from paydown.domain.model import Kind, Request
from paydown.domain.outcomes import LineOutcome, Outcome, Refusal
from paydown.openapi.schemas import Json
from paydown.wire import messages
from paydown.wire.faults import Faults
from paydown.wire.headers import Media
from paydown.wire.requests import CALLS

_BODIES = {
    Kind.PAYMENT: b"""{
  "ContactId": "f9025eb8-7bcb-4f72-aa35-ca5d82e6cb01",
  "PaymentDate": "2026-02-05T09:13:12+00:00",
  "TenderTypeId": 28,
  "BillingPayments": [
    {"BillingId": 1001, "Amount": 25.0, "ThirdPartyReference": "DD-2026-02-000417"},
    {"BillingId": 1002, "Amount": 12.5, "ThirdPartyReference": "DD-2026-02-000418"}
  ]
}""",
    Kind.WRITE_DOWN: b"""{
  "ContactId": "f9025eb8-7bcb-4f72-aa35-ca5d82e6cb01",
  "WriteDownDate": "2026-02-05T09:13:12.497898+00:00",
  "TenderTypeId": 6,
  "Notes": "Goodwill: the pool was closed in January",
  "BillingWriteDowns": [
    {"BillingId": 1001, "Amount": 25.0, "GLAccountId": 14},
    {"BillingId": 1002, "Amount": 12.5, "GLAccountId": 14}
  ]
}""",
}
_RECORDED_WRITTEN = "2026-02-05T09:13:14.0312745+00:00"
_MINOR_DIGITS = 2
_TIME_ZONE = "Europe/London"


def request_examples(kind: Kind) -> Json:
    """A body for the call."""
    return {"two lines": {"value": msgspec.Raw(_BODIES[kind])}}


def form_example(kind: Kind) -> Json:
    """The same body, as the fields of a form."""
    call, request = CALLS[kind], _request(kind)
    fields: Json = {
        "ContactId": request.contact_id,
        call.date_name: request.value_written,
        "TenderTypeId": str(request.tender_type_id),
    }
    if request.notes is not None:
        fields["Notes"] = request.notes
    for index, line in enumerate(request.lines):
        fields[f"{call.list_name}[{index}].BillingId"] = str(line.billing_id)
        fields[f"{call.list_name}[{index}].Amount"] = str(line.amount)
        if line.gl_account_id is not None:
            fields[f"{call.list_name}[{index}].GLAccountId"] = str(line.gl_account_id)
        if line.reference is not None:
            fields[f"{call.list_name}[{index}].ThirdPartyReference"] = line.reference
    return fields


def answer_examples(kind: Kind) -> Json:
    """What the body may be answered."""
    request = _request(kind)
    first, second = (
        LineOutcome(line.billing_id, balance, _RECORDED_WRITTEN, request.value_written)
        for line, balance in zip(request.lines, (0, 2750), strict=True)
    )
    too_much = Refusal.amount_exceeds_balance
    second_refused = LineOutcome(second.billing_id, 1000, refusal=too_much)
    unseen = tuple(LineOutcome(line.billing_id, None) for line in request.lines)
    outcomes = {
        "recorded": Outcome(None, (first, second)),
        "one line refused": Outcome(None, (first, second_refused)),
        "request refused": Outcome(Refusal.inactive_tender_type, unseen),
        "refused with strict handling": Outcome(
            Refusal.lines_refused, (unseen[0], second_refused._replace(balance=None))
        ),
    }
    return {
        name: {"value": msgspec.Raw(messages.encode(request, outcome, _MINOR_DIGITS))}
        for name, outcome in outcomes.items()
    }


def invalid_example() -> msgspec.Raw:
    """The answer to a request with several faults."""
    body = b'{"ContactId": "Anna", "TenderTypeId": 28, "BillingPayments": [{"BillingId": 1001}]}'
    faults = messages.decode(Kind.PAYMENT, body, Media.JSON, _TIME_ZONE)
    assert isinstance(faults, Faults), "the example is faulty"
    return msgspec.Raw(messages.invalid(faults))


def _request(kind: Kind) -> Request:
    request = messages.decode(kind, _BODIES[kind], Media.JSON, _TIME_ZONE)
    assert isinstance(request, Request), "the example is well formed"
    return request
