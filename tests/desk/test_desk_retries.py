"""Every write is safe to send again, and safe to try: the key's first answer, and dry runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection
from writes import every_write

from clerk import Clerk, because, code, document, item, other_customer, receipt, shares
from ledgers import PAYMENTS_ONLY, Books
from makers import on_both_stores, on_every_store
from paydown.desk import Desk, KeyConflict, Refused, Told
from paydown.service import RisingClock, read_clock
from paydown.storage.database import Database
from paydown.storage.faults import StoreContested, StoreUnreachable
from paydown.storage.opening import open_store
from paydown.storage.schema import metadata

# What two answers to one order differ in: ids made for it, and when it was recorded.
OWN = {"entry_id", "posting_id", "receipt_id", "allocation_id", "recorded_at", "value_at", "digest"}


@pytest.fixture
def clerk(database: Database) -> Clerk:
    """The till, at the desk."""
    return Clerk(database)


def everything(clerk: Clerk) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    return {name: clerk.rows(name) for name in metadata.tables}


def without_own(answer: Any, own: set[str]) -> Any:
    """The document without those members, wherever they stand."""
    if isinstance(answer, list):
        return [without_own(each, own) for each in answer]
    if isinstance(answer, dict):
        return {name: without_own(each, own) for name, each in answer.items() if name not in own}
    return answer


@on_every_store
def test_every_write_sent_again_has_its_first_answer(books: Books, clerk: Clerk) -> None:
    """Byte for byte, with nothing done a second time; also from a server started anew."""
    writes = every_write(books, clerk)
    first = {name: write(clerk.by(name, key="k")) for name, write in writes.items()}
    recorded = everything(clerk)
    again = {name: write(clerk.by(name, key="k")) for name, write in writes.items()}
    clerk.desk = Desk(open_store(clerk.database.url), clock=RisingClock(read_clock))
    anew = {name: write(clerk.by(name, key="k")) for name, write in writes.items()}

    assert all(isinstance(told, Told) and not told.replayed for told in first.values()), first
    assert again == anew
    for name, told in first.items():
        assert isinstance(told, Told)
        assert again[name] == told._replace(replayed=True), name
    assert everything(clerk) == recorded
    assert clerk.breaches() == []


@on_every_store
def test_every_write_can_be_tried_first(books: Books, clerk: Clerk) -> None:
    """A dry run answers as the write then does, leaves no trace, and the key free."""
    for name, write in every_write(books, clerk).items():
        before = everything(clerk)
        tried = write(clerk.by(name, key="k", dry_run=True))
        assert everything(clerk) == before, name
        done = write(clerk.by(name, key="k"))
        own = OWN | ({"contact_id"} if name == "create_contact" else set())

        assert isinstance(tried, Told)
        assert isinstance(done, Told)
        assert not done.replayed
        assert tried.status == done.status
        assert without_own(document(tried), own) == without_own(document(done), own), name
    assert clerk.breaches() == []


@on_both_stores
def test_a_dry_run_says_what_the_write_would(clerk: Clerk) -> None:
    """A refusal, the key's first answer, or that the key is taken."""
    received = clerk.receive("1.00")
    by = clerk.by(key="k")
    told = clerk.desk.record_receipt(by, receipt("2.00"))
    trial = by._replace(dry_run=True)
    before = everything(clerk)

    assert isinstance(told, Told)
    assert clerk.desk.record_receipt(trial, receipt("2.0")) == told._replace(replayed=True)
    assert clerk.desk.record_receipt(trial, receipt("3.00")) == KeyConflict()
    refused = clerk.desk.allocate(clerk.by(dry_run=True), received, shares({1: "1.01"}))
    assert code(refused) == "422 amount_exceeds_unapplied /lines"
    assert everything(clerk) == before


@on_both_stores
def test_a_key_means_one_thing_for_ever(clerk: Clerk) -> None:
    """Another body or another path is a conflict, and nothing is done; the first still stands."""
    one, other = clerk.receive("5.00"), clerk.receive("5.00")
    by = clerk.by(key="k")
    told = clerk.desk.allocate(by, one, shares({1: "1.00"}))
    same = shares({1: "1.0"})

    assert isinstance(told, Told)
    assert clerk.desk.allocate(by, one, shares({1: "1.01"})) == KeyConflict()
    assert clerk.desk.allocate(by, one, shares({2: "1.00"})) == KeyConflict()
    assert clerk.desk.allocate(by, other, same) == KeyConflict()
    assert clerk.desk.allocate(by._replace(staff_user="bo"), one, same) == (
        told._replace(replayed=True)
    )
    assert (clerk.balance(1), clerk.balance(2)) == (900, 1000)
    assert clerk.breaches() == []


@on_both_stores
def test_a_key_is_known_within_its_customer_login_and_call(books: Books, clerk: Clerk) -> None:
    """Anybody else may use the same text for something else."""
    kiosk = Clerk(clerk.database, caller=books.caller(PAYMENTS_ONLY))
    stranger = Clerk(clerk.database, caller=other_customer(clerk.caller))
    told = [
        clerk.desk.record_receipt(clerk.by("POST /v1/receipts", key="k"), receipt("1.00")),
        clerk.desk.record_receipt(clerk.by("POST /v1/other", key="k"), receipt("2.00")),
        kiosk.desk.record_receipt(kiosk.by("POST /v1/receipts", key="k"), receipt("3.00")),
        stranger.desk.record_receipt(stranger.by("POST /v1/receipts", key="k"), receipt("4.00")),
    ]

    assert [document(each)["amount"] for each in told] == ["1.00", "2.00", "3.00", "4.00"]
    assert clerk.breaches() == []


@on_both_stores
def test_a_refused_write_leaves_its_key_free(clerk: Clerk) -> None:
    """The mended order may come under the same key."""
    by = clerk.by(key="k")
    refused = clerk.desk.record_receipt(by, receipt("0.00"))
    told = clerk.desk.record_receipt(by, receipt("1.00"))

    assert isinstance(refused, Refused)
    assert document(told)["amount"] == "1.00"
    assert len(clerk.rows("desk_answer")) == 1


@on_both_stores
def test_an_answer_outlives_what_it_tells_of(books: Books, clerk: Clerk) -> None:
    """A receipt that was reversed since is still answered as it was recorded."""
    by = clerk.by(key="k")
    told = clerk.desk.record_receipt(by, receipt("1.00"))
    document(clerk.desk.reverse_entry(clerk.by(), document(told)["receipt_id"], because()))

    assert isinstance(told, Told)
    assert clerk.desk.record_receipt(by, receipt("1.00")) == told._replace(replayed=True)
    assert clerk.breaches() == []


def test_what_a_key_means_is_the_same_in_every_version(clerk: Clerk) -> None:
    """A retry after an upgrade must not be a conflict: these fingerprints are for ever."""
    by = clerk.by("POST /v1/tests", key="k", target="t")
    clerk.desk.record_receipt(by._replace(key="1"), receipt("9.00", reference="R"))
    clerk.desk.create_item(by._replace(key="2"), item("4.50", due_on="2026-05-31"))
    kept = {row[3]: row[4].hex() for row in clerk.rows("desk_answer")}

    assert kept == {
        "1": "019c70a45ab976f0a81c2cdb777f2e5e28f6c819cdc11821223d30be7c5c30dd",
        "2": "e927543fc01ffdc1efc3fec7308373ec7a361e9ee8dc734ab46d77c2b82434dc",
    }


Fail = Callable[[int], Exception | None]


@contextmanager
def failing(clerk: Clerk, *, before: Fail, after: Fail) -> Iterator[list[int]]:
    """Let transactions fail before or after their commit; the numbers of those begun."""
    database = clerk.database
    begin_write = database.begin_write
    begun: list[int] = []

    @contextmanager
    def begin(connection: Connection) -> Iterator[None]:
        begun.append(len(begun) + 1)
        with begin_write(connection):
            yield
            if fault := before(begun[-1]):
                raise fault
        if fault := after(begun[-1]):
            raise fault

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "begin_write", begin)
        yield begun


def never(number: int) -> None:
    """No fault."""


def lost(number: int) -> Exception:
    """The connection ended."""
    return StoreUnreachable("The database cannot be reached.")


@on_both_stores
def test_a_commit_in_doubt_is_found_by_its_key(books: Books, clerk: Clerk) -> None:
    """Whoever was told that the store was lost sends it again, and nothing is done twice."""
    writes = every_write(books, clerk)
    before = everything(clerk)
    for name, write in writes.items():
        with failing(clerk, before=lost, after=never), pytest.raises(StoreUnreachable):
            write(clerk.by(name, key="k"))
    assert everything(clerk) == before
    for name, write in writes.items():
        with failing(clerk, before=never, after=lost) as begun:
            with pytest.raises(StoreUnreachable):
                write(clerk.by(name, key="k"))
            assert begun == [1], name
        recorded = everything(clerk)
        told = write(clerk.by(name, key="k"))
        assert isinstance(told, Told)
        assert told.replayed, name
        assert everything(clerk) == recorded, name
    assert clerk.breaches() == []


@on_both_stores
def test_a_write_that_met_another_is_tried_again(clerk: Clerk) -> None:
    """Nothing of it was recorded then, so it is done once; for ever it is not tried."""

    def contested(number: int) -> Exception | None:
        return StoreContested("Another came first.") if number < 4 else None

    def always(number: int) -> Exception:
        return StoreContested("Another came first.")

    with failing(clerk, before=contested, after=never) as begun:
        told = clerk.desk.record_receipt(clerk.by(key="k"), receipt("1.00"))
        assert begun == [1, 2, 3, 4]
    with failing(clerk, before=always, after=never), pytest.raises(StoreContested):
        clerk.desk.record_receipt(clerk.by(), receipt("1.00"))

    assert document(told)["amount"] == "1.00"
    assert len(clerk.rows("receipt")) == 1
    assert clerk.breaches() == []
