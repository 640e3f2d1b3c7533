"""Which database a URL names: the one module that knows.

Law of this file: nobody else asks. What the databases promise alike is in ``database``.
"""

import os
import random
from pathlib import Path

from paydown.storage import postgresql, sqlite
from paydown.storage.database import USUAL, Database, Patience
from paydown.storage.postgresql_database import PostgreSQLDatabase
from paydown.storage.sqlite_database import SQLiteDatabase

# Different in each process and each time; nobody has to be kept from guessing one.
_random_bits = random.Random(os.urandom(32)).getrandbits  # noqa: S311


def find_database(url: str, patience: Patience = USUAL) -> Database:
    """The database at the URL, whether or not it is there. Raises ``SchemaMismatch``."""
    if postgresql.is_named_by(url):
        return PostgreSQLDatabase(url, patience)
    return SQLiteDatabase(sqlite.path_of(url), patience)


def find_file(path: Path) -> Database:
    """The ledger that is that file, whether or not it is there."""
    return SQLiteDatabase(path.resolve())


def new_entry_id(ticks: int) -> bytes:
    """A UUID version 7 (RFC 9562, 5.7) of the given time: 16 bytes, in order of time.

    Twelve bits below the millisecond hold its fraction (6.2, method 3); 62 bits are random.
    """
    milliseconds, rest = divmod(ticks, 10_000)
    fraction = rest * 4096 // 10_000
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | _random_bits(62)
    return value.to_bytes(16)
