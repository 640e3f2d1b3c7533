"""Items made at the desk: one, many, and as Legend's own call makes them."""

from decimal import Decimal

import pytest
from sqlalchemy import text

from clerk import Clerk, code, document, item, other_customer
from ledgers import ANNA, BEN, CLUB, Books, import_rows, pay
from makers import on_both_stores
from paydown.admin import Admin
from paydown.desk import NewBilling, Told
from paydown.storage.database import Database
from paydown.wire.v1 import orders

pytestmark = on_both_stores

NOBODY = "019c2d0e-5f70-7a3c-9d3e-1f2a3b4c5d6e"
ID_MAX = 2**31 - 1


@pytest.fixture
def clerk(database: Database) -> Clerk:
    """The till, at the desk."""
    return Clerk(database)


def set_next_id(database: Database, billing_id: int) -> None:
    """As if all the ids before it were in use."""
    with database.write() as connection:
        connection.execute(
            text("UPDATE item_defaults SET next_billing_id = :next"), {"next": billing_id}
        )


def test_an_item_is_owed_and_can_be_paid(books: Books, clerk: Clerk) -> None:
    """It takes the BillingId after the greatest, owes its total, and says all it was told."""
    told = document(
        clerk.desk.create_item(
            clerk.by(),
            item(
                "25.00",
                due_on="2026-05-31",
                effective_at="2026-05-01T00:00:00+01:00",
                beneficiary_id=BEN,
                agreement_id=7,
                description=" May ",
            ),
        )
    )

    assert (told["billing_id"], told["contact_id"], told["beneficiary_id"]) == (36, ANNA, BEN)
    assert (told["total_amount"], told["balance"], told["state"]) == ("25.00", "25.00", "open")
    assert (told["due_on"], told["description"]) == ("2026-05-31", "May")
    assert (told["agreement_id"], told["member_service_id"]) == (7, None)
    assert books.outcome(pay(clerk.caller, {36: "5.00"})).lines[0].balance == 2000
    assert clerk.breaches() == []


def test_an_item_without_dates_is_of_today_where_the_customer_is(clerk: Clerk) -> None:
    """The day changes at the customer's midnight, not at that of UTC."""
    summer = item(effective_at="2026-07-31T23:30:00Z")
    told = document(clerk.desk.create_item(clerk.by(), summer))
    undated = document(clerk.desk.create_item(clerk.by(), item()))
    entry = clerk.entry(clerk.entry_of(undated["billing_id"]))

    assert told["due_on"] == "2026-08-01"
    assert undated["due_on"] == entry.recorded_written[:10]
    assert entry.value_at == entry.recorded_at


def test_external_money_is_owed_on_the_account_of_its_type(clerk: Clerk) -> None:
    """Both kinds of item have the same income account and different receivables."""
    told = [
        document(clerk.desk.create_item(clerk.by(), item(is_external=external)))
        for external in (False, True)
    ]
    postings = [clerk.posting(clerk.postings_of(each["billing_id"])[0]) for each in told]

    assert [each["receivables_account_code"] for each in told] == ["1100", "1150"]
    assert postings[0].credit_account_id == postings[1].credit_account_id
    assert postings[0].debit_account_id != postings[1].debit_account_id
    assert clerk.breaches() == []


def test_an_item_that_cannot_be_made_says_why(clerk: Clerk) -> None:
    """Each member at fault is pointed to, and no BillingId is used up."""
    Admin(clerk.database).set_billing_type_active(CLUB, 2, active=False)
    refusals = {
        "422 unknown_contact /contact_id": item(contact_id=NOBODY),
        "422 unknown_contact /beneficiary_id": item(beneficiary_id=NOBODY),
        "422 invalid_value /contact_id /due_on": item(contact_id="x", due_on="2026-02-30"),
        "422 invalid_value /effective_at": item(effective_at="2026-02-05T10:00:00"),
        "422 invalid_value /description": item(description="a\x07"),
        "422 invalid_value /total_amount /description": item("1e2", description="   "),
        "422 unknown_billing_type /billing_type_id": item(billing_type_id=99),
        "422 inactive_billing_type /billing_type_id": item(billing_type_id=2),
        "422 amount_not_positive /total_amount": item("0"),
        "422 amount_too_precise /total_amount": item("0.001"),
        "422 amount_too_large /total_amount": item("100000000000.01"),
    }
    told = [code(clerk.desk.create_item(clerk.by(), each)) for each in refusals.values()]

    assert told == list(refusals)
    assert document(clerk.desk.create_item(clerk.by(), item()))["billing_id"] == 36


def test_of_many_items_each_is_judged_by_itself(clerk: Clerk) -> None:
    """The good ones are charged in one entry for each date, and the others change nothing."""
    made = [
        item("1.00"),
        item("0"),
        item("2.00", contact_id=BEN),
        item("x"),
        item("3.00", effective_at="2026-05-01T00:00:00Z"),
    ]
    told = document(clerk.desk.create_items(clerk.by(), orders.NewItems(items=made)))
    results = told["results"]
    now, may = (clerk.entry(results[place]["entry_id"]) for place in (0, 4))

    assert (told["success"], told["created_count"]) == (False, 3)
    assert [each["billing_id"] for each in results] == [36, None, 37, None, 38]
    assert [each["code"] for each in results] == [
        None,
        "amount_not_positive",
        None,
        "invalid_value",
        None,
    ]
    assert [[error["pointer"] for error in each["errors"]] for each in results] == [
        [],
        ["/items/1/total_amount"],
        [],
        ["/items/3/total_amount"],
        [],
    ]
    assert results[0]["entry_id"] == results[2]["entry_id"] != results[4]["entry_id"]
    assert (now.contact_id, may.contact_id) == (None, ANNA)
    assert may.value_written == "2026-05-01T00:00:00Z"
    assert clerk.breaches() == []


def test_where_none_of_many_is_made_the_key_stays_free(clerk: Clerk) -> None:
    """The same key may then bring the mended items."""
    by = clerk.by(key="bulk")
    bad = clerk.desk.create_items(by, orders.NewItems(items=[item("0"), item("x")]))
    good = clerk.desk.create_items(by, orders.NewItems(items=[item("1"), item("2")]))

    assert isinstance(bad, Told)
    assert isinstance(good, Told)
    assert (bad.status, good.status) == (200, 201)
    assert document(bad)["created_count"] == 0
    assert document(good)["created_count"] == 2
    assert clerk.desk.create_items(by, orders.NewItems(items=[item("1.0"), item("2")])) == (
        good._replace(replayed=True)
    )
    assert clerk.breaches() == []


def test_billing_ids_end_and_are_never_given_twice(clerk: Clerk) -> None:
    """Beyond the greatest that the wire can say, items are refused; imports meet the same count."""
    set_next_id(clerk.database, ID_MAX - 1)
    three = orders.NewItems(items=[item("1"), item("2"), item("3")])
    told = document(clerk.desk.create_items(clerk.by(), three))["results"]
    one_more = clerk.desk.create_item(clerk.by(), item())

    assert [each["billing_id"] for each in told] == [ID_MAX - 1, ID_MAX, None]
    assert told[2]["code"] == "billing_ids_used_up"
    assert code(one_more) == "409 billing_ids_used_up"
    assert clerk.breaches() == []


def test_an_import_and_the_desk_share_the_count(clerk: Clerk) -> None:
    """An imported BillingId beyond all others moves the desk's next one."""
    import_rows(clerk.database, CLUB, [(ANNA, 500, "10.00", "10.00")])

    assert document(clerk.desk.create_item(clerk.by(), item()))["billing_id"] == 501
    assert clerk.breaches() == []


def test_legends_call_makes_an_item_of_the_types_name(clerk: Clerk) -> None:
    """Its answer has Legend's members, and without a key each call makes an item."""
    asked = NewBilling(ANNA, 1, Decimal("12.50"), agreement_id=7)
    by = clerk.by("POST /POS/CreateBilling", key=None)
    told = [document(clerk.desk.create_billing(by, asked)) for _ in range(2)]
    keyed = clerk.by("POST /POS/CreateBilling", key="k")
    once = [clerk.desk.create_billing(keyed, asked) for _ in range(2)]

    assert told[0] == {"ContactId": ANNA, "BillingId": 36, "GlCode": "4000", "TotalAmount": 12.5}
    assert [each["BillingId"] for each in told] == [36, 37]
    assert document(once[0]) == document(once[1]) == {**told[0], "BillingId": 38}
    assert [row[3] for row in clerk.rows("billing_item") if row[:2] == (1, 36)] == ["Membership"]
    assert code(clerk.desk.create_billing(by, asked._replace(contact_id=NOBODY))) == (
        "422 unknown_contact /contact_id"
    )
    assert clerk.breaches() == []


def test_items_are_made_for_the_callers_customer(clerk: Clerk) -> None:
    """Each customer counts its own BillingIds, and knows only its own contacts."""
    stranger = Clerk(clerk.database, caller=other_customer(clerk.caller))
    told = document(stranger.desk.create_item(stranger.by(), item("1.00")))
    own = document(clerk.desk.create_contact(clerk.by(), orders.NewContact(name="New")))
    refused = stranger.desk.create_item(stranger.by(), item(contact_id=own["contact_id"]))

    assert told["billing_id"] == 36
    assert code(refused) == "422 unknown_contact /contact_id"
    assert document(clerk.desk.create_item(clerk.by(), item()))["billing_id"] == 36
    assert clerk.breaches() == []
