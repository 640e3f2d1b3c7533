"""Ledgers to measure on: made by the product itself, kept between runs, and used as copies.

Law of this file: item ``n`` of a customer (from 1) belongs to contact ``(n - 1) // per_contact``,
and every item starts at the same total, so that ``load.lua`` can name them without reading any.
"""

import csv
import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import NamedTuple

from bench import history
from paydown.access import hash_password
from paydown.admin import Admin, Mistake, NewCustomer, NewLogin
from paydown.domain.model import Bundle
from paydown.imports import Imported, Source, Unwatched, import_items
from paydown.imports.reading import COLUMNS
from paydown.storage import opening

CACHE = Path(__file__).parent / ".bench_cache"
"""Everything that a run leaves behind, beside its results. It can be removed at any time."""

_numbers = count(1)

USER_NAME, PASSWORD = "bench", "a password of the bench's own"
TENDER_TYPE_ID = 28
PAGE_BYTES = 4096
TOTAL_MINOR = 1_000_000_00


class Shape(NamedTuple):
    """What a ledger holds. ``payment_count`` postings of payments are spread over all items."""

    item_count: int = 300_000
    per_contact: int = 10
    payment_count: int = 0
    customer_count: int = 1

    @property
    def contact_count(self) -> int:
        """How many contacts each customer has."""
        return self.item_count // self.customer_count // self.per_contact

    @property
    def name(self) -> str:
        """A file name that tells the shapes apart."""
        return "-".join(map(str, self))


SPREAD = Shape()
SMALL = Shape(item_count=30_000)
LARGE = Shape(item_count=3_000_000, payment_count=10_000_000)
WIDE = Shape(per_contact=10_000)
"""For requests of up to 10,000 lines, which are all of one contact."""


def customer_guid(number: int) -> str:
    """The customerGuid of the bench's customers, counted from 0."""
    return f"5f0c3b52-6a1d-4d0e-9b7f-{number:012d}"


def contact_id(number: int) -> str:
    """The ContactId of a customer's contacts, counted from 0."""
    return f"00000000-0000-4000-8000-{number:012d}"


def prepare_cache() -> None:
    """Make the folder, which says of itself that it is not to be committed."""
    CACHE.mkdir(exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n")


@cache
def schema_id() -> str:
    """What a new ledger is like, shortened: what was made like another is made anew."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "ledger.db")
        opening.migrate(f"sqlite:///{empty}")
        with closing(sqlite3.connect(empty)) as connection:
            tables = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name")
            made = [*tables, *connection.execute("PRAGMA page_size")]
    return hashlib.sha256(repr(made).encode()).hexdigest()[:8]


def _kept(shape: Shape) -> Path:
    return CACHE / f"{schema_id()}-{shape.name}.db"


@contextmanager
def copied(shape: Shape) -> Iterator[Path]:
    """A copy of the shape's ledger, made first where there is none; gone afterwards."""
    kept = _kept(shape)
    if not kept.exists():
        _make_kept(shape)
    folder = CACHE / f"run-{os.getpid()}-{next(_numbers)}"
    folder.mkdir()
    try:
        copy = folder / "ledger.db"
        _copy(kept, copy)
        os.sync()  # or the disk writes the copy while the first figures are taken
        yield copy
    finally:
        shutil.rmtree(folder)


def _copy(source: Path, target: Path) -> None:
    """Write page by page, as a ledger is written: the kernel then caches pages.

    What it is given at one time it keeps as one piece, and goes through the whole of it for every
    page in it that changes.
    """
    with source.open("rb") as read, target.open("wb", buffering=0) as written:
        shutil.copyfileobj(read, written, PAGE_BYTES)


def _make_kept(shape: Shape) -> None:
    """Make the ledger beside its place, and move it there whole."""
    making = CACHE / f"making-{os.getpid()}-{shape.name}.db"
    if shape.payment_count and not shape.customer_count > 1:
        with copied(shape._replace(payment_count=0)) as without:
            shutil.move(without, making)
        history.add_payments(making, shape.per_contact, shape.payment_count)
    else:
        make(f"sqlite:///{making}", shape)
    making.rename(_kept(shape))


def make(url: str, shape: Shape) -> None:
    """Make a ledger with customers, one login for all of them, and items, by the import."""
    opening.migrate(url)
    database = opening.open_store(url)
    admin = Admin(database)
    file = CACHE / f"making-{os.getpid()}.csv"
    _write_items(file, shape)
    for number in range(shape.customer_count):
        guid = customer_guid(number)
        _settle(admin.add_customer(NewCustomer(f"Bench {number}", guid)))
        if number == 0:
            new = NewLogin(USER_NAME, hash_password(PASSWORD))
            _settle(admin.add_login(new, guid, tuple(Bundle)))
        else:
            _settle(admin.grant(USER_NAME, guid, tuple(Bundle)))
        imported = import_items(database, Source(file, guid), Unwatched())
        assert isinstance(imported, Imported), imported
    file.unlink()


def _settle(made: object) -> None:
    assert not isinstance(made, Mistake), made


def _write_items(path: Path, shape: Shape) -> None:
    """The items of one customer, as an operator would hand them over."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        rest = ("Membership", f"{TOTAL_MINOR // 100}.00", "", "2026-01-31", "4000")
        for number in range(shape.contact_count):
            owner = (contact_id(number), f"Contact {number}")
            first = number * shape.per_contact + 1
            rows.writerows(
                (*owner, billing_id, *rest)
                for billing_id in range(first, first + shape.per_contact)
            )
