"""What the desk moves: it reads the state that it decides by, and writes entries and balances.

Law of this file: it works in its caller's write transaction, whose items are held. Balances are
moved relatively, so that the CHECKs on them judge even a decision gone wrong.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Select, Table, bindparam, insert, select, update

from paydown.domain import journal
from paydown.domain.allocating import ReceiptFact
from paydown.domain.journal import Said
from paydown.domain.model import Entry, ItemFact, Kind, Posting
from paydown.storage import schema


class EntryHead(NamedTuple):
    """What a reversal repeats of the entry that it undoes."""

    kind: Kind
    contact_id: str | None
    tender_type_id: int | None
    value_at: int
    value_written: str


def find_items(
    connection: Connection, customer_id: int, billing_ids: Collection[int]
) -> dict[int, ItemFact]:
    """Those of the items that there are, by id."""
    item = schema.billing_item.c
    statement = select(item.billing_id, *(item[name] for name in ItemFact._fields)).where(
        item.customer_id == customer_id, item.billing_id.in_(billing_ids)
    )
    return {row.billing_id: ItemFact(*row[1:]) for row in connection.execute(statement)}


def find_entry(connection: Connection, customer_id: int, entry_id: bytes) -> EntryHead | None:
    """The entry without its postings."""
    entry = schema.entry.c
    columns = (entry[name] for name in EntryHead._fields)
    row = connection.execute(
        select(*columns).where(entry.customer_id == customer_id, entry.entry_id == entry_id)
    ).one_or_none()
    return EntryHead._make(row)._replace(kind=Kind(row.kind)) if row else None


def find_postings(
    connection: Connection, customer_id: int, entry_id: bytes, *, count_max: int
) -> list[Posting]:
    """The entry's postings in order, and not more of them than so many."""
    statement = _of_entry(schema.posting, customer_id, entry_id)
    rows = connection.execute(statement.order_by(schema.posting.c.line_no).limit(count_max))
    return [Posting(*(row[name] for name in Posting._fields)) for row in rows.mappings()]


def find_posting(
    connection: Connection, customer_id: int, entry_id: bytes, line_no: int
) -> Posting | None:
    """One posting of the entry."""
    statement = _of_entry(schema.posting, customer_id, entry_id).where(
        schema.posting.c.line_no == line_no
    )
    row = connection.execute(statement).mappings().one_or_none()
    return Posting(*(row[name] for name in Posting._fields)) if row else None


def find_reversed_lines(
    connection: Connection, customer_id: int, entry_id: bytes, line_nos: Collection[int]
) -> set[int]:
    """Which of these postings of the entry are reversed."""
    reversal = schema.reversal.c
    statement = select(reversal.reversed_line_no).where(
        reversal.customer_id == customer_id,
        reversal.reversed_entry_id == entry_id,
        reversal.reversed_line_no.in_(line_nos),
    )
    return set(connection.execute(statement).scalars())


def find_receipt(connection: Connection, customer_id: int, entry_id: bytes) -> ReceiptFact | None:
    """The receipt of that entry, with what is left of it now."""
    receipt, posting, entry = schema.receipt, schema.posting, schema.entry
    found = receipt.join(
        entry,
        (entry.c.customer_id == receipt.c.customer_id) & (entry.c.entry_id == receipt.c.entry_id),
    ).join(
        posting,
        (posting.c.customer_id == receipt.c.customer_id)
        & (posting.c.entry_id == receipt.c.entry_id),
    )
    statement = (
        select(
            receipt.c.contact_id,
            receipt.c.amount,
            receipt.c.unapplied,
            posting.c.credit_account_id,
            entry.c.value_at,
            entry.c.value_written,
        )
        .select_from(found)
        .where(receipt.c.customer_id == customer_id, receipt.c.entry_id == entry_id)
    )
    row = connection.execute(statement).one_or_none()
    return ReceiptFact._make(row) if row else None


def find_allocations(connection: Connection, customer_id: int, entry_id: bytes) -> dict[int, bytes]:
    """The receipt that each posting of an allocation takes from, by line number."""
    statement = _of_entry(schema.allocation, customer_id, entry_id)
    rows = connection.execute(statement)
    return {row.line_no: row.receipt_entry_id for row in rows}


def save_entry(connection: Connection, entry: Entry, items: Iterable[Said] = ()) -> None:
    """Add the entry with its postings, whose digest holds what is said of the items it creates.

    Whatever the postings move is moved by itself.
    """
    values: dict[str, Any] = entry._asdict()
    postings: tuple[Posting, ...] = values.pop("postings")
    values |= {"kind": entry.kind.value, "digest": journal.digest(entry, items)}
    connection.execute(insert(schema.entry), values)
    own = {
        "customer_id": entry.customer_id,
        "entry_id": entry.entry_id,
        "value_at": entry.value_at,
    }
    connection.execute(insert(schema.posting), [{**own, **each._asdict()} for each in postings])


def move_items(connection: Connection, customer_id: int, effects: Mapping[int, int]) -> None:
    """Raise what each item owes by its effect, or lower it by one below zero."""
    _move(connection, customer_id, schema.billing_item.c.balance, effects)


def move_receipts(connection: Connection, customer_id: int, effects: Mapping[bytes, int]) -> None:
    """Raise what is left of each receipt by its effect, or lower it by one below zero."""
    _move(connection, customer_id, schema.receipt.c.unapplied, effects)


def add_receipt(connection: Connection, entry: Entry) -> None:
    """Keep what is left of a receipt whose entry was saved: all of it."""
    (posting,) = entry.postings
    values = {
        "customer_id": entry.customer_id,
        "entry_id": entry.entry_id,
        "contact_id": entry.contact_id,
        "amount": posting.amount,
        "unapplied": posting.amount,
    }
    connection.execute(insert(schema.receipt), values)


def add_allocations(connection: Connection, entry: Entry, receipt_entry_id: bytes) -> None:
    """Say which receipt the postings of a saved entry take from."""
    rows = [
        {
            "customer_id": entry.customer_id,
            "entry_id": entry.entry_id,
            "line_no": posting.line_no,
            "receipt_entry_id": receipt_entry_id,
        }
        for posting in entry.postings
    ]
    connection.execute(insert(schema.allocation), rows)


def add_reversals(
    connection: Connection, entry: Entry, reversed_entry_id: bytes, line_nos: Iterable[int]
) -> None:
    """Say which posting each posting of a saved entry undoes, in their order."""
    rows = [
        {
            "customer_id": entry.customer_id,
            "reversed_entry_id": reversed_entry_id,
            "reversed_line_no": line_no,
            "entry_id": entry.entry_id,
            "line_no": posting.line_no,
        }
        for posting, line_no in zip(entry.postings, line_nos, strict=True)
    ]
    connection.execute(insert(schema.reversal), rows)


def _of_entry(table: Table, customer_id: int, entry_id: bytes) -> Select[Any]:
    return select(table).where(table.c.customer_id == customer_id, table.c.entry_id == entry_id)


def _move(
    connection: Connection, customer_id: int, moved: Column[int], effects: Mapping[Any, int]
) -> None:
    """Move a column by effects, which are by the second column of the table's key."""
    if not effects:
        return
    customer, own = moved.table.primary_key
    connection.execute(
        update(moved.table)
        .where(customer == bindparam("of_customer"), own == bindparam("of_id"))
        .values({moved: moved + bindparam("effect")}),
        [
            {"of_customer": customer_id, "of_id": own_id, "effect": effect}
            for own_id, effect in effects.items()
        ],
    )
