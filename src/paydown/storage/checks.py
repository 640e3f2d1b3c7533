"""How the invariants are asked of a ledger, and its records compared with their digests.

Law of this file: it shares no statement with the write path, and only reads.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select, text

from paydown.domain import journal
from paydown.domain.model import Entry, Posting
from paydown.storage.invariants import Question
from paydown.storage.schema import desk_answer, entry, kept_answer, posting


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
    """Every entry's name, and whether it or its postings say other than when it was recorded."""
    of_entry = (entry.c[name] for name in Entry._fields[:-1])
    entries = select(*of_entry, entry.c.digest).order_by(entry.c.customer_id, entry.c.entry_id)
    of_posting = (posting.c[name] for name in Posting._fields)
    postings = select(posting.c.customer_id, posting.c.entry_id, *of_posting).order_by(
        posting.c.customer_id, posting.c.entry_id, posting.c.line_no
    )
    lines = iter(connection.execute(postings))
    line = next(lines, None)
    for *fields, digest in connection.execute(entries):
        key, own = tuple(fields[:2]), []
        while line is not None and line[:2] <= key:
            if line[:2] == key:
                own.append(Posting._make(line[2:]))
            line = next(lines, None)
        found = journal.digest(Entry._make((*fields, tuple(own))))
        yield f"entry {fields[1].hex()} of customer {fields[0]}", found != digest
