"""Bodies in and out: bytes to requests, outcomes to bytes.

Law of this file: the fast way takes only what the patient way would read the same; whatever it
doubts goes to the patient way, which alone finds faults. A property test holds the two together.
"""

import json
from collections import defaultdict
from decimal import Decimal
from typing import Annotated

import msgspec

from paydown.domain.model import Kind, Line, Request
from paydown.domain.outcomes import LineOutcome, Outcome, Refusal
from paydown.wire.bodies import read_text, read_tree
from paydown.wire.encoding import encode_document
from paydown.wire.faults import Fault, Faults
from paydown.wire.formats import (
    INT32_MAX,
    INT32_MIN,
    read_amount,
    read_date,
    read_guid,
    write_amount,
)
from paydown.wire.headers import Media
from paydown.wire.requests import (
    AUTHORIZATION_CODE_MAX,
    CALLS,
    LINES_MAX,
    NOTES_MAX,
    REFERENCE_MAX,
    read_request,
)
from paydown.wire.trees import DEPTH_MAX, count_openings

_Int32 = Annotated[int, msgspec.Meta(ge=INT32_MIN, le=INT32_MAX)]
_Reference = Annotated[str, msgspec.Meta(max_length=REFERENCE_MAX)]
_Notes = Annotated[str, msgspec.Meta(max_length=NOTES_MAX)]
_AuthorizationCode = Annotated[str, msgspec.Meta(max_length=AUTHORIZATION_CODE_MAX)]


class _PaymentLine(msgspec.Struct, forbid_unknown_fields=True):
    BillingId: _Int32
    Amount: msgspec.Raw
    ThirdPartyReference: _Reference | None = None
    Notes: _Notes | None = None
    AuthorizationCode: _AuthorizationCode | None = None


class _Payments(msgspec.Struct, forbid_unknown_fields=True):
    ContactId: str
    PaymentDate: str
    TenderTypeId: _Int32
    BillingPayments: list[_PaymentLine]


class _WriteDownLine(msgspec.Struct, forbid_unknown_fields=True):
    BillingId: _Int32
    Amount: msgspec.Raw
    GLAccountId: _Int32


class _WriteDowns(msgspec.Struct, forbid_unknown_fields=True):
    ContactId: str
    WriteDownDate: str
    TenderTypeId: _Int32
    BillingWriteDowns: list[_WriteDownLine]
    Notes: _Notes | None = None


_read_payments = msgspec.json.Decoder(_Payments).decode
_read_write_downs = msgspec.json.Decoder(_WriteDowns).decode


def decode(
    kind: Kind, body: bytes, media: Media, time_zone: str, *, lines_max: int = LINES_MAX
) -> Request | Faults:
    """The request in the body, or every fault of it. ``time_zone`` is the customer's."""
    text = read_text(body)
    if isinstance(text, Fault):
        return Faults((text,))
    if media is Media.JSON:
        request = _decode_fast(kind, text, time_zone)
        if request is not None and _is_plain(request, text, lines_max):
            return request
    tree = read_tree(text, media, list_name=CALLS[kind].list_name, lines_max=lines_max)
    if isinstance(tree, Fault):
        return Faults((tree,))
    return read_request(kind, tree, time_zone, lines_max)


def encode(request: Request, outcome: Outcome, minor_digits: int) -> bytes:
    """The body of the answer 200: one line for each line of the request, nulls written."""
    call = CALLS[request.kind]
    lines = ",".join([_write_line(line, call.date_name, minor_digits) for line in outcome.lines])
    return (
        f'{{"ContactId":"{request.contact_id}","{call.list_name}":[{lines}],'
        f'"ErrorMessage":{_SENTENCES[outcome.refusal]},'
        f'"Success":{"true" if outcome.success else "false"}}}'
    ).encode()


def message(text: str) -> bytes:
    """The body of an answer that is one sentence."""
    return encode_document({"Message": text})


def invalid(faults: Faults) -> bytes:
    """The body of the answer 400: every fault under its own key."""
    state: defaultdict[str, list[str]] = defaultdict(list)
    for key, sentence in faults.faults:
        state[key].append(sentence)
    return encode_document({"Message": "The request is invalid.", "ModelState": state})


_SENTENCES = {None: "null"} | {
    refusal: json.dumps(refusal.sentence, ensure_ascii=False) for refusal in Refusal
}


def _write_line(line: LineOutcome, date_name: str, minor_digits: int) -> str:
    balance = "null" if line.balance is None else write_amount(line.balance, minor_digits)
    return (
        f'{{"BillingId":{line.billing_id},"Balance":{balance},'
        f'"ProcessDate":{_write_date(line.recorded_written)},'
        f'"{date_name}":{_write_date(line.value_written)},'
        f'"ErrorMessage":{_SENTENCES[line.refusal]}}}'
    )


def _write_date(written: str | None) -> str:
    return "null" if written is None else f'"{written}"'


def _decode_fast(kind: Kind, text: str, time_zone: str) -> Request | None:
    """The request of a body in exact names and types, as most are; None where in doubt."""
    if r"\u0000" in text:
        return None
    try:
        if kind == Kind.PAYMENT:
            return _payments(_read_payments(text), time_zone)
        return _write_downs(_read_write_downs(text), time_zone)
    except (msgspec.DecodeError, RecursionError):
        return None


def _is_plain(request: Request, text: str, lines_max: int) -> bool:
    """Whether no bound can have been passed. Of an amount sent twice the first may be any value."""
    line_count = len(request.lines)
    return line_count <= lines_max and count_openings(text) - line_count < DEPTH_MAX


def _payments(body: _Payments, time_zone: str) -> Request | None:
    lines: list[Line] = []
    for line in body.BillingPayments:
        amount = _number(line.Amount)
        if amount is None:
            return None
        reference = line.ThirdPartyReference or None
        lines.append(
            Line(line.BillingId, amount, None, reference, line.Notes, line.AuthorizationCode)
        )
    contact_id, value = read_guid(body.ContactId), read_date(body.PaymentDate, time_zone)
    if contact_id is None or value is None:
        return None
    return Request(Kind.PAYMENT, contact_id, body.TenderTypeId, *value, tuple(lines))


def _write_downs(body: _WriteDowns, time_zone: str) -> Request | None:
    lines: list[Line] = []
    for line in body.BillingWriteDowns:
        amount = _number(line.Amount)
        if amount is None:
            return None
        lines.append(Line(line.BillingId, amount, line.GLAccountId))
    contact_id, value = read_guid(body.ContactId), read_date(body.WriteDownDate, time_zone)
    if contact_id is None or value is None:
        return None
    return Request(Kind.WRITE_DOWN, contact_id, body.TenderTypeId, *value, tuple(lines), body.Notes)


def _number(raw: msgspec.Raw) -> Decimal | None:
    """The amount of a JSON number. A JSON text still has its quotes here, so it is none."""
    return read_amount(bytes(raw).decode())
