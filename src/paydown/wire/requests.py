"""A tree read as a request, every fault named: the patient way, for whatever the fast way doubts.

Law of this file: fields are read in the documented order, so faults come in that order. A faulty
field is read as a stand-in, which nobody uses: one fault refuses the request.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import NamedTuple, Self, TypeVar

from paydown.domain.model import Kind, Line, Request
from paydown.wire import faults as say
from paydown.wire.faults import FAULTS_MAX, REQUEST, Fault, Faults
from paydown.wire.formats import read_amount, read_date, read_guid, read_id, read_int32
from paydown.wire.trees import FaultyList, Members

LINES_MAX = 10_000
REFERENCE_MAX = 255
NOTES_MAX = 4_000
AUTHORIZATION_CODE_MAX = 100

# PostgreSQL cannot hold NUL, UTF-8 cannot hold half of a surrogate pair.
UNSTORABLE = re.compile(r"[\0\ud800-\udfff]").search

_BOOLEANS = {"true": True, "false": False}

T = TypeVar("T")


class Call(NamedTuple):
    """What one call names its list of lines and its date."""

    list_name: str
    date_name: str


CALLS = {
    Kind.PAYMENT: Call("BillingPayments", "PaymentDate"),
    Kind.WRITE_DOWN: Call("BillingWriteDowns", "WriteDownDate"),
}


def read_request(kind: Kind, tree: Members, time_zone: str, lines_max: int) -> Request | Faults:
    """The request that the tree means, or everything that is wrong with it."""
    faults: list[Fault] = []
    call, body = CALLS[kind], Fields(tree, REQUEST, faults)
    contact_id = body.guid("ContactId")
    value_at, value_written = body.date(call.date_name, time_zone)
    tender_type_id = body.int32("TenderTypeId")
    notes = body.text("Notes", NOTES_MAX) if kind == Kind.WRITE_DOWN else None
    read_line = _payment_line if kind == Kind.PAYMENT else _write_down_line
    lines: list[Line] = []
    for line in body.lines(call.list_name, lines_max):
        lines.append(read_line(line))
        if len(faults) >= FAULTS_MAX:
            break
    if faults:
        return Faults(tuple(faults[:FAULTS_MAX]))
    return Request(kind, contact_id, tender_type_id, value_at, value_written, tuple(lines), notes)


class Fields:
    """The members of one object, read by Legend's names; what is wrong is added to ``faults``."""

    def __init__(self, members: Members, path: str, faults: list[Fault]) -> None:
        self._members = members
        self._path = path
        self._faults = faults

    def guid(self, name: str) -> str:
        return self._required(name, say.SEND_GUID, read_guid) or ""

    def date(self, name: str, time_zone: str) -> tuple[int, str]:
        read = partial(read_date, time_zone=time_zone)
        return self._required(name, say.SEND_DATE, read) or (0, "")

    def int32(self, name: str) -> int:
        return self._required(name, say.SEND_INT32, read_int32, numeric=True) or 0

    def amount(self, name: str) -> Decimal:
        return self._required(name, say.SEND_AMOUNT, read_amount, numeric=True) or Decimal(0)

    def optional_id(self, name: str) -> int | None:
        return self._optional(name, say.SEND_ID, read_id, numeric=True)

    def optional_date(self, name: str, time_zone: str) -> tuple[int, str] | None:
        return self._optional(name, say.SEND_DATE, partial(read_date, time_zone=time_zone))

    def flag(self, name: str) -> bool:
        """The optional Boolean, in JSON or as a text; false where it is left out or null."""
        value = self._members.get(name.lower())
        if value is None or isinstance(value, bool):
            return bool(value)
        read = _BOOLEANS.get(value.lower()) if isinstance(value, str) else None
        if read is None:
            self._fault(name, say.UNREADABLE.format(name=name, send=say.SEND_BOOLEAN))
        return bool(read)

    def require_one(self, *names: str) -> None:
        """Add a fault, under the first name, where all of these optional fields are left out."""
        if all(self._members.get(name.lower()) is None for name in names):
            self._fault(names[0], say.ONE_REQUIRED.format(names=" or ".join(names)))

    def text(self, name: str, length_max: int) -> str | None:
        """The optional text; its length is counted in code points."""
        value = self._members.get(name.lower())
        if value is None:
            return None
        if not isinstance(value, str):
            self._fault(name, say.UNREADABLE.format(name=name, send=say.SEND_TEXT))
        elif len(value) > length_max:
            self._fault(name, say.TOO_LONG.format(name=name, length_max=length_max))
        elif UNSTORABLE(value):
            self._fault(name, say.UNSTORABLE.format(name=name))
        else:
            return value
        return None

    def lines(self, name: str, lines_max: int) -> Iterator[Self]:
        """Each line's fields, its faults named by its place in the list."""
        value = self._members.get(name.lower())
        if isinstance(value, FaultyList):
            self._fault(name, value.sentence)
        elif value is None:
            self._fault(name, say.REQUIRED.format(name=name, send=say.SEND_LINES))
        elif not isinstance(value, list):
            self._fault(name, say.UNREADABLE.format(name=name, send=say.SEND_LINES))
        elif len(value) > lines_max:
            self._fault(name, say.TOO_MANY_LINES.format(name=name, lines_max=lines_max))
        else:
            for index, line in enumerate(value):
                if isinstance(line, dict):
                    path = f"{self._path}.{name}[{index}]"
                    yield type(self)(line, path, self._faults)
                else:
                    sentence = say.LINE_NOT_OBJECT.format(name=name, index=index)
                    self._faults.append(Fault(REQUEST, sentence))

    def _required(
        self, name: str, send: str, read: Callable[[str], T | None], *, numeric: bool = False
    ) -> T | None:
        if self._members.get(name.lower()) is None:
            self._fault(name, say.REQUIRED.format(name=name, send=send))
        return self._optional(name, send, read, numeric=numeric)

    def _optional(
        self, name: str, send: str, read: Callable[[str], T | None], *, numeric: bool = False
    ) -> T | None:
        value = self._members.get(name.lower())
        if value is None:
            return None
        if numeric and isinstance(value, bytes):
            value = value.decode()
        parsed = read(value) if isinstance(value, str) else None
        if parsed is None:
            self._fault(name, say.UNREADABLE.format(name=name, send=send))
        return parsed

    def _fault(self, name: str, sentence: str) -> None:
        self._faults.append(Fault(f"{self._path}.{name}", sentence))


def _payment_line(line: Fields) -> Line:
    return Line(
        billing_id=line.int32("BillingId"),
        amount=line.amount("Amount"),
        reference=line.text("ThirdPartyReference", REFERENCE_MAX) or None,
        notes=line.text("Notes", NOTES_MAX),
        authorization_code=line.text("AuthorizationCode", AUTHORIZATION_CODE_MAX),
    )


def _write_down_line(line: Fields) -> Line:
    return Line(
        billing_id=line.int32("BillingId"),
        amount=line.amount("Amount"),
        gl_account_id=line.int32("GLAccountId"),
    )
