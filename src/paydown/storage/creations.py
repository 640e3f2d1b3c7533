"""What the desk creates: contacts and billing items.

Law of this file: it works in its caller's write transaction, and writes what it is told.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, insert, select, update

from paydown.domain.charging import ChargedItem
from paydown.domain.searching import make_search_text
from paydown.storage import schema


def find_contacts(
    connection: Connection, customer_id: int, contact_ids: Collection[str]
) -> frozenset[str]:
    """Those of the contacts that there are."""
    contact = schema.contact.c
    statement = select(contact.contact_id).where(
        contact.customer_id == customer_id, contact.contact_id.in_(contact_ids)
    )
    return frozenset(connection.execute(statement).scalars())


def add_contact(
    connection: Connection, customer_id: int, contact_id: str, *, name: str, reference: str | None
) -> None:
    """Add a contact, which must not be there yet."""
    own = {"customer_id": customer_id, "contact_id": contact_id}
    connection.execute(insert(schema.contact), {**own, **_described(name, reference)})


def change_contact(
    connection: Connection, customer_id: int, contact_id: str, *, name: str, reference: str | None
) -> bool:
    """Give a contact another name and reference. False where there is no such contact."""
    contact = schema.contact.c
    changed = connection.execute(
        update(schema.contact)
        .where(contact.customer_id == customer_id, contact.contact_id == contact_id)
        .values(_described(name, reference))
    )
    return changed.rowcount == 1


def add_items(connection: Connection, customer_id: int, items: Sequence[ChargedItem]) -> None:
    """Add items that owe their totals, and see that no later one takes their BillingIds."""
    if not items:
        return
    rows = [
        {
            **item._asdict(),
            "customer_id": customer_id,
            "balance": item.total_amount,
            "is_external": int(item.is_external),
        }
        for item in items
    ]
    for table in (schema.billing_item, schema.created_item):
        names = table.c.keys()
        connection.execute(insert(table), [{name: row[name] for name in names} for row in rows])
    defaults = schema.item_defaults
    connection.execute(
        update(defaults)
        .where(defaults.c.customer_id == customer_id)
        .values(next_billing_id=max(item.billing_id for item in items) + 1)
    )


def _described(name: str, reference: str | None) -> dict[str, str | None]:
    text = make_search_text(name, reference)
    return {"name": name, "reference": reference, "search_text": text}
