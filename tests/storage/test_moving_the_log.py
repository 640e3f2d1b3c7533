"""The log beside a SQLite ledger: moved into the file while payments go on, and never long."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

import ledgers
from clerk import Clerk
from ledgers import Books, pay
from paydown.domain.outcomes import Outcome
from paydown.storage import sqlite_database, sqlite_log
from paydown.storage.engine import find_file
from paydown.storage.opening import open_store
from paydown.storage.sqlite_database import SQLiteSession
from paydown.storage.sqlite_log import Log, LogMover

PAYMENTS = 300
LOG_BYTES_MAX = 1_000_000


@pytest.fixture
def path(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger whose log is moved often."""
    monkeypatch.setattr(sqlite_database, "MOVED_ROWS", 8)
    monkeypatch.setattr(sqlite_database, "LOG_ROWS_MAX", 80)
    path = tmp_path / "ledger.db"
    ledgers.copy_ledger(template, path)
    return path


def record(path: Path, count: int = PAYMENTS) -> int:
    """Record so many payments, one by one; how many bytes the log has then."""
    with Books(open_store(f"sqlite:///{path}")) as books:
        caller = books.caller()
        for number in range(count):
            outcome = books.outcome(pay(caller, {2: "0.01"}, reference=f"R{number}"))
            assert outcome.success
        return Path(f"{path}-wal").stat().st_size


def pay_often(books: Books, name: str) -> int:
    """Record payments; how many bytes the log has then."""
    caller = books.caller()
    for number in range(PAYMENTS):
        assert books.outcome(pay(caller, {2: "0.01"}, reference=f"{name}{number}")).success
    return Path(f"{books.database.file}-wal").stat().st_size


def kept(path: Path) -> int:
    """How many payments the ledger keeps, read by another SQLite."""
    with closing(sqlite3.connect(path)) as connection:
        (found,) = connection.execute("SELECT COUNT(*) FROM entry WHERE kind = 'payment'")
        return int(found[0])


def movers() -> list[threading.Thread]:
    """The threads that move a log."""
    return [thread for thread in threading.enumerate() if thread.name == "paydown-log"]


def test_the_log_stays_short(path: Path) -> None:
    """However many payments come, one after the other."""
    assert record(path) < LOG_BYTES_MAX
    assert kept(path) == PAYMENTS


def test_the_log_stays_short_where_the_mover_never_keeps_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From time to time the writer moves what is left, and the log begins anew."""
    monkeypatch.setattr(LogMover, "due", lambda _: None)
    assert record(path) < LOG_BYTES_MAX
    assert kept(path) == PAYMENTS


def test_without_any_move_the_log_would_be_long(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the two tests before this one mean something."""
    monkeypatch.setattr(sqlite_database, "MOVED_ROWS", 1_000_000)
    assert record(path) > 2 * LOG_BYTES_MAX


def test_payments_wait_for_no_move(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the log is being moved, they are recorded and answered."""
    begun, ended = threading.Event(), threading.Event()

    def move(_: LogMover) -> None:
        begun.set()
        assert ended.wait(30)

    monkeypatch.setattr(LogMover, "move", move)
    with Books(open_store(f"sqlite:///{path}")) as books:
        caller = books.caller()
        results = [books.record(pay(caller, {2: "0.01"}, reference=f"R{n}")) for n in range(40)]
        assert begun.is_set()
        ended.set()

    assert all(isinstance(job.result, Outcome) for job in results)
    assert kept(path) == 40


@pytest.mark.parametrize("statement", ["PRAGMA no_such_function(", "SELECT * FROM nowhere"])
def test_a_move_that_fails_fails_no_payment(
    path: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """Neither the mover's nor the writer's own: all is in the log."""
    monkeypatch.setattr(sqlite_log, "MOVE", statement)
    record(path, 60)
    assert kept(path) == 60


def test_a_mover_with_a_bug_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told of in the log of the server, and tried again."""
    failures = []

    def fail(_: LogMover) -> None:
        failures.append(1)
        raise ZeroDivisionError

    monkeypatch.setattr(LogMover, "move", fail)
    assert record(path) < LOG_BYTES_MAX
    assert len(failures) > 1
    assert "moving the log failed" in caplog.text


def test_a_mover_for_which_there_is_no_thread_fails_no_payment(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the machine has no more threads to give; once it has, the log is moved again."""
    start, moved = threading.Thread.start, threading.Event()

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "paydown-log":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(LogMover, "move", lambda _: moved.set())
    with Books(open_store(f"sqlite:///{path}")) as books:
        with monkeypatch.context() as full:
            full.setattr(threading.Thread, "start", refuse)
            pay_often(books, "A")
        pay_often(books, "B")
        assert moved.wait(30)
    assert "unknown" not in caplog.text
    assert kept(path) == 2 * PAYMENTS


def test_a_ledger_that_replaced_another_is_not_touched(path: Path) -> None:
    """The mover comes to the path later than the payment: it may name another file by then."""
    with Books(open_store(f"sqlite:///{path}")) as books:
        (session,) = books.service._sessions
        assert isinstance(session, SQLiteSession)
        assert books.outcome(pay(books.caller(), {2: "0.01"})).success
        path.rename(path.with_suffix(".old"))
        ledgers.make_ledger(f"sqlite:///{path.with_suffix('.new')}")
        path.with_suffix(".new").rename(path)
        before = path.read_bytes()
        session.mover.move()
        session.mover.stop()
        assert path.read_bytes() == before


def test_a_reader_keeps_the_log_and_no_payment(path: Path) -> None:
    """What a reader still sees is not moved from under it; once it ends, the log is short again."""
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM entry").fetchone()
    with Books(open_store(f"sqlite:///{path}")) as books:
        caller, log = books.caller(), Path(f"{path}-wal")
        for number in range(PAYMENTS):
            assert books.outcome(pay(caller, {2: "0.01"}, reference=f"A{number}")).success
        long = log.stat().st_size
        reader.close()
        for number in range(PAYMENTS):
            assert books.outcome(pay(caller, {2: "0.01"}, reference=f"B{number}")).success
        assert long > LOG_BYTES_MAX
        assert log.stat().st_size < long + LOG_BYTES_MAX
    assert kept(path) == 2 * PAYMENTS


def test_a_log_of_which_a_move_failed_is_moved_anew_and_short_again(path: Path) -> None:
    """As soon as nobody reads: whoever moves all of it must have the ledger alone."""
    database = find_file(path)
    reader = sqlite3.connect(path)
    reader.execute("SELECT COUNT(*) FROM entry").fetchone()
    with Books(database) as books:
        assert pay_often(books, "A") < LOG_BYTES_MAX
        database._log.moves_doubted = True
        long = pay_often(books, "B")
        reader.close()
        short = pay_often(books, "C")
    assert long > LOG_BYTES_MAX > short
    assert kept(path) == 3 * PAYMENTS


def test_a_long_log_is_not_looked_through_after_each_payment(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody reads on, as a backup does, the writer tries to move it from time to time."""
    tries = []
    move = Log.move

    def count(log: Log, connection: sqlite3.Connection) -> bool:
        tries.append(threading.current_thread().name)
        return move(log, connection)

    monkeypatch.setattr(Log, "move", count)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM entry").fetchone()
        record(path)
    assert 0 < tries.count("paydown-writer") < PAYMENTS / 10


@pytest.mark.parametrize(("rows", "is_short"), [(20, True), (1_000_000, False)])
def test_the_desk_keeps_the_log_short_where_nobody_pays(
    path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, is_short: bool
) -> None:
    """What it commits the mover does not hear of: from time to time it moves the log itself."""
    monkeypatch.setattr(sqlite_log, "UNMOVED_ROWS_MAX", rows)
    database = find_file(path)
    with Books(database) as books:
        assert books.outcome(pay(books.caller(), {2: "0.01"})).success
        clerk = Clerk(database)
        for _ in range(60):
            clerk.receive("1.00")
        assert (Path(f"{path}-wal").stat().st_size < LOG_BYTES_MAX) == is_short


def test_who_only_looks_leaves_nothing_beside_the_ledger(path: Path) -> None:
    """Such as an import that is rejected: where nothing is in the log, nothing is kept of it."""
    with find_file(path).connect() as connection:
        connection.exec_driver_sql("SELECT COUNT(*) FROM entry").scalar_one()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_server_that_stops_leaves_no_mover_and_no_log(path: Path) -> None:
    """The last connection to close moves all that is left, as SQLite does."""
    before = movers()
    record(path, 60)
    assert movers() == before
    assert not Path(f"{path}-wal").exists()
    assert kept(path) == 60
