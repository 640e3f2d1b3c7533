"""The books on the cluster, and two servers beside it on one database URL."""

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql

from cluster.nodes import HOST, Cluster
from cluster.parts import TrialFailed
from cluster.processes import Process, tell, wait_for

PAYDOWN = Path(sys.executable).with_name("paydown")
SERVER_COUNT = 2
CUSTOMER = "0d0a3d3c-7b5e-4f0e-9a53-3f1f6f6a1c01"
CONTACT = "5c1d5c0e-2c39-4c1b-8f0e-8a4d0f2b7e02"
ITEM_COUNT = 100
TOTAL = 10_000_000
"""What each item owes at first, in pence."""

BY_REFERENCE = "till"
"""A login whose retries are known by their reference."""
BY_KEY = "bridge"
"""A login whose references say nothing, so that its retries are known by their key alone."""


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int


class Servers:
    """Two servers and what their callers need to know. ``stop`` them in any case."""

    def __init__(self, cluster: Cluster) -> None:
        self.url = cluster.url
        self.password = secrets.token_urlsafe(24)
        self.folder = cluster.folder / "servers"
        self.folder.mkdir(mode=0o700)
        self.passfile = self.folder / "pgpass"
        self.addresses: list[Address] = []
        self._cluster = cluster
        self._processes: list[Process] = []
        self._environment = self._know_password()

    def _know_password(self) -> dict[str, str]:
        """The URL names no password: libpq finds it in a file that is ours alone."""
        self.passfile.touch(mode=0o600)
        password = self._cluster.passwords["paydown"]
        self.passfile.write_text(f"{HOST}:*:paydown:paydown:{password}\n")
        return {"PGPASSFILE": str(self.passfile)}

    def start(self) -> None:
        """Make the books, then serve them."""
        self._make_database()
        self._make_books()
        for number in range(1, SERVER_COUNT + 1):
            log = self.folder / f"server-{number}.log"
            process = Process(
                [PAYDOWN, "serve", "--database", self.url, "--port", "0"],
                parts=self._cluster.parts,
                log=log,
                environment=self._environment,
            )
            self._processes.append(process)
            self.addresses.append(_wait_for_address(process, log))
            tell(f"server {number} listens on http://{HOST}:{self.addresses[-1].port}")

    def _make_database(self) -> None:
        """A role of Paydown's own, and a database that belongs to it."""
        leader = self._cluster.leader()
        assert leader is not None
        with psycopg.connect(
            host=HOST,
            port=leader.port,
            dbname="postgres",
            user="postgres",
            password=self._cluster.passwords["postgres"],
            connect_timeout=5,
            autocommit=True,
        ) as connection:
            connection.execute(
                sql.SQL("CREATE ROLE paydown LOGIN PASSWORD {}").format(
                    self._cluster.passwords["paydown"]
                )
            )
            connection.execute("CREATE DATABASE paydown OWNER paydown")

    def _make_books(self) -> None:
        """One customer, items that owe enough, and two logins."""
        items = self.folder / "items.csv"
        lines = [
            f"{CONTACT},Trial,{number},Membership,{TOTAL // 100}.00,2026-01-31,4000"
            for number in range(1, ITEM_COUNT + 1)
        ]
        header = "contact_id,contact_name,billing_id,description,total_amount,due_on,income_account"
        items.write_text("\n".join([header, *lines, ""]))
        self.run(["migrate"])
        self.run(["customer", "add", "Trial", "--guid", CUSTOMER])
        self.run(["import", "items", str(items), "--customer", CUSTOMER])
        for login, references in ((BY_REFERENCE, "unique"), (BY_KEY, "shared")):
            rights = ["--customer", CUSTOMER, "--bundle", "BillingPayment"]
            more = ["--references", references, "--password-stdin"]
            self.run(["login", "add", login, *rights, *more], given=f"{self.password}\n")
        tell(f"{ITEM_COUNT} items are in the books")

    def run(self, arguments: Sequence[str], *, given: str = "") -> str:
        """What a command of the cli prints on the cluster's books."""
        done = subprocess.run(
            [PAYDOWN, *arguments, "--database", self.url],
            input=given,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **self._environment},
        )
        if done.returncode != 0:
            raise TrialFailed(f"paydown {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def all_run(self) -> bool:
        """Whether none has ended."""
        return all(process.running for process in self._processes)

    def stop(self) -> None:
        """End them."""
        for process in self._processes:
            process.stop(seconds=40)


def _wait_for_address(process: Process, log: Path) -> Address:
    found: list[str] = []

    def told() -> bool:
        found[:] = re.findall(r"listens on http://[\d.]+:(\d+)", log.read_text())
        if not process.running:
            raise TrialFailed(f"A server ended at once: {log.read_text()}")
        return bool(found)

    wait_for("a server listens", told, seconds=60)
    return Address(HOST, int(found[0]))
