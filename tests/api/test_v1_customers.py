"""One customer's books are nothing to another: not even that something is there is told."""

import re

import pytest
from doors import PASSWORD_HASH, TILL, Door, count
from v1_asking import ACCOUNT, BILLING_TYPE, TENDER_TYPE, contact, everything, post

import ledgers
from paydown.admin import Admin, Mistake, NewLogin
from paydown.domain.model import Bundle
from paydown.openapi.routes import ROUTES, Route
from paydown.openapi.v1_examples import example
from paydown.storage.database import Database

NOBODY = "00000000-0000-4000-8000-000000000001"
NOTHING = {
    **dict.fromkeys(("contact_id", "entry_id", "receipt_id"), NOBODY),
    "posting_id": f"{NOBODY}.1",
    **dict.fromkeys(("billing_id", "tender_type_id", "billing_type_id", "gl_account_id"), "77777"),
}
OTHER = {**TILL, "userName": "other", "customerGuid": ledgers.OTHER_CLUB}


@pytest.fixture
def theirs(door: Door, ledger: Database) -> dict[str, str]:
    """Ids of things that the club has and the other club has not, whose login is ``other``."""
    login = NewLogin("other", PASSWORD_HASH)
    made = Admin(ledger).add_login(login, ledgers.OTHER_CLUB, tuple(Bundle))
    assert not isinstance(made, Mistake)
    post(door, "/v1/tender-types", TENDER_TYPE)
    post(door, "/v1/billing-types", BILLING_TYPE)
    account = post(door, "/v1/gl-accounts", ACCOUNT)
    own = {"tender_type_id": "40", "billing_type_id": "10"}
    own["gl_account_id"] = str(account["gl_account_id"])
    return everything(door, contact(door)) | own


@pytest.mark.parametrize(
    "route", [each for each in ROUTES if "{" in each.path], ids=lambda route: route.name
)
def test_another_customers_ids_are_the_ids_of_nothing(
    door: Door, ledger: Database, theirs: dict[str, str], route: Route
) -> None:
    """They are answered to the byte as ids that nobody has, and nothing changes."""
    body = bytes(example(route.order)) if route.order else b""
    query = "?first_on=2026-01-01&last_on=2026-02-01" if route.name == "get_statement" else ""
    before = count(ledger, "entry"), count(ledger, "desk_answer")
    told = [
        door.ask(
            route.method,
            route.path.format(**names) + query,
            headers={**OTHER, "Idempotency-Key": "k"},
            body=body,
        )
        for names in (theirs, NOTHING)
    ]

    assert told[0].status == 404
    assert told[0].body == told[1].body
    assert (count(ledger, "entry"), count(ledger, "desk_answer")) == before


@pytest.mark.parametrize(
    "path", sorted(r.path for r in ROUTES if r.method == "GET" and "{" not in r.path)
)
def test_a_list_holds_its_customers_own_alone(
    door: Door, theirs: dict[str, str], path: str
) -> None:
    """Nothing of the club's is in a list of the other club's, nor found by a filter or a cursor."""
    own = [each for each in theirs.values() if not re.fullmatch("[0-9]+", each)]
    told = door.ask("GET", path, headers=OTHER).body.decode()
    assert [each for each in own if each in told] == []
    if path == "/v1/contacts":
        found = door.ask("GET", f"{path}?search={theirs['contact_id']}", headers=OTHER)
        assert found.told["data"] == []
    if path in ("/v1/items", "/v1/entries", "/v1/postings", "/v1/receipts"):
        found = door.ask("GET", f"{path}?contact_id={theirs['contact_id']}", headers=OTHER)
        assert found.told["data"] == []


def test_what_a_body_names_of_another_customers_is_unknown(
    door: Door, ledger: Database, theirs: dict[str, str]
) -> None:
    """A contact, a billing type, a tender type or an item of the club's cannot be used."""
    ours = dict.fromkeys(("contact_id",), ledgers.ANNA)
    item = {**ours, "billing_type_id": 1, "total_amount": "1.00", "description": "x"}
    receipt = {**ours, "tender_type_id": 1, "amount": "1.00", "value_at": "2026-02-05T10:00:00Z"}
    asked = [
        ("/v1/items", {**item, "contact_id": theirs["contact_id"]}, "/contact_id"),
        ("/v1/items", {**item, "beneficiary_id": theirs["contact_id"]}, "/beneficiary_id"),
        ("/v1/items", {**item, "billing_type_id": 10}, "/billing_type_id"),
        ("/v1/receipts", {**receipt, "contact_id": theirs["contact_id"]}, "/contact_id"),
        ("/v1/receipts", {**receipt, "tender_type_id": 40}, "/tender_type_id"),
    ]
    for number, (path, body, pointer) in enumerate(asked):
        headers = {**OTHER, "Idempotency-Key": f"k{number}"}
        answer = door.ask("POST", path, headers=headers, body=body)
        assert answer.status == 422, answer
        assert [each["pointer"] for each in answer.told["errors"]] == [pointer]
