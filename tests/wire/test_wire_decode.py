"""Bodies to requests: what is read, what is forgiven, and every fault under its own key."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from paydown.domain.model import Kind, Line, Request
from paydown.wire import messages
from paydown.wire.faults import Faults
from paydown.wire.headers import Media
from paydown.wire.messages import decode

LONDON = "Europe/London"
SAMPLES = Path(__file__).parent / "samples"
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
PAYMENTS_REQUEST = Request(
    Kind.PAYMENT,
    GUID,
    28,
    17513604005000000,
    "2025-07-01T10:00:00.5+01:00",
    (Line(1, Decimal("2.0")),),
)


def read(body: str | bytes, kind: Kind = Kind.PAYMENT) -> Request | Faults:
    """The JSON body, decoded for a customer in London."""
    return decode(kind, body if isinstance(body, bytes) else body.encode(), Media.JSON, LONDON)


def with_line(**changes: object) -> dict[str, Any]:
    """The payments body whose one line has these members."""
    return PAYMENTS | {"BillingPayments": [PAYMENT_LINE | changes]}


@pytest.mark.parametrize("name", ["payments_2025-04", "payments_2025-11"])
def test_the_pages_own_payments(name: str) -> None:
    """The sample bodies of the vendor's pages are read as they stand."""
    sample = json.loads((SAMPLES / f"{name}.request.json").read_text())
    line = Line(1, Decimal("2.0"), None, "sample string 3", "sample string 4", "sample string 5")

    request = read((SAMPLES / f"{name}.request.json").read_bytes())

    assert isinstance(request, Request)
    assert request == request._replace(
        kind=Kind.PAYMENT,
        contact_id=sample["ContactId"],
        tender_type_id=2,
        value_written=sample["PaymentDate"],
        lines=(line, line, line),
        notes=None,
    )


@pytest.mark.parametrize(
    "name", ["write_downs_2025-12", "write_downs_2026-02", "write_downs_2026-02_indented"]
)
def test_the_pages_own_write_downs(name: str) -> None:
    """The sample bodies of the vendor's pages are read as they stand."""
    sample = json.loads((SAMPLES / f"{name}.request.json").read_text())
    line = Line(1, Decimal("2.0"), gl_account_id=3)

    request = read((SAMPLES / f"{name}.request.json").read_bytes(), Kind.WRITE_DOWN)

    assert isinstance(request, Request)
    assert request == request._replace(
        kind=Kind.WRITE_DOWN,
        contact_id=sample["ContactId"],
        tender_type_id=2,
        value_written=sample["WriteDownDate"],
        lines=(line, line, line),
        notes="sample string 3",
    )


@pytest.mark.parametrize("body", sorted(SAMPLES.glob("*.request.json")), ids=lambda path: path.stem)
def test_the_pages_own_bodies_go_the_fast_way(body: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies in exact names and types never need the patient reader."""
    monkeypatch.delattr(messages, "read_tree")
    kind = Kind.PAYMENT if body.name.startswith("payments") else Kind.WRITE_DOWN
    assert isinstance(read(body.read_bytes(), kind), Request)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(PAYMENTS),
        json.dumps(PAYMENTS, indent=4),
        "\ufeff" + json.dumps(PAYMENTS),
        json.dumps(PAYMENTS).lower(),
        json.dumps(PAYMENTS).replace("BillingPayments", "BILLINGPAYMENTS"),
        json.dumps(PAYMENTS | {"TenderTypeId": "28"}),
        json.dumps(PAYMENTS | {"TenderTypeId": "0028"}),
        json.dumps(PAYMENTS | {"ContactId": GUID.replace("-", "").upper()}),
        json.dumps(PAYMENTS | {"ContactId": f"{{{GUID}}}"}),
        json.dumps(PAYMENTS | {"PaymentDate": "2025-07-01T09:00:00.5000000999+0000"}),
        json.dumps(PAYMENTS | {"Unknown": {"deep": [1, None, "x"]}, "Success": True}),
        json.dumps(PAYMENTS | {"Notes": 7}),
        json.dumps(with_line(Amount="2.0")),
        json.dumps(with_line(BillingId="1")),
        json.dumps(with_line(Notes=None, AuthorizationCode=None, ThirdPartyReference=None)),
        json.dumps(with_line(ThirdPartyReference="")),
        json.dumps(with_line(GLAccountId="not read here")),
        json.dumps(PAYMENTS).replace('"Amount": 2.0', '"Amount": 2e0'),
        json.dumps(PAYMENTS).replace('"Amount": 2.0', '"Amount": 20.00e-1'),
        json.dumps(PAYMENTS).replace('"Amount": 2.0', '"Amount": 9, "Amount": 2.0'),
        json.dumps(PAYMENTS).replace('"Amount": 2.0', '"Amount": "x", "aMOUNT": 2.0'),
        json.dumps(PAYMENTS).replace('"Amount"', r'"\u0041mount"'),
        json.dumps(PAYMENTS | {"X": 0}).replace('"X": 0', r'"X": "\u0000\ud800"'),
        json.dumps(PAYMENTS | {"X": 0}).replace('"X": 0', '"X": NaN'),
    ],
)
def test_bodies_that_mean_the_same(body: str) -> None:
    """Case, spelling of values, BOM, unknown members and overridden duplicates change nothing."""
    assert read(body) == PAYMENTS_REQUEST


def test_a_write_down_with_everything() -> None:
    """The date stands alone, one note serves all lines, and each line names its GL account."""
    assert read(json.dumps(WRITE_DOWNS), Kind.WRITE_DOWN) == Request(
        Kind.WRITE_DOWN,
        GUID,
        5,
        17513244000000000,
        "2025-07-01T00:00:00",
        (Line(1, Decimal("2.0"), gl_account_id=3),),
        "goodwill",
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [('"Amount": 2.0', '"Amount": "2.0"'), (f'"{GUID}"', f'"{{{GUID}}}"')],
)
def test_write_downs_that_mean_the_same(number: str, text: str) -> None:
    """A write-down in other spellings is read as the plain one is."""
    body = json.dumps(WRITE_DOWNS)
    plain = read(body, Kind.WRITE_DOWN)
    assert isinstance(plain, Request)
    assert read(body.replace(number, text), Kind.WRITE_DOWN) == plain


def test_optional_members_in_another_case_are_not_lost() -> None:
    """An optional member is matched without regard to case, as a required one is."""
    texts = {"thirdPartyReference": "ref", "notes": "note", "AUTHORIZATIONCODE": "code"}
    request = read(json.dumps(with_line(**texts)))
    assert isinstance(request, Request)
    assert request.lines == (Line(1, Decimal("2.0"), None, "ref", "note", "code"),)

    body = json.dumps(WRITE_DOWNS).replace('"Notes"', '"notes"')
    request = read(body, Kind.WRITE_DOWN)
    assert isinstance(request, Request)
    assert request.notes == "goodwill"


@pytest.mark.parametrize("extra", [{}, {"unknown": 1}])
def test_optional_texts_are_kept_as_sent(extra: dict[str, object]) -> None:
    """Texts reach the books unchanged, up to their greatest length counted in code points."""
    texts = {
        "ThirdPartyReference": "😀" * 255,
        "Notes": " \t\r\n" + "é" * 3996,
        "AuthorizationCode": "" if extra else "漢" * 100,
    }

    request = read(json.dumps(with_line(**texts) | extra))

    assert isinstance(request, Request)
    assert request.lines == (Line(1, Decimal("2.0"), None, *texts.values()),)


def test_a_write_down_without_notes() -> None:
    """The note is optional, and null is no note."""
    for notes in ({}, {"Notes": None}, {"Notes": None, "x": 1}):
        body = {name: value for name, value in WRITE_DOWNS.items() if name != "Notes"} | notes
        request = read(json.dumps(body), Kind.WRITE_DOWN)
        assert isinstance(request, Request)
        assert request.notes is None


@pytest.mark.parametrize("extra", [{}, {"unknown": 1}])
def test_an_empty_list_is_well_formed(extra: dict[str, object]) -> None:
    """No lines is for the rules of the books to refuse, not for the form."""
    request = read(json.dumps(PAYMENTS | {"BillingPayments": []} | extra))
    assert isinstance(request, Request)
    assert request.lines == ()
