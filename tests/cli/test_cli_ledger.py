"""``paydown migrate``, ``verify``, ``replays``, ``--version`` and every help text."""

import sqlite3
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.main import get_command

import ledgers
from paydown.cli import app
from paydown.storage.database import Database


def walk(command, path=()):
    """Every command with the words that call it."""
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, (*path, name))


COMMANDS = dict(walk(get_command(app)))


@pytest.fixture
def repeated(template, tmp_path):
    """A ledger in which one payment was sent three times, with a reference."""
    database = ledgers.copy_ledger(template, tmp_path / "repeated.db")
    with ledgers.Books(database) as books:
        for _ in range(3):
            books.record(ledgers.pay(books.caller(), {1: "2.50"}, reference="R-7"))
    return database.url


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_a_help_text(paydown, path):
    """Each command, option and argument says in words what it is for."""
    answer = paydown(*path, "--help", COLUMNS="200")
    assert answer.status == 0
    assert COMMANDS[path].help.splitlines()[0] in answer.stdout
    silent = [each.name for each in COMMANDS[path].params if not getattr(each, "help", None)]
    assert silent == []


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_flag_is_not_shown_as_taking_a_value(paydown, path):
    """``--json`` is typed alone. The flags that Typer adds to every program are its own affair."""
    lines = paydown(*path, "--help", COLUMNS="200").stdout.splitlines()
    shown = [line.split()[1] for line in lines if "<bool>" in line]
    assert set(shown) <= {"--help", "--install-completion", "--show-completion"}


def test_a_group_names_all_its_commands():
    """Who reads the list of groups learns what each can do."""
    unsaid = [
        (*path, name)
        for path, group in COMMANDS.items()
        for name in getattr(group, "commands", {})
        if path and name not in group.help.lower()
    ]
    assert unsaid == []


def test_every_command_that_answers_can_answer_a_program():
    """All but the two that serve take --json; those that go from one to another name both."""
    lacking = [
        path
        for path, command in COMMANDS.items()
        if not getattr(command, "commands", None)
        and not {"as_json", "database"} <= {each.name for each in command.params}
    ]
    assert lacking == [("serve",), ("demo",), ("copy",), ("restore",)]
    assert {each.name for each in COMMANDS["copy",].params} == {"source", "target", "as_json"}
    assert {each.name for each in COMMANDS["restore",].params} == {"file", "target", "as_json"}


def test_no_password_can_be_an_argument():
    """The list of processes shows arguments to everybody."""
    options = {
        option
        for command in COMMANDS.values()
        for each in command.params
        for option in each.opts
        if "password" in option
    }
    assert options == {"--password-stdin"}


def test_the_version_is_printed(paydown):
    """As the installed package has it."""
    assert paydown("--version").stdout == f"paydown {version('paydown')}\n"


def test_the_installed_command_is_the_same(tmp_path):
    """What a shell finds as ``paydown`` is this command line, and ends without a traceback."""
    words = [Path(sys.executable).with_name("paydown"), "customer", "list"]
    url = f"sqlite:///{tmp_path / 'none.db'}"
    ended = subprocess.run([*words, "--database", url], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("There is no ledger at ")
    assert len(ended.stderr.splitlines()) == 1


EARLY = """
class Interrupter:
    def find_spec(self, name, path=None, target=None):
        if name == "paydown.imports":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupter())
"""
LATE = "atexit.register(os.kill, os.getpid(), signal.SIGINT)"


@pytest.mark.parametrize(
    ("when", "status", "stderr"), [(EARLY, 130, "Interrupted.\n"), (LATE, 0, "")]
)
def test_ctrl_c_ends_a_start_and_spoils_no_end(when, status, stderr):
    """Python still reading the program is an interruption like any other; a last word is none."""
    program = f"import atexit, os, signal, sys\n{when}\nfrom paydown.cli import main\nmain()"
    words = [sys.executable, "-c", program, "--version"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (status, stderr)


def test_migrate_makes_a_ledger_and_then_leaves_it_alone(paydown, tmp_path):
    """The first run makes it, the second changes nothing, and both say so."""
    url = f"sqlite:///{tmp_path / 'new.db'}"
    place = ("--database", url)
    assert paydown("migrate", *place).stdout == f"Made a new ledger at {url}.\n"
    assert paydown("migrate", *place).stdout == f"The ledger at {url} is up to date.\n"
    document = paydown("migrate", *place, "--json").document
    assert (document["database"], document["made"]) == (url, False)


def test_a_missing_ledger_is_refused_with_the_command_that_helps(paydown, tmp_path):
    """No traceback: a sentence, and what to type."""
    url = f"sqlite:///{tmp_path / 'none.db'}"
    answer = paydown("customer", "list", "--database", url)
    assert (answer.status, answer.stdout) == (1, "")
    assert answer.stderr.strip().endswith(f"paydown migrate --database {url}")
    answer = paydown("customer", "list", "--database", url, "--json")
    assert answer.document == {"error": answer.document["error"]}


def test_the_database_must_be_named(paydown):
    """Without --database and PAYDOWN_DATABASE nothing is guessed."""
    answer = paydown("verify", PAYDOWN_DATABASE="")
    assert answer.status == 2
    assert "--database" in answer.stderr


def test_verify_proves_every_invariant_by_name(paydown, repeated):
    """A sound ledger ends with 0 and one line for each promise."""
    answer = paydown("verify", "--database", repeated)
    *lines, last = answer.stdout.splitlines()
    assert answer.status == 0
    assert {line.split()[0] for line in lines} == {"ok"}
    assert last == f"All {len(lines)} invariants hold."
    document = paydown("verify", "--database", repeated, "--json").document
    assert document["ok"] is True
    assert len(document["findings"]) == len(lines)


def test_verify_says_a_promise_in_a_line_of_any_length(paydown, repeated, monkeypatch):
    """A narrow terminal breaks the line where it likes; the sentence is whole, with its count."""
    monkeypatch.setattr("paydown.cli.output._PIPE_WIDTH", 40)
    *lines, _ = paydown("verify", "--database", repeated).stdout.splitlines()
    findings = paydown("verify", "--database", repeated, "--json").document["findings"]
    assert lines == [
        f"ok      {each['invariant']}: {each['promise']} ({each['examined']:,} examined)"
        for each in findings
    ]


def test_verify_names_what_is_broken(paydown, repeated):
    """A balance altered behind its back is found, named, and ends with 1."""
    with sqlite3.connect(repeated.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE billing_item SET balance = balance - 1 WHERE billing_id = 2")
    connection.close()
    answer = paydown("verify", "--database", repeated)
    assert answer.status == 1
    assert "BROKEN  item_balances" in answer.stdout
    assert "item_balances" in answer.stdout.splitlines()[-1]
    answer = paydown("verify", "--database", repeated, "--json")
    assert (answer.status, answer.document["ok"]) == (1, False)


def test_replays_are_listed(paydown, repeated):
    """Each time that a line was recognised, with what it was taken for."""
    document = paydown("replays", "--database", repeated, "--json").document
    assert len(document["replays"]) == 2
    replay = document["replays"][0]
    assert replay["replayed_at"] > replay["first_recorded_at"]
    del replay["replayed_at"], replay["first_recorded_at"]
    assert replay == {
        "customer_guid": ledgers.CLUB,
        "user_name": ledgers.TILL,
        "kind": "payment",
        "contact_id": ledgers.ANNA,
        "contact_name": "Anna Archer",
        "billing_id": 1,
        "amount": "2.50",
        "currency": "GBP",
        "reference": "R-7",
        "value_at": "2026-02-05T10:00:00+00:00",
        "request_id": "test",
        "address": "127.0.0.1",
    }
    table = paydown("replays", "--database", repeated).stdout.splitlines()
    assert len(table) == 3
    assert "2.50 GBP" in table[1]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_caller_s_reference_moves_no_terminal_s_cursor(paydown, template, tmp_path, options):
    """What was sent with control characters in it is listed with none."""
    database = ledgers.copy_ledger(template, tmp_path / "odd.db")
    with ledgers.Books(database) as books:
        for _ in range(2):
            sent = ledgers.pay(books.caller(), {1: "2.50"}, reference="R\x1b[2J\x9b2J\x7f\r\u202e7")
            books.record(sent)
    printed = paydown("replays", "--database", database.url, *options).stdout
    assert "[2J" in printed
    assert all(line.isprintable() for line in printed.split("\n"))


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--limit", "1"], 1),
        (["--since", "2099-12-31"], 0),
        (["--since", "2026-01-01T00:00:00Z"], 2),
        (["--customer", ledgers.CLUB], 2),
        (["--customer", ledgers.OTHER_CLUB], 0),
    ],
)
def test_replays_can_be_narrowed(paydown, repeated, options, count):
    """By number, by time and by customer."""
    document = paydown("replays", "--database", repeated, "--json", *options).document
    assert len(document["replays"]) == count


def test_no_replays_are_said_to_be_none(paydown):
    """A sentence for people rather than a table of nothing; an empty list for programs."""
    assert paydown("replays").stdout == "No lines were replayed.\n"
    assert paydown("replays", "--json").document == {"replays": []}


def test_a_wrong_since_is_a_sentence(paydown):
    """What is no date is said to be none."""
    answer = paydown("replays", "--since", "yesterday")
    assert (answer.status, answer.stderr) == (1, "'yesterday' is not a date such as 2026-02-28.\n")


def test_a_limit_beyond_all_counting_is_a_usage_error(paydown):
    """No number that is typed ends in a traceback."""
    assert paydown("replays", "--limit", 10**20).status == 2


def test_a_command_waits_its_turn_and_then_says_why_not(paydown, database, monkeypatch):
    """A ledger that stays locked gives a sentence, not a traceback."""
    monkeypatch.setattr("paydown.storage.database.ADMIN_WAIT_SECONDS", 0.1)
    assert isinstance(database, Database)
    with database.write():
        answer = paydown("customer", "add", "X")
    assert answer.status == 1
    assert "is locked by another process" in answer.stderr
