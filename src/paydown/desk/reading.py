"""Texts of a body, read as what they mean.

Law of this file: a fault is named by a pointer to its member, and all of them at once. A faulty
member is read as a stand-in, which nobody uses: one fault refuses the write.
"""

import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from paydown.desk.instructions import Refused
from paydown.domain.desk_refusals import DeskRefusal
from paydown.wire.formats import YEAR_MAX, YEAR_MIN, read_amount, read_date, read_day, read_guid
from paydown.wire.requests import NOTES_MAX, UNSTORABLE
from paydown.wire.v1.documents import ProblemError
from paydown.wire.v1.fields import AMOUNT

T = TypeVar("T")

_IS_AMOUNT = re.compile(AMOUNT).fullmatch
_OFFSET_MIN_LENGTH = len("2026-02-05T10:15:00Z")


class Reading:
    """Reads the members of one body. ``refused`` says what was wrong, once all are read."""

    def __init__(self, time_zone: str) -> None:
        self._time_zone = time_zone
        self._errors: list[ProblemError] = []

    def refused(self) -> Refused | None:
        """Everything that was wrong, or None."""
        if not self._errors:
            return None
        first = self._errors[0]
        return Refused(DeskRefusal.invalid_value, first.detail, tuple(self._errors))

    def guid(self, name: str, text: str) -> str:
        """A guid, in lower case with hyphens."""
        return self._read(name, read_guid(text), "is not a guid") or ""

    def amount(self, name: str, text: str) -> Decimal:
        """An amount, exact."""
        found = read_amount(text) if _IS_AMOUNT(text) else None
        return self._read(name, found, "is not an amount such as 12.40") or Decimal(0)

    def instant(self, name: str, text: str) -> tuple[int, str]:
        """A time with an offset: its ticks, and as an answer writes it."""
        found = read_date(text, self._time_zone) if _has_offset(text) else None
        send = f"is not a time with an offset of the years {YEAR_MIN} to {YEAR_MAX}"
        return self._read(name, found, send) or (0, "")

    def day(self, name: str, text: str) -> str:
        """A day, as it was written."""
        send = f"is not a day such as 2026-02-28 of the years {YEAR_MIN} to {YEAR_MAX}"
        found = text if read_day(text) else None
        return self._read(name, found, send) or ""

    def line(self, name: str, text: str) -> str:
        """A text to be shown in one line, without spaces around it."""
        bare = text.strip()
        found = bare if bare.isprintable() else None
        return self._read(name, found, "holds what cannot be printed") or ""

    def words(self, name: str, text: str) -> str:
        """The same, of which something must be left."""
        self._read(name, text.strip() or None, "is blank")
        return self.line(name, text)

    def reason(self, name: str, text: str) -> str:
        """Why something is done, in any number of lines. A command's was not checked before."""
        self._read(name, text.strip() or None, "is blank")
        fits = len(text) <= NOTES_MAX and not UNSTORABLE(text)
        wrong = f"holds what cannot be kept, or more than {NOTES_MAX} characters"
        return self._read(name, text if fits else None, wrong) or ""

    def optional(self, read: Callable[[str, str], T], name: str, text: str | None) -> T | None:
        """The same of a member that may be left out."""
        return None if text is None else read(name, text)

    def _read(self, name: str, found: T | None, wrong: str) -> T | None:
        if found is None:
            self._errors.append(ProblemError(pointer=f"/{name}", detail=f"{name} {wrong}."))
        return found


def _has_offset(text: str) -> bool:
    """Whether what can be read as a time has one, as RFC 3339 asks for."""
    time = text[10:]
    return len(text) >= _OFFSET_MIN_LENGTH and (time[-1] in "Zz" or time[-6] in "+-")


def read_entry_id(guid: str) -> bytes:
    """An entry's id from its well-formed guid."""
    return uuid.UUID(guid).bytes
