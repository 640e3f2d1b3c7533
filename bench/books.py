"""The books after a load: what was answered is in the ledger, once, to the penny, and no more.

Law of this file: it reads the ledger by SQL of its own, on either database, while a server runs.
A request that was not answered when the load was cut off may be recorded or not; nothing else may.
"""

import time
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from bench import load
from bench.load import Burst

SETTLE_SECONDS = 20
PATIENCE_LEAST, PATIENCE_MOST = 0.2, 4.0

_OWED = "SELECT SUM(balance) FROM billing_item"
_RECORDED = """
    SELECT p.reference, COUNT(*) AS line_count, SUM(p.amount) AS amount
    FROM posting p
    WHERE p.customer_id IN (SELECT customer_id FROM customer) AND p.entry_id > :since
    GROUP BY p.reference
"""
_RECORDED_COUNT = """
    SELECT COUNT(*) FROM entry
    WHERE customer_id IN (SELECT customer_id FROM customer) AND entry_id > :since
"""


class Mark(NamedTuple):
    """The books before a load."""

    since: bytes
    owed: int


class Recorded(NamedTuple):
    """What the ledger holds under one reference."""

    reference: str
    line_count: int
    amount: int


class Books:
    """A ledger's books, from mark to check."""

    def __init__(self, url: str) -> None:
        self._engine = _open(url)

    def mark(self) -> Mark:
        """Where the books are now. Entry ids are in order of time, so the mark is one."""
        with self._engine.connect() as connection:
            owed = connection.execute(text(_OWED)).scalar_one()
        return Mark((time.time_ns() // 1_000_000).to_bytes(6) + bytes(10), int(owed))

    def check(self, mark: Mark, burst: Burst, lines: int) -> list[str]:
        """Each way in which the books are not what the burst was told, in words."""
        self._settle(mark, _patience(burst))
        with self._engine.connect() as connection, connection.begin():
            found = connection.execute(text(_RECORDED), {"since": mark.since})
            recorded = [Recorded(*row) for row in found]
            owed = int(connection.execute(text(_OWED)).scalar_one())
        moved = sum(each.amount for each in recorded)
        complaints = list(compare(burst, recorded, lines))
        if mark.owed - owed != moved:
            complaints.append(f"balances fell by {mark.owed - owed}, postings say {moved}")
        return complaints

    def count(self, mark: Mark) -> int:
        """How many entries were recorded since the mark."""
        with self._engine.connect() as connection:
            found = connection.execute(text(_RECORDED_COUNT), {"since": mark.since})
            return int(found.scalar_one())

    def _settle(self, mark: Mark, patience: float) -> None:
        """Wait until what was under way at the cut-off is recorded too: nothing more has come."""
        deadline = time.monotonic() + SETTLE_SECONDS
        before, now = -1, self.count(mark)
        while before != now and time.monotonic() < deadline:
            time.sleep(patience)
            before, now = now, self.count(mark)


def compare(burst: Burst, recorded: Iterable[Recorded], lines: int) -> Iterable[str]:
    """What was answered and what is recorded, request by request; each difference in words."""
    left = {each.reference: each for each in recorded}
    for number, thread in enumerate(burst.threads, 1):
        may_lack = set(thread.outstanding)
        for issued in range(1, thread.issued + 1):
            found = left.pop(load.reference(burst.tag, number, issued), None)
            if found is None:
                if issued not in may_lack:
                    yield f"request {number}-{issued} was answered and is not in the books"
            elif found[1:] != (lines, _asked(issued, lines)):
                yield f"request {number}-{issued} is in the books as {found}"
    for reference in left:
        yield f"{reference} is in the books and was not asked for"


def _patience(burst: Burst) -> float:
    """How many seconds without another entry tell that none will come: a slow request's time."""
    slow = burst.p99_ms / 1e3 if burst.answered else PATIENCE_MOST
    return min(PATIENCE_MOST, max(PATIENCE_LEAST, slow))


def _asked(number: int, lines: int) -> int:
    return sum(load.amount(number, line_no) for line_no in range(1, lines + 1))


def _open(url: str) -> Engine:
    """A reader beside the server."""
    plain = url.replace("postgresql://", "postgresql+psycopg://")
    return create_engine(plain, poolclass=NullPool)
