"""Legend's calls beside the two, for the document: ``CreateBilling`` and a contact's ``Details``.

Law of this file: an answer stands in the document as the code that makes the real ones made it.
"""

import json
from collections.abc import Callable

import msgspec

from paydown.domain.contact_details import ITEMS_MAX, ContactDetails, ItemDetails, Person
from paydown.domain.model import TICKS_PER_SECOND, Bundle
from paydown.openapi.schemas import AMOUNT, AMOUNT_TEXT, DATE, INT32, INT32_TEXT, Json, make_object
from paydown.wire import billing, contact_details

CREATE_BILLING, DETAILS = "/POS/CreateBilling", "/Contacts/{Id}/Details"

_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_OF_BODIES = ("415", "422")
"""What only a call with a body is answered."""

_TOLD = ("Idempotent-Replayed", "Preference-Applied")

_BODY = b"""{
  "PayerId": "f9025eb8-7bcb-4f72-aa35-ca5d82e6cb01",
  "BillingTypeId": 1,
  "AgreementId": 5021,
  "TotalAmount": 25.0,
  "EffectiveDate": "2026-02-05T09:13:12+00:00",
  "IsExternalBilling": false
}"""
_ANNA = Person("f9025eb8-7bcb-4f72-aa35-ca5d82e6cb01", "Anna Archer", "M-1044")
_BEN = Person("6ae26b8d-5064-492b-b727-fcd34e07710b", "Ben Archer", None)
_LESSONS = ItemDetails(
    billing_id=1001,
    payer=_ANNA,
    beneficiary=_BEN,
    description="Swimming lessons, spring",
    total_amount=2500,
    balance=1250,
    due_on="2026-02-28",
    billing_type_name="Lessons",
    paid_at=1_770_282_792 * TICKS_PER_SECOND,
)

_GUID = {"type": "string", "format": "uuid"}
_NUMBER = {"type": "number"}
_INTEGER = {"type": "integer", "format": "int32"}
_TEXT, _TEXT_OR_NULL = {"type": "string"}, {"type": ["string", "null"]}
_NOT_HELD = {"type": "null", "description": "Not held here."}
_OPTIONAL = ("AgreementId", "MemberServiceId", "EffectiveDate", "IsExternalBilling")
_ONE_OF_TWO = {"anyOf": [{"required": [name]} for name in _OPTIONAL[:2]]}
_HELD = {
    "Amount": _NUMBER | {"description": "The item's total."},
    "Balance": _NUMBER | {"description": "What is left of it to pay."},
    "BillingId": _INTEGER,
    "ByContactExtId": _GUID | {"description": "The contact who pays."},
    "ByContactName": _TEXT,
    "ByMemberNo": _TEXT_OR_NULL,
    "DueDate": _TEXT,
    "FeeType": _TEXT_OR_NULL | {"description": "The billing type's name."},
    "ForContactExtId": _GUID | {"description": "The contact whom the item is for."},
    "ForContactName": _TEXT,
    "ForMemberNo": _TEXT_OR_NULL,
    "PaymentDate": _TEXT_OR_NULL | {"description": "The date of the latest payment."},
    "SourceText": _TEXT | {"description": "The item's description."},
}


def schemas() -> Json:
    """The shape of each body, by its name."""
    payments = {
        "type": "array",
        "maxItems": ITEMS_MAX,
        "items": _refer("HistoricPayment")["schema"],
    }
    return {
        "CreateBillingRequest": _request(INT32, AMOUNT, {"type": "boolean"}, _or_null),
        "CreateBillingForm": _request(
            INT32_TEXT, AMOUNT_TEXT, {"enum": ["true", "false"]}, lambda shape: shape
        ),
        "CreateBillingResponse": make_object(
            {"ContactId": _GUID, "BillingId": _INTEGER, "GlCode": _TEXT, "TotalAmount": _NUMBER}
        ),
        "HistoricPayment": make_object(
            {name: _HELD.get(name, _NOT_HELD) for name in contact_details.MEMBERS}
        ),
        "ContactDetailsResponse": make_object(
            {"ContactId": _GUID, "Name": _TEXT, "HistoricPayments": payments}
        ),
    }


def paths(call: Json) -> Json:
    """Both calls. ``call`` is what all calls of Legend's have, their failures among it."""
    return {
        CREATE_BILLING: {"post": _create_billing(call)},
        DETAILS: {"get": _details(call)},
    }


def _create_billing(call: Json) -> Json:
    body = msgspec.Raw(_BODY)
    form = {name: _write_field(value) for name, value in json.loads(_BODY).items()}
    told = billing.encode(
        _ANNA.contact_id, billing_id=1001, gl_code="4000", total_amount=2500, minor_digits=2
    )
    return call | {
        "operationId": "CreateBilling",
        "summary": "Create a billing item that a contact is to pay",
        "description": (
            f"The login must hold the bundle `{Bundle.BILLING_PAYMENT}` for the customer. **Sent "
            "twice without an `Idempotency-Key` it makes two items.** A payer or a billing type "
            "that is not the customer's is 400, in one sentence."
        ),
        "requestBody": {
            "required": True,
            "content": {
                _JSON: _refer("CreateBillingRequest") | {"example": body},
                _FORM: _refer("CreateBillingForm") | {"example": form},
            },
        },
        "responses": call["responses"]
        | {"200": _answer("The item", "CreateBillingResponse", told, *_TOLD)},
    }


def _details(call: Json) -> Json:
    details = ContactDetails(_ANNA, (_LESSONS,))
    told = contact_details.encode(details, time_zone="Europe/London", minor_digits=2)
    of_path = {"name": "Id", "in": "path", "required": True, "schema": _GUID}
    of_all = [each for each in call["parameters"] if each["name"] == "X-Request-Id"]
    failures = {
        status: failure for status, failure in call["responses"].items() if status not in _OF_BODIES
    }
    return call | {
        "operationId": "ContactDetails",
        "summary": "Tell what a contact owes and has paid",
        "description": (
            f"The login must hold the bundle `{Bundle.CONTACTS}` for the customer. "
            f"`HistoricPayments` lists up to {ITEMS_MAX} billing items that the contact pays for "
            "or that are for it, the latest due first. A contact that is not the customer's is 404."
        ),
        "parameters": [of_path, *of_all],
        "responses": failures | {"200": _answer("The contact", "ContactDetailsResponse", told)},
    }


def _answer(says: str, schema: str, example: bytes, *headers: str) -> Json:
    named = ("X-Request-Id", "X-Content-Type-Options", *headers)
    return {
        "description": says,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in named},
        "content": {_JSON: _refer(schema) | {"example": msgspec.Raw(example)}},
    }


def _refer(name: str) -> Json:
    return {"schema": {"$ref": f"#/components/schemas/{name}"}}


def _write_field(value: object) -> str:
    """A value as a form has it."""
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _or_null(shape: Json) -> Json:
    return {"anyOf": [shape, {"type": "null"}]}


def _request(int32: Json, amount: Json, boolean: Json, optional: Callable[[Json], Json]) -> Json:
    from_one = int32 | {"description": "An Int32 from 1."}
    fields = {
        "PayerId": _GUID,
        "BillingTypeId": int32,
        "AgreementId": optional(from_one),
        "MemberServiceId": optional(from_one),
        "TotalAmount": amount | {"description": "Above zero, tax included."},
        "EffectiveDate": optional(DATE),
        "IsExternalBilling": optional(boolean),
    }
    return make_object(fields, _OPTIONAL) | _ONE_OF_TWO
