"""What is wrong with a body: every fault under its own key, with what to send instead."""

import json
from typing import Any

import pytest

from paydown.domain.model import Kind, Request
from paydown.wire.faults import Fault, Faults, gather
from paydown.wire.headers import Media
from paydown.wire.messages import decode, invalid

LONDON = "Europe/London"
GUID = "6ae26b8d-5064-492b-b727-fcd34e07710b"

PAYMENT_LINE = {"BillingId": 1, "Amount": 2.0}
PAYMENTS = {
    "ContactId": GUID,
    "PaymentDate": "2025-07-01T10:00:00.5+01:00",
    "TenderTypeId": 28,
    "BillingPayments": [PAYMENT_LINE],
}
WRITE_DOWN_LINE = {"BillingId": 1, "Amount": 2.0, "GLAccountId": 3}
WRITE_DOWNS = {
    "ContactId": GUID,
    "WriteDownDate": "2025-07-01",
    "TenderTypeId": 5,
    "Notes": "goodwill",
    "BillingWriteDowns": [WRITE_DOWN_LINE],
}


def state(body: object, kind: Kind = Kind.PAYMENT) -> dict[str, list[str]]:
    """The ModelState that answers the body; empty where nothing is wrong with it."""
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    result = decode(kind, body, Media.JSON, LONDON)
    if isinstance(result, Request):
        return {}
    answer = json.loads(invalid(result))
    assert answer["Message"] == "The request is invalid."
    return answer["ModelState"]


def with_line(**changes: object) -> dict[str, Any]:
    """The payments body whose one line has these members."""
    return PAYMENTS | {"BillingPayments": [PAYMENT_LINE | changes]}


GUID_SENTENCE = "The ContactId field cannot be read. Send a GUID."
DATE_SENTENCE = (
    "The PaymentDate field cannot be read. "
    "Send an ISO 8601 date of the years 1970 to 2099, such as 2026-02-05T10:15:00+00:00."
)
TENDER_SENTENCE = (
    "The TenderTypeId field cannot be read. "
    "Send a whole number, in digits only, from -2147483648 to 2147483647."
)
BILLING_ID_SENTENCE = TENDER_SENTENCE.replace("TenderTypeId", "BillingId")
AMOUNT_SENTENCE = (
    "The Amount field cannot be read. Send a number of at most 28 digits, such as 12.5."
)
NOTES_SENTENCE = "The Notes field cannot be read. Send a text, or leave it out."
UNSTORABLE_SENTENCE = (
    "The Notes field holds NUL or half of a surrogate pair. Send a text without them."
)


@pytest.mark.parametrize(
    ("member", "literal", "sentence"),
    [
        ("ContactId", '"x"', GUID_SENTENCE),
        ("ContactId", '""', GUID_SENTENCE),
        ("ContactId", "12345678901234567890123456789012", GUID_SENTENCE),
        ("ContactId", "true", GUID_SENTENCE),
        ("ContactId", "[]", GUID_SENTENCE),
        ("ContactId", "null", "The ContactId field is required. Send a GUID."),
        ("PaymentDate", '"yesterday"', DATE_SENTENCE),
        ("PaymentDate", '"0001-01-01T00:00:00"', DATE_SENTENCE),
        ("PaymentDate", "1751360400", DATE_SENTENCE),
        ("PaymentDate", "{}", DATE_SENTENCE),
        ("PaymentDate", "null", DATE_SENTENCE.replace("cannot be read", "is required")),
        ("TenderTypeId", "2147483648", TENDER_SENTENCE),
        ("TenderTypeId", "1.0", TENDER_SENTENCE),
        ("TenderTypeId", "1e2", TENDER_SENTENCE),
        ("TenderTypeId", '"1.0"', TENDER_SENTENCE),
        ("TenderTypeId", '" 1"', TENDER_SENTENCE),
        ("TenderTypeId", '""', TENDER_SENTENCE),
        ("TenderTypeId", "false", TENDER_SENTENCE),
        ("TenderTypeId", "[1]", TENDER_SENTENCE),
        ("TenderTypeId", "null", TENDER_SENTENCE.replace("cannot be read", "is required")),
        ("BillingPayments[0].BillingId", '"one"', BILLING_ID_SENTENCE),
        ("BillingPayments[0].BillingId", "9" * 5000, BILLING_ID_SENTENCE),
        ("BillingPayments[0].Amount", "NaN", AMOUNT_SENTENCE),
        ("BillingPayments[0].Amount", "Infinity", AMOUNT_SENTENCE),
        ("BillingPayments[0].Amount", "-Infinity", AMOUNT_SENTENCE),
        ("BillingPayments[0].Amount", '"NaN"', AMOUNT_SENTENCE),
        ("BillingPayments[0].Amount", "true", AMOUNT_SENTENCE),
        ("BillingPayments[0].Amount", "{}", AMOUNT_SENTENCE),
        ("BillingPayments[0].Amount", '"£2"', AMOUNT_SENTENCE),
        ("BillingPayments[0].Amount", '" 2"', AMOUNT_SENTENCE),
        ("BillingPayments[0].Amount", '"1_0"', AMOUNT_SENTENCE),
        ("BillingPayments[0].Amount", '"1,000"', AMOUNT_SENTENCE),
        ("BillingPayments[0].Amount", '"٢"', AMOUNT_SENTENCE),
        ("BillingPayments[0].Amount", "1e400", AMOUNT_SENTENCE),
        ("BillingPayments[0].Amount", "1e999999999999", AMOUNT_SENTENCE),
        ("BillingPayments[0].Amount", "1" * 29, AMOUNT_SENTENCE),
        (
            "BillingPayments[0].Amount",
            "null",
            AMOUNT_SENTENCE.replace("cannot be read", "is required"),
        ),
        ("BillingPayments[0].Notes", "5", NOTES_SENTENCE),
        ("BillingPayments[0].Notes", "true", NOTES_SENTENCE),
        ("BillingPayments[0].Notes", "NaN", NOTES_SENTENCE),
        ("BillingPayments[0].Notes", "[]", NOTES_SENTENCE),
        ("BillingPayments[0].Notes", r'"a\u0000b"', UNSTORABLE_SENTENCE),
        ("BillingPayments[0].Notes", r'"\ud800"', UNSTORABLE_SENTENCE),
        ("BillingPayments[0].Notes", r'"\udfff!"', UNSTORABLE_SENTENCE),
        (
            "BillingPayments[0].Notes",
            json.dumps("n" * 4001),
            "The Notes field is longer than 4000 characters. Send a shorter text.",
        ),
        (
            "BillingPayments[0].ThirdPartyReference",
            json.dumps("😀" * 256),
            "The ThirdPartyReference field is longer than 255 characters. Send a shorter text.",
        ),
        (
            "BillingPayments[0].AuthorizationCode",
            json.dumps("a" * 101),
            "The AuthorizationCode field is longer than 100 characters. Send a shorter text.",
        ),
        (
            "BillingPayments",
            "null",
            "The BillingPayments field is required. Send a list of lines.",
        ),
        (
            "BillingPayments",
            "{}",
            "The BillingPayments field cannot be read. Send a list of lines.",
        ),
        (
            "BillingPayments",
            '"x"',
            "The BillingPayments field cannot be read. Send a list of lines.",
        ),
    ],
)
def test_one_fault(member: str, literal: str, sentence: str) -> None:
    """Each fault stands alone under the key of its field, and says what to send instead."""
    name = member.rpartition(".")[2]
    body = PAYMENTS | {name: "@"} if name == member else with_line(**{name: "@"})

    assert state(json.dumps(body).replace('"@"', literal)) == {f"request.{member}": [sentence]}


@pytest.mark.parametrize(
    ("member", "value", "sentence"),
    [
        ("GLAccountId", None, BILLING_ID_SENTENCE.replace("cannot be read", "is required")),
        ("GLAccountId", "x", BILLING_ID_SENTENCE),
    ],
)
def test_a_write_down_line_needs_its_gl_account(member: str, value: object, sentence: str) -> None:
    """GLAccountId is required on each line of a write-down, as an Int32."""
    body = WRITE_DOWNS | {"BillingWriteDowns": [WRITE_DOWN_LINE, WRITE_DOWN_LINE | {member: value}]}
    assert state(body, Kind.WRITE_DOWN) == {
        f"request.BillingWriteDowns[1].{member}": [sentence.replace("BillingId", member)]
    }


@pytest.mark.parametrize("member", ["ContactId", "WriteDownDate"])
def test_a_write_down_names_its_contact_and_date(member: str) -> None:
    """A text that is no guid, or no date, is the fault of its field."""
    assert list(state(WRITE_DOWNS | {member: "x"}, Kind.WRITE_DOWN)) == [f"request.{member}"]


def test_a_write_downs_note_can_be_too_long() -> None:
    """The one note of a write-downs request holds 4,000 characters."""
    assert list(state(WRITE_DOWNS | {"Notes": "n" * 4000}, Kind.WRITE_DOWN)) == []
    assert list(state(WRITE_DOWNS | {"Notes": "n" * 4001}, Kind.WRITE_DOWN)) == ["request.Notes"]


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        (Kind.PAYMENT, ["ContactId", "PaymentDate", "TenderTypeId", "BillingPayments"]),
        (Kind.WRITE_DOWN, ["ContactId", "WriteDownDate", "TenderTypeId", "BillingWriteDowns"]),
    ],
)
def test_an_empty_object_lacks_everything(kind: Kind, keys: list[str]) -> None:
    """Every required field is named at once, in the documented order."""
    assert list(state({}, kind)) == [f"request.{key}" for key in keys]


def test_every_fault_at_once() -> None:
    """Faults of the body and of each line are named together, in the documented order."""
    lines = [
        {
            "BillingId": "x",
            "Amount": True,
            "Notes": 1,
            "ThirdPartyReference": 2,
            "AuthorizationCode": 3,
        },
        PAYMENT_LINE,
        {},
    ]
    assert list(state({"contactid": 1, "TenderTypeId": None, "BillingPayments": lines})) == [
        "request.ContactId",
        "request.PaymentDate",
        "request.TenderTypeId",
        "request.BillingPayments[0].BillingId",
        "request.BillingPayments[0].Amount",
        "request.BillingPayments[0].ThirdPartyReference",
        "request.BillingPayments[0].Notes",
        "request.BillingPayments[0].AuthorizationCode",
        "request.BillingPayments[2].BillingId",
        "request.BillingPayments[2].Amount",
    ]


@pytest.mark.parametrize("line", [{}, {"BillingId": 1}, None])
def test_a_hundred_faults_are_named(line: object) -> None:
    """The answer stops at a hundred faults, however many there are."""
    faults = state(PAYMENTS | {"BillingPayments": [line] * 10_000})
    assert sum(map(len, faults.values())) == 100


@pytest.mark.parametrize("line", [None, 1, "x", True, []])
def test_a_line_that_is_no_object(line: object) -> None:
    """A null line is a fault of the request, and says which line it is."""
    assert state(PAYMENTS | {"BillingPayments": [PAYMENT_LINE, line]}) == {
        "request": ["Line 1 of BillingPayments is not an object. Send an object for each line."]
    }


def test_ten_thousand_lines_and_one_more() -> None:
    """Ten thousand lines are read, one more is a fault of the list."""
    most = PAYMENTS | {"BillingPayments": [PAYMENT_LINE] * 10_000}
    more = PAYMENTS | {"BillingPayments": [PAYMENT_LINE] * 10_001}
    assert state(most) == {}
    (sentence,) = state(more)["request.BillingPayments"]
    assert sentence == (
        "The BillingPayments field has more than 10000 lines. Send them in more than one request."
    )


def test_the_most_lines_are_a_setting() -> None:
    """An operator may allow fewer lines."""
    body = json.dumps(PAYMENTS | {"BillingPayments": [PAYMENT_LINE] * 3}).encode()
    assert isinstance(decode(Kind.PAYMENT, body, Media.JSON, LONDON, lines_max=3), Request)
    assert isinstance(decode(Kind.PAYMENT, body, Media.JSON, LONDON, lines_max=2), Faults)


NOT_JSON = "The body is not well-formed JSON. Send one JSON object."
NOT_OBJECT = "The body is not an object. Send one JSON object."
NOT_UTF8 = "The body is not UTF-8. Send it as UTF-8."
TOO_DEEP = "The body is nested more than 256 levels deep. Send only the members that are read."
TOO_MANY_OBJECTS = (
    "The body holds more than 200000 objects and lists. "
    "Send only the members that are read, and fewer lines in one request."
)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", NOT_JSON),
        (b" \n", NOT_JSON),
        (b"{", NOT_JSON),
        (b'{"ContactId":"}', NOT_JSON),
        (b"{'ContactId':1}", NOT_JSON),
        (b'{"a":1,}', NOT_JSON),
        (b'{"a":01}', NOT_JSON),
        (b'{"a":"\t"}', NOT_JSON),
        (b'{"a":"\x00"}', NOT_JSON),
        (b"{} {}", NOT_JSON),
        (b"ContactId=1", NOT_JSON),
        (b"[" * 257, TOO_DEEP),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, TOO_DEEP),
        (b"[]" * 257, NOT_JSON),
        (b"[]" * 257 + b"]" * 100_000, NOT_JSON),
        (b'"[' + b"[" * 257, NOT_JSON),
        (b"[]" * 257 + b'"\\', NOT_JSON),
        ("\ufeff\ufeff{}".encode(), NOT_JSON),
        (b"null", NOT_OBJECT),
        (b"[]", NOT_OBJECT),
        (b"5", NOT_OBJECT),
        (b'"x"', NOT_OBJECT),
        (b"NaN", NOT_OBJECT),
        (b'{"ContactId":"\xff"}', NOT_UTF8),
        (b'{"ContactId":"\xed\xa0\x80"}', NOT_UTF8),
        (json.dumps(PAYMENTS).encode("utf-16"), NOT_UTF8),
    ],
)
def test_bodies_that_cannot_be_read(body: bytes, sentence: str) -> None:
    """What is no JSON object in UTF-8 is a fault of the whole request."""
    assert state(body) == {"request": [sentence]}


def nested(levels: int) -> str:
    """Lists in one another, with brackets in a text, which do not count."""
    return "[" * levels + '"[{\\"[\\\\"' + "]" * levels


@pytest.mark.parametrize("levels", [254, 10_000, 100_000])
@pytest.mark.parametrize("after", ["", ',"Amount":2.0'])
def test_amounts_too_deep(levels: int, after: str) -> None:
    """The body, its list and the line are three levels; an amount that is overridden counts."""
    body = json.dumps(with_line(Amount="@")).replace('"@"', nested(levels) + after)
    assert state(body) == {"request": [TOO_DEEP]}


def test_members_of_256_levels_and_one_more() -> None:
    """An unknown member may be deep, to a limit that is the same on every machine."""
    body = json.dumps(PAYMENTS | {"Unknown": "@"})
    assert state(body.replace('"@"', nested(255))) == {}
    assert state(body.replace('"@"', nested(256))) == {"request": [TOO_DEEP]}


def test_two_hundred_thousand_objects_and_lists_and_one_more() -> None:
    """Objects and lists are counted wherever they stand; brackets within texts are not."""
    others = 3  # the body, the list of lines and the list of what is unknown
    body = json.dumps(PAYMENTS | {"Unknown": "@", "BillingPayments": []})
    most = ",".join(["[]", "{}"] * ((200_000 - others) // 2) + ["[]", json.dumps("[{" * 200_000)])
    assert state(body.replace('"@"', f"[{most}]")) == {}
    assert state(body.replace('"@"', f"[{{}},{most}]")) == {"request": [TOO_MANY_OBJECTS]}


def test_texts_full_of_brackets_are_read() -> None:
    """What stands within a text is neither deep nor many."""
    assert state(with_line(Notes="[{" * 2000)) == {}


def test_faults_of_header_and_body_are_gathered() -> None:
    """One answer names what is wrong with the key and with the body, a hundred faults at most."""
    key, body = Fault("Idempotency-Key", "k"), Fault("request.ContactId", "c")

    assert gather(key, Faults((body, body))) == Faults((key, body, body))
    assert gather("a key", Faults((body,))) == Faults((body,))
    assert gather(key, Faults((body,) * 100)) == Faults((key, *(body,) * 99))
    assert gather("a key", None) is None
