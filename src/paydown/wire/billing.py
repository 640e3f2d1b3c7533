"""``POST /POS/CreateBilling``: the body as a billing item to make, and the answers.

Law of this file: fields are read in the documented order, so faults come in that order. A sentence
says what to send instead, by Legend's names.
"""

import msgspec

from paydown.domain.charging import NewBilling
from paydown.domain.desk_refusals import DeskRefusal
from paydown.wire.bodies import read_text, read_tree
from paydown.wire.encoding import encode_document
from paydown.wire.faults import REQUEST, Fault, Faults
from paydown.wire.formats import write_amount
from paydown.wire.headers import Media
from paydown.wire.requests import Fields

SENTENCES = {
    DeskRefusal.unknown_contact: (
        "PayerId is not a contact of this customer. Send that of the contact who is to pay."
    ),
    DeskRefusal.unknown_billing_type: (
        "BillingTypeId is not a billing type of this customer. Send one of its own."
    ),
    DeskRefusal.inactive_billing_type: (
        "BillingTypeId is a billing type that is no longer in use. Send an active one."
    ),
    DeskRefusal.amount_not_positive: "TotalAmount must be greater than zero.",
    DeskRefusal.amount_too_precise: "TotalAmount has more decimals than the currency has.",
    DeskRefusal.amount_too_large: "TotalAmount is greater than the books can hold.",
    DeskRefusal.billing_ids_used_up: DeskRefusal.billing_ids_used_up.sentence,
}
"""Why no item was made, for each refusal that this call can meet."""


def decode(body: bytes, media: Media, time_zone: str) -> NewBilling | Faults:
    """The billing item in the body, or every fault of it. ``time_zone`` is the customer's."""
    text = read_text(body)
    tree = text if isinstance(text, Fault) else read_tree(text, media)
    if isinstance(tree, Fault):
        return Faults((tree,))
    faults: list[Fault] = []
    fields = Fields(tree, REQUEST, faults)
    payer_id = fields.guid("PayerId")
    billing_type_id = fields.int32("BillingTypeId")
    agreement_id = fields.optional_id("AgreementId")
    member_service_id = fields.optional_id("MemberServiceId")
    fields.require_one("AgreementId", "MemberServiceId")
    total_amount = fields.amount("TotalAmount")
    effective = fields.optional_date("EffectiveDate", time_zone)
    is_external = fields.flag("IsExternalBilling")
    if faults:
        return Faults(tuple(faults))
    return NewBilling(
        contact_id=payer_id,
        billing_type_id=billing_type_id,
        total_amount=total_amount,
        effective=effective,
        agreement_id=agreement_id,
        member_service_id=member_service_id,
        is_external=is_external,
    )


def encode(
    contact_id: str, *, billing_id: int, gl_code: str, total_amount: int, minor_digits: int
) -> bytes:
    """The body of the answer 200. ``gl_code`` is the code of the billing type's income account."""
    return encode_document(
        {
            "ContactId": contact_id,
            "BillingId": billing_id,
            "GlCode": gl_code,
            "TotalAmount": msgspec.Raw(write_amount(total_amount, minor_digits).encode()),
        }
    )
