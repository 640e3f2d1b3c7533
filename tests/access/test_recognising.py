"""Who is let in, what that costs, how long it is remembered, and that no password is."""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from access_door import (
    CHEAP,
    FORBIDDEN,
    GUID,
    OTHER_GUID,
    PASSWORD,
    UNAUTHENTICATED,
    Door,
    caller,
    until,
)
from argon2 import PasswordHasher

from paydown.access import (
    HASHER,
    Authenticator,
    Denial,
    Reason,
    generate_password,
    hash_password,
)
from paydown.domain.model import Caller
from paydown.storage.faults import StoreUnavailable


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(("café", PASSWORD, GUID), caller(1), id="right"),
        pytest.param(("café", PASSWORD, GUID.upper()), caller(1), id="upper case"),
        pytest.param(("café", PASSWORD, GUID.replace("-", "")), caller(1), id="N"),
        pytest.param(("café", PASSWORD, f"{{{GUID}}}"), caller(1), id="B"),
        pytest.param(("café", PASSWORD, f"({GUID})"), caller(1), id="P"),
        pytest.param(("café", PASSWORD, OTHER_GUID), FORBIDDEN, id="not enabled or unknown"),
        pytest.param(("café", PASSWORD, "rubbish"), FORBIDDEN, id="malformed"),
        pytest.param(("café", PASSWORD, "Ø"), FORBIDDEN, id="not ASCII"),
        pytest.param(("café", "wrong", GUID), UNAUTHENTICATED, id="wrong password"),
        pytest.param(("café", "wrong", "rubbish"), UNAUTHENTICATED, id="wrong and malformed"),
        pytest.param(("café", "wrong", OTHER_GUID), UNAUTHENTICATED, id="wrong and not enabled"),
        pytest.param(("CAFÉ", PASSWORD, GUID), UNAUTHENTICATED, id="other letters"),
        pytest.param(("nobody", PASSWORD, GUID), UNAUTHENTICATED, id="unknown user"),
        pytest.param(("nobody", PASSWORD, "rubbish"), UNAUTHENTICATED, id="unknown, malformed"),
        pytest.param((b"caf\xe9", PASSWORD, GUID), UNAUTHENTICATED, id="not UTF-8"),
        pytest.param(("disabled", PASSWORD, GUID), UNAUTHENTICATED, id="disabled"),
        pytest.param(("", PASSWORD, GUID), UNAUTHENTICATED, id="no user name"),
        pytest.param(("café", "", GUID), UNAUTHENTICATED, id="no password"),
        pytest.param(("café", PASSWORD, ""), UNAUTHENTICATED, id="no customer"),
    ],
)
def test_who_gets_what(said: tuple[str, str, str], expected: Caller | Denial) -> None:
    """The same the first time, when it is verified, and the second, when it may be remembered."""
    door = Door()
    assert [door.ask(*said), door.ask(*said)] == [expected, expected]


@pytest.mark.parametrize(
    ("user_name", "password"),
    [("nobody", PASSWORD), ("café", "wrong"), ("disabled", PASSWORD), (b"\xff", PASSWORD)],
)
def test_every_wrong_login_costs_one_verification(user_name: str | bytes, password: str) -> None:
    """So that time does not tell an unknown user from a wrong password or a disabled login."""
    door = Door()
    door.ask(user_name, password)
    assert len(door.hasher.asked) == 1


def test_the_decoy_costs_what_a_stored_hash_costs() -> None:
    """It has the parameters of the hashes that are stored."""
    asked: list[str] = []

    class Spy(PasswordHasher):
        # A002: argon2-cffi's own parameter has that name.
        def verify(self, hash: str | bytes, password: str | bytes) -> Any:  # noqa: A002
            asked.append(str(hash))
            return super().verify(hash, password)

    spy = Spy.from_parameters(HASHER._parameters)
    Authenticator(lambda *_: None, hasher=spy).verify(
        user_name=b"nobody", password=b"x", customer_guid=GUID.encode(), address=""
    )
    parameters = "$argon2id$v=19$m=19456,t=2,p=1$"
    assert asked[0].startswith(parameters)
    assert hash_password("x").startswith(parameters)


def test_a_verified_caller_is_recalled_without_store_or_argon2() -> None:
    """The hit path reads nothing and verifies nothing."""
    door = Door()
    for _ in range(100):
        assert door.ask() == caller(1)
    assert (len(door.read), len(door.hasher.asked)) == (1, 1)


def test_recall_leaves_what_must_be_verified() -> None:
    """It answers None rather than wait."""
    door = Door()
    said = {"user_name": b"x", "password": b"y", "customer_guid": GUID.encode(), "address": ""}
    assert door.authenticator.recall(**said) is None


def test_parts_that_run_together_are_other_credentials() -> None:
    """A letter moved from the password to the user name is somebody else."""
    door = Door()
    assert door.ask() == caller(1)
    assert door.ask("caf", "é" + PASSWORD) == UNAUTHENTICATED


def test_one_proof_serves_every_customer_of_a_login() -> None:
    """An integration with many customers pays for argon2 once."""
    door = Door()
    door.change("café", callers={GUID: caller(1), OTHER_GUID: caller(2)})
    assert [door.ask(), door.ask(customer_guid=OTHER_GUID)] == [caller(1), caller(2)]
    assert len(door.hasher.asked) == 1


CHANGES: list[tuple[dict[str, Any], Caller | Denial]] = [
    ({"password_hash": CHEAP.hash("new")}, UNAUTHENTICATED),
    ({"disabled": True}, UNAUTHENTICATED),
    ({"callers": {}}, FORBIDDEN),
    ({"callers": {GUID: caller(1, "BillingPayment")}}, caller(1, "BillingPayment")),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_a_change_elsewhere_is_in_force_within_30_seconds(
    change: dict[str, Any], expected: Caller | Denial
) -> None:
    """Password, disabling, revoking and granting alike; before that the old answer may stand."""
    door = Door()
    assert door.ask() == caller(1)
    door.change("café", **change)
    door.now += 19
    assert door.ask() == caller(1)
    door.now += 2
    assert door.ask() == expected


def test_a_new_grant_is_in_force_within_30_seconds() -> None:
    """A refusal is remembered no longer than an answer."""
    door = Door()
    assert door.ask(customer_guid=OTHER_GUID) == FORBIDDEN
    door.change("café", callers={OTHER_GUID: caller(2)})
    door.now += 21
    assert door.ask(customer_guid=OTHER_GUID) == caller(2)


def test_an_answer_is_as_old_as_its_reading() -> None:
    """However long its password took to prove, what was read before it stands no longer for it."""
    door = Door()
    door.hasher.gate.clear()
    with ThreadPoolExecutor(1) as workers:
        slow = workers.submit(door.ask)
        until(lambda: door.hasher.at_once == 1)
        door.change("café", callers={})
        door.now += 19
        door.hasher.gate.set()
        assert slow.result() == caller(1)
    assert door.ask() == caller(1)
    door.now += 2
    assert door.ask() == FORBIDDEN


def test_a_login_in_use_is_reread_and_not_proved_again() -> None:
    """The store is read every 20 seconds, and argon2 asked once, however long it goes on."""
    door = Door()
    for _ in range(120):
        assert door.ask() == caller(1)
        door.now += 10
    assert (len(door.read), len(door.hasher.asked)) == (60, 1)


def test_a_login_that_is_not_used_is_proved_anew() -> None:
    """What was proved is forgotten after five minutes without use."""
    door = Door()
    for wait in (299, 300, 0):
        assert door.ask() == caller(1)
        door.now += wait
    assert len(door.hasher.asked) == 2


def test_a_store_that_cannot_be_read_is_no_verdict() -> None:
    """The denial carries the store's sentence, and nothing is counted or remembered."""
    door = Door(failures_per_login_max=1)
    door.fault = StoreUnavailable("The disk is full.", passing=True)
    expected = Denial(Reason.UNAVAILABLE, sentence="The disk is full.")
    assert [door.ask(), door.ask()] == [expected, expected]
    door.fault = None
    assert door.ask() == caller(1)


def test_a_password_is_found_nowhere_afterwards(caplog: pytest.LogCaptureFixture) -> None:
    """Not in what the authenticator holds, not in its repr, not in a log or a denial."""
    secret = "a-very-secret-password"
    door = Door()
    with caplog.at_level(logging.DEBUG):
        said = [door.ask(password=secret), door.ask("nobody", secret)]
    door.change("café", password_hash=CHEAP.hash(secret))
    said.append(door.ask(password=secret))
    held = vars(door.authenticator)
    assert secret not in f"{held} {door.authenticator!r} {said} {caplog.text}"


def test_verify_alone_refuses_what_recall_refuses() -> None:
    """A login that was throttled while its request waited for a thread is not looked at."""
    door = Door()
    said = {"user_name": b"x", "password": b"", "customer_guid": GUID.encode(), "address": ""}
    assert door.authenticator.verify(**said) == UNAUTHENTICATED
    assert door.hasher.asked == []


def test_generated_passwords_are_strong_and_legible() -> None:
    """At least 128 random bits, without look-alikes, and none is like another."""
    made = {generate_password() for _ in range(500)}
    letters = set("".join(made))
    assert len(made) == 500
    assert not letters & set("01lIoO")
    assert len(letters) ** len(made.pop()) >= 2**128


def test_a_stored_hash_is_salted_and_proves_its_password() -> None:
    """Two hashes of one password differ, and each lets its owner in."""
    hashes = {hash_password("x") for _ in range(2)}
    assert len(hashes) == 2
    assert all(HASHER.verify(each, "x") for each in hashes)
