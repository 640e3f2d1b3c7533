"""Statements of account and aged debt: right on every day, and tied to the ledger."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from clerk import Clerk, because, document, item, shares
from hostile_texts import assert_tame_on_paper
from ledgers import ANNA, BEN, Books, pay, write_down
from makers import on_both_stores
from paydown.enquiries import Enquiries
from paydown.enquiries.printing import HTML_POLICY, print_csv, print_html
from paydown.storage.database import Database
from paydown.wire.formats import read_date
from paydown.wire.v1 import orders
from paydown.wire.v1.documents import AgedDebt, Statement

YEAR = {"first_on": date(2026, 1, 1), "last_on": date(2026, 12, 31)}


def make(enquiries: Enquiries, contact_id: str = ANNA, **span: date) -> Statement:
    """A statement of a contact that there is."""
    made = enquiries.make_statement(1, contact_id, **{**YEAR, **span})
    assert made is not None
    return made


def on(day: str) -> str:
    """Noon of a day in 2026."""
    return f"2026-{day}T12:00:00+00:00"


@pytest.fixture
def cara(clerk: Clerk, database: Database) -> str:
    """A contact with a month's history: charged, paid, written down, received, applied, undone."""
    made = orders.NewContact(name="Cara", reference="C-1")
    contact_id = str(document(clerk.desk.create_contact(clerk.by(), made))["contact_id"])
    own = {"contact_id": contact_id}
    first, second = (
        document(
            clerk.desk.create_item(clerk.by(), item(total, effective_at=on(day), due_on=due, **own))
        )["billing_id"]
        for total, day, due in (("25.00", "02-01", "2026-02-15"), ("40.00", "02-10", "2026-03-10"))
    )
    with Books(database) as books:
        till = books.caller()
        books.outcome(pay(till, {first: "10.00"}, date=on("02-05"), reference="BACS 7", **own))
        books.outcome(write_down(till, {second: "1.00"}, 13, date=on("02-12"), **own))
    clerk.desk.reverse_posting(clerk.by(), clerk.postings_of(first)[-1], because())
    received = clerk.receive("30.00", value_at=on("02-20"), **own)
    applied = shares({second: "30.00"}, value_at=on("02-25"))
    document(clerk.desk.allocate(clerk.by(), received, applied))
    return contact_id


@on_both_stores
def test_a_statement_runs_from_balance_to_balance(
    cara: str, clerk: Clerk, enquiries: Enquiries
) -> None:
    """Each movement once, on its value date; applying a receipt is none."""
    told = make(enquiries, cara, first_on=date(2026, 2, 5), last_on=date(2026, 2, 20))

    assert (told.contact_name, told.contact_reference, told.currency) == ("Cara", "C-1", "GBP")
    assert told.opening_balance == "25.00"
    assert [
        (line.value_at[5:10], line.description, line.charge, line.credit, line.balance)
        for line in told.lines
    ] == [
        ("02-05", "Payment, External Payment", None, "10.00", "15.00"),
        ("02-05", "Reversal of payment of 5 Feb 2026: Wrong member", "10.00", None, "25.00"),
        ("02-10", "May", "40.00", None, "65.00"),
        ("02-12", "Write-down, Bad debt expense", None, "1.00", "64.00"),
        ("02-20", "Receipt, External Payment", None, "30.00", "34.00"),
    ]
    assert told.closing_balance == "34.00"
    assert told.lines[0].reference == "BACS 7"
    assert enquiries.make_statement(2, cara, **YEAR) is None


@on_both_stores
def test_what_a_receipt_is_for_is_on_no_statement(clerk: Clerk, enquiries: Enquiries) -> None:
    """Neither that it was applied nor that this was taken back: the money came once."""
    received = clerk.receive("30.00")
    applied = shares({1: "4.00"}, value_at=on("02-10"))
    document(clerk.desk.allocate(clerk.by(), received, applied))
    clerk.desk.reverse_posting(clerk.by(), clerk.postings_of(1)[-1], because())
    told = make(enquiries, first_on=date(2026, 2, 1), last_on=date(2026, 2, 28))

    assert [(line.kind, line.credit) for line in told.lines] == [("receipt", "30.00")]
    assert told.closing_balance == "-30.00"


@on_both_stores
def test_statements_follow_on_from_one_another(cara: str, enquiries: Enquiries) -> None:
    """Wherever a span is cut, what the first ends with the second begins with."""
    whole = make(enquiries, cara)
    contact = enquiries.find_contact(1, cara)
    assert contact is not None
    assert Decimal(whole.closing_balance) == Decimal(contact.owed) - Decimal(contact.unapplied)
    for day in range(1, 28):
        cut = date(2026, 2, day)
        before = make(enquiries, cara, last_on=cut)
        after = make(enquiries, cara, first_on=cut + timedelta(days=1))

        assert before.closing_balance == after.opening_balance
        assert before.lines + after.lines == whole.lines


def test_a_statements_days_are_the_customers_own(clerk: Clerk, enquiries: Enquiries) -> None:
    """In summer London's first of July is from 23:00 UTC to 23:00 UTC, which is the second's."""
    for time in (
        "2026-06-30T22:59:59.9999999Z",
        "2026-06-30T23:00:00Z",
        "2026-07-01T22:59:59.9999999Z",
        "2026-07-01T23:00:00Z",
    ):
        document(clerk.desk.create_item(clerk.by(), item("1.00", effective_at=time)))
    told = make(enquiries, first_on=date(2026, 7, 1), last_on=date(2026, 7, 1))

    assert [line.value_at for line in told.lines] == [
        "2026-07-01T00:00:00+01:00",
        "2026-07-01T23:59:59.9999999+01:00",
    ]
    assert (told.opening_balance, told.closing_balance) == ("1.00", "3.00")


def bands(debt: AgedDebt) -> dict[str, str]:
    """The bands that hold something."""
    return {band.band: band.amount for band in debt.bands if band.item_count}


@on_both_stores
def test_debt_ages_by_the_days_it_is_overdue(cara: str, clerk: Clerk, enquiries: Enquiries) -> None:
    """At the end of each day, by what was true then as known now; and it ties to the ledger."""

    def aged(day: str) -> AgedDebt:
        return enquiries.age_debt(1, date.fromisoformat(f"2026-{day}"))

    assert bands(aged("01-31")) == {}
    assert bands(aged("02-01")) == {"not_due": "25.00"}
    assert bands(aged("02-15")) == {"not_due": "64.00"}
    assert bands(aged("02-16")) == {"not_due": "39.00", "1-30": "25.00"}
    assert bands(aged("02-25")) == {"not_due": "9.00", "1-30": "25.00"}
    assert bands(aged("03-17")) == {"1-30": "34.00"}
    assert bands(aged("03-18")) == {"1-30": "9.00", "31-60": "25.00"}
    assert bands(aged("05-16")) == {"61-90": "34.00"}
    last = aged("05-17")
    assert bands(last) == {"61-90": "9.00", "over_90": "25.00"}
    assert [(each.name, each.total) for each in last.contacts] == [("Cara", "34.00")]
    assert last.contacts[0].bands["over_90"] == "25.00"
    for day in ("01-31", "02-03", "02-11", "02-16", "05-17"):
        debt = aged(day)
        assert {each.difference for each in debt.accounts} == {"0.00"}
        assert sum(Decimal(each.ledger_balance) for each in debt.accounts) == Decimal(debt.total)


@on_both_stores
def test_what_was_paid_before_it_was_charged_lowers_the_debt(
    clerk: Clerk, enquiries: Enquiries, database: Database
) -> None:
    """The item was imported later than its payment is dated: until then it is a credit, not due."""
    with Books(database) as books:
        books.outcome(pay(books.caller(), {1: "4.00"}, date=on("02-05")))
    then = enquiries.age_debt(1, date(2026, 2, 5))
    now = enquiries.age_debt(1)

    assert bands(then) == {"not_due": "-4.00"}
    assert (then.total, then.accounts[0].ledger_balance) == ("-4.00", "-4.00")
    assert sum(Decimal(each.total) for each in now.contacts) == Decimal(now.total)
    assert [each.contact_id for each in now.contacts] == [ANNA, BEN]
    assert {each.difference for each in now.accounts} == {"0.00"}


@on_both_stores
def test_a_debt_is_of_the_day_on_which_the_customers_clock_says_so(
    clerk: Clerk, enquiries: Enquiries
) -> None:
    """What is charged at the very midnight is owed from that day on, and not the evening before."""
    for time in ("2026-06-30T22:59:59.9999999Z", "2026-06-30T23:00:00Z"):
        order = item("1.00", effective_at=time, due_on="2026-08-01")
        document(clerk.desk.create_item(clerk.by(), order))

    for day, owed in (("2026-06-29", "0.00"), ("2026-06-30", "1.00"), ("2026-07-01", "2.00")):
        debt = enquiries.age_debt(1, date.fromisoformat(day))
        receivables = debt.accounts[0]
        assert (debt.total, receivables.items_balance, receivables.ledger_balance) == (owed,) * 3


def test_an_account_that_differs_from_its_items_is_told(
    enquiries: Enquiries, database: Database, maker: Any
) -> None:
    """The ledger's side is added up by itself, so that a wrong balance shows."""
    statement = "UPDATE billing_item SET balance = 900 WHERE billing_id = 1 AND customer_id = 1"
    maker.tamper(database, statement)
    debt = enquiries.age_debt(1)

    assert debt.accounts[0].difference == "1.00"


@pytest.mark.parametrize(
    ("moment", "overdue"), [("2026-07-01T22:59:59Z", 0), ("2026-07-01T23:00:00Z", 1)]
)
def test_an_item_falls_overdue_at_the_customers_midnight(
    clerk: Clerk, database: Database, moment: str, overdue: int
) -> None:
    """Not at that of UTC, by which the evening would be another day."""
    made = document(clerk.desk.create_item(clerk.by(), item("1.00", due_on="2026-07-01")))
    now = read_date(moment, "UTC")
    assert now is not None
    enquiries = Enquiries(database, clock=lambda: now[0])
    told = enquiries.find_item(1, made["billing_id"])

    assert told is not None
    assert told.days_overdue == overdue
    assert enquiries.age_debt(1).on == f"2026-07-0{1 + overdue}"


class Page(HTMLParser):
    """A page's tags, and its text outside of style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["style"]:
            self.words.append(data)


def statement_of(text: str) -> Statement:
    """A statement with one line that says the text wherever a text may stand."""
    line = {
        "posting_id": "019c2d0e-5f70-7a3c-9d3e-1f2a3b4c5d6e.1",
        "value_at": on("02-05"),
        "kind": "charge",
        "billing_id": 1001,
        "description": text,
        "reference": text,
        "charge": "1.00",
        "credit": None,
        "balance": "-1.00",
    }
    whole = {
        **dict.fromkeys(("customer_name", "contact_name", "contact_reference"), text),
        **dict.fromkeys(("opening_balance", "closing_balance"), "-1.00"),
        "currency": "GBP",
        "contact_id": ANNA,
        "lines": [line],
        "first_on": "2026-01-01",
        "last_on": "2026-12-31",
    }
    return msgspec.convert(whole, Statement)


TAGS = Page(print_html(statement_of("plain"))).tags
printable = st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp"))


@given(
    st.text(printable, max_size=30)
    | st.sampled_from(["<script>alert(1)</script>", '"><b>', "&lt;"])
)
def test_a_page_shows_every_text_as_text(text: str) -> None:
    """No text makes a tag, and each is on the page as it is."""
    page = Page(print_html(statement_of(text)))

    assert page.tags == TAGS
    assert "script" not in page.tags
    assert page.words.count(text) >= 5 or not text.strip()


def test_a_page_runs_nothing_and_carries_its_own_style() -> None:
    """The policy that it is served under lets its one style in, and forbids all else."""
    page = print_html(statement_of("x\x00y\u202ez"))

    assert HTML_POLICY.startswith("default-src 'none'; style-src 'sha256-")
    assert TAGS.count("style") == 1
    assert "@media print" in page
    assert "x\ufffdy\ufffdz" in page


def test_a_line_says_which_item_it_moved() -> None:
    """On the page as in the table, so that a payment can be found beside its charge."""
    statement = statement_of("plain")
    (line,) = statement.lines
    receipt = structs.replace(statement, lines=[structs.replace(line, billing_id=None)])

    assert "1001" in Page(print_html(statement)).words
    assert "1001" not in Page(print_html(receipt)).words
    assert "None" not in print_html(receipt)


def tabulate(text: str) -> list[list[str]]:
    """The rows of a table in which the text stands wherever a text may."""
    return list(csv.reader(io.StringIO(print_csv(statement_of(text)), newline="")))


FORMULAS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")


@given(st.lists(printable | st.sampled_from(["\n", "\t", "\r\n", *FORMULAS[:8]])).map("".join))
def test_no_text_in_a_table_is_a_formula(text: str) -> None:
    """What a spreadsheet would take for one gets an apostrophe; all else is as it was."""
    names, opening, line, closing = tabulate(text)

    for column in ("description", "reference"):
        shown = line[names.index(column)]
        assert not shown.startswith(FORMULAS)
        assert shown == (f"'{text}" if text.startswith(FORMULAS) else text)
    assert opening[7] == line[7] == closing[7] == "-1.00"


@pytest.mark.parametrize("beginning", FORMULAS)
@pytest.mark.parametrize("column", ["description", "reference"])
def test_no_beginning_makes_a_formula(column: str, beginning: str) -> None:
    """Whoever wrote it, and wherever it stands: a spreadsheet runs nothing, and shows the rest."""
    names, _, line, _ = tabulate(f"{beginning}SUM(A1:A9)")
    shown = line[names.index(column)]

    assert not shown.startswith(FORMULAS)
    assert shown.endswith("SUM(A1:A9)")


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=20))
def test_no_text_on_paper_moves_a_terminal(text: str) -> None:
    """Whatever it holds, in a table or on a page."""
    statement = statement_of(text)

    assert_tame_on_paper(print_csv(statement))
    assert_tame_on_paper(print_html(statement))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\rb", "a\ufffdb"),
        ("a\r\nb\nc\td", "a\r\nb\nc\td"),
        ("\r=1", "\ufffd=1"),
        ("\x1b[2J\x9b1m\x7f", "\ufffd[2J\ufffd1m\ufffd"),
        ("a\u2028b\u202ec\u2069", "a\ufffdb\ufffdc\ufffd"),
        ("a\u200db\u00a0c\u200f", "a\u200db\u00a0c\u200f"),
    ],
)
def test_a_table_says_where_a_sign_was_left_out(text: str, shown: str) -> None:
    """Line ends, tabs, and signs that join letters or lead them are part of what is said."""
    line = tabulate(text)[2]

    assert line[3] == line[4] == shown
