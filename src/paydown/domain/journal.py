"""Journal entries: how a decided command stands in the books, and how a retry finds it there."""

import hashlib
import json
from collections.abc import Iterable

from paydown.domain.model import Command, Entry, Posting, RecordedLine, Stamp

Said = tuple[int | str | None, ...]
"""What was said of a billing item when it was created."""

_encode = json.JSONEncoder(separators=(",", ":")).encode


def make_entry(command: Command, stamp: Stamp, postings: tuple[Posting, ...]) -> Entry:
    """The entry of a command of which at least one line was accepted."""
    request, caller = command.request, command.caller
    return Entry(
        customer_id=caller.customer_id,
        entry_id=stamp.entry_id,
        kind=request.kind,
        contact_id=request.contact_id,
        tender_type_id=request.tender_type_id,
        login_id=caller.login_id,
        idempotency_key=command.key,
        staff_user=command.staff_user,
        request_id=command.request_id,
        address=command.address,
        value_at=request.value_at,
        value_written=request.value_written,
        recorded_at=stamp.recorded_at,
        recorded_written=stamp.recorded_written,
        notes=request.notes,
        postings=postings,
    )


def recorded_line(entry: Entry, posting: Posting) -> RecordedLine:
    """The posting as a later retry will meet it."""
    return RecordedLine(
        kind=entry.kind,
        contact_id=entry.contact_id,
        tender_type_id=entry.tender_type_id,
        login_id=entry.login_id,
        idempotency_key=entry.idempotency_key,
        notes=entry.notes,
        value_written=entry.value_written,
        recorded_at=entry.recorded_at,
        recorded_written=entry.recorded_written,
        entry_id=entry.entry_id,
        posting=posting,
    )


def digest(entry: Entry, items: Iterable[Said] = ()) -> bytes:
    """SHA-256 over everything the entry and its postings say, so that a later alteration shows.

    The form is a JSON array of the entry's fields in the order of ``Entry``, the id in hex, then
    one array for each posting in the order of ``Posting``, and one for what was said of each
    billing item that it created: any program can recompute it.
    """
    *fields, postings = entry
    fields[1] = entry.entry_id.hex()
    return hashlib.sha256(_encode([*fields, *postings, *items]).encode()).digest()


def digest_streamed(entry: Entry, postings: Iterable[Posting]) -> bytes:
    """The same of an entry with these postings, which may be too many to hold at once."""
    *fields, _ = entry
    fields[1] = entry.entry_id.hex()
    digested = hashlib.sha256(_encode(fields).removesuffix("]").encode())
    for posting in postings:
        digested.update(f",{_encode(posting)}".encode())
    digested.update(b"]")
    return digested.digest()


def answer_digest(fingerprint: bytes, entry_id: bytes, body: bytes) -> bytes:
    """SHA-256 over a kept answer: its request's fingerprint, its entry's id, and the body."""
    return hashlib.sha256(fingerprint + entry_id + body).digest()


def desk_answer_digest(fingerprint: bytes, status: int, body: bytes) -> bytes:
    """SHA-256 over an answer that the desk keeps: fingerprint, status as two bytes, and body."""
    return hashlib.sha256(fingerprint + status.to_bytes(2, "big") + body).digest()
