"""Entries and postings: one with everything about it, and the lists of them."""

from typing import cast

from msgspec import structs

from paydown.domain.lines import PostingKey
from paydown.enquiries.asking import ENTRIES, POSTINGS, BadCursor, PageAsk
from paydown.enquiries.writing import describe_posting, write_amount, write_id, write_time
from paydown.storage import entries, history
from paydown.storage.entries import EntryRow
from paydown.storage.history import EntryFilter, PostingFilter
from paydown.storage.reference import Customer, StoreConnection
from paydown.wire.v1.documents import Entry, EntryInFull, Kind, Page, Posting

POSTINGS_SHOWN_MAX = 10_000
"""How many of its postings an entry is shown with. An import's can have many more."""


def find_entry(
    connection: StoreConnection, customer: Customer, entry_id: bytes
) -> EntryInFull | None:
    """The entry with its postings."""
    row = entries.find_entry(connection, customer.customer_id, entry_id)
    if row is None:
        return None
    lines = history.list_lines_of_entry(
        connection, customer.customer_id, entry_id, count_max=POSTINGS_SHOWN_MAX
    )
    return EntryInFull(
        **structs.asdict(_describe(row, customer)),
        digest=row.digest.hex(),
        postings=[describe_posting(line, customer) for line in lines],
    )


def list_entries(
    connection: StoreConnection, customer: Customer, wanted: EntryFilter, ask: PageAsk
) -> Page[Entry] | BadCursor:
    """A part of the entries, the newest first."""
    after = ENTRIES.read(ask.cursor)
    if isinstance(after, BadCursor):
        return after
    part = entries.list_entries(
        connection, customer.customer_id, wanted, after=after, count_max=ask.limit
    )
    return Page(
        data=[_describe(row, customer) for row in part.rows],
        next_cursor=ENTRIES.write(part.next_key),
    )


def find_posting(
    connection: StoreConnection, customer: Customer, key: PostingKey
) -> Posting | None:
    """The posting."""
    line = history.find_line(connection, customer.customer_id, key)
    return describe_posting(line, customer) if line else None


def list_postings(
    connection: StoreConnection, customer: Customer, wanted: PostingFilter, ask: PageAsk
) -> Page[Posting] | BadCursor:
    """A part of the postings, the newest first."""
    after = POSTINGS.read(ask.cursor)
    if isinstance(after, BadCursor):
        return after
    part = history.list_lines(
        connection, customer.customer_id, wanted, after=after, count_max=ask.limit
    )
    return Page(
        data=[describe_posting(line, customer) for line in part.rows],
        next_cursor=POSTINGS.write(part.next_key),
    )


def _describe(row: EntryRow, customer: Customer) -> Entry:
    return Entry(
        entry_id=write_id(row.entry_id),
        kind=cast(Kind, row.kind),
        contact_id=row.contact_id,
        tender_type_id=row.tender_type_id,
        value_at=write_time(row.value_at, customer),
        recorded_at=write_time(row.recorded_at, customer),
        caller=row.caller,
        staff_user=row.staff_user,
        request_id=row.request_id,
        address=row.address,
        idempotency_key=row.idempotency_key,
        notes=row.notes,
        amount=write_amount(row.amount, customer),
        posting_count=row.posting_count,
    )
