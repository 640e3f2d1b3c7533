"""Texts that are meant to be something else where they come out, through every field of ``/v1``.

What is kept is kept to the letter; in an answer, a page, a table and a log it is a text, no more.
"""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints
from urllib.parse import quote

import pytest
from doors import PAYMENTS, Answer, Door, line, payment
from v1_asking import WRITES, everything, get, item, new_item, order, post, write_bodies

import ledgers
from hostile_texts import assert_tame, assert_tame_on_paper, each_evil
from makers import SQLiteMaker
from paydown.openapi.routes import ROUTES
from paydown.storage.database import Database

READS = [route for route in ROUTES if not route.is_write]
SPAN = "first_on=2026-01-01&last_on=2099-12-31"
DETAILS = f"/Contacts/{ledgers.ANNA}/Details"
KEPT_WHATEVER_IT_IS = {
    *("record_receipt reference", "record_receipt authorization_code", "record_receipt notes"),
    *("reverse_entry reason", "reverse_posting reason", "unallocate reason"),
}
"""The members that may hold any text: of these is all of it."""


def with_text(shape: Any, body: Any, text: str) -> Iterator[tuple[str, Any]]:
    """The body once for each member that is a text, or may be one, with this text as that."""
    for name, hint in get_type_hints(shape).items():
        if get_origin(hint) is list:
            (element,) = get_args(hint)
            for inner, each in with_text(element, body[name][0], text):
                yield f"{name} {inner}", {**body, name: [each]}
        elif {str, type(text)} & {hint, *get_args(hint)} or name == "account_type":
            yield name, {**body, name: text}


def texts_in(tree: Any) -> set[str]:
    """Every text of a document."""
    if isinstance(tree, str):
        return {tree}
    within = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return set().union(*map(texts_in, within))


def read_all(door: Door, names: dict[str, str]) -> dict[str, Answer]:
    """The answer of every read there is, by its name."""
    paths = {"get_details": DETAILS}
    for route in READS:
        query = SPAN if route.name == "get_statement" else "limit=200" if is_list(route) else ""
        paths[route.name] = f"{route.path.format(**names)}?{query}"
    answers = {name: get(door, path) for name, path in paths.items()}
    assert {answer.status for answer in answers.values()} == {200}
    return answers


def is_list(route: Any) -> bool:
    """Whether the read comes in parts."""
    return "limit" in route.query.__struct_fields__


def assert_answer_tame(answer: Answer) -> None:
    """Body and headers, and what may sniff them."""
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert_tame(answer.body.decode(), *answer.headers.values())


@each_evil
def test_a_text_of_a_write_comes_out_to_the_letter_and_tame(
    door: Door, log: io.BytesIO, evil: str
) -> None:
    """Each text of each write, the staff user and the key, in answers, reads, paper and log."""
    bodies, names, others = write_bodies(door), everything(door), everything(door)
    _, undo = bodies["reverse_posting"]
    bodies["reverse_posting"] = (f"/v1/postings/{others['posting_id']}/reverse", undo)
    kept: set[str] = set()
    said: set[str] = set()
    for name, (path, body) in bodies.items():
        for member, sent in with_text(WRITES[name].order, body, evil):
            headers = {"Idempotency_Key": f"{name} {member}", "LegendUserName": evil}
            answers = [order(door, WRITES[name].method, path, sent, **headers) for _ in range(2)]
            for answer in answers:
                assert answer.status in (200, 201, 400, 404, 409, 422), answer
                assert_answer_tame(answer)
            if answers[0].status < 300:
                assert answers[1].body == answers[0].body
                kept.add(f"{name} {member}")
                said |= texts_in(answers[0].told)
    assert kept >= KEPT_WHATEVER_IT_IS
    assert evil in said
    post(door, PAYMENTS, payment(line(21, Notes=evil)), LegendUserName=evil)

    read = read_all(door, names)
    for answer in read.values():
        assert_answer_tame(answer)
    telling = {name for name, answer in read.items() if evil in texts_in(answer.told)}
    assert telling >= {"list_entries", "list_postings", "list_receipts", "get_statement"}
    assert_paper_tame(door)
    assert_log_tame(log)


def assert_paper_tame(door: Door) -> None:
    """A statement as a page and as a table moves nothing, and runs nothing."""
    path = f"/v1/contacts/{ledgers.ANNA}/statement?{SPAN}"
    table = get(door, f"{path}&format=csv").body.decode()
    page = get(door, f"{path}&format=html").body.decode()
    assert_tame_on_paper(table)
    assert_tame_on_paper(page)
    assert "<script" not in page
    rows = list(csv.reader(io.StringIO(table, newline="")))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert [row for row in rows if row[3].startswith("=") or row[4].startswith("=")] == []


def assert_log_tame(log: io.BytesIO) -> None:
    """A line for each request, and no other."""
    lines = log.getvalue().decode().splitlines()
    assert {json.loads(each)["event"] for each in lines} == {"request"}
    assert_tame(*lines)


@each_evil
def test_what_no_field_is_meant_for_is_refused_tamely(
    door: Door, log: io.BytesIO, evil: str
) -> None:
    """As a name, a key, a tag, a query, or a path: what a problem repeats of it is a text."""
    inner = {"lines": [{"billing_id": 1, "amount": "1.00", evil: 1}]}
    names = everything(door)
    answers = [
        order(door, "POST", "/v1/items", new_item(**{evil: 1})),
        order(door, "POST", f"/v1/receipts/{names['receipt_id']}/allocate", inner),
        order(door, "POST", "/v1/items", evil),
        order(door, "POST", "/v1/items", new_item(), Idempotency_Key=evil),
        order(door, "PUT", f"/v1/contacts/{ledgers.ANNA}", {"name": "A"}, If_Match=evil),
        *(
            get(door, f"{route.path.format(**names)}?{quote(name)}={quote(evil)}")
            for route in READS
            for name in (evil, *route.query.__struct_fields__)
        ),
        get(door, f"/v1/{quote(evil)}"),
        get(door, f"/v1/contacts/{quote(evil)}"),
        get(door, "/v1/contacts", Authorization=evil),
        get(door, f"/Contacts/{quote(evil)}/Details"),
    ]
    for answer in answers:
        assert answer.status in (200, 201, 400, 401, 404), answer
        assert_answer_tame(answer)
    pointers = [each["pointer"] for told in answers[:2] for each in told.told["errors"]]
    escaped = evil.replace("~", "~0").replace("/", "~1")
    assert pointers == [f"/{escaped}", f"/lines/0/{escaped}"]
    assert_log_tame(log)


@each_evil
def test_what_was_tampered_with_is_read_tamely(
    door: Door, ledger: Database, tmp_path: Path, evil: str
) -> None:
    """Where no call could have put it either; and a tag of what was read is its own."""
    names = everything(door)
    literal = evil.replace("'", "''")
    for table, columns in {
        "contact": ("name", "reference"),
        "billing_item": ("description",),
        "billing_type": ("name",),
        "tender_type": ("name",),
        "account": ("name",),
        "customer": ("name",),
        "entry": ("staff_user", "request_id", "address", "idempotency_key"),
    }.items():
        changes = ", ".join(f"{column} = '{literal}'" for column in columns)
        SQLiteMaker(tmp_path, tmp_path).tamper(ledger, f"UPDATE {table} SET {changes}")
    codes = f"UPDATE account SET code = code || '{literal}'"
    SQLiteMaker(tmp_path, tmp_path).tamper(ledger, codes)

    read = read_all(door, names)
    for answer in read.values():
        assert_answer_tame(answer)
    telling = {name for name in read if any(evil in text for text in texts_in(read[name].told))}
    assert read.keys() - telling == {"suggest_allocations"}
    assert_paper_tame(door)
    charged = {"PayerId": ledgers.ANNA, "BillingTypeId": 1, "AgreementId": 1, "TotalAmount": 1}
    made = door.post("/POS/CreateBilling", charged)
    assert made.told["GlCode"].endswith(evil)
    assert_answer_tame(made)
    path = f"/v1/contacts/{ledgers.ANNA}"
    tag = get(door, path).headers["etag"]
    assert order(door, "PUT", path, {"name": "Anna"}, If_Match=tag).status == 200


@pytest.mark.parametrize("sign", [*"=+-@", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_wide_sign_begins_no_formula(door: Door, sign: str) -> None:
    """A spreadsheet for full-width signs takes them for the narrow ones."""
    item(door, description=f"{sign}1+1")
    path = f"/v1/contacts/{ledgers.ANNA}/statement?{SPAN}&format=csv"
    assert f",'{sign}1+1," in get(door, path).body.decode()
