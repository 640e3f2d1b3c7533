"""``GET /Contacts/{Id}/Details``: what a contact pays for, and what is for it."""

import io
import json
from typing import Any
from uuid import UUID

import pytest
from doors import PAYMENTS, TILL, Door, line, payment
from sqlalchemy.dialects import sqlite

from ledgers import ANNA, BEN, OTHER_CLUB, PAYMENTS_ONLY, Books, pay, write_down
from makers import on_both_stores
from paydown.desk import Desk, Instruction, Told
from paydown.domain.contact_details import ContactDetails, ItemDetails
from paydown.storage import contact_details
from paydown.storage.contact_details import read_details
from paydown.storage.database import Database
from paydown.wire.contact_details import encode
from paydown.wire.v1 import orders

PATH = f"/Contacts/{ANNA}/Details"
MEMBERS = [
    *("AccountNo", "Amount", "Balance", "BillingId", "ByContactExtId", "ByContactId"),
    *("ByContactName", "ByMemberNo", "DueDate", "DueForRepresentation", "Failed"),
    *("FailureReason", "FeeProcessLineItemId", "FeeType", "ForContactExtId", "ForContactId"),
    *("ForContactName", "ForMemberNo", "PaymentDate", "SortCode", "SourceText"),
]
BAD_DEBT_ACCOUNT = 13


class Clerk:
    """Changes the books as their operator does, and sees what is told of a contact."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.caller = books.caller()
        self.desk = Desk(books.database, clock=books.service.clock)

    def do(self, write: Any, *what: Any) -> Any:
        """What the desk's write answers."""
        told = write(Instruction(self.caller, "test"), *what)
        assert isinstance(told, Told), told
        return json.loads(told.body)

    def charge(self, **more: Any) -> int:
        """Make an item; its id."""
        given = {
            "contact_id": ANNA,
            "billing_type_id": 1,
            "total_amount": "25.00",
            "description": "Spring lessons",
            "due_on": "2026-02-28",
            **more,
        }
        made: int = self.do(self.desk.create_item, orders.NewItem(**given))["billing_id"]
        return made

    def details(self, contact_id: str = ANNA) -> ContactDetails:
        """What is told of the contact."""
        found = read_details(self.books.database, self.caller.customer_id, contact_id)
        assert found is not None
        return found

    def item(self, billing_id: int) -> ItemDetails:
        """What is told of one of Anna's items."""
        (found,) = (each for each in self.details().items if each.billing_id == billing_id)
        return found


@pytest.fixture
def clerk(books: Books) -> Clerk:
    """Somebody at the desk of a running service."""
    return Clerk(books)


def test_the_answer_has_every_member_of_the_vendors_in_order(door: Door) -> None:
    """An imported item: what the books hold, and null for the rest."""
    door.post(PAYMENTS, payment(line(21, 0.5), PaymentDate="2026-07-01T09:00:00Z"))
    answer = door.ask("GET", PATH)

    told = answer.told
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert list(told) == ["ContactId", "Name", "HistoricPayments"]
    assert (told["ContactId"], told["Name"]) == (ANNA, "Anna Archer")
    assert [each["BillingId"] for each in told["HistoricPayments"]] == list(range(22, 0, -1))
    item = told["HistoricPayments"][1]
    assert list(item) == MEMBERS
    assert {name: value for name, value in item.items() if value is not None} == {
        "Amount": 250.0,
        "Balance": 100.0,
        "BillingId": 21,
        "ByContactExtId": ANNA,
        "ByContactName": "Anna Archer",
        "DueDate": "2026-01-31T00:00:00+00:00",
        "ForContactExtId": ANNA,
        "ForContactName": "Anna Archer",
        "PaymentDate": "2026-07-01T10:00:00+01:00",
        "SourceText": "Membership",
    }
    assert b'"Amount":250.0,"Balance":100.0,' in answer.body


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/Contacts/{BEN}/Details", 200),
        (f"/contacts/{ANNA.upper()}/DETAILS/", 200),
        (f"/Contacts/{{{ANNA}}}/Details", 200),
        ("/Contacts/9b2c1f5e-0000-4000-8000-000000000000/Details", 404),
        ("/Contacts/Anna/Details", 400),
        ("/Contacts//Details", 404),
        (f"/Contacts/{ANNA}/Details/More", 404),
        (f"/Contacts/{ANNA}", 404),
    ],
)
def test_the_path_names_the_contact(door: Door, path: str, status: int) -> None:
    """A guid in any of its forms; a path that is none of ours is not found."""
    answer = door.ask("GET", path)

    assert answer.status == status
    assert status == 200 or answer.told["Message"]


def test_what_is_no_guid_is_a_fault_of_the_id(door: Door) -> None:
    """400 with the key that the path's member has."""
    assert door.ask("GET", "/Contacts/Anna/Details").told == {
        "Message": "The request is invalid.",
        "ModelState": {"Id": ["The Id field cannot be read. Send a GUID."]},
    }


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"userName": ""}, 401),
        ({"password": "wrong"}, 401),
        ({"customerGuid": OTHER_CLUB}, 403),
        ({"userName": PAYMENTS_ONLY}, 403),
        ({"Content-Type": "text/plain"}, 200),
    ],
)
def test_who_may_ask(door: Door, headers: dict[str, str], status: int) -> None:
    """As on the two calls, with the bundle Contacts; a body there is none."""
    assert door.ask("GET", PATH, headers={**TILL, **headers}).status == status


def test_it_takes_get_alone(door: Door) -> None:
    """Another method is refused before the login is looked at."""
    answer = door.ask("POST", PATH, headers={})

    assert (answer.status, answer.headers["allow"]) == (405, "GET")


def test_its_log_line_has_the_route_and_the_caller(door: Door, log: io.BytesIO) -> None:
    """The route is the template, so that no contact stands in a metric's label."""
    door.ask("GET", PATH)
    (logged,) = map(json.loads, log.getvalue().splitlines())

    assert (logged["route"], logged["user_name"]) == ("/Contacts/{Id}/Details", "till")


@on_both_stores
def test_payer_and_beneficiary_both_see_the_item(clerk: Clerk) -> None:
    """Whoever pays and whomever it is for, each named, with what it is for."""
    clerk.do(clerk.desk.change_contact, ANNA, orders.ContactChange(name="Anna", reference="M-1"))
    billing_id = clerk.charge(beneficiary_id=BEN)
    item = clerk.item(billing_id)

    assert item == clerk.details(BEN).items[0]
    assert (item.payer.contact_id, item.payer.reference) == (ANNA, "M-1")
    assert (item.beneficiary.contact_id, item.beneficiary.name) == (BEN, "Ben Baker")
    assert (item.billing_type_name, item.description) == ("Membership", "Spring lessons")
    assert (item.total_amount, item.balance, item.due_on) == (2500, 2500, "2026-02-28")


@on_both_stores
def test_the_payment_date_is_that_of_the_latest_payment(clerk: Clerk) -> None:
    """By value date, whichever came first; what lowers the balance otherwise is no payment."""
    days = ["2026-02-05", "2026-03-07", "2026-01-09"]
    unpaid = clerk.item(1).paid_at
    for day in days:
        assert clerk.books.outcome(pay(clerk.caller, {1: "1"}, date=f"{day}T10:00:00Z")).success
    late = {"date": "2026-04-01T10:00:00Z", "tender_type_id": 6}
    clerk.books.outcome(write_down(clerk.caller, {1: "1"}, BAD_DEBT_ACCOUNT, **late))

    assert unpaid is None
    assert paid_on(clerk, 1) == "2026-03-07T10:00:00+00:00"


@on_both_stores
def test_a_payment_that_was_undone_is_none(clerk: Clerk) -> None:
    """The date falls back to the payment before it, and to none."""
    entries = []
    for day in ("2026-02-05", "2026-03-07"):
        paid = clerk.books.outcome(pay(clerk.caller, {1: "1"}, date=f"{day}T10:00:00Z"))
        assert paid.entry is not None
        entries.append(paid.entry.entry_id.hex())
    told = [paid_on(clerk, 1)]
    for entry_id in reversed(entries):
        reversal = orders.Reversal(reason="Bounced")
        clerk.do(clerk.desk.reverse_posting, f"{UUID(entry_id)}.1", reversal)
        told.append(paid_on(clerk, 1))

    assert told == ["2026-03-07T10:00:00+00:00", "2026-02-05T10:00:00+00:00", None]


@on_both_stores
def test_what_is_applied_from_a_receipt_is_a_payment(clerk: Clerk) -> None:
    """Money that came in without items pays them when it is allocated."""
    order = orders.NewReceipt(
        contact_id=ANNA, tender_type_id=1, amount="5.00", value_at="2026-02-05T10:00:00Z"
    )
    receipt_id = clerk.do(clerk.desk.record_receipt, order)["receipt_id"]
    share = orders.AllocationLine(billing_id=1, amount="2.00")
    allocations = orders.Allocations(lines=[share], value_at="2026-02-06T10:00:00Z")
    clerk.do(clerk.desk.allocate, receipt_id, allocations)

    assert paid_on(clerk, 1) == "2026-02-06T10:00:00+00:00"


def paid_on(clerk: Clerk, billing_id: int) -> object:
    """The item's PaymentDate, as the answer has it."""
    details = clerk.details()._replace(items=(clerk.item(billing_id),))
    told = json.loads(encode(details, time_zone="Europe/London", minor_digits=2))
    return told["HistoricPayments"][0]["PaymentDate"]


@on_both_stores
def test_the_latest_due_come_first_up_to_the_bound(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more items than are told of, the oldest are left out."""
    monkeypatch.setattr(contact_details, "ITEMS_MAX", 3)
    old, new = clerk.charge(due_on="2025-12-31"), clerk.charge(due_on="2026-03-01")
    told = [item.billing_id for item in clerk.details().items]

    assert old not in told
    assert told == [new, 22, 21]


@on_both_stores
def test_another_customers_contact_is_unknown(books: Books) -> None:
    """The same guid may be a contact of both: each sees its own items."""
    for customer_id in (1, 2):
        found = read_details(books.database, customer_id, ANNA)
        assert found is not None
        assert len(found.items) == 22
    assert read_details(books.database, 1, OTHER_CLUB) is None


def test_no_table_is_read_through(database: Database) -> None:
    """However large the ledger, the items are found by their keys and indexes."""
    statement = contact_details._select_items(1, ANNA)
    sql = statement.compile(
        dialect=sqlite.dialect(),
        compile_kwargs={"literal_binds": True},
    )
    with database.read() as connection:
        steps = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]

    assert [step for step in steps if "SCAN" in step] == ["SCAN own"]
    assert any("ix_posting_history (customer_id=? AND billing_id=?)" in step for step in steps)
