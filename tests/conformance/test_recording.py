"""What is recorded is exactly what was answered, in the books and for ever."""

import pytest

import desk_rows
import ledgers
from ledgers import ANNA, CLUB, OTHER_CLUB, Books, pay, write_down
from makers import on_every_driver
from paydown import audit
from paydown.domain.outcomes import KeyConflict, KeyReplayed, Outcome, Refusal
from paydown.storage.reference import find_customer

pytestmark = on_every_driver


def breaches(books: Books) -> list[str]:
    """What ``paydown verify`` finds wrong."""
    return [line for finding in audit.verify(books.database) for line in finding.detail]


def expense_account(books: Books) -> int:
    """The customer's bad-debt account."""
    with books.database.read() as connection:
        found = connection.exec_driver_sql(
            "SELECT account_id FROM account WHERE code = '6000' AND customer_id = 1"
        ).scalar_one()
    assert isinstance(found, int)
    return found


def test_a_payment_lowers_the_balance_by_its_amount(books: Books) -> None:
    """The answer's balance is the balance kept, and the books hold."""
    outcome = books.outcome(pay(books.caller(), {1: "4.00", 2: "0.01"}))

    assert [line.balance for line in outcome.lines] == [600, 999]
    assert books.balances()[1] == 600
    assert books.balances()[2] == 999
    assert breaches(books) == []


def test_a_write_down_lowers_the_balance_by_its_amount(books: Books) -> None:
    """A write-down is as durable and as exact as a payment."""
    outcome = books.outcome(write_down(books.caller(), {1: "4.00"}, expense_account(books)))

    assert [line.balance for line in outcome.lines] == [600]
    assert breaches(books) == []


def test_a_refused_line_changes_nothing(books: Books) -> None:
    """Beside a recorded line, a refused one leaves no trace."""
    before = books.balances()
    outcome = books.outcome(pay(books.caller(), {1: "11", 31: "1", 999: "1", 2: "1"}))

    assert [line.refusal for line in outcome.lines] == [
        Refusal.amount_exceeds_balance,
        Refusal.unknown_billing_item,
        Refusal.unknown_billing_item,
        None,
    ]
    assert books.balances() == {**before, 2: 900}
    assert breaches(books) == []


def test_a_refused_request_changes_nothing(books: Books) -> None:
    """A global refusal records nothing at all."""
    before, entries = books.balances(), books.count("entry")
    outcome = books.outcome(pay(books.caller(), {1: "1", 2: "11"}, strict=True))

    assert outcome.refusal is Refusal.lines_refused
    assert (books.balances(), books.count("entry")) == (before, entries)


def test_another_customers_items_are_unknown(books: Books) -> None:
    """The same BillingId of another customer is another item, untouched."""
    before = books.balances(OTHER_CLUB)
    books.outcome(pay(books.caller(), {1: "10.00"}))

    assert books.balances(OTHER_CLUB) == before
    assert books.balances(CLUB)[1] == 0


@pytest.mark.parametrize("more", [{"reference": "r"}, {"date": "2026-02-05T10:00:00.5+00:00"}])
def test_another_customers_payment_is_no_retry(books: Books, more: dict[str, str]) -> None:
    """The same line of two customers is two payments, each of its own item."""
    with books.database.read() as connection:
        other = find_customer(connection, OTHER_CLUB)
    assert other is not None
    mine = books.caller()
    for caller in (mine._replace(customer_id=other.customer_id), mine):
        outcome = books.outcome(pay(caller, {1: "4"}, **more))
        assert [(line.balance, line.replayed) for line in outcome.lines] == [(600, False)]

    assert (books.balances(CLUB)[1], books.balances(OTHER_CLUB)[1]) == (600, 600)


def test_a_keyed_answer_is_kept_byte_for_byte(books: Books) -> None:
    """The same key gives the same bytes; another request under it is a conflict."""
    first = books.record(pay(books.caller(), {1: "4"}, key="k"))
    again = books.record(pay(books.caller(), {1: "4.00"}, key="k"))
    other = books.record(pay(books.caller(), {1: "5"}, key="k"))

    assert isinstance(first.result, Outcome)
    assert first.answer is not None
    assert again.result == KeyReplayed(first.answer)
    assert other.result == KeyConflict()
    assert books.balances()[1] == 600


def test_replays_survive_a_restart(database: ledgers.Database) -> None:
    """What a retry is recognised by is in the books, not in a process's memory."""
    with Books(database) as books:
        keyed = books.record(pay(books.caller(), {1: "4"}, key="k"))
        books.outcome(pay(books.caller(), {2: "4"}, reference="r"))
    with Books(database) as books:
        assert books.record(pay(books.caller(), {1: "4"}, key="k")).result == KeyReplayed(
            keyed.answer or b""
        )
        outcome = books.outcome(pay(books.caller(), {2: "4"}, reference="r"))

        assert [line.replayed for line in outcome.lines] == [True]
        assert books.balances()[2] == 600
        assert books.count("replay") == 1
        assert breaches(books) == []


def test_a_replay_answers_with_the_first_dates(books: Books) -> None:
    """Both dates come back as they were written the first time."""
    command = pay(books.caller(), {1: "4"}, date="2026-07-01T12:00:00.25Z")
    first, again = books.outcome(command), books.outcome(command)

    assert first.lines[0].value_written == "2026-07-01T12:00:00.25Z"
    assert again.lines[0] == first.lines[0]._replace(replayed=True)


def test_a_reversed_line_may_be_recorded_anew(books: Books) -> None:
    """Its retry protection ends with it; that of the line recorded anew begins."""
    command = pay(books.caller(), {1: "2.50", 2: "1.00"}, reference="R")
    first = books.outcome(command)
    assert first.entry is not None
    with books.database.write() as connection:
        desk_rows.undo(connection, first.entry, line_no=1)

    again = books.outcome(command)
    assert [line.replayed for line in again.lines] == [False, True]
    assert [line.replayed for line in books.outcome(command).lines] == [True, True]
    assert books.balances()[1] == 750
    assert [found for found in audit.verify(books.database) if not found.ok] == []


@pytest.mark.parametrize("table", ["entry", "posting"])
@pytest.mark.parametrize("change", ["UPDATE {} SET value_at = 0", "DELETE FROM {}"])
def test_the_books_are_append_only(books: Books, table: str, change: str) -> None:
    """The database itself refuses to change or remove what was recorded."""
    books.outcome(pay(books.caller(), {1: "4"}))

    with pytest.raises(Exception, match="append-only"), books.database.write() as connection:
        connection.exec_driver_sql(change.format(table))


def test_every_entry_says_who_and_when(books: Books) -> None:
    """Caller, staff user, address, request id, both dates and the key are kept."""
    books.outcome(
        pay(
            books.caller(),
            {1: "4"},
            key="k",
            staff_user="Sam",
            request_id="r-1",
            address="192.0.2.7",
            date="2026-01-02T03:04:05.0000001+00:00",
        )
    )
    with books.database.read() as connection:
        row = connection.exec_driver_sql(
            "SELECT contact_id, login_id, staff_user, request_id, address, idempotency_key, "
            "value_at, value_written FROM entry WHERE kind = 'payment'"
        ).one()

    assert tuple(row) == (
        ANNA,
        books.caller().login_id,
        "Sam",
        "r-1",
        "192.0.2.7",
        "k",
        17_673_230_450_000_001,
        "2026-01-02T03:04:05.0000001+00:00",
    )
