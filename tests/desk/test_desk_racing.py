"""Thirty-two callers at once: each write happens once, and nothing is given out twice."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import msgspec
import pytest
from writes import every_write

from clerk import Clerk, because, code, document, entry_guid, item, receipt, shares
from ledgers import ANNA, Books, finished, pay
from makers import on_every_store
from paydown.desk import KeyConflict, Refused, Result, Told
from paydown.domain.outcomes import Outcome
from paydown.enquiries import find_contact
from paydown.service import read_clock
from paydown.storage import reference
from paydown.storage.database import Database
from paydown.wire.etags import write_etag
from paydown.wire.v1 import orders

pytestmark = on_every_store

CALLERS = 32
T = TypeVar("T")


@pytest.fixture
def clerk(database: Database) -> Clerk:
    """The till, at the desk."""
    return Clerk(database)


def race(*contestants: Callable[[], T]) -> list[T]:
    """Start all at the same moment; what each came to, in order."""
    started = threading.Barrier(len(contestants))
    results: dict[int, T] = {}

    def run(place: int) -> None:
        started.wait()
        results[place] = contestants[place]()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(contestants))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[place] for place in range(len(contestants))]


def told(results: Sequence[Result]) -> list[Told]:
    """Those that were done."""
    return [each for each in results if isinstance(each, Told)]


def codes(results: Sequence[Result]) -> Counter[str]:
    """How often each refusal came."""
    return Counter(code(each) for each in results if isinstance(each, Refused))


def test_every_write_raced_under_one_key_happens_once(books: Books, clerk: Clerk) -> None:
    """All callers get the same bytes, one of them as the first."""
    tables = ("entry", "posting", "contact", "billing_item", "tender_type", "account", "receipt")
    writes = every_write(books, clerk)
    alone = Clerk(clerk.database)
    for name, write in writes.items():
        before = {table: len(alone.rows(table)) for table in tables}
        by = clerk.by(name, key="raced")
        results = told(race(*[partial(write, by)] * CALLERS))
        made = [len(alone.rows(table)) - before[table] for table in tables]

        assert len(results) == CALLERS, name
        assert len({(each.status, each.body) for each in results}) == 1, name
        assert [each.replayed for each in results].count(False) == 1, name
        assert max(made) <= 2, (name, made)
    assert len(clerk.rows("desk_answer")) == len(writes) + 2
    assert clerk.breaches() == []


def test_one_posting_is_reversed_once(books: Books, clerk: Clerk) -> None:
    """By line and by entry at once, each under its own key: one does it, and all others hear so."""
    entry = books.outcome(pay(clerk.caller, {1: "4.00"})).entry
    assert entry is not None
    paid = entry_guid(entry.entry_id)
    ways = (
        lambda: clerk.desk.reverse_entry(clerk.by(), paid, because()),
        lambda: clerk.desk.reverse_posting(clerk.by(), f"{paid}.1", because()),
    )
    results = race(*(ways[place % 2] for place in range(CALLERS)))

    assert len(told(results)) == 1
    assert codes(results) == {"409 already_reversed": CALLERS - 1}
    assert clerk.balance(1) == 1000
    assert clerk.breaches() == []


def test_of_those_who_read_the_same_one_changes_it(clerk: Clerk) -> None:
    """Each wants another name, and only as long as the contact is as it was read."""
    with clerk.database.read() as connection:
        customer = reference.get_customer(connection, clerk.caller.customer_id)
        read = find_contact(connection, customer, ANNA, now=read_clock())
    tags = frozenset([write_etag(msgspec.json.encode(read))])
    results = race(
        *(
            lambda name=f"Anna {place}": clerk.desk.change_contact(
                clerk.by(if_match=tags), ANNA, orders.ContactChange(name=name)
            )
            for place in range(CALLERS)
        )
    )
    (won,) = told(results)

    assert codes(results) == {"412 etag_mismatch": CALLERS - 1}
    assert document(won)["name"] in {row[2] for row in clerk.rows("contact") if row[1] == ANNA}
    assert clerk.breaches() == []


def test_a_receipt_is_never_applied_beyond_what_is_left(clerk: Clerk) -> None:
    """Ten pounds for thirty-two wishes of one: ten are granted, whichever come first."""
    received = clerk.receive("10.00")
    results = race(
        *(
            lambda place=place: clerk.desk.allocate(
                clerk.by(), received, shares({1 + place % 20: "1.00"})
            )
            for place in range(CALLERS)
        )
    )

    assert len(told(results)) == 10
    assert codes(results) == {"422 amount_exceeds_unapplied /lines": CALLERS - 10}
    assert clerk.unapplied(received) == 0
    assert clerk.breaches() == []


def test_new_items_raced_have_each_a_number_of_their_own(clerk: Clerk) -> None:
    """No BillingId is given twice, and none is left out."""
    results = race(
        *(lambda: clerk.desk.create_item(clerk.by(), item("1.00")) for _ in range(CALLERS))
    )
    numbers = sorted(document(each)["billing_id"] for each in results)

    assert numbers == list(range(36, 36 + CALLERS))
    assert clerk.breaches() == []


def test_one_key_for_two_meanings_takes_one(clerk: Clerk) -> None:
    """Half of the callers want another amount: all of one half are answered, and no others."""
    by = clerk.by(key="raced")
    results = race(
        *(
            lambda amount=amount: clerk.desk.record_receipt(by, receipt(amount))
            for amount in ("1.00", "2.00") * (CALLERS // 2)
        )
    )

    assert len(told(results)) == CALLERS // 2
    assert results.count(KeyConflict()) == CALLERS // 2
    assert len({each.body for each in told(results)}) == 1
    assert len(clerk.rows("receipt")) == 1
    assert clerk.breaches() == []


def test_allocations_and_payments_share_the_balance(books: Books, clerk: Clerk) -> None:
    """A running server is paid for the same items meanwhile: no item is paid twice over."""
    received = clerk.receive("100.00")
    jobs = [books.submit(pay(clerk.caller, dict.fromkeys(range(1, 6), "1.00"))) for _ in range(12)]
    results = race(
        *(
            lambda place=place: clerk.desk.allocate(
                clerk.by(),
                received,
                shares(dict.fromkeys((range(1, 6), range(5, 0, -1))[place % 2], "1.00")),
            )
            for place in range(CALLERS)
        )
    )
    outcomes = [finished(job).result for job in jobs]
    paid = [each for each in outcomes if isinstance(each, Outcome) and each.success]

    assert all(isinstance(each, Outcome) for each in outcomes)
    assert len(told(results)) + len(paid) == 10
    assert set(codes(results)) == {
        " ".join(["422 amount_exceeds_balance", *(f"/lines/{place}/amount" for place in range(5))])
    }
    assert [clerk.balance(number) for number in range(1, 6)] == [0] * 5
    assert clerk.breaches() == []


def test_reversals_run_beside_payments_without_a_deadlock(books: Books, clerk: Clerk) -> None:
    """Items are paid and reversed in opposite orders: all is recorded, and the books hold."""
    entries = []
    for _ in range(CALLERS // 2):
        entry = books.outcome(pay(clerk.caller, dict.fromkeys(range(1, 9), "0.10"))).entry
        assert entry is not None
        entries.append(entry_guid(entry.entry_id))
    jobs = [
        books.submit(pay(clerk.caller, dict.fromkeys(range(8, 0, -1), "0.01"))) for _ in range(40)
    ]
    results = race(
        *(
            lambda each=each: clerk.desk.reverse_entry(clerk.by(), each, because())
            for each in entries
        )
    )

    assert len(told(results)) == len(entries)
    assert all(isinstance(finished(job).result, Outcome) for job in jobs)
    assert {clerk.balance(number) for number in range(1, 9)} == {1000 - 40}
    assert clerk.breaches() == []
