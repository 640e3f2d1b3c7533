"""What is ordered of ``/v1``: once under each key, tried without a trace, and by whom it may be."""

import asyncio
import json
import time
from typing import Any

import pytest
from doors import TILL, Door, count, make_door, open_door, request
from raw_peer import serving, soon
from v1_asking import (
    ACCOUNT,
    TENDER_TYPE,
    WRITES,
    everything,
    get,
    new_item,
    new_receipt,
    order,
    post,
    problem,
    write_bodies,
)

import ledgers
from paydown.admin import Admin, NewAccount
from paydown.api.app import WRITERS_COUNT, WRITES_WAITING_MAX
from paydown.domain.model import AccountType
from paydown.openapi.routes import Route
from paydown.storage.database import Database
from paydown.storage.schema import metadata
from paydown.telemetry import Metrics

ROOM = WRITERS_COUNT + WRITES_WAITING_MAX
CREATES = [route for route in WRITES.values() if route.location]


@pytest.fixture
def bodies(door: Door) -> dict[str, tuple[str, Any]]:
    """Of each write a path and a body that succeed."""
    return write_bodies(door)


def rows(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    return {name: count(database, name) for name in metadata.tables}


def test_what_an_operator_named_can_be_named_here(door: Door, ledger: Database) -> None:
    """Codes and names may be as long on the one side as on the other."""
    code, name = "4" * 50, "n" * 255
    Admin(ledger).add_account(ledgers.CLUB, NewAccount(code, name, AccountType.ASSET))
    told = post(door, "/v1/tender-types", TENDER_TYPE | {"clearing_account_code": code})
    other = post(door, "/v1/gl-accounts", {**ACCOUNT, "code": "5" * 50, "name": name})
    post(door, "/v1/contacts", {"name": name})
    (found,) = get(door, f"/v1/contacts?search={name}").told["data"]

    assert (told["clearing_account_code"], len(other["code"])) == (code, 50)
    assert found["name"] == name
    assert get(door, f"/v1/entries?caller={name}").told["data"] == []
    for too_long in ({"code": "5" * 51}, {"name": "n" * 256}):
        problem(order(door, "POST", "/v1/gl-accounts", ACCOUNT | too_long), 400, "invalid_body")


def test_an_amount_that_is_none_refuses_its_own_item_alone(door: Door) -> None:
    """Below zero or malformed, each is named by its place; the others are charged."""
    amounts = ["1.00", "-1", "1,00", "1e2", "x" * 40, "", "2.00"]
    items = [new_item(amount=amount) for amount in amounts]
    told = post(door, "/v1/items/bulk", {"items": items})

    assert told["created_count"] == 2
    assert [each["code"] for each in told["results"]] == [None, *["invalid_value"] * 5, None]
    assert [each["errors"] for each in told["results"][1:6]] == [
        [
            {
                "pointer": f"/items/{place}/total_amount",
                "detail": "total_amount is not an amount such as 12.40.",
            }
        ]
        for place in range(1, 6)
    ]
    problem(order(door, "POST", "/v1/items", new_item(amount="-1")), 400, "invalid_body")


@pytest.mark.parametrize("name", WRITES)
def test_a_write_sent_again_is_answered_as_the_first_time(
    door: Door, ledger: Database, bodies: dict[str, tuple[str, Any]], name: str
) -> None:
    """To the byte, and nothing is done twice; the same key for something else is refused."""
    path, body = bodies[name]
    first = order(door, WRITES[name].method, path, body, Idempotency_Key="again")
    before = rows(ledger)
    again = order(door, WRITES[name].method, path, body, Idempotency_Key="again")
    other = order(door, WRITES[name].method, path, change(body), Idempotency_Key="again")

    assert first.status in (200, 201), first
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert again.headers.get("location") == first.headers.get("location")
    problem(other, 422, "idempotency_key_conflict")
    assert rows(ledger) == before


def change(body: Any) -> Any:
    """Another order of the same kind."""
    if "active" in body:
        return {"active": not body["active"]}
    if "lines" in body or "items" in body:
        return {name: [change(each) for each in body[name]] for name in body}
    (name,) = {"reason", "name", "amount", "total_amount"} & set(body)
    return {**body, name: "1.25"}


@pytest.mark.parametrize("name", WRITES)
def test_a_dry_run_says_the_same_and_leaves_no_trace(
    door: Door, ledger: Database, bodies: dict[str, tuple[str, Any]], name: str
) -> None:
    """The status and the members of the real answer, which then still can be had under the key."""
    path, body = bodies[name]
    method = WRITES[name].method
    before = rows(ledger)
    tried = order(door, method, path, body, Idempotency_Key="dry", Prefer="dry-run")
    after = rows(ledger)
    done = order(door, method, path, body, Idempotency_Key="dry")

    assert after == before
    assert tried.headers["preference-applied"] == "dry-run"
    assert "location" not in tried.headers
    assert "preference-applied" not in done.headers
    assert tried.status == done.status
    assert members(tried.told) == members(done.told)
    assert "idempotent-replayed" not in done.headers


def test_a_dry_run_that_is_refused_says_that_it_was_one(door: Door) -> None:
    """The very refusal of the real write, which says nothing of a dry run."""
    zero = new_item(amount="0.00")
    tried = order(door, "POST", "/v1/items", zero, Prefer="dry-run")
    done = order(door, "POST", "/v1/items", zero)

    assert (tried.status, tried.told) == (done.status, done.told)
    assert tried.told["code"] == "amount_not_positive"
    assert tried.headers["preference-applied"] == "dry-run"
    assert "preference-applied" not in done.headers


def members(told: Any) -> Any:
    """An answer without its values: ids and times are new each time."""
    if isinstance(told, dict):
        return {name: members(each) for name, each in told.items()}
    return [members(each) for each in told] if isinstance(told, list) else type(told)


@pytest.mark.parametrize("route", CREATES, ids=lambda route: route.name)
def test_what_was_created_is_where_location_says(
    door: Door, bodies: dict[str, tuple[str, Any]], route: Route
) -> None:
    """Asked for there, it is what the answer said."""
    path, body = bodies[route.name]
    made = order(door, route.method, path, body)
    found = get(door, made.headers["location"])

    assert made.status == 201
    assert found.status == 200
    assert found.told.items() <= {**made.told, **made.told.get("entry", {})}.items()


def test_a_refusal_names_its_member_and_keeps_the_key_free(door: Door, ledger: Database) -> None:
    """Nothing was done, so the same key may carry what is right."""
    before = rows(ledger)
    wrong = new_item(contact_id="00000000-0000-4000-8000-000000000001")
    refused = order(door, "POST", "/v1/items", wrong, Idempotency_Key="k")
    told = problem(refused, 422, "unknown_contact")

    assert [each["pointer"] for each in told["errors"]] == ["/contact_id"]
    assert rows(ledger) == before
    assert order(door, "POST", "/v1/items", new_item(), Idempotency_Key="k").status == 201


def test_a_key_is_known_within_its_call(door: Door) -> None:
    """The same key for another call is another key, as is another login's."""
    made = order(door, "POST", "/v1/items", new_item(), Idempotency_Key="k")
    other = order(door, "POST", "/v1/receipts", new_receipt(), Idempotency_Key="k")
    quoted = order(door, "POST", "/v1/items", new_item(), Idempotency_Key='"k"')

    assert [made.status, other.status, quoted.status] == [201, 201, 201]
    assert quoted.body == made.body


def test_a_key_is_bound_to_what_the_path_names(door: Door) -> None:
    """The same body for another contact is another request."""
    body = {"name": "A. Archer"}
    for contact_id, status in ((ledgers.ANNA, 200), (ledgers.BEN, 422), (ledgers.ANNA, 200)):
        answer = order(door, "PUT", f"/v1/contacts/{contact_id}", body, Idempotency_Key="k")
        assert answer.status == status


def test_who_acted_is_kept(door: Door) -> None:
    """Caller, member of staff, request id and address, as with the two calls."""
    headers = {"LegendUserName": "j.doe", "X_Request_Id": "req-1", "Idempotency_Key": "k-1"}
    post(door, "/v1/receipts", new_receipt(), **headers)
    (entry,) = get(door, "/v1/entries?kind=receipt").told["data"]

    assert entry["caller"] == ledgers.TILL
    assert (entry["staff_user"], entry["request_id"]) == ("j.doe", "req-1")
    assert (entry["address"], entry["idempotency_key"]) == ("192.0.2.7", "k-1")


def test_32_callers_at_once_create_one(door: Door, ledger: Database) -> None:
    """All under one key: one item, and 32 equal answers."""
    before = count(ledger, "billing_item")
    headers = {**TILL, "Idempotency-Key": "race"}
    asked = [request("POST", "/v1/items", body=new_item(), headers=headers) for _ in range(32)]
    answers = door.ask_together(asked)

    assert {answer.status for answer in answers if answer} == {201}
    assert len({answer.body for answer in answers if answer}) == 1
    assert count(ledger, "billing_item") == before + 1


def test_32_callers_at_once_reverse_once(door: Door, ledger: Database) -> None:
    """Each under a key of its own: one reverses, and the others are told that it is done."""
    posting = everything(door)["posting_id"]
    before = count(ledger, "reversal")
    path, body = f"/v1/postings/{posting}/reverse", {"reason": "A mistake"}
    asked = [
        request("POST", path, body=body, headers={**TILL, "Idempotency-Key": f"race-{number}"})
        for number in range(32)
    ]
    answers = [answer for answer in door.ask_together(asked) if answer]

    assert sorted(answer.status for answer in answers) == [201] + [409] * 31
    assert {answer.told["code"] for answer in answers if answer.status == 409} == {
        "already_reversed"
    }
    assert count(ledger, "reversal") == before + 1


def test_reads_are_answered_while_writes_wait(ledger: Database) -> None:
    """Writes have threads of their own: however many wait for the ledger, a read is answered."""
    door = open_door(ledger)
    door.get("/healthz")

    async def ask_all() -> tuple[list[int], bool]:
        headers = {**TILL, "Idempotency-Key": "k"}
        writes = [
            asyncio.create_task(
                door._serve(*request("POST", "/v1/items", body=new_item(), headers=headers))
            )
            for _ in range(8)
        ]
        await asyncio.sleep(0.2)
        read = await door._serve(*request("GET", "/v1/items/1", headers=TILL))
        early = not any(write.done() for write in writes)
        held.__exit__(None, None, None)
        return [read.status, *(each.status for each in await asyncio.gather(*writes))], early

    held = ledger.write()
    held.__enter__()
    statuses, early = door.runner.run(ask_all())
    door.close()

    assert statuses == [200] + [201] * 8
    assert early


def test_too_many_at_once_are_told_to_come_back(ledger: Database) -> None:
    """A full crew answers 503 at once, with when to come back, and does nothing."""
    door = open_door(ledger)
    door.ask("GET", "/v1/items/1", headers=TILL)
    room = door.app._crews.readers._room
    while room.acquire(blocking=False):
        pass
    answer = door.ask("GET", "/v1/items/1", headers=TILL)
    room.release()
    again = door.ask("GET", "/v1/items/1", headers=TILL)
    door.close()

    problem(answer, 503, "busy")
    assert answer.headers["retry-after"] == "1"
    assert again.status == 200


def test_a_store_that_cannot_serve_is_503_and_may_pass(ledger: Database) -> None:
    """Why, which names files, is for the log alone."""
    door = open_door(ledger)
    door.ask("GET", "/v1/items/1", headers=TILL)
    path = ledger.path.with_name("gone.db")
    ledger.path.rename(path)
    answers = [get(door, "/v1/items/1"), order(door, "POST", "/v1/items", new_item())]
    path.rename(ledger.path)
    door.close()

    for answer, words in zip(answers, ("cannot be read", "cannot be written"), strict=True):
        told = problem(answer, 503, "store_unavailable")
        assert words in told["detail"]
        assert ledger.path.name not in str(told)
        assert int(answer.headers["retry-after"]) > 0


def test_a_write_under_way_when_the_server_stops_is_answered(ledger: Database) -> None:
    """It was accepted, so it is carried out and told of before the server ends."""
    door = make_door(ledger, Metrics())
    body = json.dumps(new_item()).encode()
    headers = {**TILL, "Idempotency-Key": "k"}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    with serving(app=door) as running:
        peer = running.connect()
        with ledger.write():
            peer.post("/v1/items", body, extra=head)
            assert soon(lambda: door._crews.writers._room._value < ROOM)
            running.stop()
            time.sleep(0.3)
        answer = peer.answer()

    assert answer.status == 201
    assert not running.thread.is_alive()
