"""``GET /Contacts/{Id}/Details``: the answer, of the vendor's the parts that concern money.

Law of this file: every member of the vendor's stands in the answer, in its order, and is null where
the books do not hold it.
"""

from typing import Any

import msgspec

from paydown.domain.contact_details import ContactDetails, ItemDetails
from paydown.wire.encoding import encode_document
from paydown.wire.formats import read_date, write_amount, write_instant

MEMBERS = (
    *("AccountNo", "Amount", "Balance", "BillingId", "ByContactExtId", "ByContactId"),
    *("ByContactName", "ByMemberNo", "DueDate", "DueForRepresentation", "Failed"),
    *("FailureReason", "FeeProcessLineItemId", "FeeType", "ForContactExtId", "ForContactId"),
    *("ForContactName", "ForMemberNo", "PaymentDate", "SortCode", "SourceText"),
)
"""The vendor's names for the parts of a historic payment, in its order."""

_NOT_HELD: dict[str, Any] = dict.fromkeys(MEMBERS)


def encode(details: ContactDetails, *, time_zone: str, minor_digits: int) -> bytes:
    """The body of the answer 200, in the customer's time zone and currency."""
    return encode_document(
        {
            "ContactId": details.person.contact_id,
            "Name": details.person.name,
            "HistoricPayments": [
                _write_item(item, time_zone, minor_digits) for item in details.items
            ],
        }
    )


def _write_item(item: ItemDetails, time_zone: str, minor_digits: int) -> dict[str, Any]:
    """The members in the vendor's order, null but for what is held."""
    return _NOT_HELD | {
        "Amount": _write_amount(item.total_amount, minor_digits),
        "Balance": _write_amount(item.balance, minor_digits),
        "BillingId": item.billing_id,
        "ByContactExtId": item.payer.contact_id,
        "ByContactName": item.payer.name,
        "ByMemberNo": item.payer.reference,
        "DueDate": _write_day(item.due_on, time_zone),
        "FeeType": item.billing_type_name,
        "ForContactExtId": item.beneficiary.contact_id,
        "ForContactName": item.beneficiary.name,
        "ForMemberNo": item.beneficiary.reference,
        "PaymentDate": None if item.paid_at is None else write_instant(item.paid_at, time_zone),
        "SourceText": item.description,
    }


def _write_amount(minor: int, minor_digits: int) -> msgspec.Raw:
    return msgspec.Raw(write_amount(minor, minor_digits).encode())


def _write_day(day: str, time_zone: str) -> str:
    """The day's first moment in the customer's time zone."""
    read = read_date(day, time_zone)
    assert read is not None, "a day in the books can be read"
    return write_instant(read[0], time_zone)
