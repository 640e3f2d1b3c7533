"""What is SQLite's own: the file, its pragmas, its errors, its catalogue.

Law of this file: only ``engine`` and modules named for SQLite import it.
"""

import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from paydown.storage.faults import SchemaMismatch, StoreFull, StoreLocked, StoreUnavailable

VERSION_MIN = (3, 37, 0)
"""The first SQLite with STRICT tables."""

_PART_BYTES = 1 << 20

_PRAGMAS = (
    # Of a new file. A commit writes every page that it touched, a page or two for each line, so
    # that pages of half the usual size make a payment a sixth cheaper.
    "PRAGMA page_size=2048",
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=FULL",
    "PRAGMA fullfsync=ON",
    "PRAGMA recursive_triggers=ON",  # so that REPLACE cannot slip past the append-only triggers
    "PRAGMA trusted_schema=OFF",
)

_WRITERS_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # SQLite itself would move the log, and tell nobody where that failed.
    "PRAGMA wal_autocheckpoint=0",
)


def path_of(url: str) -> Path:
    """The file that a database URL names, absolute and free of links."""
    if sqlite3.sqlite_version_info < VERSION_MIN:
        needed = ".".join(map(str, VERSION_MIN))
        raise SchemaMismatch(
            f"This Python is linked with SQLite {sqlite3.sqlite_version}; Paydown needs {needed} "
            "or newer. Use a Python with a newer SQLite."
        )
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SchemaMismatch(
            f"{url!r} is not a database URL. Give one such as sqlite:///ledger.db."
        ) from None
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise SchemaMismatch(
            "Only SQLite and PostgreSQL are served. Give a URL such as sqlite:///ledger.db or "
            "postgresql://user@host:5432/name."
        )
    if not parsed.database or parsed.database == ":memory:":
        raise SchemaMismatch("A ledger needs a file. Give a URL such as sqlite:///ledger.db.")
    try:
        return Path(parsed.database).resolve()
    except ValueError as error:
        raise SchemaMismatch(f"{url!r} names no file: {error}.") from None


def is_file(path: Path) -> bool:
    """Whether a file is there. Raises ``SchemaMismatch`` where something else is."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be looked at: {error.strerror}.") from None
    if not stat.S_ISREG(mode):
        raise SchemaMismatch(f"{path} is not a file. Name the ledger's file.")
    return True


def connect(
    path: Path, *, wait_seconds: int, mode: str = "rw", alone: bool = False
) -> sqlite3.Connection:
    """A driver connection to an existing file (never made here), outside any transaction.

    One that is ``alone`` fails unless nobody else has the ledger open, and keeps everybody out.
    """
    connection = open_driver(f"file:{quote(os.fsencode(path))}?mode={mode}", wait_seconds)
    try:
        if alone:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        for pragma in _PRAGMAS if mode == "ro" else (*_PRAGMAS, *_WRITERS_PRAGMAS):
            connection.execute(pragma)
    except BaseException:
        connection.close()
        raise
    return connection


def open_driver(uri: str, wait_seconds: int) -> sqlite3.Connection:
    """The file as the driver opens it: all that another driver would have to do in its place."""
    return sqlite3.connect(
        uri,
        uri=True,
        isolation_level=None,
        timeout=wait_seconds,
        check_same_thread=False,
        cached_statements=64,
    )


def write_anew(path: Path) -> None:
    """Write a file's bytes over themselves and sync them: what it shows is on the disk then.

    Raises OSError. Nobody else may write to it meanwhile.
    """
    with path.open("r+b", buffering=0) as file:
        while part := file.read(_PART_BYTES):
            file.seek(-len(part), os.SEEK_CUR)
            file.write(part)
        os.fsync(file)
        if full_sync := getattr(fcntl, "F_FULLFSYNC", None):
            fcntl.fcntl(file, full_sync)


def in_transaction(connection: Connection) -> bool:
    """Whether the driver still holds a transaction open (some errors end it by themselves)."""
    driver = connection.connection.driver_connection
    return driver is not None and bool(driver.in_transaction)


def driver_of(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection below an open one."""
    driver: Any = connection.connection.driver_connection
    assert driver is not None, "it is open"
    return cast("sqlite3.Connection", driver)


def guard(connection: Connection, tables: Sequence[str]) -> None:
    """Make the database itself refuse to change or remove the tables' rows."""
    for table in tables:
        for action in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def objects(connection: Connection) -> dict[str, list[str]]:
    """Every table, index and trigger by name, as the lines of its definition in any order."""
    rows = connection.exec_driver_sql(
        "SELECT type || ' ' || name, sql FROM sqlite_master "
        "WHERE name NOT LIKE 'sqlite_%' AND name <> 'alembic_version'"
    )
    return {name: sorted(line.strip(" ,\t") for line in sql.splitlines()) for name, sql in rows}


def damages(connection: Connection) -> Iterator[str]:
    """What the database's own checks find wrong with the file and the references in it."""
    for (found,) in connection.exec_driver_sql("PRAGMA integrity_check"):
        if found != "ok":
            yield str(found)
    yield from _orphans(connection)


def refuse_orphans(connection: Connection, path: Path) -> None:
    """Raise ``StoreUnavailable`` where a row refers to one that is not there."""
    if orphan := next(_orphans(connection), None):
        raise StoreUnavailable(
            f"The ledger at {path} is damaged, so it was left as it is: {orphan}. Restore a backup."
        )


def _orphans(connection: Connection) -> Iterator[str]:
    for table, *_, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"a row of {table} refers to a row of {parent} that is not there"


@contextmanager
def naming_faults(path: Path) -> Iterator[None]:
    """Turn the driver's operational errors into ``StoreUnavailable``; a bug passes as it is."""
    try:
        yield
    except DBAPIError as error:
        fault = _name(error.orig, path)
        if fault is None:
            raise
        raise fault from error
    except sqlite3.Error as error:
        fault = _name(error, path)
        if fault is None:
            raise
        raise fault from error


def _name(error: BaseException | None, path: Path) -> StoreUnavailable | None:
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreLocked(f"The ledger at {path} is locked by another process.")
        case sqlite3.SQLITE_FULL:
            return StoreFull(f"The disk of {path} is full. Free some space.")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return StoreUnavailable(
                f"The ledger at {path} cannot be written. Check its permissions."
            )
        case sqlite3.SQLITE_CANTOPEN:
            return StoreUnavailable(
                f"The ledger at {path} cannot be opened. Check that it is there, and that its "
                "folder can be written."
            )
        case sqlite3.SQLITE_PROTOCOL:
            return StoreLocked(f"The locks on the ledger at {path} could not be had.")
        case sqlite3.SQLITE_IOERR:
            return StoreUnavailable(
                f"The disk of {path} reports an I/O error ({error}).", outcome_unknown=True
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return StoreUnavailable(
                f"The file {path} cannot be read as a ledger ({error}). Check that it is the right "
                "one. If it is, stop any server on it and run paydown verify once more; restore a "
                "backup only if that fails too.",
                passing=False,
                outcome_unknown=True,
            )
    return None
