"""How the invariants are asked of a ledger, and its records compared with their digests.

Law of this file: it shares no statement with the write path, and only reads.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, select, text

from paydown.domain import journal
from paydown.domain.model import Entry, Kind, Posting
from paydown.domain.searching import make_search_text
from paydown.storage.invariants import Question
from paydown.storage.schema import (
    billing_item,
    contact,
    created_item,
    desk_answer,
    entry,
    kept_answer,
    posting,
)

_OF_ENTRY = (posting.c.customer_id, posting.c.entry_id)
_SAID = (
    *(each for each in billing_item.c if each.name not in ("customer_id", "balance")),
    *(each for each in created_item.c if each.name not in ("customer_id", "billing_id")),
)
_CREATED = select(*_OF_ENTRY, *_SAID).where(
    billing_item.c.customer_id == created_item.c.customer_id,
    billing_item.c.billing_id == created_item.c.billing_id,
    posting.c.customer_id == created_item.c.customer_id,
    posting.c.billing_id == created_item.c.billing_id,
    entry.c.customer_id == posting.c.customer_id,
    entry.c.entry_id == posting.c.entry_id,
    entry.c.kind == Kind.CHARGE,
)
"""What was said of each created item, beside the posting that charged it."""


def count(connection: Connection, question: Question) -> int:
    """How many rows the question examines."""
    return int(connection.execute(text(question.examined)).scalar_one())


def ask(connection: Connection, question: Question) -> Iterator[str]:
    """Each breach found, in words."""
    for row in connection.execute(text(question.breaches)).mappings():
        yield question.template.format_map({name: _shown(value) for name, value in row.items()})


def _shown(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def altered_answers(connection: Connection) -> Iterator[tuple[str, bool]]:
    """Every kept answer's key, and whether it says other than when it was kept."""
    columns = ("customer_id", "idempotency_key", "fingerprint", "entry_id", "body", "digest")
    rows = connection.execute(select(*(kept_answer.c[name] for name in columns)))
    for customer_id, key, *said, digest in rows:
        yield _say_key(customer_id, key), journal.answer_digest(*said) != digest
    columns = ("customer_id", "idempotency_key", "fingerprint", "status", "body", "digest")
    rows = connection.execute(select(*(desk_answer.c[name] for name in columns)))
    for customer_id, key, *said, digest in rows:
        yield _say_key(customer_id, key), journal.desk_answer_digest(*said) != digest


def _say_key(customer_id: int, key: str) -> str:
    return f"the answer kept for key {key!r} of customer {customer_id}"


def altered_entries(connection: Connection) -> Iterator[tuple[str, bool]]:
    """Every entry's name, and whether it says other than when it was recorded.

    It speaks in its postings too, and in what is said of the billing items that it created.
    """
    of_entry = (entry.c[name] for name in Entry._fields[:-1])
    entries = select(*of_entry, entry.c.digest).order_by(entry.c.customer_id, entry.c.entry_id)
    of_posting = (posting.c[name] for name in Posting._fields)
    postings = _Beside(connection, select(*_OF_ENTRY, *of_posting))
    items = _Beside(connection, _CREATED)
    for *fields, digest in connection.execute(entries):
        key = tuple(fields[:2])
        own = tuple(map(Posting._make, postings.take(key)))
        found = journal.digest(Entry._make((*fields, own)), items.take(key))
        yield f"entry {fields[1].hex()} of customer {fields[0]}", found != digest


class _Beside:
    """What stands beside entries, handed out entry by entry, in the order of postings."""

    def __init__(self, connection: Connection, statement: Select[Any]) -> None:
        ordered = statement.order_by(*_OF_ENTRY, posting.c.line_no)
        self._rows = iter(connection.execute(ordered))
        self._row = next(self._rows, None)

    def take(self, key: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """What is the entry's. Whatever is of none that there is, is left out."""
        own = []
        while self._row is not None and self._row[:2] <= key:
            if self._row[:2] == key:
                own.append(tuple(self._row[2:]))
            self._row = next(self._rows, None)
        return own


def altered_searches(connection: Connection) -> Iterator[tuple[str, bool]]:
    """Every contact's search text, and whether it is other than the name and reference make it."""
    columns = ("customer_id", "contact_id", "search_text", "name", "reference")
    for row in connection.execute(select(*(contact.c[name] for name in columns))):
        customer_id, contact_id, text, name, reference = row
        named = f"the search text of contact {contact_id} of customer {customer_id}"
        yield named, text != make_search_text(name, reference)
