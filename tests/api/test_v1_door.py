"""Who may ask what of ``/v1``, how a request must come, and how it is refused otherwise."""

import base64
import io
import json
from typing import Any

import pytest
from doors import ADDRESS, JSON, PASSWORD, PASSWORD_HASH, TILL, Answer, Door, Headers, open_door
from v1_asking import everything, get, order, problem

import ledgers
from paydown.admin import Admin, Mistake, NewLogin
from paydown.domain.model import Bundle
from paydown.openapi.routes import ROUTES, Route
from paydown.openapi.v1_examples import example
from paydown.storage.database import Database
from paydown.telemetry import Metrics

PATHS = sorted({route.path for route in ROUTES})
WRITES = [route for route in ROUTES if route.is_write]
NAME = {"name": "Cara"}
NOBODY = "00000000-0000-4000-8000-000000000001"


def basic(user_name: str, password: str) -> str:
    """The value of Authorization."""
    return f"Basic {base64.b64encode(f'{user_name}:{password}'.encode()).decode()}"


BASIC: Headers = {
    "Authorization": basic(ledgers.TILL, PASSWORD),
    "Customer": ledgers.CLUB,
    "Content-Type": JSON,
}


def ask(door: Door, route: Route, headers: Headers, names: dict[str, str]) -> Answer:
    """Ask for the route as its example does."""
    body = bytes(example(route.order)) if route.order else b""
    query = "?first_on=2026-01-01&last_on=2026-02-01" if route.name == "get_statement" else ""
    key = {"Idempotency-Key": f"of {route.name} {headers.get('userName')}"} if route.order else {}
    path = route.path.format(**names) + query
    return door.ask(route.method, path, body=body, headers={**headers, **key})


@pytest.mark.parametrize("bundle", Bundle)
def test_each_route_is_open_to_its_bundle_alone(ledger: Database, bundle: Bundle) -> None:
    """A login that holds one bundle may ask what that opens, and is told of no other."""
    login = Admin(ledger).add_login(NewLogin("one", PASSWORD_HASH), ledgers.CLUB, (bundle,))
    assert not isinstance(login, Mistake)
    door = open_door(ledger)
    names = everything(door)
    for route in ROUTES:
        answer = ask(door, route, {**TILL, "userName": "one"}, names)
        if route.bundle == bundle:
            assert answer.status not in (401, 403, 404, 500), (route.name, answer)
        else:
            told = problem(answer, 403, "bundle_missing")
            assert str(route.bundle) in told["detail"]
    door.close()


def test_every_route_succeeds_as_its_example_asks(door: Door) -> None:
    """With something there to lead to, each read answers 200, and each write but a few that."""
    names = everything(door)
    answers = {route.name: ask(door, route, TILL, names).status for route in ROUTES}
    refused = {name: status for name, status in answers.items() if status not in (200, 201)}

    assert refused == {"reverse_posting": 409, "allocate": 422, "unallocate": 422}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_nobody_is_told_anything_without_a_login(door: Door, route: Route) -> None:
    """Whatever the route, the answer says that HTTP Basic is understood, and no more."""
    names = dict.fromkeys(everything(door), "1")
    for headers in ({}, {**TILL, "password": "wrong"}, {**BASIC, "Authorization": "Basic x"}):
        answer = ask(door, route, headers, names)
        problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"] == 'Basic realm="Paydown", charset="UTF-8"'


def test_basic_and_the_three_headers_are_the_same_login(door: Door) -> None:
    """Either way the books are open, and each write is kept with who made it."""
    for headers in (
        TILL,
        BASIC,
        {**BASIC, "Authorization": f"basic  {BASIC['Authorization'][6:]}"},
    ):
        assert door.ask("GET", "/v1/contacts", headers=headers).status == 200
    key = {"Idempotency-Key": "by basic"}
    door.ask("POST", "/v1/receipts", body=example_receipt(), headers={**BASIC, **key})
    (entry,) = get(door, "/v1/entries?kind=receipt").told["data"]

    assert (entry["caller"], entry["idempotency_key"]) == (ledgers.TILL, "by basic")
    assert entry["address"] == ADDRESS


def example_receipt() -> Any:
    """A receipt of Ben's, whom the example names."""
    (route,) = (route for route in ROUTES if route.name == "record_receipt")
    return bytes(example(route.order))


@pytest.mark.parametrize("name", ["userName", "password", "customerGuid"])
@pytest.mark.parametrize("also", ["Authorization", "Customer"])
def test_both_ways_at_once_are_refused(door: Door, name: str, also: str) -> None:
    """Which of them counts cannot be told, so neither does."""
    headers = {name: TILL[name], also: BASIC[also]}

    problem(door.ask("GET", "/v1/contacts", headers=headers), 400, "credentials_twice")


@pytest.mark.parametrize(
    "value",
    [
        *("Bearer abc", "Basic", "Basic ", "Basic %%%", "Basic dGlsbA==", basic("till", "")),
        *(basic("", PASSWORD), f"Digest {BASIC['Authorization'][6:]}"),
    ],
)
def test_what_is_not_basic_is_no_login(door: Door, value: str) -> None:
    """Another scheme, or one that cannot be read, is 401 as a wrong password is."""
    headers = {**BASIC, "Authorization": value}

    problem(door.ask("GET", "/v1/contacts", headers=headers), 401, "unauthenticated")


@pytest.mark.parametrize("customer", ["", "x", ledgers.OTHER_CLUB])
def test_a_login_acts_for_its_customers_alone(door: Door, customer: str) -> None:
    """By either way: without a customer nobody is recognised, and another's is forbidden."""
    for headers in ({**TILL, "customerGuid": customer}, {**BASIC, "Customer": customer}):
        answer = door.ask("GET", "/v1/contacts", headers=headers)
        if customer:
            assert "Customer" in problem(answer, 403, "customer_forbidden")["detail"]
        else:
            problem(answer, 401, "unauthenticated")


def test_who_fails_too_often_waits_whichever_way_it_tries(door: Door) -> None:
    """The failures by Basic and by the three headers are counted together."""
    for _ in range(5):
        for wrong in ({**TILL, "password": "x"}, {**BASIC, "Authorization": basic("till", "x")}):
            problem(door.ask("GET", "/v1/contacts", headers=wrong), 401, "unauthenticated")
    answer = door.ask("GET", "/v1/items", headers={**BASIC, "Authorization": basic("till", "y")})

    problem(answer, 429, "throttled")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("path", PATHS)
def test_a_wrong_method_is_405_and_says_which_are_right(door: Door, path: str) -> None:
    """Before anybody is asked who they are."""
    answer = door.ask("DELETE", path, headers={})
    methods = {route.method for route in ROUTES if route.path == path}
    methods |= {"HEAD"} if "GET" in methods else set()

    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == ", ".join(sorted(methods))


@pytest.mark.parametrize(
    "path",
    [
        *("/v1", "/v1/", "/v1/contacts/", "/v1/x", "/v1/items/1/2", "/v1//items", "/v1/\0"),
        *("/v1%2Fitems", "/v1/items%2F1", "/v1/items/1%2fexplain"),
    ],
)
def test_an_unknown_path_is_a_problem(door: Door, path: str) -> None:
    """Nothing is there, with or without a login. A slash that is escaped divides nothing."""
    problem(get(door, path), 404, "not_found")
    problem(door.get(path), 404, "not_found")


def test_a_path_beside_it_is_not_part_of_it(door: Door) -> None:
    """What only begins like it is answered as any other page."""
    assert list(door.get("/v1x").told) == ["Message"]


@pytest.mark.parametrize("route", WRITES, ids=lambda route: route.name)
def test_every_write_needs_a_key(door: Door, route: Route) -> None:
    """Without one nothing is done, and a malformed one is named as such."""
    names = dict.fromkeys(everything(door), "1")
    body = bytes(example(route.order))
    path = route.path.format(**names)
    told = problem(
        door.ask(route.method, path, body=body, headers=TILL), 400, "idempotency_key_missing"
    )
    assert "Idempotency-Key" in told["detail"]
    for key in ("", "x" * 256, "é"):
        problem(order(door, route.method, path, body, Idempotency_Key=key), 400, MALFORMED)


MALFORMED = "idempotency_key_malformed"


@pytest.mark.parametrize(
    "media",
    [
        *(
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin1",
        ),
        *("application/problem+json", "application/json, application/json"),
    ],
)
def test_a_body_is_json_in_utf_8(door: Door, media: str) -> None:
    """Another media type, or another charset, is not guessed at."""
    answer = order(door, "POST", "/v1/contacts", NAME, Content_Type=media)

    problem(answer, 415, "unsupported_media_type")


def test_a_body_over_the_limit_is_413(ledger: Database) -> None:
    """Declared or not."""
    door = open_door(ledger, body_bytes_max=100)
    body = {"name": "x" * 100}
    declared = order(door, "POST", "/v1/contacts", body)
    headers = {**TILL, "Idempotency-Key": "k"}
    chunks = [b'{"name":"', b"x" * 100, b'"}']
    streamed = door.ask("POST", "/v1/contacts", headers=headers, chunks=chunks)
    door.close()

    for answer in (declared, streamed):
        told = problem(answer, 413, "body_too_large")
        assert told["detail"] == "The body is larger than 100 bytes. Send less in one request."


def test_what_is_wrong_is_told_in_order(door: Door) -> None:
    """As the reference says. The tag comes last, as only the books know it."""
    kiosk = {**TILL, "userName": ledgers.PAYMENTS_ONLY}
    keyed = {**TILL, "Idempotency-Key": "k"}
    right = {**keyed, "If-Match": '"0"'}
    steps = [
        ("/v1/x", "DELETE", {}, b"{", 404),
        ("/v1/contacts/x?a=b", "DELETE", {}, b"{", 405),
        ("/v1/contacts/x?a=b", "PUT", {}, b"{", 401),
        ("/v1/contacts/x?a=b", "PUT", {**kiosk, "Content-Type": "x"}, b"{", 403),
        ("/v1/contacts/x?a=b", "PUT", {**TILL, "Content-Type": "x"}, b"{", 415),
        ("/v1/contacts/x?a=b", "PUT", {**TILL, "If-Match": "x"}, b"{", 400),
        ("/v1/contacts/x?a=b", "PUT", {**keyed, "If-Match": "x"}, b"{", 400),
        ("/v1/contacts/x?a=b", "PUT", right, b"{", 404),
        (f"/v1/contacts/{ledgers.BEN}?a=b", "PUT", right, b"{", 400),
        (f"/v1/contacts/{ledgers.BEN}", "PUT", right, b"{", 400),
        (f"/v1/contacts/{ledgers.BEN}", "PUT", right, b'{"name":" "}', 422),
        (f"/v1/contacts/{NOBODY}", "PUT", right, b'{"name":"B"}', 404),
        (f"/v1/contacts/{ledgers.BEN}", "PUT", right, b'{"name":"B"}', 412),
        (f"/v1/contacts/{ledgers.BEN}", "PUT", keyed, b'{"name":"B"}', 200),
        (f"/v1/contacts/{ledgers.BEN}", "PUT", right, b'{"name":"B"}', 200),
    ]
    told = [
        (answer.status, answer.told.get("code"))
        for path, method, headers, body, _ in steps
        for answer in [door.ask(method, path, headers=headers, body=body)]
    ]

    assert [status for status, _ in told] == [status for *_, status in steps]
    assert [code for status, code in told if status == 400] == [
        *("idempotency_key_missing", "if_match_malformed", "invalid_query", "invalid_body")
    ]


def test_a_request_is_logged_and_counted_by_its_route(
    log: io.BytesIO, ledger: Database, metrics: Metrics
) -> None:
    """By the template of its path, with who asked, and with no secret."""
    door = open_door(ledger, metrics)
    headers = {**BASIC, "Idempotency-Key": "k"}
    door.ask("GET", f"/v1/contacts/{ledgers.ANNA}", headers=BASIC)
    door.ask("PUT", f"/v1/contacts/{ledgers.ANNA}", headers=headers, body={"name": "Anna"})
    door.ask("PUT", f"/v1/contacts/{ledgers.ANNA}", headers=headers, body={"name": "Anne"})
    door.close()
    lines = [json.loads(each) for each in log.getvalue().splitlines()]
    requests = [each for each in lines if each["event"] == "request"]
    route = "/v1/contacts/{contact_id}"
    counted = [
        metrics.registry.get_sample_value("paydown_requests_total", {"route": route, "status": s})
        for s in ("200", "422")
    ]

    assert counted == [2, 1]
    assert {(each["route"], each["user_name"]) for each in requests} == {(route, ledgers.TILL)}
    assert [(each["status"], each["level"]) for each in requests] == [
        *((200, "info"), (200, "info"), (422, "warning"))
    ]
    for secret in (PASSWORD, BASIC["Authorization"][6:]):
        assert secret not in log.getvalue().decode()


class Leaky:
    """Reads that fail, and say all that they should not."""

    def answer(self, _: object) -> Answer:
        """Raise."""
        raise RuntimeError(f"sent: {BASIC['Authorization']}, that is {PASSWORD}")


def test_a_bug_is_a_problem_and_its_trace_holds_no_secret(
    log: io.BytesIO, ledger: Database
) -> None:
    """500 with no more than that it was our fault; the log has the trace, without the password."""
    door = open_door(ledger)
    door.app._desks.v1._reads = Leaky()
    broken = door.ask("GET", "/v1/contacts", headers=BASIC)
    door.close()

    problem(broken, 500, "internal_error")
    assert b"RuntimeError: sent: [redacted]" in log.getvalue()
    for secret in (PASSWORD, BASIC["Authorization"][6:]):
        assert secret not in log.getvalue().decode()
