"""How the enquiries find what they tell: never by reading a table that grows."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

import postgres
from ledgers import ANNA
from paydown.enquiries import (
    ContactFilter,
    Enquiries,
    EntryFilter,
    ItemFilter,
    PageAsk,
    PostingFilter,
    ReceiptFilter,
)
from paydown.enquiries.asking import POSTINGS
from paydown.service import read_clock
from paydown.storage import schema, walking
from paydown.storage.database import Database

Sent = tuple[str, Any]

FIRST = PageAsk()
GUID = "019c2d0e-5f70-7a3c-9d3e-1f2a3b4c5d6e"
SPAN = {"recorded_from": 10**16, "recorded_to": 10**17}
ASKED = {
    "contact": lambda e: e.find_contact(1, ANNA),
    "contacts": lambda e: e.list_contacts(1, ContactFilter(), FIRST),
    "contacts searched": lambda e: e.list_contacts(1, ContactFilter(search="an"), FIRST),
    "contacts by guid": lambda e: e.list_contacts(1, ContactFilter(search=ANNA), FIRST),
    "contacts after": lambda e: _second(e.list_contacts, ContactFilter()),
    "item": lambda e: e.find_item(1, 1),
    "items": lambda e: e.list_items(1, ItemFilter(band="over_90"), FIRST),
    "items after": lambda e: _second(e.list_items, ItemFilter()),
    "items of a contact": lambda e: e.list_items(1, ItemFilter(contact_id=ANNA), FIRST),
    "explanation": lambda e: e.explain(1, 1),
    "entry": lambda e: e.find_entry(1, GUID),
    "entries": lambda e: e.list_entries(1, EntryFilter(kind="receipt"), FIRST),
    "entries after": lambda e: _second(e.list_entries, EntryFilter()),
    "entries of a contact": lambda e: e.list_entries(1, EntryFilter(contact_id=ANNA), FIRST),
    "entries of an item": lambda e: e.list_entries(1, EntryFilter(billing_id=1), FIRST),
    "entries by reference": lambda e: e.list_entries(1, EntryFilter(reference="r1"), FIRST),
    "entries by code": lambda e: e.list_entries(1, EntryFilter(authorization_code="a"), FIRST),
    "entries of a contact by code": lambda e: e.list_entries(
        1, EntryFilter(authorization_code="a", contact_id=ANNA), FIRST
    ),
    "entries in a span": lambda e: e.list_entries(1, EntryFilter(**SPAN), FIRST),
    "posting": lambda e: e.find_posting(1, f"{GUID}.1"),
    "postings": lambda e: e.list_postings(1, PostingFilter(caller="till"), FIRST),
    "postings after": lambda e: _second(e.list_postings, PostingFilter()),
    "postings of a contact": lambda e: e.list_postings(1, PostingFilter(contact_id=ANNA), FIRST),
    "postings of an item": lambda e: e.list_postings(1, PostingFilter(billing_id=1), FIRST),
    "postings of an entry": lambda e: e.list_postings(1, PostingFilter(entry_id=GUID), FIRST),
    "postings of an entry after": lambda e: e.list_postings(
        1, PostingFilter(entry_id=GUID), PageAsk(POSTINGS.write((b"g" * 16, 1)))
    ),
    "by reference": lambda e: e.list_postings(1, PostingFilter(reference="r1"), FIRST),
    "by code": lambda e: e.list_postings(1, PostingFilter(authorization_code="a"), FIRST),
    "receipt": lambda e: e.find_receipt(1, GUID),
    "receipts": lambda e: e.list_receipts(1, ReceiptFilter(unapplied_only=True), FIRST),
    "receipts of a contact": lambda e: e.list_receipts(1, ReceiptFilter(contact_id=ANNA), FIRST),
    "statement": lambda e: e.make_statement(
        1, ANNA, first_on=date(2026, 1, 1), last_on=date(2026, 2, 1)
    ),
}
GROWING = {"contact", "billing_item", "created_item", "entry", "posting", "reversal", "receipt"}
GROWING |= {"allocation"}


def _second(read: Any, wanted: Any) -> None:
    """Ask for the part of a list after the first row."""
    page = read(1, wanted, PageAsk(limit=1))
    read(1, wanted, PageAsk(cursor=page.next_cursor, limit=1))


@contextmanager
def listening() -> Iterator[list[Sent]]:
    """All that is asked of any database meanwhile."""
    sent: list[Sent] = []

    def hear(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        sent.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", hear)
    yield sent
    event.remove(Engine, "before_cursor_execute", hear)


def questions(database: Database, asked: str) -> list[Sent]:
    """What the enquiry asks of the ledger's growing tables."""
    with listening() as sent:
        ASKED[asked](Enquiries(database, clock=read_clock))
    own = [each for each in sent if re.search(rf"FROM ({'|'.join(GROWING)}|found)\b", each[0])]
    assert own
    return own


@pytest.mark.parametrize("asked", ASKED)
def test_no_enquiry_goes_through_a_table_on_sqlite(database: Database, asked: str) -> None:
    """Each look-up goes by more of a key than the customer, or in the key's order to a limit."""
    for statement, parameters in questions(database, asked):
        with database.read() as connection:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [row.detail for row in rows]
        ordered = "LIMIT" in statement and "USE TEMP B-TREE FOR ORDER BY" not in steps
        names = "|".join(schema.metadata.tables)
        scanned = [step for step in steps if re.match(rf"SCAN ({names})\b", step)]
        whole = [step for step in steps if step.endswith("(customer_id=?)")]

        assert scanned == []
        assert whole == [] or ordered, statement


MANY = "FROM generate_series(1, 20000) n"
ID = "substr(sha256(n::text::bytea), 1, 16)"
NEXT_ID = "substr(sha256((n + 1)::text::bytea), 1, 16)"
CROWD = [
    "SET session_replication_role = replica",
    (
        "INSERT INTO contact (customer_id, contact_id, name, search_text) "
        f"SELECT 1, 'c' || n, 'Name', 'name' {MANY}"
    ),
    (
        "INSERT INTO billing_item "
        f"SELECT 1, 100 + n, 'c' || n, 'Fee', 1000, 1000, '2026-01-31', 1 {MANY}"
    ),
    f"INSERT INTO created_item SELECT 1, 100 + n, 1, 'c' || n, NULL, NULL, 0 {MANY}",
    (
        f"INSERT INTO entry SELECT 1, {ID}, 'receipt', 'c' || n, 28, 1, NULL, NULL, '', '', n, '', "
        f"n, '', NULL, '' {MANY}"
    ),
    (
        f"INSERT INTO posting SELECT 1, {ID}, n, 1, 100 + n, 1, 2, 1, 0, 'r' || n, NULL, 'a' || n "
        f"{MANY}"
    ),
    f"INSERT INTO receipt SELECT 1, {ID}, 'c' || n, 1, 1 {MANY}",
    f"INSERT INTO allocation SELECT 1, {ID}, 1, {NEXT_ID} {MANY}",
    f"INSERT INTO reversal SELECT 1, {ID}, 1, {NEXT_ID}, 1 {MANY}",
]


@pytest.fixture(scope="module", params=["never counted", "counted"])
def crowded(request: pytest.FixtureRequest, every_database: postgres.Databases) -> Database:
    """A ledger on PostgreSQL of many rows, of which it knows how many they are, or not."""
    made = every_database.copy()
    url = made if isinstance(made, str) else made.url
    postgres.execute(url, *CROWD, *(["ANALYZE"] if request.param == "counted" else []))
    return postgres.open_store(url)


@pytest.mark.parametrize("asked", ASKED)
def test_no_enquiry_goes_through_a_table_on_postgresql(
    crowded: Database, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No table that grows is read from end to end, whatever the server knows of its size."""
    monkeypatch.setattr(walking, "EXAMINED_MAX", 500)
    for statement, parameters in questions(crowded, asked):
        with crowded.read() as connection:
            found = connection.exec_driver_sql(
                f"EXPLAIN (FORMAT JSON) {statement}", parameters
            ).scalar_one()
        steps, scanned = [found[0]["Plan"]], []
        while steps:
            step = steps.pop()
            steps += step.get("Plans", [])
            if step["Node Type"] == "Seq Scan" and step["Relation Name"] in GROWING:
                scanned.append(step["Relation Name"])

        assert scanned == []
