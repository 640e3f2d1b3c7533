"""Why a write of ``/v1`` was refused.

Law of this file: a member's name is its code, which is stable; each has a row in
``docs/reference/v1.md``. A sentence says what to send instead, and is true of every case.
"""

from enum import Enum
from typing import NamedTuple


class DeskRefusal(Enum):
    """A refusal: the HTTP status where the path is at fault, and the sentence for the caller.

    What is unknown where the *body* names it has the status 422: see ``Refused.status``.
    """

    unknown_contact = (404, "There is no such contact of this customer.")
    unknown_item = (404, "There is no such billing item of this customer.")
    unknown_entry = (404, "There is no such entry of this customer.")
    unknown_posting = (404, "There is no such posting of this customer.")
    unknown_receipt = (404, "There is no such receipt of this customer.")
    unknown_allocation = (404, "There is no such allocation of this receipt.")
    unknown_tender_type = (404, "There is no such tender type of this customer.")
    unknown_billing_type = (404, "There is no such billing type of this customer.")
    unknown_gl_account = (404, "There is no such GL account of this customer.")
    already_exists = (409, "There is one of that id already. Leave it as it is, or send another.")
    in_use = (409, "It is still in use, so it cannot be disabled. Disable what uses it first.")
    already_reversed = (409, "It is reversed already, and once is all. Nothing was changed.")
    not_reversible = (409, "A reversal is not reversed. Record anew what was undone by mistake.")
    entry_too_large = (409, "The entry has too many postings. Reverse its postings one by one.")
    item_paid = (
        409,
        "Something is paid or written down on the item. Reverse that first, then the charge.",
    )
    receipt_applied = (
        409,
        "A part of the receipt is applied to items. Take its allocations back first.",
    )
    receipt_reversed = (409, "The receipt was reversed. Nothing of it is left to apply.")
    billing_ids_used_up = (409, "There is no BillingId left beyond the greatest in use.")
    etag_mismatch = (
        412,
        "No tag in If-Match is its ETag now. Read it again, and send the ETag of that answer.",
    )
    invalid_value = (422, "A value cannot be used. Send one as the documentation shows it.")
    inactive_tender_type = (422, "The tender type is no longer in use. Send an active one.")
    unsuitable_tender_type = (
        422,
        "The tender type clears on the account of unapplied receipts. Send another.",
    )
    inactive_billing_type = (422, "The billing type is no longer in use. Send an active one.")
    unsuitable_gl_account = (422, "The GL account cannot be used for this. Send another.")
    amount_not_positive = (422, "The amount must be greater than zero.")
    amount_too_precise = (422, "The amount has more decimals than the currency has.")
    amount_too_large = (422, "The amount is greater than the books can hold.")
    amount_exceeds_balance = (422, "The amount must not exceed the balance of the billing item.")
    amount_exceeds_unapplied = (
        422,
        "The amounts together must not exceed what is left of the receipt.",
    )
    unknown_billing_item = (422, "It is not a billing item of the receipt's contact.")
    repeated_billing_id = (422, "A billing item stands on two lines. Send it once, added up.")
    value_before_original = (422, "value_at must not be before that of what is reversed.")
    value_before_receipt = (422, "value_at must not be before that of the receipt.")

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        self.sentence = sentence


class Objection(NamedTuple):
    """Why something is not done. ``pointer`` leads to the member of the body that is at fault.

    It is empty where what is in the books stands against it: ``billing_id`` then says of which
    item, where the request names none.
    """

    refusal: DeskRefusal
    pointer: str = ""
    billing_id: int | None = None

    @property
    def sentence(self) -> str:
        """The refusal's sentence, and of which item it speaks."""
        which = "" if self.billing_id is None else f" The item is {self.billing_id}."
        return self.refusal.sentence + which
