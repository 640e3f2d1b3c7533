"""The fast way and the patient way of reading a body agree, whatever the body."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from paydown.domain.model import Kind, Request
from paydown.wire.faults import Faults
from paydown.wire.headers import Media
from paydown.wire.messages import decode

LONDON = "Europe/London"
GUID = "6ae26b8d-5064-492b-b727-fcd34e07710b"
PATIENTLY = r'{"unknown":"\u0000",'


def read(body: str | bytes, kind: Kind) -> Request | Faults:
    """The JSON body, decoded for a customer in London."""
    return decode(kind, body if isinstance(body, bytes) else body.encode(), Media.JSON, LONDON)


# Literals on both sides of every border between the fast way and the patient one.
LITERALS = st.sampled_from(
    [
        f'"{GUID}"',
        f'"{{{GUID.upper()}}}"',
        "12345678901234567890123456789012",
        '"2025-07-01T10:00:00.5Z"',
        r'"2025-07-01T10:00:00\u005a"',
        '"2025-07-01"',
        '"2025-02-30"',
        "1",
        "-0",
        "2147483647",
        "2147483648",
        "1.0",
        "1e0",
        "01",
        "2.50",
        "1e400",
        "0e99",
        "-",
        "1.",
        '"1"',
        '"1.50"',
        '"NaN"',
        "NaN",
        "null",
        "true",
        '""',
        '"text"',
        '"😀"',
        r'"\ud83d\ude00"',
        r'"\ud83d"',
        r'"\u0000"',
        r'"\\u0000"',
        '"\\x"',
        '"\t"',
        '"' + "n" * 101 + '"',
        '"' + "é" * 256 + '"',
        "[]",
        "{}",
        "[1,]",
        '{"a":"\t"}',
        "",
    ]
)
GOOD = {
    "ContactId": f'"{GUID}"',
    "PaymentDate": '"2025-07-01T10:00:00.5+01:00"',
    "WriteDownDate": '"2025-07-01T10:00:00.5+01:00"',
    "TenderTypeId": "28",
    "BillingId": "7",
    "Amount": "12.50",
    "GLAccountId": "3",
    "Notes": '"a note"',
    "ThirdPartyReference": '"ref"',
    "AuthorizationCode": '"code"',
}
SPACES = st.sampled_from(["", "", "", " ", "\n\t", "\x0c", "\ufeff"])
KINDS = {
    Kind.PAYMENT: (
        ["ContactId", "PaymentDate", "TenderTypeId"],
        "BillingPayments",
        ["BillingId", "Amount", "ThirdPartyReference", "Notes", "AuthorizationCode"],
    ),
    Kind.WRITE_DOWN: (
        ["ContactId", "WriteDownDate", "TenderTypeId", "Notes"],
        "BillingWriteDowns",
        ["BillingId", "Amount", "GLAccountId"],
    ),
}


@st.composite
def objects(draw: st.DrawFn, members: list[tuple[str, str]]) -> str:
    """A JSON object of the members, one of which may be altered, repeated, moved or left out."""
    members = list(members)
    place = draw(st.integers(0, len(members) - 1))
    change = draw(st.sampled_from(["none", "none", "alter", "repeat", "case", "drop"]))
    name, literal = members[place]
    if change == "alter":
        members[place] = (name, draw(LITERALS))
    elif change == "repeat":
        members.insert(draw(st.integers(0, len(members))), (name, draw(LITERALS)))
    elif change == "case":
        members[place] = (name.swapcase(), literal)
    elif change == "drop":
        del members[place]
    space = draw(SPACES)
    members = draw(st.permutations(members))
    return "{" + ",".join(f'{space}"{key}"{space}:{value}' for key, value in members) + space + "}"


@st.composite
def bodies(draw: st.DrawFn) -> tuple[Kind, str]:
    """A body of either call, often good, often a little wrong."""
    kind = draw(st.sampled_from(list(KINDS)))
    roots, list_name, fields = KINDS[kind]
    line = objects([(name, GOOD[name]) for name in fields])
    lines = "[" + ",".join(draw(st.lists(line, max_size=2))) + "]"
    return kind, draw(objects([(name, GOOD[name]) for name in roots] + [(list_name, lines)]))


@settings(max_examples=400, deadline=None)
@given(bodies())
def test_both_ways_read_the_same(kind_and_body: tuple[Kind, str]) -> None:
    """The fast way reads what the patient way, brought on by an unknown member, would read."""
    kind, body = kind_and_body
    patient = body.replace("{", PATIENTLY, 1)
    assert repr(read(body, kind)) == repr(read(patient, kind))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.binary(max_size=3))
def test_damaged_bodies_are_read_the_same_or_refused(place: int, damage: bytes) -> None:
    """Bytes overwritten anywhere after the first never part the two ways, and never raise."""
    line = {"BillingId": 1, "Amount": 12.5, "Notes": "note", "ThirdPartyReference": "ref"}
    body = json.dumps(
        {"ContactId": GUID, "PaymentDate": "2025-07-01", "TenderTypeId": 28}
        | {"BillingPayments": [line]}
    ).encode()
    place = 1 + place % (len(body) - 1)
    body = body[:place] + damage + body[place + len(damage) :]
    patient = body.replace(b"{", PATIENTLY.encode(), 1)
    assert repr(read(body, Kind.PAYMENT)) == repr(read(patient, Kind.PAYMENT))


@given(st.binary(max_size=60), st.sampled_from(list(Media)), st.sampled_from(list(KINDS)))
def test_no_body_is_an_error_of_ours(body: bytes, media: Media, kind: Kind) -> None:
    """Whatever the bytes, they are a request or faults."""
    assert isinstance(decode(kind, body, media, LONDON), Request | Faults)
