"""``paydown backup`` and ``restore``: whole or not at all, proved, and never over anything."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from itertools import count

import pytest

import full_ledger
import ledgers
from figures import assert_told
from makers import SQLiteMaker
from paydown import audit, backups
from paydown.domain.outcomes import KeyReplayed
from paydown.storage import opening, parts, sqlite_pages
from paydown.storage.engine import find_file
from paydown.storage.opening import open_store
from postgres import PostgreSQLMaker

KINDS = ["sqlite", "postgresql"]


@pytest.fixture
def makers(template, databases, tmp_path):
    """Who makes ledgers and places for one, by kind."""
    folder = tmp_path / "ledgers"
    folder.mkdir()
    return {"sqlite": SQLiteMaker(template, folder), "postgresql": PostgreSQLMaker(databases)}


@pytest.fixture
def full(template, tmp_path):
    """A SQLite ledger with rows of every kind."""
    database = SQLiteMaker(template, tmp_path).copy()
    full_ledger.fill(database, tmp_path)
    return database


@pytest.fixture
def folder(tmp_path):
    """Where backups go."""
    made = tmp_path / "backups"
    made.mkdir()
    return made


@pytest.fixture
def back_up(paydown, full):
    """Run ``paydown backup`` of the ledger."""
    return lambda to, *more: paydown("backup", "--database", full.url, "--to", to, *more)


@pytest.fixture
def restore(paydown):
    """Run ``paydown restore``."""
    return lambda file, url, *more: paydown("restore", "--from", file, "--to", url, *more)


def interrupt(*_):
    """Ctrl-C, as Python sees it."""
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(1)


def at_call(number, function, act):
    """The function, but at that call the act comes before it."""
    numbers = count(1)

    def call(*arguments, **more):
        if next(numbers) == number:
            act(*arguments)
        return function(*arguments, **more)

    return call


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_a_ledger_comes_back_from_its_backup_whole(
    paydown, restore, makers, folder, tmp_path, kind, other
):
    """Of either kind to either kind: every value of every row, and a retry is answered as then."""
    source, file = makers[kind].copy(), folder / "b.db"
    full_ledger.fill(source, tmp_path)
    answer = paydown("backup", "--database", source.url, "--to", file)
    assert (answer.status, answer.stderr) == (0, "")
    assert answer.stdout.endswith(f" into {file}. All 21 invariants hold.\n")
    place = makers[other].new()
    assert restore(file, place).stdout.endswith("All 21 invariants hold.\n")
    assert full_ledger.read_all(open_store(place)) == full_ledger.read_all(source)
    assert full_ledger.read_all(open_store(f"sqlite:///{file}")) == full_ledger.read_all(source)
    with ledgers.Books(open_store(place)) as books:
        caller = books.caller()
        replayed = books.record(full_ledger.keyed_payment(caller)).result
        assert isinstance(replayed, KeyReplayed)
        assert books.outcome(ledgers.pay(caller, {6: "10.00"})).success


def test_a_backup_is_one_file_of_its_owners(back_up, paydown, folder):
    """Nothing lies beside it, not even once it was proved again; others cannot read it."""
    file = folder / "b.db"
    assert back_up(file).status == 0
    assert paydown("verify", "--database", f"sqlite:///{file}").status == 0
    assert list(folder.iterdir()) == [file]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_program_is_told_what_came_of_it(back_up, restore, full, folder, tmp_path):
    """One document each."""
    file, place = folder / "b.db", f"sqlite:///{tmp_path / 'new.db'}"
    proof = {"finished": True, "current": True, "differing": [], "invariants": 21, "broken": []}
    assert back_up(file, "--json").document == {
        "database": full.shown_url,
        "file": str(file),
        **proof,
    }
    assert restore(file, place, "--json").document == {
        "file": str(file),
        "database": place,
        **proof,
    }


@pytest.mark.parametrize("beside", ["", "-wal", "-shm", "-journal"])
def test_nothing_that_is_there_is_written_over(back_up, restore, full, folder, beside):
    """Neither a file nor, which would be mixed into it, what another ledger left beside."""
    file = folder / "b.db"
    assert back_up(file).status == 0
    there = folder / f"other.db{beside}"
    there.write_bytes(b"mine")
    for answer in (
        back_up(folder / "other.db"),
        restore(file, f"sqlite:///{folder / 'other.db'}"),
    ):
        assert (answer.status, answer.stdout) == (1, "")
        assert answer.stderr == f"{there} is there already. Nothing is overwritten.\n"
    assert there.read_bytes() == b"mine"
    assert sorted(folder.iterdir()) == [file, there]
    assert "is there already" in restore(file, full.url).stderr


def test_what_gets_the_name_meanwhile_is_not_written_over_either(back_up, folder, monkeypatch):
    """Somebody put a file there while the backup was being proved."""
    file = folder / "b.db"
    monkeypatch.setattr(
        audit, "verify", at_call(1, audit.verify, lambda *_: file.write_bytes(b"mine"))
    )
    answer = back_up(file)
    assert (answer.status, answer.stdout) == (1, "")
    assert answer.stderr == f"{file} is there already. Nothing is overwritten.\n"
    assert file.read_bytes() == b"mine"
    assert list(folder.iterdir()) == [file]


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_no_link_leads_a_backup_into_another_file(back_up, folder, link):
    """Where somebody put one under the name that the file has while it is made."""
    other, part = folder / "other", folder / "b.db.part"
    other.write_bytes(b"mine")
    link(other, part)
    answer = back_up(folder / "b.db")
    assert (answer.status, answer.stdout) == (1, "")
    assert f"{part} " in answer.stderr
    assert other.read_bytes() == b"mine"
    assert sorted(folder.iterdir()) == [part, other]


@pytest.mark.parametrize("name", ["a?b#c%41.db", "new\nline.db", "\udcff.db", "-x.db"])
def test_a_backup_may_have_any_name(back_up, restore, full, folder, tmp_path, name):
    """Also one that says something in a URI, and one that is no text."""
    assert back_up(folder / name).status == 0
    place = tmp_path / "restored.db"
    assert restore(folder / name, f"sqlite:///{place}").status == 0
    assert full_ledger.read_all(find_file(place)) == full_ledger.read_all(full)


def test_a_name_that_is_too_long_is_a_sentence(back_up, folder):
    """As any other place in which no file can be made."""
    answer = back_up(folder / ("n" * 250))
    assert (answer.status, answer.stdout) == (1, "")
    assert "cannot be made: File name too long." in answer.stderr


def test_a_database_that_holds_a_ledger_is_not_restored_over(back_up, restore, makers, folder):
    """On PostgreSQL too."""
    file, ledger = folder / "b.db", makers["postgresql"].copy()
    assert back_up(file).status == 0
    before = full_ledger.read_all(ledger)
    answer = restore(file, ledger.url)
    assert (answer.status, answer.stdout) == (1, "")
    assert "is not empty: it holds a ledger" in answer.stderr
    assert full_ledger.read_all(ledger) == before


def test_what_is_no_ledger_is_refused(back_up, restore, paydown, folder, tmp_path):
    """Not there, no database, another program's database, an unfinished copy, a newer ledger."""
    place = f"sqlite:///{tmp_path / 'new.db'}"
    text, other, newer = folder / "text", folder / "other", folder / "newer"
    text.write_text("contact_id,contact_name\n" * 100)
    with sqlite3.connect(other) as strange:
        strange.execute("CREATE TABLE stranger (a)")
    strange.close()
    assert back_up(newer).status == 0
    with sqlite3.connect(newer) as changed:
        changed.execute("UPDATE alembic_version SET version_num = '0999'")
    changed.close()
    for file, sentence in (
        (folder / "none", "is not there"),
        (folder, "is not a file"),
        (text, "cannot be read as a ledger"),
        (other, "is not a ledger: it holds other tables"),
        (newer, "holds a ledger of a newer Paydown"),
    ):
        answer = restore(file, place)
        assert (answer.status, answer.stdout) == (1, "")
        assert sentence in answer.stderr
    assert not (tmp_path / "new.db").exists()
    nothing = paydown("backup", "--database", place, "--to", folder / "b.db")
    assert "is not there" in nothing.stderr


POINTS = [
    (sqlite_pages, "copy_pages"),
    (sqlite_pages, "seal"),
    (audit, "verify"),
    (parts.Part, "finish"),
]


@pytest.mark.parametrize(("owner", "name"), POINTS)
def test_an_interrupted_run_leaves_nothing(
    back_up, restore, folder, tmp_path, monkeypatch, owner, name
):
    """Wherever Ctrl-C comes; the next run is as the first."""
    file, place = folder / "b.db", tmp_path / "new" / "ledger.db"
    place.parent.mkdir()
    for run, left, words in (
        (lambda: back_up(file), folder, "no backup was made"),
        (lambda: restore(file, f"sqlite:///{place}"), place.parent, "nothing was restored"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, at_call(1, getattr(owner, name), interrupt))
            answer = run()
        assert (answer.status, answer.stdout) == (130, "")
        assert answer.stderr == f"Interrupted: {words}.\n"
        assert list(left.iterdir()) == []
        assert run().status == 0


def test_an_interruption_in_the_middle_of_the_pages_leaves_nothing(back_up, folder, monkeypatch):
    """Some were copied; none of them stays."""
    monkeypatch.setattr(sqlite_pages, "STEP_PAGES", 8)
    watched = at_call(3, lambda *_: None, interrupt)
    copy_pages = sqlite_pages.copy_pages
    monkeypatch.setattr(
        sqlite_pages,
        "copy_pages",
        lambda *given: copy_pages(*given[:2], watched),
    )
    assert back_up(folder / "b.db").status == 130
    assert list(folder.iterdir()) == []


def test_the_page_on_reliability_counts_the_interruptions():
    """Each of the points in either command, and the middle of the pages."""
    assert_told(f"Ctrl-C at {2 * len(POINTS) + 1} points")


KILLED = """
import os, signal
from paydown.cli import main
from paydown.storage import sqlite_pages
sqlite_pages.seal = lambda path: os.kill(os.getpid(), signal.SIGKILL)
main()
"""


def test_what_a_killed_run_left_is_in_nobodys_way(back_up, full, folder):
    """kill -9: no file has the backup's name, and the next run makes it."""
    file = folder / "b.db"
    words = [sys.executable, "-c", KILLED, "backup", "--database", full.url, "--to", str(file)]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    assert not file.exists()
    assert (folder / "b.db.part").exists()
    assert back_up(file).status == 0
    assert list(folder.iterdir()) == [file]


def test_two_backups_into_one_file_do_not_meet(back_up, full, folder, monkeypatch):
    """The second is refused, and the first ends as if it were alone."""
    file, refused = folder / "b.db", []

    def run_another(*_):
        refused.append(back_up(file))

    monkeypatch.setattr(sqlite_pages, "seal", at_call(1, sqlite_pages.seal, run_another))
    assert back_up(file).status == 0
    assert [(each.status, each.stdout) for each in refused] == [(1, "")]
    assert "is being written now, by another command" in refused[0].stderr
    assert full_ledger.read_all(open_store(f"sqlite:///{file}")) == full_ledger.read_all(full)


def test_a_full_disk_is_a_sentence_and_leaves_nothing(back_up, restore, folder, monkeypatch):
    """As SQLite reports it; what was written is given back."""
    file, open_empty = folder / "b.db", sqlite_pages._open_empty

    def open_with_little_room(path):
        connection = open_empty(path)
        connection.execute("PRAGMA max_page_count=20")
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(sqlite_pages, "_open_empty", open_with_little_room)
        answer = back_up(file)
    assert (answer.status, answer.stdout) == (1, "")
    assert answer.stderr == f"The disk of {file}.part is full. Free some space.\n"
    assert list(folder.iterdir()) == []


def test_a_folder_that_takes_no_file_is_a_sentence(back_up, folder):
    """It is not there, or cannot be written."""
    answer = back_up(folder / "none" / "b.db")
    assert (answer.status, answer.stdout) == (1, "")
    assert "b.db.part cannot be made: No such file or directory." in answer.stderr


def test_a_broken_ledger_is_kept_but_not_called_a_backup(back_up, restore, full, folder, tmp_path):
    """All of it is in the part, for a disk that is dying; nothing has the name."""
    SQLiteMaker.tamper(None, full, "UPDATE billing_item SET balance = 1 WHERE billing_id = 20")
    file, place = folder / "b.db", tmp_path / "new.db"
    answer = back_up(file)
    assert (answer.status, answer.stdout) == (1, "")
    assert f"All was copied into {file}.part, but invariants are broken: item_balances" in (
        answer.stderr
    )
    assert list(folder.iterdir()) == [folder / "b.db.part"]
    answer = restore(folder / "b.db.part", f"sqlite:///{place}", "--json")
    assert (answer.status, answer.document["finished"]) == (1, False)
    assert "so no ledger was made of it: item_balances" in answer.document["error"]
    assert not place.exists()


def test_a_broken_backup_makes_no_ledger_on_postgresql(restore, full, makers):
    """It stays an unfinished copy, which nothing serves."""
    SQLiteMaker.tamper(None, full, "UPDATE billing_item SET balance = 1 WHERE billing_id = 20")
    place = makers["postgresql"].new()
    answer = restore(full.file, place)
    assert "so no ledger was made of it: item_balances" in answer.stderr
    with pytest.raises(opening.SchemaMismatch, match="not finished"):
        open_store(place)


def test_a_ledger_of_an_older_version_is_kept_too(
    back_up, restore, makers, folder, tmp_path, monkeypatch
):
    """So that it can be put away before it is migrated; PostgreSQL cannot take it."""
    file, place = folder / "b.db", tmp_path / "new.db"
    monkeypatch.setattr(opening, "is_current", lambda *_: False)
    answer = back_up(file)
    assert answer.status == 0
    assert answer.stdout.endswith("so only the file itself was proved: it is sound.\n")
    answer = restore(file, f"sqlite:///{place}")
    assert answer.status == 0
    assert f"paydown migrate --database sqlite:///{place}" in answer.stdout
    refused = restore(file, makers["postgresql"].new())
    assert "holds a ledger of an older Paydown, which PostgreSQL cannot take" in refused.stderr


def test_progress_is_shown_on_a_terminal(paydown, full, folder):
    """Pages done and pages to do."""
    answer = paydown("backup", "--database", full.url, "--to", folder / "b.db", FORCE_COLOR="1")
    assert answer.status == 0
    assert "Proving every invariant" in answer.stderr


def test_a_restoring_that_differs_names_the_tables(restore, full, makers, monkeypatch):
    """Something else wrote into the database meanwhile."""
    place = makers["postgresql"].new()
    differing = backups.Moved(True, ("contact",), 0, ())
    monkeypatch.setattr(backups, "_copy_rows", lambda *_: differing)
    answer = restore(full.file, place)
    assert (answer.status, answer.stdout) == (1, "")
    assert "these tables differ: contact. Restore into another empty place." in answer.stderr


def test_a_backup_that_differs_names_the_tables(paydown, makers, folder, monkeypatch):
    """What was read a second time was not what was copied: it is no backup."""
    source, file = makers["postgresql"].copy(), folder / "b.db"
    differing = backups.Moved(True, ("contact",), 0, ())
    monkeypatch.setattr(backups, "_copy_rows", lambda *_: differing)
    answer = paydown("backup", "--database", source.url, "--to", file)
    assert (answer.status, answer.stdout) == (1, "")
    assert "does not hold what the ledger does; these tables differ: contact." in answer.stderr
    assert "invariants" not in answer.stderr
    assert not file.exists()
