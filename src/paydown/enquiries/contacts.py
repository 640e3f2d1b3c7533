"""Contacts: one with all that it owes, and the search for them."""

from collections.abc import Sequence

from msgspec import structs

from paydown.domain.searching import fold
from paydown.enquiries.asking import CONTACTS, BadCursor, ContactFilter, PageAsk
from paydown.enquiries.writing import describe_item, today, write_amount
from paydown.storage import contacts, items
from paydown.storage.contacts import ContactRow, Named
from paydown.storage.reference import Customer, StoreConnection
from paydown.storage.walking import Key
from paydown.wire.formats import read_guid
from paydown.wire.v1.documents import Contact, ContactInFull, Page

_NAMED, _OTHERS = 0, 1
"""The two stages of a list: what the search names exactly, and all others. A cursor tells which."""


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
    """A part of the contacts: those that the search names, and then those that hold its words.

    A guid is no words: it is looked for by itself alone.
    """
    key = CONTACTS.read(ask.cursor)
    if isinstance(key, BadCursor):
        return key
    search = (wanted.search or "").strip()
    named = Named(read_guid(search), search) if search else None
    stage, *after = key or (_NAMED,)
    rows: list[ContactRow] = []
    if named is not None and stage == _NAMED:
        part = contacts.list_named(
            connection, customer.customer_id, named, after=tuple(after) or None, count_max=ask.limit
        )
        if named.contact_id is not None or part.next_key:
            return _show(part.rows, part.next_key and (_NAMED, *part.next_key), customer)
        if len(part.rows) == ask.limit:
            return _show(part.rows, (_NAMED, part.rows[-1].contact_id), customer)
        rows, after = part.rows, []
    part = contacts.list_contacts(
        connection,
        customer.customer_id,
        fold(search).split(),
        apart_from=named,
        after=tuple(after) or None,
        count_max=ask.limit - len(rows),
    )
    return _show([*rows, *part.rows], part.next_key and (_OTHERS, *part.next_key), customer)


def _show(rows: Sequence[ContactRow], key: Key | None, customer: Customer) -> Page[Contact]:
    return Page(data=[_describe(row, customer) for row in rows], next_cursor=CONTACTS.write(key))


def _describe(row: ContactRow, customer: Customer) -> Contact:
    return Contact(
        contact_id=row.contact_id,
        name=row.name,
        reference=row.reference,
        open_item_count=row.open_item_count,
        owed=write_amount(row.owed, customer),
        unapplied=write_amount(row.unapplied, customer),
    )
