"""``paydown import items``: all or nothing, safe to run again, beside a server."""

import io
import os
import re
import signal
import time
from contextlib import contextmanager

import pytest

from paydown import imports
from paydown.audit import verify
from paydown.cli import importing
from paydown.storage import applying, reference

ANNA = "6ae26b8d-5064-492b-b727-fcd34e07710b"
BEN = "f9025eb8-7bcb-4f72-aa35-ca5d82e6cb01"
CARA = "16fd2706-8baf-433b-82eb-8c7fada847da"
HEADER = "contact_id,contact_name,billing_id,description,total_amount,balance,due_on,income_account"
ROWS = (
    f"{ANNA},Anna,11,Fee,10.00,,2026-02-28,4000",
    f"{ANNA},Anna,12,Fee,250.00,100.50,2026-03-31,4100",
    f"{BEN},Ben,13,Locker,5.00,0,2026-03-31,4100",
)


@pytest.fixture
def load(paydown, customer, tmp_path):
    """Import these rows."""

    def run(*rows, options=(), header=HEADER, **environment):
        file = tmp_path / "items.csv"
        file.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
        place = ("--customer", customer.customer_guid)
        return paydown("import", "items", file, *place, *options, **environment)

    return run


@pytest.fixture
def items(database, customer):
    """The items of a contact as the ledger has them."""

    def find(contact_id):
        with database.read() as connection:
            found = reference.list_items(connection, customer.customer_id, contact_id)
        return [tuple(item) for item in found]

    return find


def broken(database):
    """The invariants that do not hold."""
    return [finding.invariant for finding in verify(database) if not finding.ok]


def test_items_come_in_with_their_books(load, items, database, customer):
    """Totals, balances and the opening postings between them; every invariant holds."""
    expected = ("--expect-count", 3, "--expect-total", "265.00")
    answer = load(*ROWS, options=[*expected, "--json"])
    document = answer.document
    assert document.pop("payments_held_ms") < 1000
    assert document == {
        "customer_guid": customer.customer_guid,
        "rows": 3,
        "total_amount": "265.00",
        "imported": 3,
        "known": 0,
        "contacts_added": 2,
        "contacts_renamed": [],
        "billing_ids_given": None,
    }
    assert items(ANNA) == [(11, 1000, 1000), (12, 25000, 10050)]
    assert items(BEN) == [(13, 500, 0)]
    assert broken(database) == []


def test_the_same_file_again_changes_nothing(load, items):
    """Running it again is safe, also with rows added since, in another order."""
    load(*ROWS)
    assert load(*ROWS).stdout == "3 rows of 265.00 GBP: 0 imported, 3 known already.\n"
    added = f"{BEN},Ben,14,Locker,5.00,,2026-04-30,4100"
    assert load(added, *reversed(ROWS)).stdout == (
        "4 rows of 270.00 GBP: 1 imported, 3 known already.\n"
    )
    assert items(BEN) == [(13, 500, 0), (14, 500, 500)]


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("Fee,10.00", "Fees,10.00", "description of billing item 11 was imported as 'Fee'"),
        ("Fee,10.00", "Fee,11.00", "total_amount of billing item 11 was imported as '10.00'"),
        ("10.00,,", "10.00,9.5,", "balance of billing item 11 was imported as '10.00'"),
        ("2026-02-28", "2026-03-01", "due_on of billing item 11 was imported as '2026-02-28'"),
        ("4000", "4100", "income_account of billing item 11 was imported as '4000'"),
        (f"{ANNA},Anna", f"{CARA},Anna", f"contact_id of billing item 11 was imported as '{ANNA}'"),
        ("Anna", "Anne", "contact_name of billing item 11 was imported as 'Anna'"),
    ],
)
def test_a_row_that_differs_is_refused(load, items, before, after, sentence):
    """An import never edits: the fault names the column, the old and the new."""
    load(ROWS[0])
    answer = load(ROWS[0].replace(before, after), ROWS[2], options=["--json"])
    assert answer.status == 1
    assert answer.document["faults"][0]["line"] == 2
    assert answer.document["faults"][0]["sentence"].startswith(sentence)
    assert items(BEN) == []


@pytest.mark.parametrize(("balance", "columns"), [("", 1), ("11.00", 1), ("9.00", 2)])
def test_a_changed_total_is_one_fault(load, balance, columns):
    """A balance that only goes with its total is not a change of its own."""
    load(ROWS[0])
    answer = load(ROWS[0].replace("10.00,,", f"11.00,{balance},"), options=["--json"])
    assert answer.document["fault_count"] == columns
    assert answer.document["faults"][0]["sentence"].startswith("total_amount of billing item 11 ")


def test_rows_without_an_id_are_known_by_batch_and_line(load, items):
    """They get ids beyond the greatest in use, and the same batch again gives none."""
    load(ROWS[0])
    nameless = [row.replace(",12,", ",,").replace(",13,", ",,") for row in ROWS[1:]]
    batch = ["--batch", "march"]
    first = load(*nameless, options=[*batch, "--json"]).document
    assert first["billing_ids_given"] == {"first": 12, "last": 13}
    assert load(*nameless, options=[*batch, "--json"]).document["imported"] == 0
    other = load(nameless[0], options=["--batch", "april", "--json"]).document
    assert other["billing_ids_given"] == {"first": 14, "last": 14}
    assert [item[0] for item in items(ANNA)] == [11, 12, 14]
    changed = load(nameless[0].replace("Fee", "Dues"), options=batch)
    assert "line 2: description of billing item 12 was imported as 'Fee'" in changed.stderr
    numbered = load(ROWS[1].replace(",12,", ",99,"), options=batch)
    assert "line 2: billing_id of billing item 12 was imported as '12' and is '99'" in (
        numbered.stderr
    )


def test_one_row_is_spoken_of_as_one(load):
    """One row is no rows, and one id has no range."""
    nameless = [row.replace(",12,", ",,").replace(",13,", ",,") for row in ROWS[1:]]
    one = load(nameless[0], options=["--batch", "april"]).stdout.splitlines()
    assert one[0] == "1 row of 250.00 GBP: 1 imported, 0 known already."
    assert one[2:] == ["BillingId given: 1."]
    two = load(*nameless, options=["--batch", "may"]).stdout
    assert "BillingIds given: 2 to 3.\n" in two


def test_given_ids_pass_by_those_in_the_file(load, items):
    """A row with an id and one without never meet on one BillingId."""
    rows = (ROWS[0].replace(",11,", ",,"), ROWS[1].replace(",12,", ",500,"))
    load(*rows, options=["--batch", "march"])
    assert [item[0] for item in items(ANNA)] == [500, 501]


def test_ids_run_out_with_a_sentence(load, items):
    """Beyond the greatest Int32 no id can be given."""
    rows = (ROWS[0].replace(",11,", ",2147483647,"), ROWS[1].replace(",12,", ",,"))
    answer = load(*rows, options=["--batch", "march"])
    assert answer.stderr == "There are not enough BillingIds left beyond the greatest in use.\n"
    assert items(ANNA) == []


def test_a_contact_is_renamed_by_new_rows_and_reported(load, items, database, customer):
    """New rows know best what a contact is called now; old rows seen again do not."""
    load(ROWS[0])
    answer = load(ROWS[1].replace("Anna", "Anna B"))
    assert f"Contact {ANNA} is now 'Anna B', before 'Anna'." in answer.stdout
    assert "renamed" not in load(ROWS[0]).stdout
    again = load(ROWS[0], options=["--json"]).document
    assert again["contacts_renamed"] == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--expect-count", "2"], "The file has 3 rows, not the 2 expected: nothing was imported."),
        (
            ["--expect-total", "265.01"],
            "The file's total_amount adds up to 265.00, not the 265.01 expected: nothing was",
        ),
    ],
)
def test_control_totals_are_kept(load, items, options, sentence):
    """A file that is not the one that was meant is refused."""
    answer = load(*ROWS, options=options)
    assert answer.status == 1
    assert answer.stderr.startswith(sentence)
    assert items(ANNA) == []


@pytest.mark.parametrize(
    ("code", "shown"), [("77", "'77'"), ("1100", "'1100'"), ("6100", "'6100'")]
)
def test_an_income_account_must_be_usable(load, paydown, customer, code, shown):
    """Unknown, receivables and disabled accounts are refused, for new rows alone."""
    load(ROWS[0].replace("4000", "6000"))
    for disabled in ("6100", "6000"):
        paydown("account", "disable", disabled, "--customer", customer.customer_guid)
    answer = load(ROWS[0].replace("4000", "6000"), ROWS[1].replace("4100", code))
    sentence = "is not the code of an active account other than receivables."
    assert answer.stderr.splitlines() == [
        "The file has 1 fault, so nothing was imported.",
        f"line 3: income_account {shown} {sentence}",
    ]


def test_many_faults_are_counted(load):
    """A hundred are named, the others counted, for people and for programs."""
    rows = [ROWS[0].replace(",11,", f",{n},").replace("10.00", "x") for n in range(1, 131)]
    lines = load(*rows).stderr.splitlines()
    assert lines[0] == "The file has 130 faults, so nothing was imported."
    assert lines[-1] == "… and 30 more."
    document = load(*rows, options=["--json"]).document
    assert (document["fault_count"], len(document["faults"])) == (130, 100)


def test_bytes_that_are_not_utf_8_are_found_on_their_line(paydown, customer, tmp_path):
    """A file in another encoding is refused, with the line; a byte order mark is none."""
    file = tmp_path / "items.csv"
    text = "\ufeff" + "\n".join((HEADER, ROWS[0], ROWS[1].replace("Anna", "Zoë")))
    file.write_bytes(text.encode().replace("ë".encode(), b"\xeb"))
    answer = paydown("import", "items", file, "--customer", customer.customer_guid)
    assert answer.stderr.splitlines()[1:] == [
        "line 3: The line is not UTF-8. Save the file as UTF-8."
    ]
    file.write_bytes(text.encode().replace("Zoë".encode(), b"Anna"))
    answer = paydown("import", "items", file, "--customer", customer.customer_guid)
    assert answer.status == 0


@pytest.mark.parametrize(
    ("guid", "sentence"),
    [("x", "'x' is not a customer's guid."), (CARA, f"There is no customer {CARA}.")],
)
def test_an_unknown_customer_is_refused(paydown, tmp_path, guid, sentence):
    """Items go nowhere else, and the command that lists customers is named."""
    file = tmp_path / "items.csv"
    file.write_text(f"{HEADER}\n{ROWS[0]}\n")
    answer = paydown("import", "items", file, "--customer", guid)
    assert (answer.status, answer.stderr) == (1, f"{sentence} See: paydown customer list\n")


def test_a_file_without_rows_must_be_meant(load):
    """An export that went wrong is not taken for an import that is done."""
    answer = load()
    assert (answer.status, answer.stderr) == (
        1,
        "The file has no rows: nothing was imported. Where that is right: --expect-count 0\n",
    )
    assert load(options=["--expect-count", 0]).stdout == (
        "0 rows of 0.00 GBP: 0 imported, 0 known already.\n"
    )


def test_a_file_s_name_may_be_anything(paydown, customer, database, tmp_path):
    """It is noted on the entry in characters that can be printed."""
    file = tmp_path / "a\x1b[2J.csv"
    file.write_text(f"{HEADER}\n{ROWS[0]}\n")
    assert paydown("import", "items", file, "--customer", customer.customer_guid).status == 0
    with database.read() as connection:
        notes = connection.exec_driver_sql("SELECT notes FROM entry").scalar_one()
    assert notes == r"Import of 'a\x1b[2J.csv'"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("march\x1b[2J", "The batch's name holds '\\x1b', which cannot be printed."),
        ("", "The batch's name is blank. Give it one, or leave --batch out."),
        (" ", "The batch's name is blank. Give it one, or leave --batch out."),
    ],
)
def test_a_batch_s_name_can_be_read(load, items, name, sentence):
    """It is kept for good and shown to people. Blank, it would be that of many files."""
    answer = load(*ROWS, options=["--batch", name])
    assert (answer.status, answer.stderr) == (1, f"{sentence}\n")
    assert items(ANNA) == []


@pytest.mark.parametrize("total", ["x", "1e3", "-1"])
def test_an_expected_total_is_an_amount(load, total):
    """A wrong option is a usage error."""
    assert load(ROWS[0], options=["--expect-total", total]).status == 2


def test_a_bar_moves_on_a_terminal(load):
    """Whoever watches sees how far it is; a pipe sees nothing of it."""
    assert "Recording" in load(*ROWS, FORCE_COLOR="1").stderr
    assert load(*ROWS).stderr == ""


def test_somebody_can_be_asked_at_a_terminal_only(monkeypatch):
    """A pipe is never waited for."""
    terminal = io.StringIO()
    monkeypatch.setattr("sys.stdin", terminal)
    assert not importing.can_ask()
    terminal.isatty = lambda: True
    assert importing.can_ask()


def test_a_file_of_several_chunks_comes_in_whole(load, items):
    """The end of one chunk and the start of the next are both there."""
    rows = [ROWS[0].replace(",11,", f",{number},") for number in range(1, 5003)]
    assert load(*rows).stdout.splitlines() == [
        "5,002 rows of 50020.00 GBP: 5,002 imported, 0 known already.",
        "Contacts added: 1.",
    ]
    assert [item[0] for item in items(ANNA)] == [*range(1, 5003)]


def test_a_large_import_says_first_how_long_payments_wait(load, items, monkeypatch):
    """Told the price beforehand, the operator at a terminal may still say no."""
    monkeypatch.setattr(imports, "LARGE_ROW_COUNT", 2)
    forecast = re.compile(r"Recording 3 items will hold payments up for about \d+ s\.\n")
    monkeypatch.setattr(importing, "can_ask", lambda: True)
    answer = load(*ROWS, FORCE_COLOR="1")  # there is nothing on standard input: no
    assert forecast.search(answer.stderr)
    assert answer.status == 1
    assert items(ANNA) == []
    answer = load(*ROWS)
    assert forecast.fullmatch(answer.stderr)
    assert len(items(ANNA)) == 2


def test_an_interrupted_import_leaves_nothing_and_says_so(load, items, monkeypatch):
    """Ctrl-C in the middle of writing undoes all of it."""
    monkeypatch.setattr(applying, "_insert_imported_rows", interrupt)
    answer = load(*ROWS)
    assert (answer.status, answer.stderr) == (130, "Interrupted: nothing was imported.\n")
    assert items(ANNA) == []
    monkeypatch.undo()
    assert load(*ROWS).status == 0


def test_an_interrupt_after_the_commit_is_too_late(load, items, database, monkeypatch):
    """What is committed is reported as imported, not as interrupted."""
    begin_write = type(database).begin_write

    @contextmanager
    def commit_then_interrupt(self, connection):
        with begin_write(self, connection):
            yield
        raise KeyboardInterrupt

    monkeypatch.setattr(type(database), "begin_write", commit_then_interrupt)
    assert load(*ROWS).stdout.startswith("3 rows of 265.00 GBP: 3 imported")
    assert len(items(ANNA)) == 2


def test_an_interrupt_while_the_answer_is_printed_denies_nothing(load, items, monkeypatch):
    """Whoever stops reading is not told that what was imported was not."""
    monkeypatch.setattr(importing, "_say", interrupt)
    answer = load(*ROWS)
    assert (answer.status, answer.stderr) == (130, "Interrupted: all of the file was imported.\n")
    assert len(items(ANNA)) == 2


def interrupt(*arguments):
    """Ctrl-C, as Python sees it."""
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(1)
