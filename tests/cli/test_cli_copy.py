"""``paydown copy``: whole, interrupted and gone on with, refused, and never half believed."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import count

import pytest
from psycopg.conninfo import conninfo_to_dict

import full_ledger
import ledgers
from makers import SQLiteMaker
from paydown import copying as ledger_copying
from paydown.cli import copying as command
from paydown.domain.outcomes import KeyReplayed, Outcome
from paydown.storage import copying, opening
from paydown.storage.engine import find_database
from paydown.storage.opening import open_store
from postgres import PostgreSQLMaker, execute

WAYS = [
    ("sqlite", "postgresql"),
    ("postgresql", "sqlite"),
    ("sqlite", "sqlite"),
    ("postgresql", "postgresql"),
]
GO_ON = "Run the same command again: it goes on from there.\n"


@pytest.fixture
def makers(template, databases, tmp_path):
    """Who makes ledgers and places for one, by kind."""
    folder = tmp_path / "ledgers"
    folder.mkdir()
    return {"sqlite": SQLiteMaker(template, folder), "postgresql": PostgreSQLMaker(databases)}


@pytest.fixture
def full(makers, tmp_path):
    """Make a ledger of that kind with rows of every kind."""

    def make(kind):
        database = makers[kind].copy()
        full_ledger.fill(database, tmp_path)
        return database

    return make


@pytest.fixture
def copy(paydown):
    """Run ``paydown copy`` from one URL to another."""

    def run(source, target, *options, **environment):
        return paydown("copy", "--from", source, "--to", target, *options, **environment)

    return run


def interrupt(*_):
    """Ctrl-C, as Python sees it."""
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(1)


def at_call(number, function, act):
    """The function, but at that call the act comes before it."""
    numbers = count(1)

    def call(*arguments):
        if next(numbers) == number:
            act(*arguments)
        return function(*arguments)

    return call


def test_the_ledger_to_copy_has_rows_of_every_kind(full):
    """Each table has rows, and each column that may be empty is so in one row but not in all."""
    rows = full_ledger.read_all(full("sqlite"))
    for table in copying.TABLES:
        for place, column in enumerate(table.c):
            kinds = {row[place] is None for row in rows[table.name]}
            assert kinds == ({True, False} if column.nullable else {False}), column


@pytest.mark.parametrize(("kind", "other"), WAYS)
def test_a_ledger_is_copied_whole_and_back(copy, full, makers, paydown, kind, other):
    """Every value of every row is the same there, and in the copy of the copy; all is proved."""
    source = full(kind)
    there, back = makers[other].new(), makers[kind].new()
    for one, another in ((source.url, there), (there, back)):
        answer = copy(one, another)
        assert (answer.status, answer.stderr) == (0, "")
        assert answer.stdout.endswith("equal on both sides, and all 21 invariants hold.\n")
        assert paydown("verify", "--database", another).status == 0
    found = [full_ledger.read_all(open_store(url)) for url in (source.url, there, back)]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(("kind", "other"), WAYS[:2])
def test_a_copy_goes_on_as_the_ledger_would_have(copy, full, makers, kind, other):
    """A retry of what came before is answered as then, to the byte; what is new is recorded."""
    answers = []
    source, there = full(kind), makers[other].new()
    assert copy(source.url, there).status == 0
    for url in (source.url, there):
        with ledgers.Books(open_store(url)) as books:
            caller = books.caller()
            replayed = books.record(full_ledger.keyed_payment(caller)).result
            assert isinstance(replayed, KeyReplayed)
            answers.append(replayed.body)
            assert books.outcome(ledgers.pay(caller, {6: "10.00"})).success
            assert books.balances()[6] == 0
    assert answers[0] == answers[1]


def test_a_copy_tells_a_program_what_came_of_it(copy, full, makers):
    """Each table with its rows, sums, and how many of them were added now."""
    source, target = full("sqlite"), makers["postgresql"].new()
    document = copy(source.url, target, "--json").document
    tables = {table.pop("table"): table for table in document.pop("tables")}
    rows = full_ledger.read_all(source)
    assert document == {
        "from": source.url,
        "to": target,
        "finished": True,
        "continued": False,
        "differing": [],
        "invariants": 21,
        "broken": [],
    }
    assert {name: (each["rows"], each["added"]) for name, each in tables.items()} == {
        name: (len(found), len(found)) for name, found in rows.items()
    }
    amounts = [row[5] for row in rows["posting"]]
    assert tables["posting"]["amounts"]["amount"] == sum(amounts)
    assert tables["contact"]["amounts"] == {}


def test_a_password_is_in_no_answer(copy, full, makers):
    """A URL may carry one; what is printed does not."""
    source, target = full("sqlite"), makers["postgresql"].new()
    secret = conninfo_to_dict(target).get("password", "s3cret")
    target = re.sub("//(\\w+)[^@]*@", rf"//\1:{secret}@", target)
    for options in ([], ["--json"]):
        answer = copy(source.url, target, *options)
        assert secret not in answer.stdout + answer.stderr
    assert "is not empty" in answer.document["error"]


POINTS = [
    # where Ctrl-C comes, and what is there already then
    (copying, "add_rows", 1),
    (copying, "add_rows", 2),
    (copying, "add_rows", 9),
    (copying, "add_rows", 40),
    (copying, "find_last_key", 13),
    (ledger_copying, "_compare", 1),
    (ledger_copying, "_prove", 1),
    (opening, "_set_version", 2),
]


@pytest.mark.parametrize(("kind", "other"), WAYS[:2])
@pytest.mark.parametrize(("module", "name", "number"), POINTS)
def test_an_interrupted_copy_goes_on_from_where_it_ended(
    copy, full, makers, paydown, monkeypatch, kind, other, module, name, number
):
    """Until then nothing takes it for a ledger; what was there is not copied again."""
    source, target = full(kind), makers[other].new()
    monkeypatch.setattr("paydown.bootstrap.configure_logging", lambda *_: None)
    monkeypatch.setattr(copying, "CHUNK_ROWS", 5)
    monkeypatch.setattr(module, name, at_call(number, getattr(module, name), interrupt))
    answer = copy(source.url, target)
    assert (answer.status, answer.stdout, answer.stderr) == (130, "", f"Interrupted. {GO_ON}")
    there = sum(map(len, full_ledger.read_all(find_database(target)).values()))
    for unfit in ("verify", "migrate", "serve"):
        refused = paydown(unfit, "--database", target)
        assert (refused.status, refused.stdout) == (1, "")
        assert "holds a copy that is not finished" in refused.stderr
    document = copy(source.url, target, "--json").document
    assert (document["finished"], document["continued"]) == (True, True)
    total = sum(table["rows"] for table in document["tables"])
    assert sum(table["added"] for table in document["tables"]) == total - there
    assert full_ledger.read_all(open_store(target)) == full_ledger.read_all(source)


KILLED = """
import os, signal, sys
from paydown.cli import main
from paydown.storage import copying
copying.CHUNK_ROWS = 5
add_rows, calls = copying.add_rows, []
def kill(session, table, rows):
    calls.append(table)
    if len(calls) == {number}:
        session.commit = lambda: os.kill(os.getpid(), signal.SIGKILL)
    add_rows(session, table, rows)
copying.add_rows = kill
main()
"""


@pytest.mark.parametrize(("kind", "other"), WAYS[:2])
@pytest.mark.parametrize("number", [1, 12, 20])
def test_a_killed_copy_goes_on_from_its_last_commit(copy, full, makers, kind, other, number):
    """kill -9 in the middle of a transaction, twice; the third run ends with all of it."""
    source, target = full(kind), makers[other].new()
    words = [sys.executable, "-c", KILLED.format(number=number), "copy"]
    words += ["--from", source.url, "--to", target]
    for _ in range(2):
        assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    assert copy(source.url, target, "--json").document["continued"] is True
    assert full_ledger.read_all(open_store(target)) == full_ledger.read_all(source)


def test_an_interruption_before_anything_is_copied_says_so(copy, full, makers, monkeypatch):
    """While only the source is read, the target is left alone."""
    source, target = full("sqlite"), makers["postgresql"].new()
    monkeypatch.setattr(copying, "tally", at_call(3, copying.tally, interrupt))
    answer = copy(source.url, target)
    assert (answer.status, answer.stderr) == (130, "Interrupted: nothing was copied.\n")
    opening.migrate(target)


@pytest.mark.parametrize("module", [opening, command])
def test_an_interruption_after_the_end_denies_nothing(copy, full, makers, monkeypatch, module):
    """Where all was copied and proved it is not said that it was not."""
    source, target = full("sqlite"), makers["sqlite"].new()
    if module is command:
        monkeypatch.setattr(command, "_say", interrupt)
        said = (130, "Interrupted: the copy was finished.\n")
    else:
        monkeypatch.setattr(type(source), "write", interrupted_after(type(source).write))
        said = (0, "")
    answer = copy(source.url, target)
    assert (answer.status, answer.stderr) == said
    assert full_ledger.read_all(open_store(target)) == full_ledger.read_all(source)


def interrupted_after(write):
    """A write transaction, the second of which is interrupted as soon as it is committed."""
    numbers = count(1)

    @contextmanager
    def commit_then_interrupt(database):
        with write(database) as connection:
            yield connection
        if next(numbers) == 2:
            raise KeyboardInterrupt

    return commit_then_interrupt


def test_a_fault_on_the_way_says_how_to_go_on(copy, full, makers, monkeypatch):
    """A target that is lost is a sentence, and another that says what then."""
    source, target = full("sqlite"), makers["postgresql"].new()

    def lose(*_):
        execute(
            target,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )

    monkeypatch.setattr(copying, "CHUNK_ROWS", 5)
    monkeypatch.setattr(copying, "add_rows", at_call(9, copying.add_rows, lose))
    answer = copy(source.url, target)
    assert answer.status == 1
    first, second = answer.stderr.splitlines(keepends=True)
    assert "cannot be reached" in first
    assert second == GO_ON
    assert copy(source.url, target).status == 0


@pytest.mark.parametrize("other", ["sqlite", "postgresql"])
def test_a_place_that_is_not_empty_is_refused_and_left_alone(copy, full, makers, other):
    """A ledger, other tables, and the source itself by its own or another name."""
    source = full(other)
    ledger = makers[other].copy()
    before = full_ledger.read_all(ledger)
    answer = copy(source.url, ledger.url)
    assert (answer.status, answer.stdout) == (1, "")
    assert answer.stderr.endswith(" is not empty: it holds a ledger. Copy into an empty place.\n")
    assert full_ledger.read_all(ledger) == before
    strange = find_database(makers[other].new())
    strange.make()
    with strange.write() as connection:
        connection.exec_driver_sql("CREATE TABLE stranger (a INTEGER)")
    assert "it holds other tables" in copy(source.url, strange.url).stderr
    assert "cannot be copied onto itself" in copy(source.url, source.url).stderr


def test_a_source_by_another_name_is_not_empty(copy, full):
    """Nothing waits for a lock of one's own: the target is looked at first."""
    source = full("postgresql")
    other_name = f"{source.url}?application_name=other"
    assert "is not empty" in copy(source.url, other_name).stderr


def test_an_unfinished_copy_of_anything_else_is_refused(copy, full, makers, monkeypatch):
    """Of another ledger, or of this one before it went on: the books of two are never mixed."""
    source, other, target = full("sqlite"), makers["sqlite"].copy(), makers["postgresql"].new()
    monkeypatch.setattr(ledger_copying, "_compare", interrupt)
    assert copy(source.url, target).status == 130
    monkeypatch.undo()
    refused = copy(other.url, target)
    assert (refused.status, refused.stdout) == (1, "")
    assert "unfinished copy of another ledger, or of this one before it changed" in refused.stderr
    with ledgers.Books(source) as books:
        assert books.outcome(ledgers.pay(books.caller(), {6: "10.00"})).success
    assert copy(source.url, target).stderr == refused.stderr


def test_a_copy_that_was_altered_meanwhile_is_not_believed(copy, full, makers, monkeypatch):
    """The tables that differ are named, and the place stays no ledger."""
    source, target = full("sqlite"), makers["postgresql"].new()
    monkeypatch.setattr(ledger_copying, "_prove", interrupt)
    assert copy(source.url, target).status == 130
    monkeypatch.undo()
    execute(target, "UPDATE contact SET name = name || '!'", "DELETE FROM replay")
    execute(target, "UPDATE billing_item SET balance = balance - 1 WHERE billing_id = 20")
    answer = copy(source.url, target, "--json")
    assert (answer.status, answer.document["finished"]) == (1, False)
    assert sorted(answer.document["differing"]) == ["billing_item", "contact"]
    assert "these tables differ: " in answer.document["error"]
    assert "not finished" in copy(target, makers["sqlite"].new()).stderr


def test_a_ledger_that_is_broken_is_not_made_another(copy, full, makers):
    """What is wrong with the source is wrong with its copy: said, and never served."""
    source, target = full("sqlite"), makers["postgresql"].new()
    makers["sqlite"].tamper(source, "UPDATE billing_item SET balance = 1 WHERE billing_id = 20")
    answer = copy(source.url, target)
    assert (answer.status, answer.stdout) == (1, "")
    assert "invariants are broken: item_balances" in answer.stderr
    assert f"paydown verify --database {source.url}" in answer.stderr
    assert "not finished" in copy(target, makers["sqlite"].new()).stderr


def test_a_ledger_that_a_server_records_into_is_not_copied(copy, full, makers):
    """On SQLite, where that can be told; and no server starts on either while it is copied."""
    source, target = full("sqlite"), makers["sqlite"].new()
    with ledgers.Books(source) as books:
        assert "Another server is running" in copy(source.url, target).stderr
        assert isinstance(books.record(ledgers.pay(books.caller(), {6: "1.00"})).result, Outcome)
    assert copy(source.url, target).status == 0


def test_a_source_that_is_none_is_refused(copy, makers):
    """Not there, empty, or of another version: with what mends it."""
    target = makers["postgresql"].new()
    assert "There is no ledger at" in copy(makers["sqlite"].new(), target).stderr
    assert "holds no ledger yet" in copy(makers["postgresql"].new(), target).stderr
    newer = makers["postgresql"].copy()
    execute(newer.url, "UPDATE alembic_version SET version_num = '0999'")
    assert "of a newer Paydown" in copy(newer.url, target).stderr
    assert opening.migrate(target) is None


def test_progress_is_shown_on_a_terminal(copy, full, makers):
    """Each step by name, with rows done and rows to do."""
    answer = copy(full("sqlite").url, makers["postgresql"].new(), FORCE_COLOR="1")
    assert answer.status == 0
    assert "Proving every invariant" in answer.stderr
