"""What guessing costs the guesser, and what it cannot do to the owner or to us."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from access_door import BUSY, CHEAP, GUID, PASSWORD, UNAUTHENTICATED, Door, caller, until
from argon2.exceptions import VerificationError

from paydown.access import (
    AccessSettings,
    Denial,
    Reason,
)
from paydown.domain.model import Caller


def test_at_most_two_verifications_run_at_once_and_few_wait() -> None:
    """Of many at one time two run, some wait, and the rest are told to come again."""
    door = Door(waiting_max=3, waiting_per_address_max=100)
    door.hasher.gate.clear()
    with ThreadPoolExecutor(12) as workers:
        asked = [workers.submit(door.ask, "café", f"wrong {n}") for n in range(12)]
        until(lambda: sum(each.done() for each in asked) == 7)
        door.hasher.gate.set()
        answers = [each.result() for each in asked]
    assert (answers.count(BUSY), answers.count(UNAUTHENTICATED)) == (7, 5)
    assert (door.hasher.at_once_most, len(door.hasher.asked)) == (2, 5)


def test_one_address_cannot_fill_the_waiting_list() -> None:
    """The true owner at another address finds room while a guesser fills its own share."""
    door = Door(waiting_max=4, waiting_per_address_max=3)
    door.hasher.gate.clear()
    with ThreadPoolExecutor(10) as workers:
        guesses = [workers.submit(door.ask, "café", f"wrong {n}") for n in range(9)]
        until(lambda: sum(each.done() for each in guesses) == 6)
        owner = workers.submit(door.ask, address="192.0.2.2")
        door.hasher.gate.set()
        assert owner.result() == caller(1)


def test_addresses_that_have_failed_cannot_fill_the_waiting_list() -> None:
    """Half of it is kept for logins from where none failed lately, however many addresses guess."""
    door = Door(waiting_max=4)
    guessers = [f"198.51.100.{number}" for number in range(6)]
    for address in guessers:
        door.ask(password="wrong", address=address)
    door.hasher.gate.clear()
    with ThreadPoolExecutor(8) as workers:
        guesses = [
            workers.submit(door.ask, password=f"wrong at {address}", address=address)
            for address in guessers
        ]
        until(lambda: sum(each.done() for each in guesses) == 2)
        owner = workers.submit(door.ask)
        until(lambda: len(door.read) == 13)
        door.hasher.gate.set()
        assert owner.result() == caller(1)
    assert [each.result() for each in guesses].count(BUSY) == 2


def test_an_address_that_failed_long_ago_has_the_whole_waiting_list_again() -> None:
    """A failure weighs as long as it is counted."""
    door = Door(waiting_max=1)
    door.ask(password="wrong")
    door.now += 300
    door.hasher.gate.clear()
    with ThreadPoolExecutor(3) as workers:
        guesses = [workers.submit(door.ask, password=f"wrong {number}") for number in range(3)]
        until(lambda: len(door.read) == 4)
        door.hasher.gate.set()
        assert [each.result() for each in guesses] == [UNAUTHENTICATED] * 3


def test_a_flood_of_guesses_does_not_stop_a_login_that_is_in_use() -> None:
    """However long it lasts: what is used is not proved again, so it need not wait its turn."""
    door = Door(waiting_max=0, verifications_max=1)
    assert door.ask() == caller(1)
    door.hasher.gate.clear()
    with ThreadPoolExecutor(1) as workers:
        guess = workers.submit(door.ask, password="wrong", address="198.51.100.1")
        until(lambda: door.hasher.at_once == 1)
        for _ in range(60):
            door.now += 21
            assert door.ask() == caller(1)
        door.hasher.gate.set()
        assert guess.result() == UNAUTHENTICATED


@pytest.mark.parametrize(("password", "expected"), [(PASSWORD, caller(1)), ("no", UNAUTHENTICATED)])
def test_identical_credentials_at_one_time_are_verified_once(
    password: str, expected: Caller | Denial
) -> None:
    """A pool of clients that all start with one login costs one verification, right or wrong."""
    door = Door(failures_per_login_max=2)
    door.hasher.gate.clear()
    with ThreadPoolExecutor(8) as workers:
        asked = [workers.submit(door.ask, "café", password) for _ in range(8)]
        until(lambda: len(door.read) == 8)
        door.hasher.gate.set()
        assert [each.result() for each in asked] == [expected] * 8
    assert len(door.hasher.asked) == 1


def test_a_verification_that_breaks_is_nobodys_verdict() -> None:
    """All who waited for it hear of the fault, and the next request is verified anew."""
    door = Door()
    door.change("café", password_hash="$argon2id$not a hash")
    for _ in range(2):
        with pytest.raises(VerificationError, match="Decoding failed"):
            door.ask()
    door.change("café", password_hash=CHEAP.hash(PASSWORD))
    assert door.ask() == caller(1)


def test_guessing_at_a_login_is_throttled() -> None:
    """After ten failures from an address the next is not even looked at, until the time is over."""
    door = Door()
    guesses = [door.ask(password=f"wrong {n}") for n in range(12)]
    assert guesses == [UNAUTHENTICATED] * 10 + [Denial(Reason.THROTTLED, retry_seconds=300)] * 2
    assert len(door.hasher.asked) == 10
    door.now += 200.5
    assert door.ask(password="wrong") == Denial(Reason.THROTTLED, retry_seconds=100)
    door.now += 99.5
    assert door.ask(password="wrong") == UNAUTHENTICATED


def test_the_right_password_is_heard_from_anywhere_else() -> None:
    """Guessing locks out the guesser's address, never the login."""
    door = Door()
    for number in range(12):
        door.ask(password=f"wrong {number}")
    assert door.ask() == Denial(Reason.THROTTLED, retry_seconds=300)
    assert door.ask(address="192.0.2.2") == caller(1)


def test_credentials_proved_lately_are_heard_whatever_was_counted() -> None:
    """Also from the guesser's own address, and when the login must be read anew."""
    door = Door()
    door.ask()
    for number in range(12):
        door.ask(password=f"wrong {number}")
    for _ in range(5):
        assert door.ask() == caller(1)
        door.now += 21


def test_a_password_that_was_right_once_is_throttled_like_any_other() -> None:
    """What was proved is forgotten with the first failure."""
    door = Door()
    door.ask()
    door.change("café", password_hash=CHEAP.hash("new"))
    door.now += 21
    answers = [door.ask() for _ in range(12)]
    assert answers[9:] == [UNAUTHENTICATED] + [Denial(Reason.THROTTLED, retry_seconds=300)] * 2


def test_guessing_at_many_logins_is_throttled_by_address() -> None:
    """A list of user names helps no more than a list of passwords."""
    door = Door(failures_per_address_max=20)
    answers = [door.ask(f"user {number}") for number in range(21)]
    assert answers == [UNAUTHENTICATED] * 20 + [Denial(Reason.THROTTLED, retry_seconds=300)]
    assert door.ask("another", "", address="192.0.2.1").retry_seconds == 300
    assert door.ask(address="192.0.2.2") == caller(1)


@pytest.mark.parametrize(
    ("second", "throttled"),
    [("2001:db8::2", True), ("2001:db8:0:1::1", False), ("not an address", False)],
)
def test_an_ipv6_client_is_its_network(second: str, throttled: bool) -> None:
    """Who has one address of a /64 has them all."""
    door = Door(failures_per_login_max=1)
    door.ask(password="wrong", address="2001:db8::1")
    answer = door.ask(password="wrong too", address=second)
    assert (answer == Denial(Reason.THROTTLED, retry_seconds=300)) == throttled


def test_memory_is_bounded_whatever_is_sent() -> None:
    """Answers, proofs and failures are kept in tables that drop their oldest."""
    door = Door(answers_max=5, proofs_max=3, failures_tracked_max=7, failures_per_address_max=10**6)
    for number in range(30):
        door.ask(customer_guid=f"unknown {number}")
        door.ask(f"user {number}", address=f"192.0.2.{number}")
        door.logins[f"more {number}"] = (CHEAP.hash(PASSWORD), False, {GUID: caller(1)})
        door.ask(f"more {number}")
    held = door.authenticator
    sizes = [len(each) for each in (held._answers, held._proofs, held._by_login, held._by_place)]
    assert sizes == [5, 3, 7, 7]
    assert held._flights == {}


def test_an_address_cannot_push_its_own_count_out() -> None:
    """Its own limit is reached long before it has filled the table."""
    door = Door(failures_tracked_max=50, failures_per_address_max=20, failures_per_login_max=2)
    for _ in range(2):
        door.ask(password="wrong")
    for number in range(60):
        door.ask(f"user {number}")
    assert door.ask(password="wrong") == Denial(Reason.THROTTLED, retry_seconds=300)


def test_there_are_threads_for_all_who_may_wait() -> None:
    """And some besides, for callers that are known and need only be read anew."""
    settings = AccessSettings()
    assert settings.threads_count > settings.verifications_max + settings.waiting_max


def test_many_threads_hear_the_same() -> None:
    """Right and wrong from many threads at once, while what was answered grows old."""
    door = Door(failures_per_login_max=10**6, failures_per_address_max=10**6)
    numbers = count()

    def ask(turn: int) -> bool:
        if turn % 10 == 0:
            door.now += 21
        if turn % 3:
            return door.ask() == caller(1)
        return door.ask(password=f"wrong {next(numbers)}") in (UNAUTHENTICATED, BUSY)

    with ThreadPoolExecutor(8) as workers:
        assert all(workers.map(ask, range(600)))
