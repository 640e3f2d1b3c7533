"""What is told of a contact: the billing items that it pays for, or that are for it."""

from typing import NamedTuple

ITEMS_MAX = 10_000
"""How many items are told of, the latest due first: the answer has no pages."""


class Person(NamedTuple):
    """A contact, as others know it."""

    contact_id: str
    name: str
    reference: str | None


class ItemDetails(NamedTuple):
    """A billing item. ``paid_at`` is the value date of the latest money that it was paid with."""

    billing_id: int
    payer: Person
    beneficiary: Person
    description: str
    total_amount: int
    balance: int
    due_on: str
    billing_type_name: str | None
    paid_at: int | None


class ContactDetails(NamedTuple):
    """A contact, and its latest items first."""

    person: Person
    items: tuple[ItemDetails, ...]
