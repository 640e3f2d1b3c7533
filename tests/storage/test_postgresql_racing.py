"""Several servers on one database: whoever comes first, each payment counts once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from sqlalchemy import Connection

import postgres
from ledgers import CLUB, EXTERNAL, TILL, Books, finished, holding, pay, write_down
from makers import on_postgresql
from paydown import audit
from paydown.admin import Admin
from paydown.domain.model import Caller, Command
from paydown.domain.outcomes import KeyConflict, KeyReplayed, Outcome, Refusal
from paydown.storage.database import Database
from paydown.storage.jobs import Job, Pace, Result

pytestmark = on_postgresql


@pytest.fixture
def servers(database: Database) -> Iterator[tuple[Books, Books]]:
    """Two servers on one ledger."""
    with Books(database) as one, Books(database) as other:
        yield one, other


@pytest.fixture
def caller(servers: tuple[Books, Books]) -> Caller:
    """The till."""
    return servers[0].caller(TILL)


def race(servers: tuple[Books, Books], *commands: Command) -> list[Result | None]:
    """Each server gets one of the commands at the same moment; what each says."""
    started = threading.Barrier(2)
    results: list[Result | None] = [None, None]

    def send(place: int) -> None:
        started.wait()
        results[place] = servers[place].record(commands[place]).result

    threads = [threading.Thread(target=send, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def count_payments(books: Books) -> int:
    """How many payments are recorded."""
    with books.database.read() as connection:
        counted = connection.exec_driver_sql("SELECT COUNT(*) FROM entry WHERE kind = 'payment'")
        return int(counted.scalar_one())


@contextmanager
def waiting(books: Books, command: Command, *held_by: str) -> Iterator[tuple[Connection, Job]]:
    """The command, which waits for what another transaction's statements hold: until the end."""
    with books.database.connect() as other:
        for statement in ("BEGIN", *held_by):
            other.exec_driver_sql(statement)
        job = books.submit(command)
        postgres.wait_for_waiting(books.database.url)
        yield other, job
        other.exec_driver_sql("COMMIT")


def breaches(books: Books) -> list[str]:
    """What ``paydown verify`` finds wrong."""
    return [line for found in audit.verify(books.database) for line in found.detail]


def test_a_line_sent_to_two_servers_at_once_is_recorded_once(
    servers: tuple[Books, Books], caller: Caller
) -> None:
    """A retry that overtakes the first attempt on another machine is still recognised."""
    for item in range(1, 16):
        command = pay(caller, {item: "1.00"}, reference="R-1")
        results = race(servers, command, command)
        lines = [one.lines[0] for one in results if isinstance(one, Outcome)]

        assert [line.balance for line in lines] == [900, 900]
        assert sorted(line.replayed for line in lines) == [False, True]
    assert count_payments(servers[0]) == 15
    assert breaches(servers[0]) == []


def test_a_key_sent_to_two_servers_at_once_has_one_answer(
    servers: tuple[Books, Books], caller: Caller
) -> None:
    """The second server gives the kept answer of the first."""
    for number in range(1, 16):
        command = pay(caller, {number: "1.00"}, key=f"k{number}")
        results = race(servers, command, command)

        assert {type(one) for one in results} == {Outcome, KeyReplayed}
    assert count_payments(servers[0]) == 15
    assert breaches(servers[0]) == []


def test_a_key_on_two_payments_at_once_takes_one_of_them(
    servers: tuple[Books, Books], caller: Caller
) -> None:
    """Nothing but the key is common to both: the one that comes second is a conflict."""
    for number in range(1, 11):
        commands = [pay(caller, {item: "1.00"}, key=f"k{number}") for item in (number, number + 10)]
        results = race(servers, *commands)

        assert {type(one) for one in results} == {Outcome, KeyConflict}
    assert count_payments(servers[0]) == 10
    assert sum(servers[0].balances().values()) == sum(servers[1].balances().values())
    assert breaches(servers[0]) == []


def test_a_hot_item_never_owes_less_than_nothing(
    servers: tuple[Books, Books], caller: Caller
) -> None:
    """Two servers want far more of one item than it owes: what was accepted is exact."""
    jobs = [books.submit(pay(caller, {1: "0.37"})) for _ in range(60) for books in servers]
    results = [finished(job).result for job in jobs]
    accepted = [one for one in results if isinstance(one, Outcome) and one.success]

    assert all(isinstance(one, Outcome) for one in results)
    assert len(accepted) * Decimal("0.37") == Decimal("9.99")
    assert servers[0].balances()[1] == 1
    assert breaches(servers[0]) == []


def test_no_two_batches_wait_for_each_other(database: Database) -> None:
    """Servers that get the same items in opposite orders record all, with no deadlock at all."""
    orders = [list(range(1, 21)), list(range(20, 0, -1))]
    pace = Pace(batch_max=1)
    with Books(database, pace=pace) as one, Books(database, pace=pace) as other:
        caller = one.caller()
        jobs = [
            books.submit(pay(caller, dict.fromkeys(order, "0.01")))
            for _ in range(100)
            for order, books in zip(orders, (one, other), strict=True)
        ]
        results = [finished(job).result for job in jobs]
        balances = one.balances()
    gone = "SELECT 1 WHERE 1 = (SELECT count(*) FROM pg_stat_activity WHERE datname = "
    postgres.wait_until(database.url, f"{gone}current_database())")
    counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"

    assert all(isinstance(each, Outcome) and each.success for each in results)
    assert {balances[item] for item in orders[0]} == {1000 - 200}
    assert postgres.ask(database.url, counted) == [0]


def test_items_are_held_in_order_of_their_numbers(
    servers: tuple[Books, Books], caller: Caller
) -> None:
    """However they are sent. A payment that waits for one of twenty holds all before it, only."""
    items = "SELECT billing_id FROM billing_item WHERE customer_id = 1 AND billing_id {}"
    payment = pay(caller, dict.fromkeys(range(20, 0, -1), "0.01"))
    with waiting(servers[0], payment, items.format("= 10 FOR UPDATE")) as (_, job):
        free = items.format("BETWEEN 1 AND 20 FOR UPDATE SKIP LOCKED")
        left = postgres.ask(servers[0].database.url, free)

    assert sorted(left) == list(range(11, 21))
    assert isinstance(finished(job).result, Outcome)


def test_a_deadlock_is_tried_again_and_answered(
    servers: tuple[Books, Books], caller: Caller
) -> None:
    """The payment that PostgreSQL undoes, as others took rows in another order, is repeated."""
    lock = "SELECT FROM billing_item WHERE customer_id = 1 AND billing_id = {} FOR UPDATE"
    held_by = ("SET LOCAL deadlock_timeout = '60s'", lock.format(2))
    with waiting(servers[0], pay(caller, {1: "1.00", 2: "1.00"}), *held_by) as (other, job):
        other.exec_driver_sql(lock.format(1))
    result = finished(job).result

    assert isinstance(result, Outcome)
    assert [line.balance for line in result.lines] == [900, 900]
    assert count_payments(servers[0]) == 1


def test_a_row_changed_meanwhile_is_read_anew(servers: tuple[Books, Books], caller: Caller) -> None:
    """What was committed while the payment waited for the item is what it is decided by."""
    lowered = "UPDATE billing_item SET balance = 50 WHERE customer_id = 1 AND billing_id = 1"
    with waiting(servers[0], pay(caller, {1: "1.00"}), lowered) as (_, job):
        pass
    result = finished(job).result

    assert isinstance(result, Outcome)
    assert result.lines[0].refusal is Refusal.amount_exceeds_balance
    assert result.lines[0].balance == 50


BAD_DEBT = "6000"
Change = Callable[[Admin], object]
CHANGES: dict[str, tuple[Change, str]] = {
    "tender type": (
        lambda admin: admin.set_tender_type_active(CLUB, EXTERNAL, active=False),
        "UPDATE tender_type SET active = 0 WHERE customer_id = 1 AND tender_type_id = 28",
    ),
    "account": (
        lambda admin: admin.set_account_active(CLUB, BAD_DEBT, active=False),
        "UPDATE account SET active = 0 WHERE customer_id = 1 AND code = '6000'",
    ),
}


def bad_debt(connection: Connection) -> int:
    """The id of the account that write-downs go to."""
    found = connection.exec_driver_sql(
        "SELECT account_id FROM account WHERE customer_id = 1 AND code = '6000'"
    )
    return int(found.scalar_one())


@pytest.fixture
def write_off(servers: tuple[Books, Books], caller: Caller) -> Command:
    """A write-down that needs both the tender type and the account."""
    with servers[0].database.read() as connection:
        return write_down(caller, {1: "1.00"}, bad_debt(connection))


def refused(result: Result | None) -> bool:
    """Whether the command was judged, and nothing recorded."""
    assert isinstance(result, Outcome)
    return result.entry is None


@pytest.mark.parametrize("statement", [change[1] for change in CHANGES.values()], ids=CHANGES)
def test_what_is_disabled_first_is_refused_afterwards(
    servers: tuple[Books, Books], write_off: Command, statement: str
) -> None:
    """A write-down that came while the change was under way is decided after it, and by it."""
    with servers[0].database.write() as connection:
        servers[0].database.hold_customer(connection, 1)
        job = servers[1].submit(write_off)
        postgres.wait_for_waiting(servers[0].database.url)
        connection.exec_driver_sql(statement)

    assert refused(finished(job).result)


@pytest.mark.parametrize("change", [change[0] for change in CHANGES.values()], ids=CHANGES)
def test_what_was_decided_first_is_recorded_before_the_change(
    servers: tuple[Books, Books], write_off: Command, change: Change
) -> None:
    """Disabling waits for the write-down that was decided by what it disables."""
    database = servers[0].database
    changing = threading.Thread(target=change, args=(Admin(database),))
    with database.connect() as other:
        other.exec_driver_sql("BEGIN")
        other.exec_driver_sql("LOCK TABLE entry IN SHARE MODE")
        job = servers[1].submit(write_off)
        postgres.wait_for_waiting(database.url)
        changing.start()
        changing.join(0.5)
        waited = changing.is_alive()
        other.exec_driver_sql("COMMIT")
    changing.join()

    assert waited
    assert not refused(finished(job).result)
    assert refused(servers[0].record(write_off._replace(key="later")).result)


def test_another_customer_s_payments_do_not_wait(servers: tuple[Books, Books]) -> None:
    """What changes one customer's accounts holds nobody else up."""
    other = servers[0].caller(TILL)._replace(customer_id=2)
    with holding(servers[0].database):
        result = servers[1].record(pay(other, {1: "1.00"})).result

    assert isinstance(result, Outcome)
    assert result.success


def test_payments_do_not_wait_for_a_command_that_writes(
    servers: tuple[Books, Books], caller: Caller
) -> None:
    """While an import or any other change is written, payments go on."""
    with servers[0].database.write():
        result = servers[1].record(pay(caller, {1: "1.00"})).result

    assert isinstance(result, Outcome)
    assert result.success


def test_a_change_sees_what_was_committed_while_it_waited(database: Database) -> None:
    """Two commands at once take their turns, also where transactions are serializable."""
    seen: list[list[int]] = []
    question = "SELECT account_id FROM account WHERE customer_id = 1 AND active = 0"

    def look() -> None:
        with database.write() as connection:
            seen.append(list(connection.exec_driver_sql(question).scalars()))

    second = threading.Thread(target=look)
    with database.write() as connection:
        second.start()
        postgres.wait_for_waiting(database.url)
        connection.exec_driver_sql(
            "UPDATE account SET active = 0 WHERE customer_id = 1 AND account_id = 14"
        )
    second.join()

    assert seen == [[14]]


def test_held_items_wait_and_others_do_not(servers: tuple[Books, Books], caller: Caller) -> None:
    """While the desk moves items, payments of other items of the customer go on."""
    one, other = servers
    with one.database.write() as connection:
        one.database.hold_items(connection, 1, [2, 1])
        waiting = one.submit(pay(caller, {1: "1.00"}))
        postgres.wait_for_waiting(one.database.url)

        assert other.outcome(pay(caller, {3: "1.00"})).success
        assert waiting.result is None
        connection.exec_driver_sql(
            "UPDATE billing_item SET balance = 300 WHERE customer_id = 1 AND billing_id = 1"
        )
    result = finished(waiting).result

    assert isinstance(result, Outcome)
    assert [line.balance for line in result.lines] == [200]
