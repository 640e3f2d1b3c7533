"""Read the CSV file of an import: rows as the books keep them, or faults with their line numbers.

Law of this file: it judges what the file alone can tell, and names all that is wrong at once. Line
1 is the header. No amount passes through a float.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from paydown.domain import money
from paydown.storage.staging import Row
from paydown.wire.formats import INT32_MAX, read_day, read_guid, read_int32
from paydown.wire.requests import NOTES_MAX
from paydown.wire.v1.fields import NAME_MAX

COLUMNS = (
    "contact_id",
    "contact_name",
    "billing_id",
    "description",
    "total_amount",
    "balance",
    "due_on",
    "income_account",
)
AMOUNT_COLUMNS = frozenset({"total_amount", "balance"})
OPTIONAL_COLUMNS = frozenset({"billing_id", "balance"})

FAULTS_MAX = 100
"""How many faults are named; the others are counted."""

_SHOWN_LENGTH_MAX = 60

_AMOUNT = re.compile(rf"(?=.{{1,{money.DIGITS_MAX}}}$)[0-9]+(\.[0-9]+)?").fullmatch

Cells = dict[str, str]


class Fault(NamedTuple):
    """What is wrong with a line of the file."""

    line_number: int
    sentence: str


class Faults:
    """The faults found: the first of them kept, all of them counted."""

    def __init__(self) -> None:
        self.kept: list[Fault] = []
        self.count = 0

    def add(self, line_number: int, sentence: str) -> None:
        """Note one more."""
        self.count += 1
        if len(self.kept) < FAULTS_MAX:
            self.kept.append(Fault(line_number, sentence))


class Reader:
    """Reads one file's rows, keeping count, total and whatever must agree between its lines.

    ``numbered`` says that rows without a billing_id are allowed: a batch name will tell them apart.
    """

    def __init__(self, minor_digits: int, *, numbered: bool) -> None:
        self.faults = Faults()
        self.row_count = 0
        self.total_amount = 0
        self._minor_digits = minor_digits
        self._numbered = numbered
        self._line_number = 1
        self._billing_id_lines: dict[int, int] = {}
        self._contact_names: dict[str, tuple[str, int]] = {}

    def read(self, lines: Iterable[str]) -> Iterator[Row]:
        """The rows without fault; the others become ``faults``."""
        rows = csv.reader(lines, strict=True)
        try:
            header = [name.strip() for name in next(rows, [])]
            if not self._check_header(header):
                return
            self._line_number = rows.line_num + 1
            for row in rows:
                yield from self._read_row(header, row)
                self._line_number = rows.line_num + 1
        except csv.Error as error:
            self._fault(f"The line is not CSV: {error}.")
        except UnicodeDecodeError:
            self._line_number = rows.line_num + 1
            self._fault("The line is not UTF-8. Save the file as UTF-8.")

    def _fault(self, sentence: str) -> None:
        self.faults.add(self._line_number, sentence)

    def _check_header(self, header: Sequence[str]) -> bool:
        for name in COLUMNS:
            if header.count(name) > 1:
                self._fault(f"The column {name} is there twice.")
            if name not in header and name not in OPTIONAL_COLUMNS:
                self._fault(f"The column {name} is missing.")
        for name in header:
            if name not in COLUMNS:
                known = ", ".join(COLUMNS)
                self._fault(f"There is no column {shown(name)}. The columns are: {known}.")
        return not self.faults.count

    def _read_row(self, header: Sequence[str], row: Sequence[str]) -> Iterator[Row]:
        if not row:
            return
        self.row_count += 1
        if len(row) != len(header):
            self._fault(f"The line has {len(row)} cells, the header {len(header)}.")
            return
        before = self.faults.count
        cells = dict(zip(header, map(str.strip, row), strict=True))
        total_amount, balance = self._read_amounts(cells)
        self.total_amount += total_amount
        read = Row(
            line_number=self._line_number,
            billing_id=self._read_billing_id(cells.get("billing_id", "")),
            contact_id=self._read_contact(cells),
            contact_name=cells["contact_name"],
            description=self._read_text(cells, "description", NOTES_MAX),
            total_amount=total_amount,
            balance=balance,
            due_on=self._read_day(cells["due_on"]),
            income_account=self._read_name(cells, "income_account"),
        )
        if self.faults.count == before:
            yield read

    def _read_billing_id(self, text: str) -> int | None:
        if not text:
            if not self._numbered:
                self._fault("The row has no billing_id. Name the batch to have one given: --batch.")
            return None
        billing_id = read_int32(text)
        if billing_id is None or billing_id < 1:
            self._fault(f"billing_id {shown(text)} is not a whole number from 1 to {INT32_MAX}.")
            return None
        first_line = self._billing_id_lines.setdefault(billing_id, self._line_number)
        if first_line != self._line_number:
            self._fault(f"billing_id {billing_id} is on line {first_line} too.")
        return billing_id

    def _read_contact(self, cells: Cells) -> str:
        contact_id = read_guid(cells["contact_id"])
        name = self._read_name(cells, "contact_name")
        if contact_id is None:
            self._fault(f"contact_id {shown(cells['contact_id'])} is not a guid.")
            return ""
        known, first_line = self._contact_names.setdefault(contact_id, (name, self._line_number))
        if known != name:
            self._fault(
                f"contact_name is {shown(name)}, but line {first_line} names "
                f"the same contact {shown(known)}."
            )
        return contact_id

    def _read_amounts(self, cells: Cells) -> tuple[int, int]:
        """Total and balance, which is the total where none is given. A fault counts as 0."""
        total = self._read_amount(cells, "total_amount")
        if total == 0:
            self._fault("total_amount must be greater than zero.")
        balance = self._read_amount(cells, "balance") if cells.get("balance") else total
        if total and balance and balance > total:
            self._fault("balance must not be greater than total_amount.")
        return total or 0, balance or 0

    def _read_amount(self, cells: Cells, column: str) -> int | None:
        text, digits = cells[column], self._minor_digits
        if not _AMOUNT(text):
            self._fault(f"{column} {shown(text)} is not an amount such as 1234.56.")
            return None
        minor = money.to_minor(Decimal(text), digits)
        if minor is None:
            self._fault(f"{column} {text} has more decimals than the currency's {digits}.")
        elif minor > money.AMOUNT_MAX:
            most = money.to_decimal(money.AMOUNT_MAX, digits)
            self._fault(f"{column} {text} is greater than {most:f}.")
            return None
        return minor

    def _read_day(self, text: str) -> str:
        if read_day(text) is None:
            self._fault(f"due_on {shown(text)} is not a date such as 2026-02-28, 1970 to 2099.")
        return text

    def _read_name(self, cells: Cells, column: str) -> str:
        if not cells[column]:
            self._fault(f"{column} is empty.")
        return self._read_text(cells, column, NAME_MAX)

    def _read_text(self, cells: Cells, column: str, length_max: int) -> str:
        text = cells[column]
        if len(text) > length_max:
            self._fault(f"{column} is longer than {length_max} characters.")
        odd = find_unprintable(text)
        if odd:
            self._fault(f"{column} holds {odd!r}, which cannot be printed.")
        return text


def shown(text: str) -> str:
    """The text in quotes, for a message: cut where it is long, odd characters escaped."""
    return repr(text if len(text) <= _SHOWN_LENGTH_MAX else f"{text[:_SHOWN_LENGTH_MAX]}…")


def find_unprintable(text: str) -> str | None:
    """The first character that cannot be printed: a control character, or an odd space."""
    return next((character for character in text if not character.isprintable()), None)
