"""One request of 10,000 lines, beside the same rows written by sqlite3 alone."""

import http.client
import sqlite3
import time
from contextlib import closing
from http import HTTPStatus
from itertools import count
from os import getpid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import load, paced
from bench.ledgers import PASSWORD, USER_NAME, WIDE, customer_guid
from bench.load import Burst, Thread
from paydown.storage import schema

LINES = WIDE.per_contact
Row = tuple[Any, ...]
_COLUMNS = list(schema.posting.columns.keys())
_AMOUNT, _BILLING_ID = _COLUMNS.index("amount"), _COLUMNS.index("billing_id")

_numbers = count(1)


def send(base_url: str) -> Burst:
    """Pay all items of one contact in one request. ``rate`` is then requests a second."""
    number = next(_numbers)
    tag, contact = f"w{getpid()}.{number}", number % WIDE.contact_count
    reference = load.reference(tag, 1, 1)
    items = range(contact * LINES + 1, (contact + 1) * LINES + 1)
    body = paced.make_body(reference, 1, contact, items)
    headers = {
        "Content-Type": "application/json",
        "userName": USER_NAME,
        "password": PASSWORD,
        "customerGuid": customer_guid(0),
        "X-Request-Id": reference,
    }
    place = urlsplit(base_url)
    with closing(http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)) as line:
        line.connect()
        started = time.perf_counter()
        line.request("POST", "/POS/BillingPayments", body, headers)
        answer = line.getresponse()
        text = answer.read()
        seconds = time.perf_counter() - started
    accepted = answer.status == HTTPStatus.OK and text.endswith(b'"Success":true}')
    refusal = "" if accepted else f"{answer.status} {text[:300].decode(errors='replace')}"
    thread = Thread(1, int(accepted), int(not accepted), refusal, [] if accepted else [1])
    return Burst(tag, seconds, seconds * 1e3, seconds * 1e3, 0, [thread])


def open_bare(path: Path) -> sqlite3.Connection:
    """A connection that is as careful as the server's."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("foreign_keys=ON", "synchronous=FULL", "recursive_triggers=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def write_bare(connection: sqlite3.Connection, recorded_in: Path, tag: str) -> float:
    """Write the rows of that request into the other ledger, in one commit; the seconds it took."""
    entry, postings = _read(recorded_in, load.reference(tag, 1, 1))
    lowered = [(row[_AMOUNT], row[0], row[_BILLING_ID]) for row in postings]
    started = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(_insert("entry", len(entry)), [entry])
    connection.executemany(_insert("posting", len(postings[0])), postings)
    connection.executemany(
        "UPDATE billing_item SET balance = balance - ? WHERE customer_id = ? AND billing_id = ?",
        lowered,
    )
    connection.execute("COMMIT")
    return time.perf_counter() - started


def _read(path: Path, reference: str) -> tuple[Row, list[Row]]:
    """The rows that the server wrote for the request, which was within the last minutes."""
    since = (time.time_ns() // 1_000_000 - 300_000).to_bytes(6) + bytes(10)
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as source:
        entry = source.execute(
            "SELECT * FROM entry WHERE customer_id = 1 AND entry_id > ? AND request_id = ?",
            (since, reference),
        ).fetchone()
        postings = source.execute(
            "SELECT * FROM posting WHERE customer_id = 1 AND entry_id = ?", (entry[1],)
        ).fetchall()
    return entry, postings


def _insert(table: str, width: int) -> str:
    return f"INSERT INTO {table} VALUES ({', '.join('?' * width)})"  # noqa: S608 - our own names
