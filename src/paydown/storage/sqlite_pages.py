"""A SQLite ledger's pages, as they are at one moment, into another file.

Law of this file: a server may record into the source meanwhile. It is never made to wait, and what
it records after the moment is not in the copy.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from paydown.storage import sqlite
from paydown.storage.faults import StoreLocked

STEP_PAGES = 4_096
"""How many pages are copied between two looks at whether to go on."""

_WAIT_SECONDS = 10


def copy_pages(source: Path, target: Path, watch: Callable[[int, int], None]) -> None:
    """Copy into an empty file; ``watch`` hears how many pages are left, and of how many."""

    def go_on(status: int, left: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreLocked(f"The ledger at {source} is locked by another process.")
        watch(left, total)

    with (
        sqlite.naming_faults(source),
        closing(sqlite.connect(source, wait_seconds=_WAIT_SECONDS, mode="ro")) as origin,
    ):
        # Reading fixes the moment. A copy without it would begin anew with each commit.
        origin.execute("BEGIN")
        origin.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        with sqlite.naming_faults(target), closing(_open_empty(target)) as copy:
            origin.backup(copy, pages=STEP_PAGES, progress=go_on)


def seal(path: Path) -> None:
    """Bring all of a ledger into its one file, synced; nothing is left beside it."""
    with (
        sqlite.naming_faults(path),
        closing(sqlite.connect(path, wait_seconds=_WAIT_SECONDS)) as connection,
    ):
        connection.execute("PRAGMA journal_mode=DELETE")


def _open_empty(path: Path) -> sqlite3.Connection:
    """A file without settings: pages come as they are in the source, and their size with them."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA fullfsync=ON")
    return connection
