"""What a caller of ``/v1`` sends.

Law of this file: a member that is not named here is refused, so that none is lost by a slip.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from paydown.wire.v1.fields import (
    Amount,
    AuthorizationCode,
    Code,
    Day,
    Description,
    Guid,
    Id,
    Instant,
    ListedAmount,
    Name,
    Notes,
    PostingId,
    Reason,
    Reference,
)

ITEMS_MAX = 10_000
ALLOCATIONS_MAX = 1_000


class Order(Struct, forbid_unknown_fields=True):
    """The body of a write."""


class NewContact(Order, kw_only=True):
    """A contact to create. Without ``contact_id`` one is made."""

    name: Name
    contact_id: Guid | None = None
    reference: Reference | None = None


class ContactChange(Order, kw_only=True):
    """What a contact is to be from now on: the whole of it, an absent reference being none."""

    name: Name
    reference: Reference | None = None


class ListedItem(Order, kw_only=True):
    """A billing item to create among others: what is wrong with its amount is its own matter."""

    contact_id: Guid
    billing_type_id: Id
    total_amount: ListedAmount
    description: Description
    due_on: Day | None = None
    effective_at: Instant | None = None
    beneficiary_id: Guid | None = None
    agreement_id: Id | None = None
    member_service_id: Id | None = None
    is_external: bool = False


class NewItem(ListedItem, kw_only=True):
    """A billing item to create: what ``contact_id`` owes, for itself or for ``beneficiary_id``."""

    total_amount: Amount


class NewItems(Order, kw_only=True):
    """Billing items to create. Each is judged by itself; those that are refused change nothing."""

    items: Annotated[list[ListedItem], Meta(min_length=1, max_length=ITEMS_MAX)]


class Reversal(Order, kw_only=True):
    """A posting or an entry to undo. ``value_at`` is the original's where it is left out."""

    reason: Reason
    value_at: Instant | None = None


class NewReceipt(Order, kw_only=True):
    """Money received from a contact, without items as yet."""

    contact_id: Guid
    tender_type_id: Id
    amount: Amount
    value_at: Instant
    reference: Reference | None = None
    authorization_code: AuthorizationCode | None = None
    notes: Notes | None = None


class AllocationLine(Order, kw_only=True):
    """A part of a receipt, for one item."""

    billing_id: Id
    amount: Amount


class Allocations(Order, kw_only=True):
    """Parts of a receipt to apply: all or none.

    Where ``value_at`` is left out it is now, or the receipt's own where that is still to come.
    """

    lines: Annotated[list[AllocationLine], Meta(min_length=1, max_length=ALLOCATIONS_MAX)]
    value_at: Instant | None = None


class Unallocation(Order, kw_only=True):
    """An allocation to take back: its posting is reversed."""

    allocation_id: PostingId
    reason: Reason
    value_at: Instant | None = None


class NewTenderType(Order, kw_only=True):
    """A way to pay to create."""

    tender_type_id: Id
    name: Name
    clearing_account_code: Code


class NewBillingType(Order, kw_only=True):
    """A billing type to create."""

    billing_type_id: Id
    name: Name
    income_account_code: Code
    external_receivables_account_code: Code


class NewAccount(Order, kw_only=True):
    """A GL account to create. Without ``gl_account_id`` one is given."""

    code: Code
    name: Name
    account_type: Literal["receivable", "asset", "liability", "equity", "income", "expense"]
    gl_account_id: Id | None = None


class Activation(Order, kw_only=True):
    """Whether something may be used from now on. What refers to it stays."""

    active: bool
