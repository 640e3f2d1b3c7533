"""Billing items from a CSV file, compared with the books and taken whole or not at all.

Law of this package: nothing of a file with a fault is recorded, and a row that was imported before
is never imported again. What is wrong comes back as a value.
"""

import time
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from paydown.domain import journal, money
from paydown.domain.model import Entry, Kind
from paydown.imports.reading import AMOUNT_COLUMNS, Fault, Faults, Reader, find_unprintable, shown
from paydown.storage import applying, reference, staging
from paydown.storage.applying import Prepared
from paydown.storage.database import Database
from paydown.storage.engine import new_entry_id
from paydown.storage.reference import Customer, StoreConnection
from paydown.storage.staging import Difference, Renamed, Scope
from paydown.wire.formats import INT32_MAX, read_guid, write_instant

LARGE_ROW_COUNT = 100_000
"""An import of more new rows first says how long payments will wait for it."""

_CHUNK_ROWS = 5_000
_ATTEMPTS_MAX = 5
_APPLYING_PER_PREPARING = 6
"""How many times longer applying takes than preparing: 3 to 6 as measured, for a forecast."""


class Source(NamedTuple):
    """The file, whose books it is for, and what is known of it beforehand."""

    path: Path
    customer_guid: str
    batch: str | None = None
    count_expected: int | None = None
    total_expected: Decimal | None = None


class Rejected(NamedTuple):
    """Nothing was imported. The first ``reading.FAULTS_MAX`` faults are given."""

    sentence: str
    faults: tuple[Fault, ...] = ()
    fault_count: int = 0


class Imported(NamedTuple):
    """What an import did. ``total_amount`` is in minor units and of all rows, new or known.

    ``given_ids`` are the BillingIds of new rows without one, in order of the file.
    """

    customer: Customer
    row_count: int
    total_amount: int
    new_count: int = 0
    new_contact_count: int = 0
    renamed: tuple[Renamed, ...] = ()
    given_ids: range = range(0)
    held_seconds: float = 0.0


class Watcher(Protocol):
    """Whoever waits for an import to end. What it raises before ``on_recorded`` undoes it all."""

    def on_read(self, byte_count: int, byte_total: int) -> None:
        """So much of the file has been read."""

    def on_forecast(self, row_count: int, seconds: float) -> None:
        """Payments will wait about so long while so many rows are applied."""

    def on_recorded(self) -> None:
        """The rows are in the books for good: from now on nothing ends the import undone."""


class Unwatched:
    """Nobody waits for it by the minute."""

    def on_read(self, byte_count: int, byte_total: int) -> None:
        """Show nothing."""

    def on_forecast(self, row_count: int, seconds: float) -> None:
        """Say nothing."""

    def on_recorded(self) -> None:
        """Nor here."""


def import_items(database: Database, source: Source, watcher: Watcher) -> Imported | Rejected:
    """Bring the file's items into the books, in one transaction. Safe beside a running server."""
    with database.connect() as connection:
        customer = _find_customer(connection, source.customer_guid)
        if isinstance(customer, Rejected):
            return customer
        if rejected := _check_batch(source.batch):
            return rejected
        defaults = reference.find_item_defaults(connection, customer.customer_id)
        scope = Scope(customer.customer_id, defaults, source.batch)
        reader = Reader(customer.minor_digits, numbered=source.batch is not None)
        staging.create(connection)
        _stage(connection, reader, source.path, watcher)
        if reader.faults.count:
            return _reject(reader.faults)
        if rejected := _check_expected(source, customer, reader):
            return rejected
        read = Imported(customer, reader.row_count, reader.total_amount)
        name = source.path.name
        notes = f"Import of {shown(name) if find_unprintable(name) else name}"
        notes += f", batch {source.batch}" if source.batch else ""
        return _Recorder(database, connection, scope, watcher).record(read, notes)


def _find_customer(connection: StoreConnection, text: str) -> Customer | Rejected:
    customer_guid = read_guid(text.strip())
    if customer_guid is None:
        return Rejected(f"{text!r} is not a customer's guid. See: paydown customer list")
    customer = reference.find_customer(connection, customer_guid)
    return customer or Rejected(f"There is no customer {customer_guid}. See: paydown customer list")


def _check_batch(name: str | None) -> Rejected | None:
    if name is None:
        return None
    if not name.strip():
        return Rejected("The batch's name is blank. Give it one, or leave --batch out.")
    odd = find_unprintable(name)
    return Rejected(f"The batch's name holds {odd!r}, which cannot be printed.") if odd else None


def _stage(connection: StoreConnection, reader: Reader, path: Path, watcher: Watcher) -> None:
    byte_total = path.stat().st_size
    with path.open("rb") as file:
        rows = reader.read(_decode(file))
        while chunk := list(islice(rows, _CHUNK_ROWS)):
            staging.stage(connection, chunk)
            watcher.on_read(file.tell(), byte_total)


def _decode(file: BinaryIO) -> Iterator[str]:
    """Line by line, so that a wrong byte is found on its own line."""
    encoding = "utf-8-sig"
    while line := file.readline():
        yield line.decode(encoding)
        encoding = "utf-8"


def _find_faults(connection: StoreConnection, scope: Scope, *, minor_digits: int) -> Faults:
    """Where rows that are well by themselves do not go with the books."""
    faults = Faults()
    for difference in staging.find_differences(connection, scope):
        faults.add(difference.line_number, _say_difference(difference, minor_digits))
    for line_number, billing_id in staging.find_taken(connection, scope):
        faults.add(line_number, f"billing_id {billing_id} is an item that was not imported.")
    for line_number, code in staging.find_unusable_accounts(connection, scope):
        faults.add(
            line_number,
            f"income_account {shown(code)} is not the code of an active account "
            "other than receivables.",
        )
    return faults


def _say_difference(difference: Difference, minor_digits: int) -> str:
    imported, found = str(difference.imported), str(difference.found)
    if difference.column in AMOUNT_COLUMNS:
        imported, found = (
            f"{money.to_decimal(int(minor), minor_digits):f}" for minor in (imported, found)
        )
    return (
        f"{difference.column} of billing item {difference.billing_id} was imported as "
        f"{shown(imported)} and is {shown(found)} now."
    )


def _reject(faults: Faults) -> Rejected:
    noun = "fault" if faults.count == 1 else "faults"
    return Rejected(
        f"The file has {faults.count} {noun}, so nothing was imported.",
        tuple(sorted(faults.kept, key=attrgetter("line_number"))),
        faults.count,
    )


def _check_expected(source: Source, customer: Customer, reader: Reader) -> Rejected | None:
    count, total = source.count_expected, source.total_expected
    if count is None and reader.row_count == 0:
        return Rejected(
            "The file has no rows: nothing was imported. Where that is right: --expect-count 0"
        )
    if count is not None and count != reader.row_count:
        return Rejected(
            f"The file has {reader.row_count} rows, not the {count} expected: nothing was imported."
        )
    found = money.to_decimal(reader.total_amount, customer.minor_digits)
    if total is not None and total != found:
        return Rejected(
            f"The file's total_amount adds up to {found:f}, not the {total:f} expected: "
            "nothing was imported."
        )
    return None


class _Recorder:
    """Takes staged rows into the books."""

    def __init__(
        self, database: Database, connection: StoreConnection, scope: Scope, watcher: Watcher
    ) -> None:
        self._database = database
        self._connection = connection
        self._scope = scope
        self._watcher = watcher

    def record(self, read: Imported, notes: str) -> Imported | Rejected:
        """Prepare beside the ledger, then apply; once more where the ledger changed meanwhile.

        The ledger is compared with after preparing: what changes later still is noticed under the
        lock, so no row is taken for a known one without having been compared.
        """
        customer = read.customer
        for _ in range(_ATTEMPTS_MAX):
            started = time.perf_counter()
            counts = staging.prepare(self._connection, self._scope)
            seconds = time.perf_counter() - started
            faults = _find_faults(self._connection, self._scope, minor_digits=customer.minor_digits)
            if faults.count:
                return _reject(faults)
            if counts.items == 0:
                return read
            if counts.given_ids.stop - 1 > INT32_MAX:
                return Rejected("There are not enough BillingIds left beyond the greatest in use.")
            if counts.items > LARGE_ROW_COUNT:
                self._watcher.on_forecast(counts.items, seconds * _APPLYING_PER_PREPARING)
            renamed = tuple(staging.list_renamed(self._connection))
            kinds = (Kind.CHARGE, Kind.OPENING_BALANCE) if counts.openings else (Kind.CHARGE,)
            entries = self._make_entries(kinds, notes, time_zone=customer.time_zone)
            held_seconds = self._apply(Prepared(self._scope, counts, entries))
            if held_seconds is not None:
                return read._replace(
                    new_count=counts.items,
                    new_contact_count=counts.new_contacts,
                    renamed=renamed,
                    given_ids=counts.given_ids,
                    held_seconds=held_seconds,
                )
        return Rejected("Other imports for this customer kept coming first: try again later.")

    def _apply(self, prepared: Prepared) -> float | None:
        """How long payments waited, or None where what was prepared no longer holds."""
        started = time.perf_counter()
        try:
            with self._database.begin_write(self._connection):
                started = time.perf_counter()
                applied = applying.apply(self._connection, prepared)
        except KeyboardInterrupt:
            # It may have come between the commit and here; only the books know.
            with self._database.read() as connection:
                applied = applying.is_recorded(connection, prepared)
            if not applied:
                raise
        if not applied:
            return None
        self._watcher.on_recorded()
        return time.perf_counter() - started

    def _make_entries(
        self, kinds: Sequence[Kind], notes: str, *, time_zone: str
    ) -> tuple[tuple[Entry, bytes], ...]:
        """The entries with their digests, their postings left staged."""
        recorded_at = time.time_ns() // 100
        written = write_instant(recorded_at, time_zone)
        request_id = f"import-{uuid.uuid4()}"
        entries = []
        for kind in kinds:
            entry = Entry(
                customer_id=self._scope.customer_id,
                entry_id=new_entry_id(recorded_at),
                kind=kind,
                contact_id=None,
                tender_type_id=None,
                login_id=None,
                idempotency_key=None,
                staff_user=None,
                request_id=request_id,
                address="",
                value_at=recorded_at,
                value_written=written,
                recorded_at=recorded_at,
                recorded_written=written,
                notes=notes,
                postings=(),
            )
            postings = staging.read_postings(self._connection, self._scope, kind)
            entries.append((entry, journal.digest_streamed(entry, postings)))
        return tuple(entries)
