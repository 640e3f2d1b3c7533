"""The same statements by ``pgbench``: what PostgreSQL does when nothing is decided or answered."""

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import psycopg

from bench import postgres
from bench.ledgers import Shape

SCRIPT = Path(__file__).parent / "peers" / "pgbench.sql"
CLIENTS = 16
LINES = 3


class PgbenchFailed(Exception):
    """pgbench did not do its work. ``str()`` says why."""


class Run(NamedTuple):
    """What pgbench says that it did."""

    transactions: int
    rate: float


def run(url: str, shape: Shape, seconds: float) -> Run:
    """Run the script for so long, prepared, one transaction a request."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT receivables_account_id FROM item_defaults").fetchone()
    assert found is not None, "every customer has its defaults"
    command = [
        *(postgres.program("pgbench"), "--no-vacuum", "--protocol=prepared"),
        *(f"--file={SCRIPT}", f"--client={CLIENTS}", "--jobs=1"),
        *(f"--time={max(1, round(seconds))}", f"--define=contacts={shape.contact_count}"),
        *(f"--define=receivables={found[0]}", url),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds + 60, check=False
    )
    if done.returncode:
        raise PgbenchFailed(done.stderr)
    return read_run(done.stdout)


def read_run(text: str) -> Run:
    """What pgbench printed."""
    count = re.search(r"number of transactions actually processed: (\d+)", text)
    rate = re.search(r"tps = ([\d.]+)", text)
    if count is None or rate is None:
        raise PgbenchFailed(text)
    return Run(int(count[1]), float(rate[1]))
