"""Lists: every filter alone and with others, every part in order, and no cursor but their own."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clerk import Clerk, because, document, item, shares
from ledgers import ANNA, BEN, CLUB, Books, pay, write_down
from makers import on_both_stores
from paydown.enquiries import (
    BadCursor,
    ContactFilter,
    Enquiries,
    EntryFilter,
    ItemFilter,
    PageAsk,
    PostingFilter,
    ReceiptFilter,
)
from paydown.enquiries.asking import POSTINGS
from paydown.storage import walking
from paydown.storage.database import Database
from paydown.wire.formats import read_date
from paydown.wire.v1 import orders

FEBRUARY_5 = "2026-02-05T10:00:00+00:00"
FEBRUARY_9 = "2026-02-09T10:00:00+00:00"

List = Callable[..., Any]


def ticks(text: str) -> int:
    """A time of an answer's."""
    found = read_date(text, "Europe/London")
    assert found is not None
    return found[0]


def read_all(read: List, wanted: Any, *, limit: int) -> list[Any]:
    """Every part of a list, put together; no part holds more than was asked for."""
    found, cursor = [], None
    while True:
        page = read(1, wanted, PageAsk(cursor, limit))
        assert not isinstance(page, BadCursor)
        assert len(page.data) <= limit
        found += page.data
        cursor = page.next_cursor
        if cursor is None:
            return found


@pytest.fixture
def busy(clerk: Clerk, database: Database) -> Clerk:
    """A clerk whose books hold something of every kind."""
    with Books(database) as books:
        till = books.caller()
        books.outcome(pay(till, {1: "4.00", 2: "3.00"}, reference="BACS 7", date=FEBRUARY_5))
        kiosk = books.caller("kiosk")
        paid = pay(kiosk, {31: "40.00"}, contact_id=BEN, tender_type_id=1, date=FEBRUARY_9)
        books.outcome(paid)
        books.outcome(write_down(till, {3: "2.00"}, 13, date=FEBRUARY_5))
    received = clerk.receive("30.00", reference="BACS 7", authorization_code="A1")
    document(clerk.desk.allocate(clerk.by(), received, shares({4: "10.00"})))
    clerk.desk.reverse_posting(clerk.by(), clerk.postings_of(1)[-1], because())
    other = clerk.receive("5.00", contact_id=BEN)
    clerk.desk.reverse_entry(clerk.by(), other, because())
    document(clerk.desk.create_item(clerk.by(), item("25.00", due_on="2026-03-01")))
    return clerk


@on_both_stores
def test_postings_are_found_by_everything_that_is_known_of_them(
    busy: Clerk, enquiries: Enquiries
) -> None:
    """Each filter finds its own and no more, and filters together what is of all of them."""

    def found(**wanted: Any) -> list[tuple[str, int | None, str]]:
        postings = read_all(enquiries.list_postings, PostingFilter(**wanted), limit=7)
        return [(each.kind, each.billing_id, each.amount) for each in postings]

    payment = [("payment", 2, "3.00"), ("payment", 1, "4.00")]
    receipt = ("receipt", None, "30.00")
    assert found(reference="BACS 7") == [("reversal", 1, "4.00"), receipt, *payment]
    assert found(reference="BACS 7", kind="payment") == payment
    assert found(reference="BACS 8") == found(reference="") == []
    assert found(authorization_code="A1") == [receipt]
    assert found(billing_id=1) == [("reversal", 1, "4.00"), payment[1], ("charge", 1, "10.00")]
    assert found(caller="kiosk") == found(tender_type_id=1) == [("payment", 31, "40.00")]
    assert found(kind="write_down", contact_id=ANNA) == [("write_down", 3, "2.00")]
    assert found(kind="write_down", contact_id=BEN) == []
    assert found(kind="receipt", contact_id=BEN) == [("receipt", None, "5.00")]
    assert found(kind="reversal", contact_id=BEN) == [("reversal", None, "5.00")]
    assert found(value_from=ticks(FEBRUARY_9), value_to=ticks(FEBRUARY_9) + 1) == [
        ("payment", 31, "40.00")
    ]
    assert found(billing_id=1, entry_id=busy.entry_of(1)) == [("reversal", 1, "4.00")]
    everything = found()
    assert found(contact_id=ANNA) + found(contact_id=BEN) != []
    assert len(found(contact_id=ANNA)) + len(found(contact_id=BEN)) == len(everything)
    assert len(everything) == sum(row[0] == 1 for row in busy.rows("posting"))


@on_both_stores
def test_entries_are_found_by_whom_they_concern_and_when(busy: Clerk, enquiries: Enquiries) -> None:
    """The newest first; an import is of every contact whose item it charged."""

    def found(**wanted: Any) -> list[tuple[str, str, int]]:
        entries = read_all(enquiries.list_entries, EntryFilter(**wanted), limit=2)
        return [(each.kind, each.amount, each.posting_count) for each in entries]

    imported = [("opening_balance", "154.50", 2), ("charge", "655.00", 27)]
    newest, oldest = found()[0], found()[-2:]
    assert newest == ("charge", "25.00", 1)
    assert sorted(oldest) == sorted(imported)
    assert found(contact_id=BEN) == [
        ("reversal", "5.00", 1),
        ("receipt", "5.00", 1),
        ("payment", "40.00", 1),
        imported[1],
    ]
    assert found(contact_id=ANNA, kind="payment") == [("payment", "7.00", 2)]
    assert found(caller="kiosk") == found(tender_type_id=1) == [("payment", "40.00", 1)]
    undone = ("reversal", "4.00", 1)
    paid = ("payment", "7.00", 2)
    received = ("receipt", "30.00", 1)
    assert found(billing_id=1) == [undone, paid, imported[1]]
    assert found(reference="BACS 7") == [undone, received, paid]
    assert found(reference="BACS 7", billing_id=2) == [paid]
    assert found(reference="BACS 7", tender_type_id=1) == found(reference="BACS 8") == []
    assert found(authorization_code="A1") == [received]
    assert found(authorization_code="A1", contact_id=ANNA) == [received]
    assert found(authorization_code="A1", contact_id=BEN) == found(billing_id=1, contact_id=BEN)
    assert found(billing_id=1, contact_id=BEN) == []
    recorded = read_all(enquiries.list_entries, EntryFilter(kind="receipt"), limit=9)
    times = [ticks(each.recorded_at) for each in recorded]
    assert times == sorted(times, reverse=True)
    assert found(recorded_from=times[0], recorded_to=times[0] + 1) == [("receipt", "5.00", 1)]
    assert found(recorded_from=times[1], recorded_to=times[0]) == [
        *(("reversal", "4.00", 1), ("allocation", "10.00", 1), ("receipt", "30.00", 1)),
    ]


@on_both_stores
@pytest.mark.parametrize("date_of", ["value", "recorded"])
@pytest.mark.parametrize(
    ("asked", "filtering"), [("list_postings", PostingFilter), ("list_entries", EntryFilter)]
)
def test_two_spans_that_meet_hold_everything_once(
    busy: Clerk,
    enquiries: Enquiries,
    asked: str,
    filtering: Callable[..., EntryFilter],
    date_of: str,
) -> None:
    """What is of the very time at which they meet is in the later one alone."""

    def found(**wanted: Any) -> list[Any]:
        return read_all(getattr(enquiries, asked), filtering(**wanted), limit=50)

    (paid,) = found(caller="kiosk")
    meeting = ticks(getattr(paid, f"{date_of}_at"))
    earlier = found(**{f"{date_of}_to": meeting})
    later = found(**{f"{date_of}_from": meeting})

    assert earlier != []
    assert paid in later
    assert sorted(map(repr, earlier + later)) == sorted(map(repr, found()))


@on_both_stores
def test_an_entry_is_told_with_everything_about_it(busy: Clerk, enquiries: Enquiries) -> None:
    """Its postings, what undid each, and its digest; another customer's are as if not there."""
    entry_id = busy.postings_of(1)[1].partition(".")[0]
    told = enquiries.find_entry(1, entry_id.upper())
    assert told is not None
    first, second = told.postings

    assert (told.kind, told.caller, told.amount, told.posting_count) == (
        "payment",
        "till",
        "7.00",
        2,
    )
    assert told.digest == busy.entry(entry_id).digest.hex()
    assert first.reversed_by is not None
    assert first.reversed_by.posting_id == busy.postings_of(1)[-1]
    assert second.reversed_by is None
    assert enquiries.find_posting(1, first.posting_id) == first
    asked = (first.staff_user, first.request_id, first.address)
    assert asked == (told.staff_user, told.request_id, told.address)
    assert enquiries.find_entry(2, entry_id) is None
    assert enquiries.find_posting(2, first.posting_id) is None
    for nonsense in ("", "x", f"{entry_id}.", f"{entry_id}.x", f"{entry_id}.9", f"{entry_id}.²"):
        assert enquiries.find_posting(1, nonsense) is None
    assert enquiries.find_entry(1, "x") is enquiries.find_receipt(1, "x") is None


@on_both_stores
def test_items_are_found_by_contact_state_and_age(busy: Clerk, database: Database) -> None:
    """Bands hold open items by the customer's day, and a day before the next one is due."""
    today = ticks("2026-03-02T12:00:00Z")
    enquiries = Enquiries(database, clock=lambda: today)

    def found(**wanted: Any) -> list[int]:
        return [
            each.billing_id
            for each in read_all(enquiries.list_items, ItemFilter(**wanted), limit=3)
        ]

    assert found(contact_id=BEN) == [31, 32, 33, 34, 35]
    assert found(contact_id=BEN, state="settled") == [31]
    assert found(state="settled") == [4, 22, 31]
    assert found(band="1-30", contact_id=ANNA)[-1] == 36
    assert found(due_before=date(2026, 3, 1), contact_id=ANNA, state="open")[-2:] == [20, 21]
    assert found(band="not_due") == found(band="1-30", state="settled") == []
    assert found(band="1-30", due_before=date(2026, 3, 1)) == found(
        state="open", due_before=date(2026, 3, 1)
    )
    overdue = {each.days_overdue for each in read_all(enquiries.list_items, ItemFilter(), limit=9)}
    assert overdue == {0, 1, 30}


@on_both_stores
def test_contacts_are_found_by_words_reference_or_guid(busy: Clerk, enquiries: Enquiries) -> None:
    """Every word counts, in any case and without accents; a guid or reference finds its own."""
    made = orders.NewContact(name="Zoë Élan-Archer", reference="M-100")
    document(busy.desk.create_contact(busy.by(), made))

    def found(search: str | None) -> list[str]:
        page = read_all(enquiries.list_contacts, ContactFilter(search=search), limit=1)
        return sorted(each.name for each in page)

    assert found("archer") == ["Anna Archer", "Zoë Élan-Archer"]
    assert found("ARCHER zoe") == found("m-1") == found("M-100") == ["Zoë Élan-Archer"]
    assert found(f" {BEN.upper()} ") == ["Ben Baker"]
    assert found("%") == found("_") == found("zoe baker") == []
    assert len(found(None)) == len(found("  ")) == 3
    anna = enquiries.find_contact(1, ANNA)
    assert anna is not None
    assert (anna.unapplied, anna.open_item_count) == ("20.00", len(anna.open_items))
    assert anna.owed == "310.50"
    assert [each.due_on for each in anna.open_items] == sorted(
        each.due_on for each in anna.open_items
    )
    assert enquiries.find_contact(1, CLUB) is None


@on_both_stores
def test_what_a_search_names_comes_first_and_hides_nothing(
    clerk: Clerk, enquiries: Enquiries
) -> None:
    """However small the parts: those of the reference, then whose name holds its words."""
    for name, reference in (
        ("Cy", "Archer"),
        ("Di", "Archer"),
        ("Ed", "Archer"),
        ("Flo", "7 Archer"),
    ):
        made = orders.NewContact(name=name, reference=reference)
        document(clerk.desk.create_contact(clerk.by(), made))

    for limit in (1, 2, 3, 50):
        page = read_all(enquiries.list_contacts, ContactFilter(search="Archer"), limit=limit)
        names = [each.name for each in page]
        assert sorted(names[:3]) == ["Cy", "Di", "Ed"]
        assert sorted(names[3:]) == ["Anna Archer", "Flo"]


@on_both_stores
def test_receipts_are_told_with_what_became_of_them(busy: Clerk, enquiries: Enquiries) -> None:
    """What is left, each allocation, and what was taken back or reversed."""
    first = read_all(enquiries.list_receipts, ReceiptFilter(contact_id=ANNA), limit=1)[0]
    allocation = first.allocations[0]
    taken = orders.Unallocation(allocation_id=allocation.allocation_id, reason="Other item")
    document(busy.desk.unallocate(busy.by(), first.receipt_id, taken))
    after = enquiries.find_receipt(1, first.receipt_id)
    assert after is not None
    bens, annas = read_all(enquiries.list_receipts, ReceiptFilter(), limit=1)
    left = read_all(enquiries.list_receipts, ReceiptFilter(unapplied_only=True), limit=1)

    assert (first.amount, first.unapplied, allocation.amount) == ("30.00", "20.00", "10.00")
    assert (first.contact_name, first.tender_type_id) == ("Anna Archer", 28)
    assert allocation.reversed_by is None
    assert after.unapplied == "30.00"
    assert after.allocations[0].reversed_by is not None
    assert after.allocations[0].reversed_by.reason == "Other item"
    assert bens.reversed_by is not None
    assert (bens.unapplied, annas, left) == ("0.00", after, [after])


@on_both_stores
def test_a_list_that_ends_with_a_full_part_ends_there(busy: Clerk, enquiries: Enquiries) -> None:
    """Nobody is sent on to where nothing is; but where one more row is, he is."""
    lists: list[tuple[List, Any]] = [
        (enquiries.list_postings, PostingFilter(contact_id=BEN)),
        (enquiries.list_postings, PostingFilter()),
        (enquiries.list_entries, EntryFilter(contact_id=BEN)),
        (enquiries.list_entries, EntryFilter()),
        (enquiries.list_items, ItemFilter(contact_id=BEN)),
        (enquiries.list_items, ItemFilter()),
        (enquiries.list_contacts, ContactFilter()),
        (enquiries.list_receipts, ReceiptFilter(contact_id=ANNA)),
        (enquiries.list_receipts, ReceiptFilter()),
    ]
    for read, wanted in lists:
        whole = read_all(read, wanted, limit=200)
        full = read(1, wanted, PageAsk(limit=len(whole)))
        assert (full.data, full.next_cursor) == (whole, None)
        if len(whole) > 1:
            short = read(1, wanted, PageAsk(limit=len(whole) - 1))
            assert read(1, wanted, PageAsk(short.next_cursor, 1)).data == whole[-1:]


@on_both_stores
def test_a_rare_row_is_found_however_far_it_is(
    busy: Clerk, enquiries: Enquiries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that ends before it is full leads on, and nothing is told twice or left out."""
    lists: list[tuple[List, Any]] = [
        (enquiries.list_postings, PostingFilter(kind="opening_balance")),
        (enquiries.list_postings, PostingFilter()),
        (enquiries.list_entries, EntryFilter(caller="kiosk")),
        (enquiries.list_entries, EntryFilter()),
        (enquiries.list_items, ItemFilter(state="settled")),
        (enquiries.list_contacts, ContactFilter(search="ben")),
        (enquiries.list_receipts, ReceiptFilter(unapplied_only=True)),
    ]
    whole = [read_all(read, wanted, limit=200) for read, wanted in lists]
    for examined in (3, 8):
        monkeypatch.setattr(walking, "EXAMINED_MAX", examined)
        for limit in (2, 50):
            assert [read_all(read, wanted, limit=limit) for read, wanted in lists] == whole
    first = enquiries.list_postings(1, PostingFilter(kind="opening_balance"), PageAsk(limit=50))
    assert not isinstance(first, BadCursor)
    assert (first.data, first.next_cursor is None) == ([], False)


def test_only_a_lists_own_cursor_is_taken(busy: Clerk, enquiries: Enquiries) -> None:
    """Any other is told as such, and never a fault."""
    page = enquiries.list_entries(1, EntryFilter(), PageAsk(limit=1))
    assert not isinstance(page, BadCursor)
    assert isinstance(
        enquiries.list_receipts(1, ReceiptFilter(), PageAsk(page.next_cursor)), BadCursor
    )
    for read, wanted in (
        (enquiries.list_items, ItemFilter()),
        (enquiries.list_contacts, ContactFilter()),
        (enquiries.list_postings, PostingFilter()),
        (enquiries.list_receipts, ReceiptFilter()),
    ):
        assert isinstance(read(1, wanted, PageAsk("x")), BadCursor)


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
def test_any_text_for_a_cursor_is_read_or_refused(text: str) -> None:
    """Whatever it is, reading it ends in a key or in a sentence."""
    assert isinstance(POSTINGS.read(text), BadCursor)


@given(st.binary(min_size=16, max_size=16), st.integers(1, 2**63 - 1))
def test_a_cursor_leads_where_it_came_from(entry_id: bytes, line_no: int) -> None:
    """Written and read again, a key is the same."""
    assert POSTINGS.read(POSTINGS.write((entry_id, line_no))) == (entry_id, line_no)
