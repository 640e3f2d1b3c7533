"""``POST /POS/CreateBilling``: an item that can be paid at once, made once under a key."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest
from doors import FORM, PASSWORD_HASH, PAYMENTS, TILL, Door, count, line, payment, request

from ledgers import ANNA, CLUB, OTHER_CLUB, PAYMENTS_ONLY, Books
from makers import on_every_store
from paydown import audit
from paydown.admin import Admin, Mistake, NewBillingType, NewLogin
from paydown.desk import Desk, Instruction, NewBilling, Result, Told
from paydown.domain.model import Bundle
from paydown.storage.database import Database
from paydown.storage.faults import StoreUnavailable
from paydown.telemetry import Metrics
from paydown.wire import billing
from paydown.wire.headers import Media

PATH = "/POS/CreateBilling"
DETAILS = f"/Contacts/{ANNA}/Details"
KEY = {"Idempotency-Key": "monday"}
DRY = {"Prefer": "dry-run"}
NOBODY = "9b2c1f5e-0000-4000-8000-000000000000"
TABLES = ("billing_item", "created_item", "entry", "posting", "desk_answer")


def body(**more: Any) -> dict[str, Any]:
    """An item of Anna's; a member set to ... is left out."""
    whole = {"PayerId": ANNA, "BillingTypeId": 1, "AgreementId": 5021, "TotalAmount": 12.5, **more}
    return {name: value for name, value in whole.items() if value is not ...}


def rows(database: Database) -> list[int]:
    """How much is recorded."""
    return [count(database, table) for table in TABLES]


def charged(door: Door, **more: Any) -> Any:
    """What is told of an item that was made."""
    answer = door.post(PATH, body(**more))
    assert answer.status == 200, answer.body
    return answer.told


def find(door: Door, billing_id: int) -> Any:
    """What the details of Anna tell of the item."""
    told = door.ask("GET", DETAILS).told["HistoricPayments"]
    (found,) = (each for each in told if each["BillingId"] == billing_id)
    return found


def test_an_item_is_answered_to_the_byte(door: Door) -> None:
    """The payer, the next BillingId, the income account's code, the total as sent."""
    answer = door.post(PATH, body())

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.body.decode() == (
        f'{{"ContactId":"{ANNA}","BillingId":36,"GlCode":"4000","TotalAmount":12.5}}'
    )


def test_the_item_can_be_paid_at_once(door: Door, ledger: Database) -> None:
    """By its BillingId, down to nothing, and the books agree."""
    made = charged(door, TotalAmount="40")
    paid = door.post(PAYMENTS, payment(line(made["BillingId"], 40)))

    assert paid.told["Success"] is True
    assert paid.lines[0]["Balance"] == 0.0
    assert all(finding.ok for finding in audit.verify(ledger))


def test_each_call_without_a_key_makes_an_item(door: Door) -> None:
    """Two items may well be alike, so nothing but a key tells a retry."""
    assert [charged(door)["BillingId"] for _ in range(3)] == [36, 37, 38]


def test_under_a_key_it_is_made_once(door: Door, ledger: Database) -> None:
    """The first answer byte for byte, however it is written; another request is 422."""
    first = door.post(PATH, body(), KEY)
    before = rows(ledger)
    again = door.post("/pos/createBilling/", body(TotalAmount="12.50"), KEY)
    other = door.post(PATH, body(TotalAmount=13), KEY)
    after = rows(ledger)
    paid = door.post(PAYMENTS, payment(line(1)), KEY)

    assert "idempotent-replayed" not in first.headers
    assert (again.status, again.body) == (200, first.body)
    assert again.headers["idempotent-replayed"] == "true"
    assert other.status == 422
    assert after == before
    assert paid.told["Success"] is True, "a key is known within its call"


@pytest.mark.parametrize(
    ("more", "due"),
    [
        ({"EffectiveDate": "2026-07-31T23:30:00Z"}, "2026-08-01T00:00:00+01:00"),
        ({"EffectiveDate": "2026-02-05"}, "2026-02-05T00:00:00+00:00"),
    ],
)
def test_it_is_due_on_the_day_of_its_date(door: Door, more: dict[str, str], due: str) -> None:
    """That day as it is at the customer's."""
    item = find(door, charged(door, **more)["BillingId"])

    assert item["DueDate"] == due
    assert (item["FeeType"], item["SourceText"]) == ("Membership", "Membership")
    assert (item["Amount"], item["Balance"], item["PaymentDate"]) == (12.5, 12.5, None)


def test_money_that_is_anothers_to_collect_is_owed_elsewhere(door: Door, ledger: Database) -> None:
    """The billing type's external account, and its own income account's code in the answer."""
    usual = charged(door, BillingTypeId=2)
    external = charged(door, BillingTypeId=2, IsExternalBilling=True)
    listed = Admin(ledger).list_accounts(CLUB)
    assert not isinstance(listed, Mistake)
    codes = {account.account_id: account.code for account in listed}
    with ledger.read() as connection:
        owed_on = dict(
            connection.exec_driver_sql(
                "SELECT billing_id, receivables_account_id FROM billing_item WHERE customer_id = 1"
            ).all()
        )

    assert (usual["GlCode"], external["GlCode"]) == ("4100", "4100")
    assert codes[owed_on[usual["BillingId"]]] == "1100"
    assert codes[owed_on[external["BillingId"]]] == "1150"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"PayerId": NOBODY}, "PayerId is not a contact of this customer."),
        ({"BillingTypeId": 99}, "BillingTypeId is not a billing type of this customer."),
        ({"BillingTypeId": -1}, "BillingTypeId is not a billing type of this customer."),
        ({"BillingTypeId": 7}, "BillingTypeId is a billing type that is no longer in use."),
        ({"TotalAmount": 0}, "TotalAmount must be greater than zero."),
        ({"TotalAmount": -1}, "TotalAmount must be greater than zero."),
        ({"TotalAmount": 1.005}, "TotalAmount has more decimals than the currency has."),
        ({"TotalAmount": 10**12}, "TotalAmount is greater than the books can hold."),
    ],
)
def test_what_is_refused_makes_nothing(
    door: Door, ledger: Database, more: dict[str, Any], sentence: str
) -> None:
    """400 with one sentence in Legend's names; the key stays free."""
    old = NewBillingType(7, "Locker", "4100", "1150")
    Admin(ledger).add_billing_type(CLUB, old)
    Admin(ledger).set_billing_type_active(CLUB, 7, active=False)
    before = rows(ledger)
    refused = door.post(PATH, body(**more), KEY)

    assert refused.status == 400
    assert list(refused.told) == ["Message"]
    assert refused.told["Message"].startswith(sentence)
    assert rows(ledger) == before
    assert door.post(PATH, body(), KEY).status == 200


def test_every_fault_is_named_at_once(door: Door, ledger: Database) -> None:
    """What is not well formed is 400 with each fault under its own key, the header's too."""
    before = rows(ledger)
    answer = door.post(PATH, {"TotalAmount": "much"}, {"Idempotency-Key": '"'})

    assert answer.status == 400
    assert list(answer.told["ModelState"]) == [
        *("request.PayerId", "request.BillingTypeId", "request.AgreementId"),
        *("request.TotalAmount", "Idempotency-Key"),
    ]
    assert rows(ledger) == before


def test_a_form_is_read_like_json(door: Door) -> None:
    """The same members, form-encoded."""
    form = urlencode(body(MemberServiceId=4, AgreementId=..., IsExternalBilling="true")).encode()
    answer = door.post(PATH, form, {"Content-Type": FORM})

    assert (answer.status, answer.told["TotalAmount"]) == (200, 12.5)


@pytest.mark.parametrize(
    ("method", "headers", "sent", "status"),
    [
        ("GET", {"userName": ""}, b"", 405),
        ("POST", {"password": "wrong", "Content-Type": "text/plain"}, b"", 401),
        ("POST", {"customerGuid": OTHER_CLUB, "Content-Type": "text/plain"}, b"", 403),
        ("POST", {"Content-Type": "text/plain"}, b"{", 415),
        ("POST", {"Content-Type": "application/json; charset=latin-1"}, b"{", 415),
        ("POST", {}, b"{", 400),
        ("POST", {}, b" " * 9_000_000, 413),
    ],
)
def test_what_comes_first_is_as_on_the_two_calls(
    door: Door, method: str, headers: dict[str, str], sent: bytes, status: int
) -> None:
    """405, 413, 401, 403, 415, 400: in the documented order, each in one sentence."""
    answer = door.ask(method, PATH, body=sent, headers={**TILL, **headers})

    assert answer.status == status
    assert answer.told["Message"]


def test_the_bundle_is_that_of_payments(door: Door, ledger: Database) -> None:
    """Who may record payments may make what they pay; who may write down alone may not."""
    clerk = NewLogin("clerk", PASSWORD_HASH)
    assert not isinstance(
        Admin(ledger).add_login(clerk, CLUB, (Bundle.BILLING_WRITE_DOWN,)), Mistake
    )

    assert door.post(PATH, body(), {"userName": PAYMENTS_ONLY}).status == 200
    refused = door.post(PATH, body(), {"userName": "clerk"})
    assert refused.status == 403
    assert "the bundle BillingPayment" in refused.told["Message"]


def test_a_large_body_is_read_too(door: Door) -> None:
    """Beyond what the event loop reads by itself, up to the limit."""
    answer = door.post(PATH, body(Padding="x" * 100_000))

    assert answer.status == 200


def test_a_body_cut_off_makes_nothing(door: Door, ledger: Database) -> None:
    """A client that goes away before its body is whole asked for nothing."""
    before = rows(ledger)
    (answer,) = door.ask_together([request("POST", PATH, chunks=[b"{"], leaves=True)])

    assert answer is None
    assert rows(ledger) == before


def test_a_dry_run_tells_the_answer_and_makes_nothing(door: Door, ledger: Database) -> None:
    """The very answer of the call that comes next, refusals and replays included."""
    before = rows(ledger)
    dry = door.post(PATH, body(), KEY | DRY)
    refused = door.post(PATH, body(PayerId=NOBODY), DRY)
    between = rows(ledger)
    real = door.post(PATH, body(), KEY)
    replayed = door.post(PATH, body(), KEY | DRY)

    assert between == before
    assert dry.headers["preference-applied"] == "dry-run"
    assert (dry.status, dry.body) == (real.status, real.body) == (200, replayed.body)
    assert "idempotent-replayed" not in dry.headers
    assert replayed.headers["idempotent-replayed"] == "true"
    assert refused.status == 400
    assert refused.headers["preference-applied"] == "dry-run"
    assert "preference-applied" not in real.headers


def test_the_log_says_what_was_done(door: Door, metrics: Metrics, log: io.BytesIO) -> None:
    """Made, replayed, tried and refused: each line says which, and by whom."""
    door.post(PATH, body(), KEY | {"LegendUserName": "Nora"})
    door.post(PATH, body(), KEY)
    door.post(PATH, body(), DRY)
    door.post(PATH, body(PayerId=NOBODY))
    lines = [json.loads(each) for each in log.getvalue().splitlines()]
    told = ("status", "recorded", "replayed", "replayed_by_key", "dry_run", "refusals")

    assert {each["route"] for each in lines} == {PATH}
    assert [{name: each[name] for name in told if name in each} for each in lines] == [
        {"status": 200, "recorded": 1},
        {"status": 200, "replayed": 1, "replayed_by_key": True},
        {"status": 200, "dry_run": True},
        {"status": 400, "refusals": ["unknown_contact"]},
    ]
    assert lines[3]["reason"] == billing.SENTENCES[next(iter(billing.SENTENCES))]
    assert f'requests_total{{route="{PATH}",status="200"}} 3.0' in metrics.exposition().decode()


def test_the_entry_keeps_who_asked(door: Door, ledger: Database) -> None:
    """Login, staff user, key, request id and address, as with a payment."""
    door.post(PATH, body(), KEY | {"LegendUserName": "Nora", "X-Request-Id": "r-1"})
    with ledger.read() as connection:
        kept = connection.exec_driver_sql(
            "SELECT kind, contact_id, tender_type_id, login_id, idempotency_key, staff_user, "
            "request_id, address FROM entry WHERE request_id = 'r-1'"
        ).one()

    assert tuple(kept) == ("charge", ANNA, None, 1, "monday", "Nora", "r-1", "192.0.2.7")


def test_a_store_that_fails_is_told_in_a_sentence(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with Retry-After: what was asked may be sent again, under a key only once."""

    def fail(*_: object) -> Result:
        raise StoreUnavailable("The disk is gone.")

    monkeypatch.setattr(door.app._desks.neighbours, "_create_billing", fail)
    monkeypatch.setattr(door.app._desks.neighbours, "_find_details", fail)
    answers = [door.post(PATH, body()), door.ask("GET", DETAILS)]

    assert [each.status for each in answers] == [503, 503]
    assert all(each.headers["retry-after"] for each in answers)
    assert "Idempotency-Key" in answers[0].told["Message"]
    assert not any("disk" in each.told["Message"] for each in answers)


@on_every_store
def test_of_many_at_once_under_a_key_one_is_made(database: Database) -> None:
    """32 callers race with one key, then with a key each: one item, then 32, each its own."""
    with Books(database) as books:
        caller, clock = books.caller(), books.service.clock
        desk = Desk(database, clock=clock)
        meant = billing.decode(json.dumps(body()).encode(), Media.JSON, caller.time_zone)
        assert isinstance(meant, NewBilling)

        def ask(key: str) -> Result:
            return desk.create_billing(Instruction(caller, f"POST {PATH}", key=key), meant)

        with ThreadPoolExecutor(32) as callers:
            same = list(callers.map(ask, ["one"] * 32))
            own = list(callers.map(ask, [f"own {number}" for number in range(32)]))

        made = {billing_id(each) for each in own}
        assert len({billing_id(each) for each in same}) == 1
        assert sum(isinstance(each, Told) and not each.replayed for each in same) == 1
        assert len(made) == 32
        assert set(books.balances()) == {*range(1, 23), *range(31, 36), *range(36, 69)}
        assert all(finding.ok for finding in audit.verify(database))


def billing_id(result: Result) -> int:
    """The item that was told of."""
    assert isinstance(result, Told), result
    told: int = json.loads(result.body)["BillingId"]
    return told
