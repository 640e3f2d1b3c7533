"""What a recorded line takes of a disk, as the pages on scale and on PostgreSQL say it."""

from collections.abc import Callable

import pytest

import postgres
from ledgers import ANNA, CLUB, Books, finished, import_rows, pay
from paydown.storage.database import Database

REQUESTS, AT_ONCE = 3_000, 50
ITEMS, FIRST = 10_000, 5_000
SIZE = """
    SELECT sum(pg_total_relation_size(oid))::float FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'billing_item'
"""
WRITTEN = "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::float"


def record(database: Database, line_count: int) -> None:
    """Requests of some lines under a reference each, every other under a key, many in a batch."""
    with Books(database) as books:
        caller = books.caller()
        for first in range(0, REQUESTS, AT_ONCE):
            jobs = []
            for number in range(first, first + AT_ONCE):
                items = {1 + (number + each) % 20: "0.01" for each in range(line_count)}
                reference, key = f"till 4 / {number:09}", f"{number:036}" if number % 2 else None
                jobs.append(books.submit(pay(caller, items, reference=reference, key=key)))
            for job in jobs:
                finished(job)
        assert books.count("posting") >= REQUESTS * line_count


@pytest.mark.parametrize(
    ("line_count", "disk_max", "log_max"), [(1, 1_200, 1_800), (3, 750, 1_200)]
)
def test_a_line_on_postgresql_takes_so_many_bytes(
    databases: postgres.Databases,
    record_property: Callable[[str, object], None],
    *,
    line_count: int,
    disk_max: int,
    log_max: int,
) -> None:
    """Of the disk with its indexes, and of the write-ahead log.

    Items are left out: a payment makes none, and vacuum gives back what it leaves of their rows.
    """
    database = postgres.PostgreSQLMaker(databases).copy()
    before = [postgres.ask(database.url, each)[0] for each in (SIZE, WRITTEN)]
    record(database, line_count)
    after = [postgres.ask(database.url, each)[0] for each in (SIZE, WRITTEN)]
    disk, log = ((b - a) / (REQUESTS * line_count) for a, b in zip(before, after, strict=True))

    where = f"a line on PostgreSQL, {line_count} in a request"
    record_property(f"{where}, bytes of disk with indexes", disk)
    record_property(f"{where}, bytes of write-ahead log", log)
    assert disk < disk_max
    assert log < log_max


def test_an_imported_item_on_postgresql_takes_so_many_bytes(
    databases: postgres.Databases, record_property: Callable[[str, object], None]
) -> None:
    """Of the disk, with what is posted of it and all indexes; it is owed in full."""
    database = postgres.PostgreSQLMaker(databases).copy()
    size = "SELECT pg_database_size(current_database())"
    before = postgres.ask(database.url, size)[0]
    items = [(ANNA, FIRST + number, "40.00", "40.00") for number in range(ITEMS)]
    import_rows(database, CLUB, items)
    taken = (postgres.ask(database.url, size)[0] - before) / ITEMS

    record_property("an imported item on PostgreSQL, bytes of disk with indexes", taken)
    assert taken < 1_000
