"""What a caller is answered on the two calls, over the real store."""

import threading
from typing import Any
from urllib.parse import urlencode

import pytest
from doors import (
    FORM,
    PAYMENTS,
    STRICT_LOGIN,
    WRITE_DOWNS,
    Answer,
    Door,
    Headers,
    count,
    line,
    payment,
    request,
    write_down,
)

import ledgers
from paydown.domain.outcomes import Refusal
from paydown.storage.database import Database
from paydown.wire import messages

REPLAYED = "idempotent-replayed"
REPLAYED_LINES = "paydown-replayed-lines"
PREFERENCE = "preference-applied"
STRICT, LENIENT = {"Prefer": "handling=strict"}, {"Prefer": "handling=lenient"}
AS_AUDITOR = {"userName": STRICT_LOGIN}


def said(answer: Answer) -> Headers:
    """Of the answer's headers, those that tell how the request was taken."""
    told = {REPLAYED, REPLAYED_LINES, PREFERENCE}
    return {name: value for name, value in answer.headers.items() if name in told}


def test_a_payment_is_answered_to_the_byte(door: Door) -> None:
    """The whole body, with only the time of recording taken from the answer itself."""
    answer = door.post(PAYMENTS, payment(line(1, 2.5)))

    recorded_at = answer.lines[0]["ProcessDate"]
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.body.decode() == (
        f'{{"ContactId":"{ledgers.ANNA}","BillingPayments":[{{"BillingId":1,"Balance":7.5,'
        f'"ProcessDate":"{recorded_at}","PaymentDate":"2026-02-05T10:00:00+00:00",'
        '"ErrorMessage":null}],"ErrorMessage":null,"Success":true}'
    )


def test_a_write_down_is_recorded(door: Door) -> None:
    """The other call, under its own names."""
    answer = door.post(WRITE_DOWNS, write_down(line(1, 2.5), Notes="Goodwill"))

    assert answer.status == 200
    assert answer.told["Success"] is True
    assert answer.lines[0]["Balance"] == 7.5
    assert answer.lines[0]["WriteDownDate"] == "2026-02-05T10:00:00+00:00"


def test_a_form_is_read_like_json(door: Door) -> None:
    """A form-encoded body, its lines named in both ways."""
    fields = {
        "ContactId": ledgers.ANNA,
        "PaymentDate": "2026-02-05T10:00:00Z",
        "TenderTypeId": "28",
        "BillingPayments[0].BillingId": "1",
        "BillingPayments[0].Amount": "2.5",
        "BillingPayments[1][BillingId]": "2",
        "BillingPayments[1][Amount]": "3",
    }
    answer = door.post(PAYMENTS, urlencode(fields).encode(), {"Content-Type": FORM})

    assert [each["Balance"] for each in answer.lines] == [7.5, 7.0]
    assert answer.lines[0]["PaymentDate"] == "2026-02-05T10:00:00Z"


@pytest.mark.parametrize(
    "path",
    ["/POS/BillingPayments/", "/pos/billingpayments", "/PoS/BILLINGpayments/"],
)
def test_the_path_is_read_kindly(door: Door, path: str) -> None:
    """Letters of any case, and a slash at the end, lead to the call."""
    assert door.post(path, payment(line(1))).status == 200


def test_each_line_gets_its_own_answer_in_order(door: Door) -> None:
    """One line out for each line in: recorded ones and refused ones side by side."""
    sent = [line(3), line(1, 11.0), line(99), line(2, 0), line(31), line(4, 1.001)]
    answer = door.post(PAYMENTS, payment(*sent))

    assert answer.status == 200
    assert answer.told["Success"] is False
    assert answer.told["ErrorMessage"] is None
    assert [
        (each["BillingId"], each["Balance"], each["ErrorMessage"]) for each in answer.lines
    ] == [
        (3, 9.0, None),
        (1, 10.0, Refusal.amount_exceeds_balance.sentence),
        (99, None, Refusal.unknown_billing_item.sentence),
        (2, 10.0, Refusal.amount_not_positive.sentence),
        (31, None, Refusal.unknown_billing_item.sentence),
        (4, 10.0, Refusal.amount_too_precise.sentence),
    ]


def test_a_refused_request_still_has_its_lines(door: Door) -> None:
    """A global failure is a 200 with every line echoed, and records nothing."""
    answer = door.post(PAYMENTS, payment(line(1), line(2), line(1)))

    assert answer.status == 200
    assert answer.told["ErrorMessage"] == Refusal.repeated_billing_id.sentence
    assert [each["BillingId"] for each in answer.lines] == [1, 2, 1]
    assert {each["Balance"] for each in answer.lines} == {None}


def test_lines_sent_again_are_answered_as_the_first_time(door: Door, ledger: Database) -> None:
    """A request of recognisable lines is replayed whole, and says so."""
    body = payment(line(1, ThirdPartyReference="A"), line(2, ThirdPartyReference="B"))
    first = door.post(PAYMENTS, body)
    second = door.post(PAYMENTS, body)

    assert said(first) == {}
    assert said(second) == {REPLAYED: "true"}
    assert second.body == first.body
    assert count(ledger, "entry WHERE kind = 'payment'") == 1


def test_some_lines_sent_again_are_counted(door: Door) -> None:
    """Where only some lines were replayed, the answer says how many."""
    door.post(PAYMENTS, payment(line(1, ThirdPartyReference="A")))
    answer = door.post(PAYMENTS, payment(line(1, ThirdPartyReference="A"), line(2)))

    assert said(answer) == {REPLAYED_LINES: "1"}


def test_a_key_repeats_its_answer_or_refuses_another_request(door: Door) -> None:
    """Same key and request: the first answer, byte for byte. Another request: 422."""
    key = {"Idempotency-Key": '"monday"'}
    first = door.post(PAYMENTS, payment(line(1, 2.0)), key)
    again = door.post(PAYMENTS, payment(line(1, "2.00")), {"Idempotency-Key": "monday"})
    other = door.post(PAYMENTS, payment(line(1, 3.0)), key)

    assert said(first) == {}
    assert (again.status, again.body, said(again)) == (200, first.body, {REPLAYED: "true"})
    assert other.status == 422
    assert "Idempotency-Key" in other.told["Message"]


def test_strict_handling_records_all_or_nothing(door: Door) -> None:
    """With one bad line nothing is recorded; with none everything is. Both say it was strict."""
    refused = door.post(PAYMENTS, payment(line(1), line(99)), STRICT)
    recorded = door.post(PAYMENTS, payment(line(1), line(2)), STRICT)

    assert refused.told["ErrorMessage"] == Refusal.lines_refused.sentence
    assert [each["Balance"] for each in recorded.lines] == [9.0, 9.0]
    assert said(refused) == said(recorded) == {PREFERENCE: "handling=strict"}


@pytest.mark.parametrize(
    ("headers", "told", "is_recorded"),
    [
        ({}, {}, True),
        (LENIENT, {PREFERENCE: "handling=lenient"}, True),
        (STRICT, {PREFERENCE: "handling=strict"}, False),
        ({"Prefer": "handling=harsh"}, {}, True),
        ({"Prefer": "respond-async, Handling=Strict; x=1"}, {PREFERENCE: "handling=strict"}, False),
        (AS_AUDITOR, {PREFERENCE: "handling=strict"}, False),
        (AS_AUDITOR | LENIENT, {PREFERENCE: "handling=lenient"}, True),
        (AS_AUDITOR | STRICT, {PREFERENCE: "handling=strict"}, False),
    ],
)
def test_handling_is_as_asked_else_as_the_login_has_it(
    door: Door, headers: Headers, told: Headers, *, is_recorded: bool
) -> None:
    """Prefer decides over the login's default, and the answer says what was applied."""
    answer = door.post(PAYMENTS, payment(line(1), line(99)), headers)

    assert said(answer) == told
    assert (answer.lines[0]["ProcessDate"] is not None) == is_recorded


def test_a_key_replay_says_its_handling_too(door: Door) -> None:
    """The replay of a strict request has both headers."""
    headers = STRICT | {"Idempotency-Key": "k"}
    door.post(PAYMENTS, payment(line(1)), headers)
    again = door.post(PAYMENTS, payment(line(1)), headers)

    assert said(again) == {REPLAYED: "true", PREFERENCE: "handling=strict"}


def test_requests_sent_together_are_all_answered(door: Door, ledger: Database) -> None:
    """Fifty requests at one moment: each is answered, each recorded once."""
    bodies = [payment(line(21, 1.0, ThirdPartyReference=f"R{n}")) for n in range(50)]
    replies = door.ask_together([request("POST", PAYMENTS, body=body) for body in bodies])

    balances = sorted(reply.lines[0]["Balance"] for reply in replies if reply)
    assert balances == [100.5 - n for n in range(50, 0, -1)]
    assert count(ledger, "entry WHERE kind = 'payment'") == 50


def test_a_large_body_does_not_hold_up_the_others(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a body over 64 KiB is being read, a small one is read and answered."""
    door.post(PAYMENTS, payment(line(1)))
    small_was_read, decode = threading.Event(), messages.decode

    def read(kind: Any, body: bytes, *others: Any, **more: Any) -> Any:
        if len(body) > 65_536:
            assert small_was_read.wait(30)
        else:
            small_was_read.set()
        return decode(kind, body, *others, **more)

    monkeypatch.setattr(messages, "decode", read)
    bodies = payment(line(1), Unknown="x" * 65_536), payment(line(2))
    replies = door.ask_together([request("POST", PAYMENTS, body=body) for body in bodies])

    assert [reply and reply.status for reply in replies] == [200, 200]


def test_a_client_that_goes_away_half_way_has_asked_nothing(door: Door, ledger: Database) -> None:
    """Of a body that never ends nothing is recorded, and nothing is answered."""
    replies = door.ask_together(
        [request("POST", PAYMENTS, chunks=[b'{"ContactId"', b":1}"], leaves=True)]
    )

    assert replies == [None]
    assert count(ledger, "entry WHERE kind = 'payment'") == 0


def test_a_body_in_chunks_is_read_whole(door: Door) -> None:
    """Without Content-Length the body ends where its chunks do."""
    body = request("POST", PAYMENTS, body=payment(line(1)))[1].chunks[0]
    answer = door.ask("POST", PAYMENTS, chunks=[body[:9], b"", body[9:50], body[50:]])

    assert answer.status == 200


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("jo.bloggs", "jo.bloggs"),
        ("Zoë", "Zoë"),
        ("Zoë".encode("latin-1"), "Zoë"),
        ("x" * 255, "x" * 255),
        ("x" * 256, None),
        ("", None),
        ("tab\there", None),
    ],
)
def test_who_acted_is_kept_with_the_entry(
    door: Door, ledger: Database, sent: str | bytes, kept: str | None
) -> None:
    """LegendUserName is kept where it can be; one that cannot be does not stop a payment."""
    answer = door.post(PAYMENTS, payment(line(1)), {"LegendUserName": sent})

    assert answer.status == 200
    with ledger.read() as connection:
        entry = connection.exec_driver_sql(
            "SELECT staff_user, request_id, address FROM entry WHERE kind = 'payment'"
        ).one()
    assert tuple(entry) == (kept, answer.headers["x-request-id"], "192.0.2.7")
