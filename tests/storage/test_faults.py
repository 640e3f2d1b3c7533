"""What befalls a disk: a clear sentence, nothing half-recorded, service again when it passes."""

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import ledgers
from ledgers import Books, pay
from paydown import audit
from paydown.domain.outcomes import Outcome
from paydown.storage import sqlite
from paydown.storage.database import Database, Patience
from paydown.storage.faults import StoreUnavailable
from paydown.storage.jobs import Unavailable
from paydown.storage.sqlite_database import SQLiteDatabase, SQLiteSession


class Disk:
    """Stands between the product and SQLite's ``connect``, and can go wrong on command."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.read_only = False
        self._connect = sqlite.connect
        monkeypatch.setattr(sqlite, "connect", self.connect)

    def connect(self, path: Path, *, wait_seconds: int, mode: str = "rw") -> sqlite3.Connection:
        """A real connection, to a file that cannot grow or be written while so told."""
        mode = "ro" if self.read_only else mode
        connection = self._connect(path, wait_seconds=wait_seconds, mode=mode)
        if self.full:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count={pages}")
        return connection


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk that can go wrong on command."""
    return Disk(monkeypatch)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that tries a broken store again at once."""
    monkeypatch.setattr("paydown.storage.writer.PROBE_SECONDS", 0.01)


def entry_ids(database: Database) -> list[bytes]:
    """The payments recorded."""
    with database.read() as connection:
        found = connection.exec_driver_sql("SELECT entry_id FROM entry WHERE kind = 'payment'")
        return list(found.scalars())


def wait_until_ready(books: Books) -> None:
    """Wait for the service to find by itself that the store is well."""
    deadline = time.monotonic() + 10
    while books.service.readiness() is not None:
        assert time.monotonic() < deadline, books.service.readiness()
        time.sleep(0.01)


def breaches(database: Database) -> list[str]:
    """What ``paydown verify`` finds wrong."""
    return [line for found in audit.verify(database) for line in found.detail]


@pytest.mark.usefixtures("quick")
def test_a_full_disk_refuses_and_recovers_by_itself(database: Database, disk: Disk) -> None:
    """While full: 503, nothing recorded, not ready. Once there is room: ready, and it records."""
    disk.full = True
    with Books(database) as books:
        # Enough that the file must grow, whatever room its pages have left.
        big = [pay(books.caller(), {1: "0.01"}, notes="x" * 4000) for _ in range(30)]
        refused = [books.record(command).result for command in big]
        assert isinstance(refused[-1], Unavailable)
        assert "is full" in refused[-1].sentence
        assert "is full" in (books.service.readiness() or "")
        recorded = sum(isinstance(result, Outcome) for result in refused)
        assert len(entry_ids(database)) == recorded
        assert breaches(database) == []

        disk.full = False
        wait_until_ready(books)
        assert books.outcome(pay(books.caller(), {2: "1"})).success
    assert breaches(database) == []


@pytest.mark.usefixtures("quick")
def test_a_read_only_file_refuses_and_recovers_by_itself(database: Database, disk: Disk) -> None:
    """A file that cannot be written is told as such, and served again when it can."""
    with Books(database) as books:
        caller = books.caller()
        disk.read_only = True
        books.service._sessions[0].disconnect()  # so that it meets the file as it is now
        result = books.record(pay(caller, {1: "1"})).result
        assert isinstance(result, Unavailable)
        assert "cannot be written" in result.sentence

        disk.read_only = False
        wait_until_ready(books)
        assert books.outcome(pay(caller, {1: "1"})).success


def test_a_server_does_not_start_on_a_file_that_it_cannot_write(
    database: Database, disk: Disk
) -> None:
    """Rather than being ready and refusing each payment, it says at once what is wrong."""
    disk.read_only = True
    with pytest.raises(StoreUnavailable, match="cannot be written"), Books(database):
        pass
    disk.read_only = False

    with Books(database) as books:
        assert books.service.readiness() is None


def test_a_server_starts_beside_a_lock_that_will_pass(template: Path, tmp_path: Path) -> None:
    """An import that runs meanwhile is no reason not to start."""
    ledgers.copy_ledger(template, tmp_path / "ledger.db")
    database = SQLiteDatabase(tmp_path / "ledger.db", Patience(lock_seconds=0))
    books = Books(database)
    with database.write():
        books.service.claim()
    with books:
        assert books.outcome(pay(books.caller(), {1: "1"})).success


@pytest.mark.usefixtures("quick")
def test_a_lock_held_too_long_refuses_and_recovers_by_itself(
    template: Path, tmp_path: Path
) -> None:
    """A payment waits a bounded time for the lock; when it is free, service goes on."""
    ledgers.copy_ledger(template, tmp_path / "ledger.db")
    database = SQLiteDatabase(tmp_path / "ledger.db", Patience(lock_seconds=0))
    with Books(database) as books:
        caller = books.caller()
        with database.write():
            result = books.record(pay(caller, {1: "1"})).result
        assert isinstance(result, Unavailable)
        assert "locked" in result.sentence

        wait_until_ready(books)
        assert books.outcome(pay(caller, {1: "1"})).success


def test_a_second_server_on_the_file_is_refused(books: Books) -> None:
    """One SQLite file takes one server; the refusal says so."""
    with pytest.raises(StoreUnavailable, match="Another server is running"), Books(books.database):
        pass
    assert books.outcome(pay(books.caller(), {1: "1"})).success


def test_a_link_to_the_file_is_the_same_file(books: Books, tmp_path: Path) -> None:
    """A second server cannot come in by another name."""
    link = tmp_path / "link.db"
    link.symlink_to(books.database.path)
    other = ledgers.open_store(f"sqlite:///{link}")

    with pytest.raises(StoreUnavailable, match="Another server is running"), Books(other):
        pass


@pytest.mark.parametrize("replace", [True, False])
def test_a_moved_or_replaced_file_asks_for_a_restart(books: Books, *, replace: bool) -> None:
    """What is recorded in a file that is not at the path any more is not answered as recorded."""
    caller = books.caller()
    books.outcome(pay(caller, {1: "1"}))
    moved = books.database.path.with_name("moved.db")
    books.database.path.rename(moved)
    if replace:
        moved_bytes = moved.read_bytes()
        books.database.path.write_bytes(moved_bytes)

    assert "Restart the server" in (books.service.readiness() or "")
    for _ in range(2):
        result = books.record(pay(caller, {1: "1"})).result
        assert isinstance(result, Unavailable)
        assert "moved or replaced" in result.sentence


def test_a_file_replaced_before_the_first_payment_is_noticed(database: Database) -> None:
    """What the server was started on is what it serves, also when nothing was paid yet."""
    with Books(database) as books:
        caller = books.caller()
        moved = database.path.rename(database.path.with_name("moved.db"))
        database.path.write_bytes(moved.read_bytes())

        assert isinstance(books.record(pay(caller, {1: "1"})).result, Unavailable)


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_a_file_removed_beside_the_ledger_asks_for_a_restart(books: Books, suffix: str) -> None:
    """The newest commits and the locks are in them: without them nothing is acknowledged."""
    caller = books.caller()
    books.outcome(pay(caller, {1: "1"}))
    Path(f"{books.database.path}{suffix}").unlink()

    assert "Restart the server" in (books.service.readiness() or "")
    result = books.record(pay(caller, {1: "1"})).result
    assert isinstance(result, Unavailable)
    assert "a file beside it" in result.sentence


def test_a_file_moved_during_a_commit_is_not_answered_as_recorded(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path is looked at between the commit and the answer."""
    caller = books.caller()
    path, check = books.database.path, SQLiteSession.check

    def move_and_check(session: SQLiteSession) -> None:
        if path.exists() and entry_ids(books.database):
            path.rename(path.with_name("moved.db"))
        check(session)

    monkeypatch.setattr(SQLiteSession, "check", move_and_check)
    result = books.record(pay(caller, {1: "1"})).result

    assert isinstance(result, Unavailable)
    assert "moved or replaced" in result.sentence


def test_a_damaged_file_asks_for_a_restart(database: Database) -> None:
    """Garbage in the file is told as damage; the server stays up and takes nothing more."""
    with Books(database) as books:
        caller = books.caller()
        with database.path.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(database.path.stat().st_size - 4096))
        for _ in range(2):
            result = books.record(pay(caller, {1: "1"})).result
            assert isinstance(result, Unavailable)
            assert "run paydown verify once more" in result.sentence
        assert "run paydown verify once more" in (books.service.readiness() or "")


@pytest.fixture
def io_error() -> sqlite3.OperationalError:
    """What the driver raises when a sync fails."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    return error


@pytest.fixture
def failing_commits(
    monkeypatch: pytest.MonkeyPatch, io_error: sqlite3.OperationalError
) -> Iterator[dict[str, bool]]:
    """Commits that report an I/O error, before or after they happened."""
    commit, state = SQLiteSession.commit, {"fail": True, "happens": True}

    def fail(session: SQLiteSession) -> None:
        if not state["fail"] or state["happens"]:
            commit(session)
        if state["fail"]:
            with sqlite.naming_faults(Path("ledger.db")):
                raise io_error

    monkeypatch.setattr(SQLiteSession, "commit", fail)
    yield state
    state["fail"] = False


def test_a_commit_that_failed_but_happened_is_found(
    books: Books, failing_commits: dict[str, bool]
) -> None:
    """The entry is looked up, found, written into the file anew, and answered as recorded."""
    outcome = books.outcome(pay(books.caller(), {1: "1"}))
    log = Path(f"{books.database.path}-wal")
    failing_commits["fail"] = False

    assert outcome.success
    assert log.stat().st_size == 0
    assert len(entry_ids(books.database)) == 1
    assert books.outcome(pay(books.caller(), {1: "1"})).lines[0].balance == 800


@pytest.mark.parametrize("error", [MemoryError(), sqlite3.OperationalError("never seen before")])
def test_whatever_a_commit_raises_the_batch_is_never_recorded_twice(
    books: Books, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """An error without a name after a commit that happened: the books are asked, not told again."""
    commit = SQLiteSession.commit

    def commit_and_fail(session: SQLiteSession) -> None:
        commit(session)
        raise error

    caller = books.caller()
    with monkeypatch.context() as patch:
        patch.setattr(SQLiteSession, "commit", commit_and_fail)
        with books.database.write():
            jobs = [books.submit(pay(caller, {item: "1"})) for item in (1, 2, 3)]
        results = [ledgers.finished(job).result for job in jobs]

    assert all(isinstance(result, Outcome) for result in results)
    assert len(entry_ids(books.database)) == 3
    assert breaches(books.database) == []


@pytest.mark.usefixtures("quick")
def test_what_cannot_be_found_out_is_refused_and_a_retry_finds_it(
    books: Books, monkeypatch: pytest.MonkeyPatch, failing_commits: dict[str, bool]
) -> None:
    """Where even the look-up fails the caller gets 503; its retry is answered as the first time."""
    command = pay(books.caller(), {1: "1"}, reference="r")

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("never seen before")

    with monkeypatch.context() as patch:
        patch.setattr(SQLiteSession, "fetch_one", fail)
        assert isinstance(books.record(command).result, Unavailable)
    failing_commits["fail"] = False
    wait_until_ready(books)

    assert [line.replayed for line in books.outcome(command).lines] == [True]
    assert len(entry_ids(books.database)) == 1


@pytest.mark.usefixtures("quick")
def test_a_probe_that_fails_in_an_unknown_way_is_tried_again(
    books: Books, monkeypatch: pytest.MonkeyPatch, failing_commits: dict[str, bool]
) -> None:
    """The writer outlives what nobody foresaw."""
    failing_commits["happens"] = False
    caller = books.caller()
    with monkeypatch.context() as patch:
        patch.setattr(SQLiteSession, "probe", lambda _: 1 / 0)
        assert isinstance(books.record(pay(caller, {1: "1"})).result, Unavailable)
        time.sleep(0.1)
        assert "unknown way" in (books.service.readiness() or "")
    failing_commits["fail"] = False

    wait_until_ready(books)
    assert books.outcome(pay(caller, {1: "1"})).success


@pytest.mark.usefixtures("quick")
def test_a_commit_that_failed_and_did_not_happen_is_refused(
    books: Books, failing_commits: dict[str, bool]
) -> None:
    """After an I/O error the entry is looked up: it is not there, so the caller may retry."""
    failing_commits["happens"] = False
    command = pay(books.caller(), {1: "1"}, reference="r")
    result = books.record(command).result
    failing_commits["fail"] = False
    wait_until_ready(books)

    assert isinstance(result, Unavailable)
    assert "I/O error" in result.sentence
    assert entry_ids(books.database) == []
    assert books.outcome(command).lines[0].balance == 900
    assert breaches(books.database) == []


def test_a_folder_that_cannot_be_written_is_told(database: Database) -> None:
    """A server that cannot claim its ledger says which file it could not write."""
    claim = Path(f"{database.path}-server")
    claim.mkdir()

    with pytest.raises(StoreUnavailable, match=r"ledger.db-server cannot be written"):
        Books(database).service.claim()


def test_a_restored_copy_is_brought_back_to_wal(database: Database, tmp_path: Path) -> None:
    """A copy that came out in another journal mode, as VACUUM INTO makes it, is served in WAL."""
    copy = tmp_path / "copy.db"
    with database.connect() as connection:
        connection.exec_driver_sql(f"VACUUM INTO '{copy}'")
    restored = ledgers.open_store(f"sqlite:///{copy}")
    with Books(restored) as books:
        assert books.outcome(pay(books.caller(), {1: "1"})).success
        with restored.read() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    assert breaches(restored) == []
