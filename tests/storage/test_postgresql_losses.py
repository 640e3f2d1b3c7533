"""Connections and commits that are lost on the way: recorded once, and answered so."""

import os
import signal
import threading
import time

import psycopg
import pytest

import postgres
from ledgers import Books, finished, pay
from makers import on_postgresql
from paydown import audit, bootstrap
from paydown.config import Settings
from paydown.domain.outcomes import Outcome
from paydown.storage.database import Database, Hold
from paydown.storage.faults import StoreUnreachable
from paydown.storage.jobs import Job, Unavailable
from paydown.storage.postgresql_database import PostgreSQLSession

KILL = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = {}"


def pid_of(session: PostgreSQLSession) -> int:
    """The process that serves the session's connection."""
    assert session._connection is not None
    return session._connection.info.backend_pid


def kill(books: Books, pid: int) -> None:
    """End the connection from the server's side, and wait until it is gone."""
    postgres.execute(books.database.url, KILL.format(pid))


def payments(database: Database) -> int:
    """How many are recorded."""
    with database.read() as connection:
        counted = connection.exec_driver_sql("SELECT COUNT(*) FROM entry WHERE kind = 'payment'")
        return int(counted.scalar_one())


def assert_recorded_once(books: Books, job: Job) -> None:
    """The payment of 1.00 from item 1 was answered as recorded, and stands in the books once."""
    result = finished(job).result
    assert isinstance(result, Outcome), result
    assert [line.balance for line in result.lines] == [900]
    assert payments(books.database) == 1
    assert books.balances()[1] == 900
    assert [line for found in audit.verify(books.database) for line in found.detail] == []


@on_postgresql
def test_a_connection_lost_between_batches_is_opened_anew(books: Books) -> None:
    """Whoever pays next notices nothing."""
    session = books.service._sessions[0]
    assert isinstance(session, PostgreSQLSession)
    session.begin()
    session.rollback()
    kill(books, pid_of(session))

    assert_recorded_once(books, books.submit(pay(books.caller(), {1: "1.00"})))


@on_postgresql
def test_a_server_that_stands_still_lets_go_of_its_items(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds an item and does nothing, loses it to the next payment, and is told."""
    paused = books.database.session()
    assert isinstance(paused, PostgreSQLSession)
    monkeypatch.setattr("paydown.storage.postgresql_database.ANSWER_SECONDS", -4)
    paused.begin(Hold([(1,)], [(1, 1)]))

    assert_recorded_once(books, books.submit(pay(books.caller(), {1: "1.00"})))
    with pytest.raises(StoreUnreachable):
        paused.commit()
    paused.close()


@on_postgresql
def test_a_command_that_stands_still_lets_others_write(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever begins to write and then does nothing is told so, and has written nothing."""
    monkeypatch.setattr("paydown.storage.postgresql_database.IDLE_SECONDS", 1)

    def stand_still() -> None:
        with books.database.write() as connection:
            connection.exec_driver_sql("UPDATE customer SET name = 'Stuck'")
            with books.database.write() as other:
                other.exec_driver_sql("UPDATE customer SET name = 'Done'")

    with pytest.raises(StoreUnreachable):
        stand_still()

    with books.database.read() as connection:
        names = connection.exec_driver_sql("SELECT DISTINCT name FROM customer").scalars().all()
    assert names == ["Done"]


@on_postgresql
def test_a_connection_lost_in_the_middle_of_a_batch_is_opened_anew(books: Books) -> None:
    """What was undone with the connection is decided and written once more."""
    caller = books.caller()
    with books.database.connect() as other:
        other.exec_driver_sql("BEGIN")
        other.exec_driver_sql("LOCK TABLE posting IN SHARE MODE")
        job = books.submit(pay(caller, {1: "1.00"}))
        postgres.wait_for_waiting(books.database.url)
        session = books.service._sessions[0]
        assert isinstance(session, PostgreSQLSession)
        kill(books, pid_of(session))
        other.exec_driver_sql("COMMIT")

    assert_recorded_once(books, job)


@on_postgresql
@pytest.mark.parametrize("happens", [False, True])
def test_a_connection_lost_at_a_commit_is_settled(
    books: Books, monkeypatch: pytest.MonkeyPatch, *, happens: bool
) -> None:
    """Whether or not the commit had happened, the payment is in the books once."""
    commit, lost = PostgreSQLSession.commit, threading.Event()

    def lose(session: PostgreSQLSession) -> None:
        if lost.is_set():
            return commit(session)
        lost.set()
        if happens:
            commit(session)
        kill(books, pid_of(session))
        return commit(session)

    monkeypatch.setattr(PostgreSQLSession, "commit", lose)

    assert_recorded_once(books, books.submit(pay(books.caller(), {1: "1.00"})))


@on_postgresql
def test_a_replay_whose_commit_was_lost_is_answered(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but the note that a line was replayed was under way: it too is noted once."""
    payment = pay(books.caller(), {1: "1.00"}, reference="R-1")
    books.outcome(payment)
    commit, lost = PostgreSQLSession.commit, threading.Event()

    def lose(session: PostgreSQLSession) -> None:
        commit(session)
        if not lost.is_set():
            lost.set()
            raise StoreUnreachable("The database cannot be reached.")

    monkeypatch.setattr(PostgreSQLSession, "commit", lose)
    outcome = books.outcome(payment)

    assert [line.replayed for line in outcome.lines] == [True]
    assert books.count("replay") == 1
    assert payments(books.database) == 1


@on_postgresql
def test_a_commit_still_under_way_is_waited_for(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lost connection's transaction may yet commit: only its locks tell that it has ended."""
    commit, kept = PostgreSQLSession.commit, []

    def lose_sight(session: PostgreSQLSession) -> None:
        if kept:
            return commit(session)
        kept.append(session._connection)
        session._connection = None
        raise StoreUnreachable("The database cannot be reached.")

    monkeypatch.setattr(PostgreSQLSession, "commit", lose_sight)
    job = books.submit(pay(books.caller(), {1: "1.00"}))
    postgres.wait_for_waiting(books.database.url)
    assert job.result is None
    (connection,) = kept
    assert isinstance(connection, psycopg.Connection)
    connection.execute("COMMIT")
    connection.close()

    assert_recorded_once(books, job)


@on_postgresql
def test_a_commit_that_comes_back_as_a_rollback_records_nothing(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL answers the COMMIT of a broken transaction politely; it is not taken for one."""
    caller, commit = books.caller(), PostgreSQLSession.commit

    def break_and_commit(session: PostgreSQLSession) -> None:
        assert session._connection is not None
        with pytest.raises(psycopg.errors.DivisionByZero):
            session._connection.execute("SELECT 1 / 0")
        commit(session)

    with monkeypatch.context() as patch:
        patch.setattr(PostgreSQLSession, "commit", break_and_commit)
        result = books.record(pay(caller, {1: "1.00"})).result
    assert isinstance(result, Unavailable)
    assert "undid the transaction" in result.sentence
    assert payments(books.database) == 0

    assert_recorded_once(books, books.submit(pay(caller, {1: "1.00"})))


def test_a_commit_that_no_standby_confirmed_is_not_yet_answered(
    own_server: postgres.Server, own_ledger: Database
) -> None:
    """The wait for the standby was cancelled: the payment is answered when it is as safe as any."""
    set_standbys = "ALTER SYSTEM SET synchronous_standby_names = '{}'"
    reload = "SELECT pg_reload_conf()"
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    with Books(own_ledger) as books:
        caller = books.caller()
        postgres.execute(own_server.url, set_standbys.format("far"), reload)
        postgres.wait_until(own_server.url, "SELECT 1 FROM pg_settings WHERE setting = 'far'")
        job = books.submit(pay(caller, {1: "1.00"}))
        postgres.wait_until(own_server.url, waiting)
        (first,) = postgres.ask(own_server.url, waiting)
        postgres.execute(own_server.url, f"SELECT pg_cancel_backend({first})")
        postgres.wait_until(own_server.url, f"{waiting} AND pid <> {first}")
        answered_early = job.result is not None
        in_the_books = payments(own_ledger)
        postgres.execute(own_server.url, set_standbys.format(""), reload)

        assert (answered_early, in_the_books) == (False, 1)
        assert_recorded_once(books, job)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that looks at its store often while nobody pays."""
    monkeypatch.setattr("paydown.storage.writer.PROBE_SECONDS", 0.05)


def wait_for_readiness(books: Books, *, ready: bool) -> None:
    """Wait for the service to find out by itself."""
    deadline = time.monotonic() + 10
    while (books.service.readiness() is None) is not ready:
        assert time.monotonic() < deadline, books.service.readiness()
        time.sleep(0.01)


def test_a_connection_that_hangs_is_left_behind(
    own_ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever pays meanwhile is answered over another one, after a bounded wait."""
    monkeypatch.setattr("paydown.storage.postgresql_database.ANSWER_SECONDS", 1)
    monkeypatch.setattr("paydown.storage.writer.PROBE_SECONDS", 60)
    with Books(own_ledger) as books:
        caller = books.caller()
        books.outcome(pay(caller, {2: "1.00"}))
        session = books.service._sessions[0]
        assert isinstance(session, PostgreSQLSession)
        hanging = pid_of(session)
        os.kill(hanging, signal.SIGSTOP)
        try:
            result = finished(books.submit(pay(caller, {1: "1.00"}))).result
        finally:
            os.kill(hanging, signal.SIGCONT)

    assert isinstance(result, Outcome)
    assert [line.balance for line in result.lines] == [900]


@pytest.mark.parametrize("opened", ["read", "write"])
def test_a_server_waits_for_no_enquiry_without_end(
    own_ledger: Database,
    opened: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where PostgreSQL hangs, whoever looks up a login or asks the desk is told so in time."""
    monkeypatch.setattr("paydown.bootstrap.ENQUIRY_SECONDS", 1)
    database = bootstrap._open(Settings(database=own_ledger.url, lock_wait_seconds=0))

    def ask() -> None:
        with getattr(database, opened)() as connection:
            hanging = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            os.kill(hanging, signal.SIGSTOP)
            going_on = threading.Timer(10, os.kill, (hanging, signal.SIGCONT))
            going_on.start()
            try:
                connection.exec_driver_sql("SELECT name FROM customer")
            finally:
                going_on.cancel()
                os.kill(hanging, signal.SIGCONT)

    with pytest.raises(StoreUnreachable, match="no answer for 1 seconds"):
        ask()
    assert caplog.messages == []


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_gone_and_back_is_served_again_by_itself(
    own_server: postgres.Server, own_ledger: Database, mode: str
) -> None:
    """Not ready while PostgreSQL is down, 503 meanwhile; ready again soon after it is back."""
    with Books(own_ledger) as books:
        caller = books.caller()
        own_server.stop(mode)
        wait_for_readiness(books, ready=False)
        sentence = books.service.readiness() or ""
        result = books.record(pay(caller, {1: "1.00"})).result
        own_server.start()
        wait_for_readiness(books, ready=True)

        assert "cannot be reached" in sentence
        assert isinstance(result, Unavailable)
        assert_recorded_once(books, books.submit(pay(caller, {1: "1.00"})))


def test_a_payment_outlasts_a_short_restart(
    own_server: postgres.Server, own_ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever pays while PostgreSQL is restarted waits a moment and is answered."""
    monkeypatch.setattr("paydown.storage.writer.PROBE_SECONDS", 60)
    with Books(own_ledger) as books:
        caller = books.caller()
        own_server.stop()
        job = books.submit(pay(caller, {1: "1.00"}))
        own_server.start()

        assert_recorded_once(books, job)


@pytest.mark.usefixtures("quick")
def test_a_standby_is_served_once_it_is_promoted(
    own_server: postgres.Server, own_ledger: Database
) -> None:
    """A server that comes back as a standby can be read, not paid on: not ready until it leads."""
    with Books(own_ledger) as books:
        caller = books.caller()
        own_server.stop()
        own_server.standby()
        own_server.start()
        wait_for_readiness(books, ready=False)
        postgres.wait_until(own_server.url, "SELECT 1 WHERE pg_is_in_recovery()")
        result = books.record(pay(caller, {1: "1.00"})).result
        sentence = books.service.readiness() or ""
        own_server.promote()
        wait_for_readiness(books, ready=True)

        assert isinstance(result, Unavailable)
        assert "is read-only" in sentence
        assert_recorded_once(books, books.submit(pay(caller, {1: "1.00"})))


@pytest.mark.usefixtures("quick")
def test_a_server_turned_read_only_is_noticed_while_nobody_pays(
    own_server: postgres.Server, own_ledger: Database
) -> None:
    """The connection is as good as before, and still no payment could be taken: not ready."""
    setting = "ALTER SYSTEM SET default_transaction_read_only = {}"
    reload = "SELECT pg_reload_conf()"
    with Books(own_ledger) as books:
        postgres.execute(own_server.url, setting.format("on"), reload)
        wait_for_readiness(books, ready=False)
        sentence = books.service.readiness() or ""
        postgres.execute(own_server.url, setting.format("off"), reload)
        wait_for_readiness(books, ready=True)

    assert "is read-only" in sentence
