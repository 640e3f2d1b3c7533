"""``paydown item``, ``entry``, ``contact``, ``statement`` and ``aged-debt``."""

import msgspec
import pytest

import ledgers
from clerk import Clerk, document, item
from ledgers import ANNA, BEN, CLUB, Books, pay
from paydown.enquiries import Enquiries
from paydown.service import read_clock
from paydown.storage.database import Database
from paydown.wire.v1 import orders

OWN = ("--customer", CLUB)
FEBRUARY_5 = "2026-02-05T23:30:00+00:00"


@pytest.fixture
def database(template, tmp_path):
    """A ledger with items, in the place of the empty one."""
    return ledgers.copy_ledger(template, tmp_path / "ledger.db")


@pytest.fixture
def url(database):
    """Its URL, which the commands are told."""
    return database.url


@pytest.fixture
def entry_id(database):
    """A payment of two lines: its entry's id."""
    with Books(database) as books:
        lines = {1: "4.00", 2: "3.00"}
        books.outcome(pay(books.caller(), lines, reference="BACS 7", date=FEBRUARY_5))
    return Clerk(database).entry_of(1)


def as_told(database: Database, question: str, *asked, **more):
    """What ``/v1`` answers."""
    answer = getattr(Enquiries(database, clock=read_clock), question)(1, *asked, **more)
    return msgspec.to_builtins(answer)


def test_an_item_is_shown_and_explained(paydown, database, entry_id):
    """In words that a person reads, and as the very document of ``/v1``."""
    shown = paydown("item", "show", 1, *OWN)
    told = paydown("item", "explain", 1, *OWN)
    document = paydown("item", "explain", 1, *OWN, "--json").document

    assert paydown("item", "show", 1, *OWN, "--json").document == as_told(database, "find_item", 1)
    assert "6.00 GBP, open" in shown.stdout
    assert "5 Feb 2026: £4.00 paid by External Payment, reference BACS 7 (recorded" in told.stdout
    assert told.stdout.splitlines()[-1].endswith("is £6.00.")
    assert told.stdout.splitlines() == document["sentences"]
    assert [each["effect"] for each in document["movements"]] == ["-4.00", "10.00"]


def test_a_day_without_a_time_is_all_of_that_day(paydown, entry_id):
    """As of the fifth, what came true late on the fifth counts."""
    balances = [
        paydown("item", "explain", 1, *OWN, "--json", "--as-of", moment).document["balance"]
        for moment in ("2026-02-04", "2026-02-05", "2026-02-05T23:00", "2026-02-06T00:00Z")
    ]

    assert balances == ["0.00", "-4.00", "0.00", "-4.00"]


def test_an_entry_is_shown_with_its_postings(paydown, database, entry_id):
    """Each with its accounts, and the document is that of ``/v1``."""
    shown = paydown("entry", "show", entry_id, *OWN)

    assert paydown("entry", "show", entry_id, *OWN, "--json").document == as_told(
        database, "find_entry", entry_id
    )
    assert "by till" in shown.stdout
    assert [line.split()[:6] for line in shown.stdout.splitlines()[-2:]] == [
        ["1", "1", "4.00", "1250", "1100", "6.00"],
        ["2", "2", "3.00", "1250", "1100", "7.00"],
    ]


def test_a_posting_then_the_rest_of_an_entry_is_reversed_once(paydown, database, entry_id):
    """With who did it: nobody who logged in, and the request's own id."""
    first = paydown("entry", "reverse", entry_id, *OWN, "--line", 2, "--reason", "Wrong member")
    rest = paydown("entry", "reverse", entry_id, *OWN, "--reason", "All of it", "--json")
    again = paydown("entry", "reverse", entry_id, *OWN, "--reason", "Once more")
    undone = as_told(database, "find_entry", rest.document["entry"]["entry_id"])
    clerk = Clerk(database)

    assert "Billing item 2 owes 10.00 GBP now." in first.stdout
    assert rest.document["items"] == [{"billing_id": 1, "balance": "10.00"}]
    assert rest.document["value_at_rule"] == "original"
    assert (undone["caller"], undone["notes"], undone["address"]) == (None, "All of it", "")
    assert undone["request_id"].startswith("cli-")
    assert again.status == 1
    assert "reversed already" in again.stderr
    assert (clerk.balance(1), clerk.balance(2), clerk.breaches()) == (1000, 1000, [])


def test_a_reversal_may_count_later_and_not_earlier(paydown, database, entry_id):
    """The value date is the operator's to give, from the original's on."""
    early = paydown(
        *("entry", "reverse", entry_id, *OWN, "--reason", "x", "--value-at", "2026-02-01")
    )
    late = paydown(
        *("entry", "reverse", entry_id, *OWN, "--reason", "x", "--value-at", "2026-02-10"),
        "--json",
    )

    assert (early.status, late.document["value_at_rule"]) == (1, "given")
    assert late.document["entry"]["value_at"] == "2026-02-10T00:00:00+00:00"


def test_a_day_to_reverse_from_may_be_the_originals_own(paydown, entry_id):
    """Then it is from the original's time on; an earlier one is refused."""
    reverse = ("entry", "reverse", entry_id, *OWN, "--reason", "x")
    early = paydown(*reverse, "--value-at", "2026-02-05T23:00")
    same_day = paydown(*reverse, "--value-at", "2026-02-05", "--json")

    assert (early.status, early.stderr) == (
        1,
        "--value-at must not be before the value date of what is reversed.\n",
    )
    assert same_day.document["value_at_rule"] == "given"
    assert same_day.document["entry"]["value_at"] == FEBRUARY_5


def test_a_reversal_can_be_tried_without_being_made(paydown, database, entry_id):
    """What would come of it is told, and a refusal too; the books stay as they were."""
    tried = paydown("entry", "reverse", entry_id, *OWN, "--reason", "x", "--dry-run")
    told = paydown("entry", "reverse", entry_id, *OWN, "--reason", "x", "--dry-run", "--json")
    refused = paydown("entry", "reverse", entry_id, *OWN, "--reason", " ", "--dry-run")
    clerk = Clerk(database)

    assert tried.stdout.splitlines() == [
        f"Nothing was recorded. It would be reversed with value date {FEBRUARY_5}.",
        "Billing item 1 would owe 10.00 GBP.",
        "Billing item 2 would owe 10.00 GBP.",
    ]
    assert [each["balance"] for each in told.document["items"]] == ["10.00", "10.00"]
    assert refused.status == 1
    assert (clerk.balance(1), clerk.balance(2), clerk.rows("reversal")) == (600, 700, [])


def test_contacts_are_found_by_a_part_of_their_name(paydown, database):
    """By word, reference or guid; none is said to be none."""
    found = paydown("contact", "find", "archer ANNA", *OWN)
    by_guid = paydown("contact", "find", BEN, *OWN, "--json").document

    assert ANNA in found.stdout
    assert BEN not in found.stdout
    assert [each["name"] for each in by_guid["data"]] == ["Ben Baker"]
    assert by_guid["next_cursor"] is None
    assert "No contact is found by 'nobody'." in paydown("contact", "find", "nobody", *OWN).stdout


def test_a_statement_is_shown_and_written(paydown, database, entry_id, tmp_path):
    """On the terminal, as a document, as a table and as a page."""
    span = ("--from", "2026-02-01", "--to", "2026-02-28")
    table, page = tmp_path / "a.csv", tmp_path / "a.html"
    shown = paydown("statement", "anna", *OWN, *span)
    told = paydown("statement", ANNA, *OWN, *span, "--json").document
    wrote = paydown("statement", ANNA, *OWN, *span, "--csv", table, "--html", page)

    assert told["closing_balance"] == "-7.00"
    assert "Payment, External Payment" in shown.stdout
    assert shown.stdout.splitlines()[-1].split() == ["2026-02-28", "Closing", "balance", "-7.00"]
    assert wrote.stdout.splitlines() == [f"Wrote {table}.", f"Wrote {page}."]
    assert table.read_bytes().startswith(b"date,kind,billing_id,")
    assert "Statement of account" in page.read_text()


def test_a_statement_is_of_the_contact_of_that_reference(paydown, database):
    """Whose reference merely begins so does not stand in its way."""
    clerk = Clerk(database)
    for name, reference in (("Cy", "M-1"), ("Di", "M-10")):
        made = orders.NewContact(name=name, reference=reference)
        document(clerk.desk.create_contact(clerk.by(), made))
    told = paydown("statement", "M-1", *OWN, "--from", "2026-02-01", "--json").document

    assert told["contact_name"] == "Cy"


def test_aged_debt_is_listed_and_tied(paydown, database, entry_id):
    """By contact and band, with a total, and beside it what the accounts say."""
    shown = paydown("aged-debt", *OWN)
    told = paydown("aged-debt", *OWN, "--on", "2026-02-10", "--json").document
    total = next(line for line in shown.stdout.splitlines() if line.startswith("Total"))

    assert total.split()[-1] == "493.50"
    assert "Account 1100 Billing receivables says 493.50, its items 493.50." in shown.stdout
    assert (told["on"], told["total"]) == ("2026-02-10", "-7.00")


def test_a_moment_that_may_still_change_is_said_to(paydown, database):
    """One to come, or less than a minute old; without one the books are as they are now."""
    later = paydown("item", "explain", 1, "--known-at", "2099-01-01", *OWN).stdout
    now = paydown("item", "explain", 1, *OWN).stdout

    assert later.splitlines()[-1].startswith("This is provisional")
    assert "provisional" not in now


def test_texts_of_others_move_no_terminal(paydown, database):
    """What a caller wrote is shown, and never obeyed."""
    with Books(database) as books:
        made = pay(books.caller(), {1: "1.00"}, reference="\x1b[2Jgone")
        books.outcome(made)
    told = paydown("item", "explain", 1, *OWN)

    assert "\x1b" not in told.stdout
    assert r"\x1b[2Jgone" in told.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("item", "show", 999), "There is no billing item 999."),
        (("item", "explain", 999), "No billing item 999 is known."),
        (("item", "explain", 1, "--known-at", "2020-01-01"), "was known at 2020-01-01."),
        (("item", "explain", 1, "--as-of", "soon"), "'soon' is not a date"),
        (("entry", "show", "x"), "There is no entry x."),
        (("entry", "reverse", "x", "--reason", "y"), "'x' is not an entry's id."),
        (("entry", "reverse", ANNA, "--reason", "y"), "There is no such entry"),
        (("entry", "reverse", ANNA, "--reason", " "), "reason is blank."),
        (("entry", "reverse", ANNA, "--reason", "x" * 4001), "or more than 4000 characters."),
        (("entry", "reverse", ANNA, "--reason", "\udcff"), "reason holds what cannot be kept"),
        (("entry", "reverse", ANNA, "--reason", "y", "--line", 10**20), "is not in the range"),
        (("item", "show", 10**20), "is not in the range"),
        (("contact", "find", "\udcff"), r"'\udcff' is no text to find a contact by."),
        (("contact", "find", " "), "' ' is no text to find a contact by."),
        (("statement", "", "--from", "2026-01-01"), "'' is no text to find a contact by."),
        (("statement", "nobody", "--from", "2026-01-01"), "No contact is found by 'nobody'."),
        (("statement", "a", "--from", "2026-01-01"), "Several contacts are found by 'a'."),
        (("statement", ANNA, "--from", "2999-01-01"), "is not a day such as"),
        (
            ("statement", ANNA, "--from", "2026-02-02", "--to", "2026-02-01"),
            "The last day, 2026-02-01, is before the first, 2026-02-02.",
        ),
        (
            ("statement", ANNA, "--from", "2026-02-02", "--csv", "/nowhere/a.csv"),
            "The file /nowhere/a.csv cannot be written",
        ),
        (("aged-debt", "--on", "2026-W05-1"), "'2026-W05-1' is not a day such as 2026-02-28."),
        (("aged-debt", "--on", "today"), "'today' is not a day such as 2026-02-28."),
    ],
)
def test_a_mistake_is_one_sentence(paydown, database, words, sentence):
    """Nothing is changed, and the status says so."""
    answer = paydown(*words, *OWN)

    assert answer.status in (1, 2)
    assert sentence in " ".join(answer.stderr.replace("│", " ").split())


def test_a_charge_is_reversed_only_when_nothing_is_paid_on_it(paydown, database):
    """The refusal says what to do first."""
    clerk = Clerk(database)
    made = document(clerk.desk.create_item(clerk.by(), item("25.00")))
    charge = clerk.entry_of(made["billing_id"])
    with Books(database) as books:
        books.outcome(pay(books.caller(), {made["billing_id"]: "4.00"}))
    answer = paydown("entry", "reverse", charge, *OWN, "--reason", "Never joined")

    assert answer.status == 1
    assert "Reverse that first" in answer.stderr
