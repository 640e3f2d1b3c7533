"""``POST /POS/CreateBilling`` on the wire: what is read, what is wrong, what is answered."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydown.domain.charging import NewBilling
from paydown.domain.desk_refusals import DeskRefusal
from paydown.wire import billing
from paydown.wire.faults import Faults
from paydown.wire.headers import Media

ZONE = "Europe/London"
PAYER = "6ae26b8d-5064-492b-b727-fcd34e07710b"
WHOLE = {
    "PayerId": PAYER,
    "BillingTypeId": 1,
    "AgreementId": 5021,
    "MemberServiceId": 7,
    "TotalAmount": 12.5,
    "EffectiveDate": "2026-07-05T09:13:12Z",
    "IsExternalBilling": True,
}
MEANT = NewBilling(
    contact_id=PAYER,
    billing_type_id=1,
    total_amount=Decimal("12.5"),
    effective=(17_832_427_920_000_000, "2026-07-05T09:13:12Z"),
    agreement_id=5021,
    member_service_id=7,
    is_external=True,
)


def read(body: object, media: Media = Media.JSON) -> NewBilling | Faults:
    """What the body means; one that is not bytes is written as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return billing.decode(raw, media, ZONE)


def keys(read_as: NewBilling | Faults) -> list[str]:
    """Where the faults are."""
    assert isinstance(read_as, Faults), read_as
    return [fault.key for fault in read_as.faults]


def without(*names: str) -> dict[str, Any]:
    """The whole body but for these members."""
    return {name: value for name, value in WHOLE.items() if name not in names}


def test_a_whole_body_is_read() -> None:
    """Every member, in JSON and as a form."""
    form = {name: str(value) for name, value in WHOLE.items()}

    assert read(WHOLE) == MEANT
    assert read(urlencode(form).encode(), Media.FORM) == MEANT


@pytest.mark.parametrize(
    ("changed", "meant"),
    [
        (without("EffectiveDate"), {"effective": None}),
        (WHOLE | {"EffectiveDate": None}, {"effective": None}),
        (without("IsExternalBilling"), {"is_external": False}),
        (WHOLE | {"IsExternalBilling": None}, {"is_external": False}),
        (WHOLE | {"IsExternalBilling": False}, {"is_external": False}),
        (WHOLE | {"IsExternalBilling": "TRUE"}, {}),
        (without("AgreementId"), {"agreement_id": None}),
        (WHOLE | {"MemberServiceId": None}, {"member_service_id": None}),
        (WHOLE | {"Unknown": {"deep": []}}, {}),
        ({name.upper(): value for name, value in WHOLE.items()}, {}),
        (WHOLE | {"BillingTypeId": "1", "TotalAmount": "12.50"}, {"total_amount": Decimal("12.5")}),
        (WHOLE | {"PayerId": f"{{{PAYER.upper()}}}"}, {}),
        (WHOLE | {"TotalAmount": -3}, {"total_amount": Decimal(-3)}),
    ],
)
def test_what_is_left_out_or_written_otherwise(
    changed: dict[str, Any], meant: dict[str, Any]
) -> None:
    """Optional members may be absent or null; names, numbers and guids are read kindly."""
    assert read(changed) == MEANT._replace(**meant)


@pytest.mark.parametrize(
    ("body", "faulty"),
    [
        ({}, ["PayerId", "BillingTypeId", "AgreementId", "TotalAmount"]),
        (without("AgreementId", "MemberServiceId"), ["AgreementId"]),
        (WHOLE | {"AgreementId": None, "MemberServiceId": None}, ["AgreementId"]),
        (without("AgreementId") | {"MemberServiceId": "x"}, ["MemberServiceId"]),
        (WHOLE | {"AgreementId": 0}, ["AgreementId"]),
        (WHOLE | {"AgreementId": -5, "MemberServiceId": "0"}, ["AgreementId", "MemberServiceId"]),
        (WHOLE | {"PayerId": "Anna"}, ["PayerId"]),
        (WHOLE | {"PayerId": None}, ["PayerId"]),
        (WHOLE | {"BillingTypeId": 1.0}, ["BillingTypeId"]),
        (WHOLE | {"BillingTypeId": 2**31}, ["BillingTypeId"]),
        (WHOLE | {"TotalAmount": "1,5"}, ["TotalAmount"]),
        (WHOLE | {"TotalAmount": float("nan")}, ["TotalAmount"]),
        (WHOLE | {"EffectiveDate": "yesterday"}, ["EffectiveDate"]),
        (WHOLE | {"EffectiveDate": 20260205}, ["EffectiveDate"]),
        (WHOLE | {"IsExternalBilling": "yes"}, ["IsExternalBilling"]),
        (WHOLE | {"IsExternalBilling": 1}, ["IsExternalBilling"]),
        (WHOLE | {"IsExternalBilling": []}, ["IsExternalBilling"]),
        (
            {name: [] for name in WHOLE},
            list(WHOLE),
        ),
    ],
)
def test_every_fault_is_named_in_the_documented_order(body: object, faulty: list[str]) -> None:
    """Each under its own member's key."""
    assert keys(read(body)) == [f"request.{name}" for name in faulty]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"null", b'{"PayerId":' + b"[" * 300])
def test_what_is_no_object_is_a_fault_of_the_request(body: bytes) -> None:
    """One fault, under the key of the whole."""
    assert keys(read(body)) == ["request"]


def test_the_sentence_about_the_two_ids_says_which_they_are() -> None:
    """One of the two is wanted, and the sentence is not that of a single required field."""
    read_as = read(without("AgreementId", "MemberServiceId"))

    assert isinstance(read_as, Faults)
    assert read_as.faults[0].sentence == (
        "One of AgreementId or MemberServiceId is required. Send the one that the item belongs to."
    )


@given(st.binary(max_size=200), st.sampled_from(Media))
def test_no_body_is_an_error_of_ours(body: bytes, media: Media) -> None:
    """Whatever comes is read, or has its faults named."""
    assert isinstance(billing.decode(body, media, ZONE), NewBilling | Faults)


@pytest.mark.parametrize(
    ("amount", "digits", "code", "written"),
    [
        (1250, 2, "4000", '"GlCode":"4000","TotalAmount":12.5}'),
        (1200, 2, 'a"b\\c', '"GlCode":"a\\"b\\\\c","TotalAmount":12.0}'),
        (1250, 0, "4000", '"GlCode":"4000","TotalAmount":1250.0}'),
        (10**13, 3, "4000", '"GlCode":"4000","TotalAmount":10000000000.0}'),
    ],
)
def test_the_answer_to_the_byte(amount: int, digits: int, code: str, written: str) -> None:
    """Four members in their order, the total as the wire writes decimals."""
    body = billing.encode(
        PAYER, billing_id=37, gl_code=code, total_amount=amount, minor_digits=digits
    )

    assert body.decode() == f'{{"ContactId":"{PAYER}","BillingId":37,{written}'
    assert json.loads(body)["GlCode"] == code


def test_every_refusal_speaks_of_what_was_sent() -> None:
    """A sentence that names one of this call's members, and none of another's."""
    for refusal, sentence in billing.SENTENCES.items():
        assert refusal is DeskRefusal.billing_ids_used_up or sentence.split()[0] in WHOLE


def test_every_refusal_is_documented_in_order() -> None:
    """Name and sentence of each stand in the reference, the first that applies first."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "wire.md").read_text()
    section = page.partition("## Creating a billing item")[2].partition("\n## ")[0]
    names = {refusal.name for refusal in billing.SENTENCES}
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", section, re.MULTILINE)

    assert [row for row in rows if row[0] in names] == [
        (refusal.name, sentence) for refusal, sentence in billing.SENTENCES.items()
    ]
