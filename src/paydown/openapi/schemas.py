"""The shapes of bodies, as JSON Schema. Limits come from ``wire``, which enforces them."""

from collections.abc import Collection
from typing import Any

from paydown.domain.model import Kind
from paydown.domain.money import DIGITS_MAX
from paydown.wire.faults import FAULTS_MAX
from paydown.wire.formats import INT32_MAX, INT32_MIN
from paydown.wire.requests import (
    AUTHORIZATION_CODE_MAX,
    CALLS,
    LINES_MAX,
    NOTES_MAX,
    REFERENCE_MAX,
    Call,
)

Json = dict[str, Any]

_OPTIONAL = {"ThirdPartyReference", "Notes", "AuthorizationCode"}

_DAY = "(19[7-9][0-9]|20[0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_HOUR, _SIXTIETH = "([01][0-9]|2[0-3])", "[0-5][0-9]"
_OFFSET = f"[+-](0[0-9]|1[0-3]):{_SIXTIETH}|[+-]14:00"
_ANY_OFFSET = f"[+-]((0[0-9]|1[0-3])(:?{_SIXTIETH})?|14(:?00)?)"
_ANY_TIME = f"[Tt]{_HOUR}:{_SIXTIETH}(:{_SIXTIETH}([.][0-9]+)?)?([Zz]|{_ANY_OFFSET})?"
_SECOND = f"{_DAY}T{_HOUR}:{_SIXTIETH}:{_SIXTIETH}([.][0-9]{{0,6}}[1-9])?"

DATE = {
    "type": "string",
    "pattern": f"^{_DAY}({_ANY_TIME})?$",
    "description": (
        "ISO 8601: a date, alone or with a time to the minute, the second or a fraction of it, "
        "and behind a time an offset, Z, or neither: then it is the customer's local time."
    ),
}
INT32_TEXT = {
    "type": "string",
    "pattern": "^-?0*[0-9]{1,10}$",
    "description": "An Int32, in digits only.",
}
INT32 = {
    "oneOf": [
        {"type": "integer", "format": "int32", "minimum": INT32_MIN, "maximum": INT32_MAX},
        INT32_TEXT,
    ]
}
AMOUNT_TEXT = {
    "type": "string",
    "pattern": "^-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$",
    "description": f"At most {DIGITS_MAX} digits, read exactly.",
}
AMOUNT = {"oneOf": [{"type": "number"}, AMOUNT_TEXT]}
_PAID = AMOUNT | {"description": "Above zero, at most the balance."}


def make_schemas() -> Json:
    """Every schema by its name."""
    schemas: Json = {
        "Failure": make_object({"Message": {"type": "string"}}),
        "InvalidRequest": make_object(
            {
                "Message": {"type": "string"},
                "ModelState": {
                    "type": "object",
                    "description": f"Sentences by field, up to {FAULTS_MAX} faults.",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                },
            }
        ),
    }
    for kind, call in CALLS.items():
        root, line = _request_fields(kind, int32=INT32, amount=_PAID)
        lines = {"type": "array", "maxItems": LINES_MAX, "items": make_object(line, _OPTIONAL)}
        schemas[f"{call.list_name}Request"] = make_object(root | {call.list_name: lines}, _OPTIONAL)
        root, line = _request_fields(kind, int32=INT32_TEXT, amount=AMOUNT_TEXT)
        schemas[f"{call.list_name}Form"] = _form(root, line, call.list_name)
        schemas[f"{call.list_name}Response"] = _answer(call)
    return schemas


def _request_fields(kind: Kind, *, int32: Json, amount: Json) -> tuple[Json, Json]:
    """The fields of a request and of one of its lines."""
    notes = make_text(NOTES_MAX)
    root = {
        "ContactId": {"type": "string", "format": "uuid"},
        CALLS[kind].date_name: DATE,
        "TenderTypeId": int32,
    }
    line = {"BillingId": int32, "Amount": amount}
    if kind == Kind.WRITE_DOWN:
        return root | {"Notes": notes}, line | {"GLAccountId": int32}
    return root, line | {
        "ThirdPartyReference": make_text(REFERENCE_MAX),
        "Notes": notes,
        "AuthorizationCode": make_text(AUTHORIZATION_CODE_MAX),
    }


def _form(root: Json, line: Json, list_name: str) -> Json:
    """The same fields, a line's named ``List[0].Field`` or ``List[0][Field]``."""
    pattern = rf"^{list_name}\[[0-9]+\](\.{{0}}|\[{{0}}\])$"
    return {
        "type": "object",
        "properties": root,
        "patternProperties": {pattern.format(name): field for name, field in line.items()},
        "required": [name for name in root if name not in _OPTIONAL],
    }


def _answer(call: Call) -> Json:
    sentence = {"type": ["string", "null"]}
    line = make_object(
        {
            "BillingId": {"type": "integer", "format": "int32"},
            "Balance": {"type": ["number", "null"], "description": "Left after this line."},
            "ProcessDate": {
                "type": ["string", "null"],
                "pattern": f"^{_SECOND}({_OFFSET})$",
                "description": "When it was recorded.",
            },
            call.date_name: {
                "type": ["string", "null"],
                "pattern": f"^{_SECOND}(Z|{_OFFSET})?$",
                "description": "As sent: with Z, without an offset, or with the customer's offset.",
            },
            "ErrorMessage": sentence,
        }
    )
    return make_object(
        {
            "ContactId": {"type": "string", "format": "uuid"},
            call.list_name: {"type": "array", "items": line},
            "ErrorMessage": sentence,
            "Success": {"type": "boolean"},
        }
    )


def make_object(properties: Json, optional: Collection[str] = ()) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


def make_text(length_max: int) -> Json:
    return {"type": ["string", "null"], "maxLength": length_max}
