"""A SQLite ledger copied page by page, while a server records into it."""

import full_ledger
from ledgers import Books, pay
from paydown.storage import sqlite_pages
from paydown.storage.engine import find_file
from paydown.storage.sqlite_pages import copy_pages


def test_a_copy_is_of_the_moment_at_which_it_began(database, tmp_path, monkeypatch):
    """A payment after every page is recorded at once, is not in it, and has it begin anew never."""
    monkeypatch.setattr(sqlite_pages, "STEP_PAGES", 1)
    copy, before = tmp_path / "copy.db", full_ledger.read_all(database)
    to_pay, left = list(range(1, 11)), []

    def record(pages_left, pages):
        left.append(pages_left)
        assert len(left) <= pages, "it began anew"
        if to_pay:
            assert books.outcome(pay(caller, {to_pay.pop(): "1.00"})).success

    with Books(database) as books:
        caller = books.caller()
        copy_pages(database.file, copy, record)

    assert to_pay == []
    assert full_ledger.read_all(database) != before
    assert full_ledger.read_all(find_file(copy)) == before
