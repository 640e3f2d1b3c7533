"""What is asked of a list, and the cursors that ask for more of it.

Law of this file: a cursor is a list's name and the last key, and is read as strictly as any input.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from paydown.storage.history import EntryFilter, PostingFilter
from paydown.storage.walking import Key
from paydown.wire.formats import read_guid

_INTEGER_MAX = 2**63 - 1
_ENTRY_ID_BYTES = 16

__all__ = [
    "BadCursor",
    "ContactFilter",
    "EntryFilter",
    "ItemFilter",
    "Listing",
    "PageAsk",
    "PostingFilter",
    "ReceiptFilter",
]


@dataclass(frozen=True, kw_only=True)
class ContactFilter:
    """Which contacts: those of ``search``, a guid or an exact reference, then of its every word."""

    search: str | None = None


@dataclass(frozen=True, kw_only=True)
class ItemFilter:
    """Which items. ``due_before`` is a day; ``band`` is one of ``AGE_BANDS``, of open items."""

    contact_id: str | None = None
    state: str | None = None
    due_before: date | None = None
    band: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReceiptFilter:
    """Which receipts."""

    contact_id: str | None = None
    unapplied_only: bool = False


class PageAsk(NamedTuple):
    """Where a part of a list begins (None: at the start), and how many it may hold."""

    cursor: str | None = None
    limit: int = 50


class BadCursor(NamedTuple):
    """No cursor of this list."""


class Listing(NamedTuple):
    """A list that has cursors: its name, and of what type each part of its key is."""

    name: str
    types: Sequence[type]

    def write(self, key: Key | None) -> str | None:
        """The cursor for what comes after the key."""
        if key is None:
            return None
        parts = [part.hex() if isinstance(part, bytes) else part for part in key]
        text = json.dumps([self.name, *parts], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def read(self, cursor: str | None) -> Key | BadCursor | None:
        """The key that the cursor stands for."""
        if cursor is None:
            return None
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            parts = json.loads(base64.b64decode(padded, b"-_", validate=True))
        except (ValueError, RecursionError, binascii.Error):
            return BadCursor()
        if not isinstance(parts, list) or parts[:1] != [self.name]:
            return BadCursor()
        if len(parts) != len(self.types) + 1:
            return BadCursor()
        key = tuple(map(_read_part, parts[1:], self.types))
        return BadCursor() if None in key else key


def _read_part(part: Any, wanted: type) -> Any:
    """The part of a key, or None where it is none of that type."""
    if wanted is int:
        return part if type(part) is int and 0 <= part <= _INTEGER_MAX else None
    if not isinstance(part, str):
        return None
    if wanted is str:
        return read_guid(part)
    try:
        entry_id = bytes.fromhex(part)
    except ValueError:
        return None
    return entry_id if len(entry_id) == _ENTRY_ID_BYTES else None


CONTACTS = Listing("contacts", (int, str))
ITEMS = Listing("items", (int,))
ENTRIES = Listing("entries", (bytes,))
POSTINGS = Listing("postings", (bytes, int))
RECEIPTS = Listing("receipts", (bytes,))
