"""An import beside other work: what changed meanwhile is noticed, and payments wait little."""

import hashlib
import json
import threading
import time
import uuid

import pytest
from sqlalchemy import Engine, event

from ledgers import ANNA, CLUB, HEADER, Quiet, pay
from makers import on_both_stores, on_every_store
from paydown import imports
from paydown.admin import Admin
from paydown.audit import verify
from paydown.domain import journal
from paydown.imports import Imported, Rejected, Source, import_items
from paydown.storage import creations

ROW = f"{ANNA},Anna Archer,,Locker,6.25,,2026-03-31,4000"


@pytest.fixture
def load(database, tmp_path):
    """Import these rows into the club's books."""

    def run(*rows, batch="march"):
        file = tmp_path / f"{uuid.uuid4()}.csv"
        file.write_text("\n".join([HEADER, *rows]) + "\n")
        return import_items(database, Source(file, CLUB, batch), Quiet())

    return run


@pytest.fixture
def before_applying(monkeypatch):
    """Let something happen once between an import's preparing and its lock."""

    def arrange(happen):
        make_entries = imports._Recorder._make_entries
        happened = []

        def make_late(self, *arguments, **more):
            entries = make_entries(self, *arguments, **more)
            if not happened:
                happened.append(True)
                happen()
            return entries

        monkeypatch.setattr(imports._Recorder, "_make_entries", make_late)

    return arrange


@pytest.fixture
def listening():
    """Hear every event of that name on any connection, until the test ends."""
    heard = []

    def listen(name, hear):
        event.listen(Engine, name, hear)
        heard.append((name, hear))

    yield listen
    for name, hear in heard:
        event.remove(Engine, name, hear)


def all_hold(database):
    """Whether the books are in order."""
    return all(finding.ok for finding in verify(database))


@on_every_store
def test_two_imports_at_once_give_no_id_twice(load, before_applying, database):
    """The one that comes second numbers its rows anew."""
    other = []
    before_applying(lambda: other.append(load(ROW, batch="april")))
    done = load(ROW, ROW)
    assert (other[0].given_ids, done.given_ids) == (range(36, 37), range(37, 39))
    assert all_hold(database)


@on_every_store
def test_the_same_import_at_once_is_one(load, before_applying, database):
    """Two operators with one file make one set of items."""
    other = []
    before_applying(lambda: other.append(load(ROW, ROW)))
    done = load(ROW, ROW)
    assert (other[0].new_count, done.new_count) == (2, 0)
    assert all_hold(database)


@on_every_store
def test_an_id_taken_meanwhile_is_noticed(load, before_applying, database):
    """A BillingId that another import takes first is compared with what that one read."""
    numbered = ROW.replace(",,Locker", ",30,Locker")
    before_applying(lambda: load(numbered))
    done = load(numbered)
    assert done.new_count == 0
    assert all_hold(database)


@on_both_stores
def test_an_imported_contact_can_be_searched_for(load, database):
    """By its newest name, without accents, and still by the reference that it has."""
    with database.write() as connection:
        creations.change_contact(connection, 1, ANNA, name="Anna Archer", reference="M-1")
    new = str(uuid.uuid4())
    load(ROW.replace("Archer", "Ärcher"), ROW.replace(f"{ANNA},Anna", f"{new},Zoë"))
    with database.read() as connection:
        question = "SELECT contact_id, search_text FROM contact WHERE customer_id = 1"
        found = connection.exec_driver_sql(question)
        texts = dict(tuple(row) for row in found if row.contact_id in (ANNA, new))

    assert texts == {ANNA: "anna archer m-1", new: "zoe archer"}


@on_every_store
def test_an_account_disabled_meanwhile_is_not_used(load, before_applying, database):
    """Nothing is posted to an account after it was disabled."""
    admin = Admin(database)
    admin.set_billing_type_active(CLUB, 1, active=False)
    before_applying(lambda: admin.set_account_active(CLUB, "4000", active=False))
    done = load(ROW)
    assert isinstance(done, Rejected)
    assert done.faults[0].sentence.startswith("income_account '4000' is not the code of an active")
    assert all_hold(database)


@on_every_store
def test_a_contact_renamed_meanwhile_is_reported_as_it_was_found(load, before_applying, database):
    """The old name in the report is the one that the books had at the last moment."""
    other = ROW.replace("Anna Archer", "A. Archer").replace(",,Locker", ",30,Locker")
    before_applying(lambda: load(other))
    done = load(ROW.replace("Anna Archer", "Anna Ash"))
    assert [renamed[1:] for renamed in done.renamed] == [("A. Archer", "Anna Ash")]
    assert all_hold(database)


@on_every_store
def test_a_crowd_of_imports_is_given_up_with_a_sentence(load, monkeypatch):
    """An import that never gets its turn says so instead of trying for ever."""
    monkeypatch.setattr(imports.applying, "apply", lambda *prepared: not prepared)
    done = load(ROW)
    assert isinstance(done, Rejected)
    assert done.sentence == "Other imports for this customer kept coming first: try again later."


@on_every_store
def test_an_id_of_an_item_that_was_not_imported_is_taken(load, database):
    """An item with no imported row is nobody's to import over."""
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM imported_row WHERE billing_id = 31")
    done = load(ROW.replace(",,Locker", ",31,Locker"))
    assert [fault.sentence for fault in done.faults] == [
        "billing_id 31 is an item that was not imported."
    ]


@on_every_store
def test_a_paid_item_is_still_the_same_row(books, load):
    """What payments make of an item is no difference to what was imported."""
    row = ROW.replace(",,Locker", ",30,Locker")
    load(row)
    assert books.outcome(pay(books.caller(), {30: "6.25"})).success
    done = load(row)
    assert (done.row_count, done.new_count) == (1, 0)


def test_a_streamed_digest_is_the_entry_s_digest(books):
    """An entry too large to hold is digested to the same bytes, in the form that is documented."""
    outcome = books.outcome(pay(books.caller(), {1: "2.00", 2: "3.00"}, reference="R-ö"))
    *fields, postings = outcome.entry
    fields[1] = outcome.entry.entry_id.hex()
    form = json.dumps([*fields, *postings], separators=(",", ":")).encode()
    bare = outcome.entry._replace(postings=())
    assert journal.digest_streamed(bare, iter(postings)) == journal.digest(outcome.entry)
    assert journal.digest(outcome.entry) == hashlib.sha256(form).digest()


@pytest.mark.parametrize("batch", [None, "march"])
def test_an_import_walks_no_table_that_grows(load, listening, batch):
    """Whatever is asked beside staged rows is found by more of a key than the customer."""
    temporary = ("staged_row", "new_item", "contact_change")
    steps = []

    def explain(connection, cursor, statement, parameters, context, many):
        question = statement[statement.find("SELECT") :]
        if question.startswith("SELECT") and any(name in question for name in temporary):
            cursor.execute(f"EXPLAIN QUERY PLAN {question}", parameters)
            steps.extend(detail for *_, detail in cursor.fetchall())

    listening("before_cursor_execute", explain)
    assert load(ROW.replace(",,Locker", ",30,Locker"), batch=batch).new_count == 1
    tables = {step.split()[1] for step in steps if step.startswith("SEARCH")}
    assert tables >= {"by_id", "by_line", "billing_item", "contact"}
    assert [step for step in steps if "(customer_id=?)" in step] == []
    scanned = {step.split()[1] for step in steps if step.startswith("SCAN")}
    assert {name for name in scanned if "subquery" not in name} <= set(temporary)


def test_an_import_works_no_harder_for_what_is_there_already(load, listening):
    """The same 20,000 rows again, and 20,000 others, take no more steps than the first."""

    def numbered(first):
        return [ROW.replace(",,Locker", f",{first + n},Locker") for n in range(20_000)]

    counted = []
    listening(
        "connect",
        lambda driver, _: driver.set_progress_handler(lambda: counted.append(1), 10_000),
    )
    first, others = numbered(1_000), numbered(50_000)
    efforts = []
    for rows, new_count in ((first, 20_000), (first, 0), (others, 20_000)):
        counted.clear()
        assert load(*rows, batch=None).new_count == new_count
        efforts.append(len(counted))
    assert efforts[0] > 100
    assert max(efforts) < 1.5 * efforts[0]


@pytest.mark.alone
def test_payments_go_on_beside_a_hundred_thousand_rows(books, database, tmp_path, record_property):
    """The whole takes under a minute, and no payment waits longer than three seconds."""
    file = tmp_path / "large.csv"
    with file.open("w") as lines:
        lines.write(f"{HEADER}\n")
        for number in range(100_000):
            contact = uuid.uuid5(uuid.NAMESPACE_OID, str(number // 3))
            balance = "3.50" if number % 4 == 0 else ""
            place = 1000 + number * 7919 % 100_000  # every one once, out of order
            lines.write(
                f"{contact},Contact {number // 3},{place},Fee,25.00,{balance},2026-03-31,4000\n"
            )
    waits, importing = [], threading.Event()

    def keep_paying():
        number = 0
        while not importing.is_set():
            number += 1
            started = time.perf_counter()
            command = pay(books.caller(), {1 + number % 20: "0.01"}, reference=str(number))
            assert books.outcome(command).success
            waits.append(time.perf_counter() - started)
            time.sleep(0.01)

    payer = threading.Thread(target=keep_paying)
    payer.start()
    started = time.perf_counter()
    try:
        done = import_items(database, Source(file, CLUB), Quiet())
    finally:
        importing.set()
        payer.join()
    seconds = time.perf_counter() - started
    record_property("an import of 100,000 rows, seconds", seconds)
    record_property("payments beside such an import, the longest, seconds", max(waits))
    assert isinstance(done, Imported)
    assert done.new_count == 100_000
    assert seconds < 60
    assert max(waits) < 3
    assert len(waits) > 20
