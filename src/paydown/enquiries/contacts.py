"""Contacts: one with all that it owes, and the search for them."""

from msgspec import structs

from paydown.domain.searching import fold
from paydown.enquiries.asking import CONTACTS, BadCursor, ContactFilter, PageAsk
from paydown.enquiries.writing import describe_item, today, write_amount
from paydown.storage import contacts, items
from paydown.storage.contacts import ContactRow
from paydown.storage.reference import Customer, StoreConnection
from paydown.wire.formats import read_guid
from paydown.wire.v1.documents import Contact, ContactInFull, Page


def find_contact(
    connection: StoreConnection, customer: Customer, contact_id: str, *, now: int
) -> ContactInFull | None:
    """The contact (a guid, hyphenated) with its open items."""
    row = contacts.find_contact(connection, customer.customer_id, contact_id)
    if row is None:
        return None
    on = today(now, customer)
    owing = items.list_open_items(connection, customer.customer_id, contact_id)
    return ContactInFull(
        **structs.asdict(_describe(row, customer)),
        open_items=[describe_item(item, customer, on) for item in owing],
    )


def list_contacts(
    connection: StoreConnection, customer: Customer, wanted: ContactFilter, ask: PageAsk
) -> Page[Contact] | BadCursor:
    """A part of the contacts."""
    after = CONTACTS.read(ask.cursor)
    if isinstance(after, BadCursor):
        return after
    if wanted.search is not None and after is None:
        named = contacts.list_named(
            connection,
            customer.customer_id,
            contact_id=read_guid(wanted.search.strip()),
            reference=wanted.search.strip(),
            count_max=ask.limit,
        )
        if named:
            return Page(data=[_describe(row, customer) for row in named], next_cursor=None)
    words = fold(wanted.search or "").split()
    part = contacts.list_contacts(
        connection, customer.customer_id, words, after=after, count_max=ask.limit
    )
    return Page(
        data=[_describe(row, customer) for row in part.rows],
        next_cursor=CONTACTS.write(part.next_key),
    )


def _describe(row: ContactRow, customer: Customer) -> Contact:
    return Contact(
        contact_id=row.contact_id,
        name=row.name,
        reference=row.reference,
        open_item_count=row.open_item_count,
        owed=write_amount(row.owed, customer),
        unapplied=write_amount(row.unapplied, customer),
    )
