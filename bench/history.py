"""A past for a ledger: millions of payments, written in bulk as the server would have.

Law of this file: ``paydown verify`` must find nothing. Payment ``t`` of a contact pays the items
``3t``, ``3t + 1`` and ``3t + 2`` of its own, counted round and round, always the same amount.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Table

from paydown.domain import journal
from paydown.domain.model import TICKS_PER_SECOND, Entry, Kind, Posting
from paydown.storage import schema
from paydown.storage.engine import new_entry_id
from paydown.wire.formats import read_date, write_instant

AMOUNT = 125
LINES = 3
TIME_ZONE = "Europe/London"
FIRST_RECORDED_AT = 1_735_725_600 * TICKS_PER_SECOND
YEAR_TICKS = 365 * 86_400 * TICKS_PER_SECOND
CHUNK = 50_000

_FAST = (
    "PRAGMA journal_mode=OFF",
    "PRAGMA synchronous=OFF",
    "PRAGMA foreign_keys=OFF",
    "PRAGMA cache_size=-1000000",
)


class _Books(NamedTuple):
    """Whose payments they are, and between which accounts."""

    customer_id: int
    login_id: int
    tender_type_id: int
    clearing_account_id: int
    receivables_account_id: int
    total: int
    contacts: list[str]


def add_payments(path: Path, per_contact: int, posting_count: int) -> None:
    """Add so many postings of payments, spread over all items of the ledger's one customer."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in _FAST:
            connection.execute(pragma)
        # The index stays while they come: one made afterwards would have no room in its pages, and
        # every payment that is measured would pay for that.
        connection.execute("BEGIN")
        _insert(connection, _make_entries(_read(connection), per_contact, posting_count))
        _lower_balances(connection)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")


def _read(connection: sqlite3.Connection) -> _Books:
    facts = connection.execute(
        """
        SELECT t.customer_id, (SELECT login_id FROM login), t.tender_type_id,
               t.clearing_account_id, d.receivables_account_id,
               (SELECT MIN(total_amount) FROM billing_item)
        FROM tender_type t JOIN item_defaults d ON d.customer_id = t.customer_id
        WHERE t.tender_type_id = 28
        """
    ).fetchone()
    contacts = connection.execute("SELECT contact_id FROM contact ORDER BY contact_id").fetchall()
    return _Books._make((*facts, [contact for (contact,) in contacts]))


def _make_entries(books: _Books, per_contact: int, posting_count: int) -> Iterator[Entry]:
    """Contact by contact, turn by turn, over a year."""
    entry_count = -(-posting_count // LINES)
    step = YEAR_TICKS // entry_count
    dates: dict[int, tuple[int, str]] = {}
    for number in range(entry_count):
        turn, place = divmod(number, len(books.contacts))
        if turn not in dates:
            date = read_date(f"2025-{turn % 12 + 1:02d}-05T09:30:00", TIME_ZONE)
            assert date is not None, "a date of this century"
            dates[turn] = date
        value_at, value_written = dates[turn]
        recorded_at = FIRST_RECORDED_AT + number * step
        yield Entry(
            customer_id=books.customer_id,
            entry_id=new_entry_id(recorded_at),
            kind=Kind.PAYMENT,
            contact_id=books.contacts[place],
            tender_type_id=books.tender_type_id,
            login_id=books.login_id,
            idempotency_key=None,
            staff_user=None,
            request_id=f"past-{number}",
            address="127.0.0.1",
            value_at=value_at,
            value_written=value_written,
            recorded_at=recorded_at,
            recorded_written=write_instant(recorded_at, TIME_ZONE),
            notes=None,
            postings=tuple(_make_postings(books, place * per_contact, per_contact, turn=turn)),
        )


def _make_postings(
    books: _Books, first_item: int, per_contact: int, *, turn: int
) -> Iterator[Posting]:
    reference = f"past-{first_item}-{turn}"
    for line_no in range(1, LINES + 1):
        times, item = divmod(turn * LINES + line_no - 1, per_contact)
        yield Posting(
            line_no=line_no,
            billing_id=first_item + item + 1,
            amount=AMOUNT,
            debit_account_id=books.clearing_account_id,
            credit_account_id=books.receivables_account_id,
            balance_after=books.total - (times + 1) * AMOUNT,
            reference=reference,
            notes=None,
            authorization_code=None,
        )


def _insert(connection: sqlite3.Connection, entries: Iterator[Entry]) -> None:
    """In chunks, so that no more than one is ever in memory."""
    add_entry = f"INSERT INTO entry VALUES ({_marks(schema.entry)})"  # noqa: S608 - our own names
    add_posting = f"INSERT INTO posting VALUES ({_marks(schema.posting)})"  # noqa: S608 - and here
    own: list[tuple[object, ...]] = []
    lines: list[tuple[object, ...]] = []
    for entry in entries:
        own.append((*entry[:2], entry.kind.value, *entry[3:-1], journal.digest(entry)))
        place = (entry.customer_id, entry.entry_id, entry.value_at)
        lines += [(*place, *posting) for posting in entry.postings]
        if len(own) == CHUNK:
            connection.executemany(add_entry, own)
            connection.executemany(add_posting, lines)
            own.clear()
            lines.clear()
    connection.executemany(add_entry, own)
    connection.executemany(add_posting, lines)


def _marks(table: Table) -> str:
    return ", ".join("?" * len(table.columns))


def _lower_balances(connection: sqlite3.Connection) -> None:
    connection.execute(
        """
        UPDATE billing_item SET balance = total_amount - paid.amount
        FROM (SELECT customer_id, billing_id, SUM(amount) AS amount
              FROM posting WHERE reference IS NOT NULL GROUP BY customer_id, billing_id) AS paid
        WHERE paid.customer_id = billing_item.customer_id
          AND paid.billing_id = billing_item.billing_id
        """
    )
