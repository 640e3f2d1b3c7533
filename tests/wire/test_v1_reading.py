"""Bodies and queries of ``/v1``: read strictly, and refused in a sentence that says where."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ledgers
from paydown.wire.v1 import orders, queries
from paydown.wire.v1.reading import Misread, read_body, read_query, read_values

NUL = r"\u0000"
ITEM = (
    f'{{"contact_id":"{ledgers.ANNA}","billing_type_id":1,"total_amount":"1.00","description":"x"}}'
)


def item(**changes: str) -> bytes:
    """Two items' body, the second with these members written as given."""
    usual = {"contact_id": f'"{ledgers.ANNA}"', "billing_type_id": "1", "total_amount": '"1.00"'}
    members = usual | {"description": '"x"'} | changes
    written = ",".join(f'"{name}":{value}' for name, value in members.items() if value)
    return f'{{"items":[{ITEM},{{{written}}}]}}'.encode()


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        (item(total_amount="1.00"), "/items/1/total_amount", "Send a text, not a number with"),
        (item(total_amount="1"), "/items/1/total_amount", "Send a text, not a whole number."),
        (item(total_amount=""), "/items/1/total_amount", "“total_amount” is missing."),
        (item(billing_type_id='"1"'), "/items/1/billing_type_id", "Send a whole number"),
        (item(billing_type_id="0"), "/items/1/billing_type_id", "at least 1."),
        (item(billing_type_id="2147483648"), "/items/1/billing_type_id", "at most 2147483647."),
        (item(billing_type_id="9" * 400), "/items/1/billing_type_id", "at most 2147"),
        (item(billing_type_id="1e400"), "/items/1/billing_type_id", "out of range."),
        (item(description=f'"a{NUL}"'), "/items/1/description", "NUL"),
        (item(description='""'), "/items/1/description", "Send at least 1 character."),
        (item(due_on=f'"{NUL}"'), "/items/1/due_on", "Such as 2026-02-28."),
        (item(description=f'"{"x" * 4001}"'), "/items/1/description", "at most 4000 characters."),
        (item(contact_id='"Anna"'), "/items/1/contact_id", "A guid."),
        (item(due_on='"28/2/2026"'), "/items/1/due_on", "A day"),
        (item(effective_at='"2026-02-05T10:00"'), "/items/1/effective_at", "with an offset."),
        (item(is_external="1"), "/items/1/is_external", "Send true or false"),
        (item(amount='"1"'), "/items/1/amount", "“amount” is not a member"),
        (b'{"items":[{"a/~":1}]}', "/items/0/a~1~0", "“a/~” is not a member"),
        (b'{"items":[]}', "/items", "at least 1 element."),
        (b'{"items":{}}', "/items", "Send a list, not an object."),
        (b"{}", "/items", "“items” is missing."),
        (b"[]", "", "Send an object, not a list."),
        (b"null", "", "Send an object, not null."),
    ],
)
def test_a_member_that_cannot_be_read_is_named(body: bytes, pointer: str, words: str) -> None:
    """Where it stands, and what to send instead, in one sentence or two."""
    read = read_body(body, orders.NewItems)

    assert isinstance(read, Misread)
    assert read.pointer == pointer
    assert words in read.detail
    assert [each.pointer for each in read.errors] == [pointer]


@pytest.mark.parametrize("amount", ["1,00", "-1", r"1\n", "1e2", r"\u0661", "", "1" * 21])
def test_an_amount_has_one_form(amount: str) -> None:
    """Digits and a point: no sign, exponent or comma, no other digits, and nothing behind them."""
    body = ITEM.replace('"1.00"', f'"{amount}"').encode()
    sentence = "It does not have its form. An amount in the customer's currency. Such as 12.40."

    assert read_body(body, orders.NewItem) == Misread(sentence, "/total_amount")


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"\xff", b'{"name":"\xff"}', rb'{"name":"\ud800"}', b'{"name":"\x00"}'),
        *(b'{"name":"a"} x', b"NaN", "\ufeff{}".encode(), '{"name":"a"}'.encode("utf-16")),
    ],
)
def test_what_is_not_json_is_said_to_be_none(body: bytes) -> None:
    """Whatever its bytes are: a lone surrogate, a control character, another coding."""
    assert read_body(body, orders.NewContact) == Misread("The body is not valid JSON in UTF-8.")


@pytest.mark.parametrize("nest", [b"[", b'{"a":', b'{"name":', b'{"items":['])
def test_depth_is_no_danger(nest: bytes) -> None:
    """However deep a body is, it is refused as any other."""
    assert isinstance(read_body(nest * 200_000, orders.NewItems), Misread)


def test_a_choice_is_told_with_its_choices() -> None:
    """What else would be taken is listed."""
    body = b'{"code":"1","name":"x","account_type":"cash"}'
    read = read_body(body, orders.NewAccount)

    assert isinstance(read, Misread)
    assert read.pointer == "/account_type"
    assert "receivable, asset, liability, equity, income, expense." in read.detail


def test_an_escaped_nul_that_is_none_is_kept() -> None:
    """A text may hold a backslash before u0000."""
    read = read_body(rb'{"name":"a\\u0000"}', orders.NewContact)

    assert isinstance(read, orders.NewContact)
    assert read.name == r"a\u0000"
    listed = read_body(item(description=r'"a\\u0000"'), orders.NewItems)
    assert isinstance(listed, orders.NewItems)
    assert listed.items[1].description == r"a\u0000"


@given(st.binary(max_size=200))
def test_no_bytes_raise(body: bytes) -> None:
    """The answer is an order or a sentence, as a body and as a query."""
    for shape in (orders.NewContact, orders.Allocations):
        assert isinstance(read_body(body, shape), shape | Misread)
    query = read_query(body, queries.PostingQuery)
    assert isinstance(query, queries.PostingQuery | Misread)
    if isinstance(query, queries.PostingQuery):
        assert isinstance(read_values(query), dict | Misread)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("nothing=1", "“nothing” is not a parameter here. Those are: cursor, limit,"),
        ("password:+hunter2=1", "What was sent for a name is not a parameter here."),
        ("limit=1&limit=2", "“limit” more than once."),
        ("limit=0", "limit: Send a whole number of at least 1."),
        ("limit=201", "limit: Send a whole number of at most 200."),
        ("limit=x", "limit: Send a whole number"),
        ("limit=", "limit: Send a whole number"),
        ("limit=10.0", "limit: Send a whole number of 1 to 10 digits."),
        ("limit=1e1", "limit: Send a whole number of 1 to 10 digits."),
        ("limit=%2B1", "limit: Send a whole number of 1 to 10 digits."),
        ("limit=%D9%A1", "limit: Send a whole number of 1 to 10 digits."),
        ("limit=1_0", "limit: Send a whole number of 1 to 10 digits."),
        ("limit=-1", "limit: Send a whole number of 1 to 10 digits."),
        (f"billing_id={'9' * 10}", "billing_id: Send a whole number of at most 2147483647."),
        (f"billing_id={'9' * 5000}", "billing_id: Send a whole number of 1 to 10 digits."),
        ("billing_id=null", "billing_id: Send a whole number of 1 to 10 digits."),
        ("kind=loan", "kind: Send one of: charge, opening_balance,"),
        ("contact_id=x", "contact_id: It does not have its form. A guid."),
        ("reference=%00", "reference holds a NUL"),
        ("reference=", "reference: Send at least 1 character."),
        ("reference=%ff", "UTF-8"),
        ("cursor=" + "x" * 1001, "cursor: Send at most 1000 characters."),
        ("value_from=2026-02-05T10:00:00+01:00", "In a query, a + is sent as %2B."),
        ("value_from=2026-02-05", "value_from: It does not have its form."),
        ("&".join(f"a{n}=" for n in range(60)), "more than 50 parameters."),
    ],
)
def test_a_query_that_cannot_be_read_is_refused(query: str, words: str) -> None:
    """By the parameter's name, and with nothing dropped."""
    read = read_query(query.encode(), queries.PostingQuery)

    assert isinstance(read, Misread)
    assert words in read.detail


def test_what_a_plus_means_is_told_of_times_alone() -> None:
    """A space is right in a text that is wrong for another reason."""
    read = read_query(b"reference=" + b"two+words" * 60, queries.PostingQuery)

    assert isinstance(read, Misread)
    assert read.detail == "reference: Send at most 255 characters."


@pytest.mark.parametrize("sent", ["1", "0", "yes", "True", "FALSE", "null", ""])
def test_a_choice_of_two_is_true_or_false(sent: str) -> None:
    """No other spelling of either is guessed at."""
    read = read_query(f"unapplied_only={sent}".encode(), queries.ReceiptQuery)

    assert read == Misread("unapplied_only: Send true or false.")


@pytest.mark.parametrize(
    ("shape", "query", "values"),
    [
        (queries.ExplainQuery, "as_of=2026-02-05T10:00:00%2B01:00", {"as_of": 17702820000000000}),
        (queries.AgedDebtQuery, "on=2026-02-28", {"on": date(2026, 2, 28)}),
        (queries.ItemQuery, f"contact_id={ledgers.ANNA.upper()}", {"contact_id": ledgers.ANNA}),
        (queries.ReceiptQuery, "unapplied_only=true", {"unapplied_only": True}),
        (queries.ReceiptQuery, "unapplied_only=false&limit=007", {"limit": 7}),
        (queries.ContactQuery, "search=Caf%C3%A9+x", {"search": "Café x"}),
        (queries.PostingQuery, "reference=null&billing_id=1", {"reference": "null"}),
        (queries.Listing, "", {"cursor": None, "limit": 50}),
    ],
)
def test_a_query_is_read_as_it_is_meant(shape: Any, query: str, values: Any) -> None:
    """Times become ticks, days become days, guids are kept in one form."""
    read = read_query(query.encode(), shape)
    assert not isinstance(read, Misread)
    meant = read_values(read)
    assert not isinstance(meant, Misread)

    assert {name: meant[name] for name in values} == values


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("first_on=2026-02-30&last_on=2026-03-01", "first_on: there is no such moment"),
        ("first_on=1969-12-31&last_on=2026-03-01", "first_on: there is no such moment"),
        ("first_on=2026-03-02&last_on=2026-03-01", "first_on is after last_on."),
    ],
)
def test_a_moment_that_never_was_is_refused(query: str, words: str) -> None:
    """Nor are days taken in the wrong order."""
    read = read_query(query.encode(), queries.StatementQuery)
    assert not isinstance(read, Misread)
    meant = read_values(read)

    assert isinstance(meant, Misread)
    assert words in meant.detail
