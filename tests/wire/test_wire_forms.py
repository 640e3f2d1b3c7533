"""Form-encoded bodies mean what the JSON body with the same fields means."""

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydown.domain.model import Kind, Request
from paydown.wire.faults import Faults
from paydown.wire.headers import Media
from paydown.wire.messages import decode, invalid

LONDON = "Europe/London"
GUID = "6ae26b8d-5064-492b-b727-fcd34e07710b"
ROOT = f"ContactId={GUID}&PaymentDate=2025-07-01T10:00:00.5%2B01:00&TenderTypeId=28"


def read(form: str | bytes, kind: Kind = Kind.PAYMENT, lines_max: int = 10_000) -> Request | Faults:
    """The form, decoded for a customer in London."""
    body = form if isinstance(form, bytes) else form.encode()
    return decode(kind, body, Media.FORM, LONDON, lines_max=lines_max)


def read_json(*lines: dict[str, object]) -> Request | Faults:
    """The JSON body with the same root members and these lines."""
    root = {"ContactId": GUID, "PaymentDate": "2025-07-01T10:00:00.5+01:00", "TenderTypeId": 28}
    body = json.dumps(root | {"BillingPayments": lines}).encode()
    return decode(Kind.PAYMENT, body, Media.JSON, LONDON)


def state(form: str | bytes, lines_max: int = 10_000) -> dict[str, list[str]]:
    """The ModelState that answers the form."""
    faults = read(form, lines_max=lines_max)
    assert isinstance(faults, Faults)
    return json.loads(invalid(faults))["ModelState"]


@pytest.mark.parametrize(
    "lines",
    [
        """BillingPayments[0].BillingId=1&BillingPayments[0].Amount=2.50
        &BillingPayments[1].BillingId=2&BillingPayments[1].Amount=3""",
        """BillingPayments[0][BillingId]=1&BillingPayments[0][Amount]=2.50
        &BillingPayments[1][BillingId]=2&BillingPayments[1][Amount]=3""",
        """BillingPayments%5B0%5D%5BBillingId%5D=1&BillingPayments%5B0%5D.Amount=2.50
        &BillingPayments%5b1%5d%5bBillingId%5d=2&BillingPayments%5b1%5d.Amount=3""",
        """billingpayments[1].AMOUNT=3&BILLINGPAYMENTS[0].billingid=1
        &billingPayments[1][billingId]=2&BillingPayments[0].Amount=2.50""",
        """BillingPayments[0].BillingId=9&BillingPayments[0].BillingId=1
        &BillingPayments[0].Amount=2.50&BillingPayments[1].Amount=x
        &BillingPayments[1].BillingId=2&BillingPayments[1].amount=3""",
        """BillingPayments[0].BillingId=1&BillingPayments[0].Amount=2.50
        &BillingPayments[0].Odd=x&BillingPayments[1].BillingId=2
        &BillingPayments[1].Amount=3&BillingPayments[1][A][B]=x
        &BillingPayments[1].A.B[0]=x&Odd[x].y=1&BillingPaymentsOdd[7]=1&Odd&=&&""",
    ],
)
def test_lines_in_every_spelling(lines: str) -> None:
    """Dots and brackets, any case, any order, repeats and unknown names give the same request."""
    expected = read_json({"BillingId": 1, "Amount": "2.50"}, {"BillingId": 2, "Amount": 3})
    assert isinstance(expected, Request)
    lines = "".join(lines.split())
    assert read(f"{ROOT}&{lines}") == expected
    assert read(f"\ufeff{lines}&{ROOT}") == expected


def test_a_form_of_write_downs() -> None:
    """The write-downs call is read from a form as well."""
    request = read(
        f"ContactId={{{GUID}}}&WriteDownDate=2025-07-01&TenderTypeId=5&Notes=good+will"
        "&BillingWriteDowns[0].BillingId=1&BillingWriteDowns[0].Amount=2"
        "&BillingWriteDowns[0].GLAccountId=3",
        Kind.WRITE_DOWN,
    )
    assert isinstance(request, Request)
    assert (request.contact_id, request.value_written) == (GUID, "2025-07-01T00:00:00")
    assert (request.notes, request.lines[0].gl_account_id) == ("good will", 3)


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    st.sampled_from([quote, quote_plus]),
)
def test_texts_come_through(text: str, quoted: object) -> None:
    """Any text, however it is escaped, is read as it was meant."""
    assert callable(quoted)
    line = "BillingPayments[0].BillingId=1&BillingPayments[0].Amount=1"
    request = read(f"{ROOT}&{line}&BillingPayments[0].Notes={quoted(text)}")
    assert isinstance(request, Request)
    assert request.lines[0].notes == text


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        ("a+b", "a b"),
        ("a%20b", "a b"),
        ("a%2Bb", "a+b"),
        ("caf%C3%A9", "café"),
        ("café", "café"),
        ("%F0%9F%98%80", "😀"),
        ("100%", "100%"),
        ("%zz%4", "%zz%4"),
        ("%%41%2541%", "%A%41%"),
        ("a=b", "a=b"),
        ("a;b", "a;b"),
        ("", ""),
    ],
)
def test_escapes(encoded: str, text: str) -> None:
    """Plus is a space, %XX a byte of UTF-8, and what is no escape stands for itself."""
    line = "BillingPayments[0].BillingId=1&BillingPayments[0].Amount=1"
    request = read(f"{ROOT}&{line}&BillingPayments[0].Notes={encoded}")
    assert isinstance(request, Request)
    assert request.lines[0].notes == text


NOT_NUMBERED = (
    "A line of BillingPayments is not named as it must be. "
    "Number the lines from 0 and name their fields, such as BillingPayments[0].BillingId."
)
MISSING = (
    "The BillingPayments field has no line {0}, but later ones. "
    "Number the lines from 0 without leaving one out."
)
TOO_MANY = (
    "The BillingPayments field has more than 10000 lines. Send them in more than one request."
)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("BillingPayments[1].BillingId=1", MISSING.format(0)),
        ("BillingPayments[0].BillingId=1&BillingPayments[2].BillingId=1", MISSING.format(1)),
        ("BillingPayments[0].BillingId=1&BillingPayments[9999].BillingId=1", MISSING.format(1)),
        ("BillingPayments[10000].BillingId=1", TOO_MANY),
        ("BillingPayments[999999999].BillingId=1", TOO_MANY),
        ("BillingPayments[1000000000].BillingId=1", NOT_NUMBERED),
        ("BillingPayments[" + "9" * 100_000 + "].BillingId=1", NOT_NUMBERED),
        ("BillingPayments[].BillingId=1", NOT_NUMBERED),
        ("BillingPayments[a].BillingId=1", NOT_NUMBERED),
        ("BillingPayments[-1].BillingId=1", NOT_NUMBERED),
        ("BillingPayments[00].BillingId=1", NOT_NUMBERED),
        ("BillingPayments[1.0].BillingId=1", NOT_NUMBERED),
        ("BillingPayments[%D9%A1].BillingId=1", NOT_NUMBERED),
        ("BillingPayments[0]=1", NOT_NUMBERED),
        ("BillingPayments[0]BillingId=1", NOT_NUMBERED),
        ("BillingPayments[0].=1", NOT_NUMBERED),
        ("BillingPayments[0", NOT_NUMBERED),
        ("BillingPayments.0.BillingId=1", NOT_NUMBERED),
        ("BillingPayments=1", NOT_NUMBERED),
        ("BillingPayments[0].BillingId=1&BillingPayments[x].BillingId=2", NOT_NUMBERED),
        ("", "The BillingPayments field is required. Send a list of lines."),
    ],
)
def test_lines_that_cannot_be_told_apart(lines: str, sentence: str) -> None:
    """A gap, an index that is no number or too great is one clear fault: no line is dropped."""
    assert state(f"{ROOT}&{lines}") == {"request.BillingPayments": [sentence]}


def test_faults_of_a_form_are_named_like_those_of_json() -> None:
    """Every fault at once, each under its own key."""
    faults = state("ContactId=&TenderTypeId=1.0&BillingPayments[0].Amount=1_0")
    assert list(faults) == [
        "request.ContactId",
        "request.PaymentDate",
        "request.TenderTypeId",
        "request.BillingPayments[0].BillingId",
        "request.BillingPayments[0].Amount",
    ]


def test_a_deeper_path_is_no_value() -> None:
    """A known field with a path beneath it is missing, and its line is not dropped."""
    faults = state(f"{ROOT}&BillingPayments[0].BillingId=1&BillingPayments[0].Amount.Value=1")
    assert list(faults) == ["request.BillingPayments[0].Amount"]


@pytest.mark.parametrize("character", ["%00", "\0"])
def test_nul_in_a_form(character: str) -> None:
    """NUL cannot be kept, however it is sent."""
    line = "BillingPayments[0].BillingId=1&BillingPayments[0].Amount=1"
    faults = state(f"{ROOT}&{line}&BillingPayments[0].Notes=a{character}b")
    assert list(faults) == ["request.BillingPayments[0].Notes"]


@pytest.mark.parametrize(
    "form", [b"Notes=%FF", b"%FF=1", b"Notes=%C3", b"Notes=%ED%A0%80", b"Notes=\xff"]
)
def test_a_form_is_utf8(form: bytes) -> None:
    """Bytes that are not UTF-8, escaped or not, are a fault of the request, even if unknown."""
    assert state(form) == {"request": ["The body is not UTF-8. Send it as UTF-8."]}


def test_a_form_of_the_most_lines() -> None:
    """Ten thousand lines with every field are read."""
    fields = ("BillingId=1", "Amount=1", "ThirdPartyReference=r", "Notes=n", "AuthorizationCode=a")
    lines = [f"BillingPayments[{index}].{field}" for index in range(10_000) for field in fields]
    request = read("&".join([ROOT, *lines]))
    assert isinstance(request, Request)
    assert len(request.lines) == 10_000


def test_a_form_of_too_many_fields() -> None:
    """A form without end is refused before it is taken apart."""
    sentence = (
        "The form has more than 250000 fields. "
        "Send only the fields that are read, and fewer lines in one request."
    )
    assert state("a=1&" * 250_000) == {"request": [sentence]}
    assert "request" not in state("a=1&" * 249_999)


def test_unknown_fields_do_not_depend_on_the_most_lines() -> None:
    """Fields that are ignored may be many, however few lines an operator allows."""
    line = "BillingPayments[0].BillingId=1&BillingPayments[0].Amount=1"
    unknown = "&".join(f"unknown{index}=1" for index in range(30))
    assert isinstance(read(f"{ROOT}&{line}&{unknown}", lines_max=1), Request)


def test_a_form_of_too_many_lines_is_told_so() -> None:
    """A line too many is a fault of the list, however many fields each line has."""
    fields = ["BillingId=1", "Amount=1", *(f"Unknown{index}=1" for index in range(9))]
    lines = [f"BillingPayments[{index}].{field}" for index in range(10_001) for field in fields]
    assert state("&".join([ROOT, *lines])) == {"request.BillingPayments": [TOO_MANY]}
