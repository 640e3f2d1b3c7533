"""Billing items: one, and the lists of them."""

from dataclasses import replace

from paydown.domain.ageing import find_span
from paydown.enquiries.asking import ITEMS, BadCursor, ItemFilter, PageAsk
from paydown.enquiries.writing import describe_item, today
from paydown.storage import items
from paydown.storage.items import ItemChoice
from paydown.storage.reference import Customer, StoreConnection
from paydown.wire.v1.documents import Item, Page


def find_item(
    connection: StoreConnection, customer: Customer, billing_id: int, *, now: int
) -> Item | None:
    """The item as it is."""
    found = items.find_items(connection, customer.customer_id, [billing_id])
    return describe_item(found[0], customer, today(now, customer)) if found else None


def list_items(
    connection: StoreConnection,
    customer: Customer,
    wanted: ItemFilter,
    ask: PageAsk,
    *,
    now: int,
) -> Page[Item] | BadCursor:
    """A part of the items, by id. A band holds open items only."""
    after = ITEMS.read(ask.cursor)
    if isinstance(after, BadCursor):
        return after
    if wanted.band is not None and wanted.state == "settled":
        return Page(data=[], next_cursor=None)
    on = today(now, customer)
    choice = ItemChoice(
        contact_id=wanted.contact_id,
        is_open=None if wanted.state is None else wanted.state == "open",
        due_before=wanted.due_before.isoformat() if wanted.due_before else None,
    )
    if wanted.band is not None:
        span = find_span(wanted.band, on)
        limits = [day for day in (choice.due_before, span.due_before) if day is not None]
        choice = replace(
            choice, is_open=True, due_from=span.due_from, due_before=min(limits, default=None)
        )
    part = items.list_items(
        connection, customer.customer_id, choice, after=after, count_max=ask.limit
    )
    return Page(
        data=[describe_item(row, customer, on) for row in part.rows],
        next_cursor=ITEMS.write(part.next_key),
    )
