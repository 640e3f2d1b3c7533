"""Headers in and out: credentials, media types, and the request's id."""

import re

import pytest
from doors import JSON, PASSWORD, PAYMENTS, TILL, WRITE_DOWNS, Door, Headers, line, payment

import ledgers

DENIED = {"Message": "Authorization has been denied for this request."}
MADE_ID = re.compile("[0-9a-f]{32}")


@pytest.mark.parametrize("name", ["userName", "password", "customerGuid"])
@pytest.mark.parametrize("values", [[], [""], ["as it should be", "as it should be"]])
def test_each_credential_is_needed_exactly_once(door: Door, name: str, values: list[str]) -> None:
    """A credential header that is missing, empty or repeated is a wrong login."""
    others = [(key, value) for key, value in TILL.items() if key != name]
    given = [(name, value and TILL[name]) for value in values]
    answer = door.ask("POST", PAYMENTS, body=payment(line(1)), headers=others + given)

    assert (answer.status, answer.told) == (401, DENIED)


@pytest.mark.parametrize(
    "wrong", [{"userName": "nobody"}, {"password": "wrong"}, {"userName": "TILL"}]
)
def test_a_wrong_login_is_told_nothing_more(door: Door, wrong: Headers) -> None:
    """An unknown user and a wrong password get the same words."""
    answer = door.post(PAYMENTS, payment(line(1)), wrong)

    assert (answer.status, answer.told) == (401, DENIED)


@pytest.mark.parametrize("guid", ["nonsense", ledgers.OTHER_CLUB, ledgers.ANNA])
def test_a_customer_that_the_login_may_not_act_for_is_forbidden(door: Door, guid: str) -> None:
    """Malformed, known to others and unknown are told apart by nothing."""
    answer = door.post(PAYMENTS, payment(line(1)), {"customerGuid": guid})

    assert answer.status == 403
    assert answer.told == {
        "Message": "This login is not enabled for the customer that customerGuid names."
    }


@pytest.mark.parametrize(
    "guid", [ledgers.CLUB.upper(), ledgers.CLUB.replace("-", ""), "{" + ledgers.CLUB + "}"]
)
def test_the_customer_may_be_named_in_any_form(door: Door, guid: str) -> None:
    """Every form of a guid that .NET reads names the customer."""
    assert door.post(PAYMENTS, payment(line(1)), {"customerGuid": guid}).status == 200


@pytest.mark.parametrize(
    ("user_name", "path", "status"),
    [
        (ledgers.TILL, PAYMENTS, 200),
        (ledgers.TILL, WRITE_DOWNS, 400),
        (ledgers.PAYMENTS_ONLY, PAYMENTS, 200),
        (ledgers.PAYMENTS_ONLY, WRITE_DOWNS, 403),
    ],
)
def test_a_bundle_opens_its_own_call(door: Door, user_name: str, path: str, status: int) -> None:
    """Only who holds the call's bundle gets as far as the body."""
    answer = door.post(path, payment(line(1)), {"userName": user_name})

    assert answer.status == status


@pytest.mark.parametrize(
    ("media", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; Charset=UTF-8", 200),
        ("application/json; charset=utf-16", 415),
        ("application/xml", 415),
        ("", 415),
    ],
)
def test_the_media_type_must_be_one_that_is_read(door: Door, media: str, status: int) -> None:
    """What is neither JSON nor a form in UTF-8 is not looked at."""
    assert door.post(PAYMENTS, payment(line(1)), {"Content-Type": media}).status == status


@pytest.mark.parametrize("count", [0, 2])
def test_the_media_type_must_be_said_once(door: Door, count: int) -> None:
    """No Content-Type, or two of them, is 415."""
    others = [(name, value) for name, value in TILL.items() if name != "Content-Type"]
    headers = others + [("Content-Type", JSON)] * count

    assert door.ask("POST", PAYMENTS, body=payment(line(1)), headers=headers).status == 415


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", PAYMENTS, 401),
        ("GET", PAYMENTS, 405),
        ("POST", "/nowhere", 404),
        ("POST", "/healthz", 405),
        ("GET", "/healthz", 200),
        ("GET", "/docs/swagger-ui.css", 200),
    ],
)
def test_every_answer_carries_the_id_that_was_sent(
    door: Door, method: str, path: str, status: int
) -> None:
    """Whatever the answer, it carries the request's id and is not to be taken for another type."""
    answer = door.ask(method, path, headers={"X-Request-Id": "till-7/417"})

    assert answer.status == status
    assert answer.headers["x-request-id"] == "till-7/417"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "sent", [[], [""], ["with space"], ["x" * 129], ["tab\there"], ["é"], ["one", "two"]]
)
def test_an_id_that_cannot_be_kept_is_replaced(door: Door, sent: list[str]) -> None:
    """An id is 1 to 128 visible ASCII characters; in place of any other one is made."""
    headers = [*TILL.items(), *(("X-Request-Id", value) for value in sent)]
    answer = door.ask("POST", PAYMENTS, body=payment(line(1)), headers=headers)

    assert answer.status == 200
    assert MADE_ID.fullmatch(answer.headers["x-request-id"])


def test_ids_that_are_made_differ(door: Door) -> None:
    """No two requests share an id."""
    assert len({door.get("/healthz").headers["x-request-id"] for _ in range(20)}) == 20


def test_a_password_may_hold_what_is_not_ascii(door: Door) -> None:
    """A password is compared by its bytes, so one in UTF-8 is wrong but no fault of ours."""
    assert door.post(PAYMENTS, {}, {"password": PASSWORD + "é"}).status == 401
