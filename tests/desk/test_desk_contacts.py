"""Contacts, and what the books refer to: created, changed and disabled at the desk."""

import pytest

from clerk import Clerk, code, document, item, other_customer, receipt
from ledgers import ANNA, CASH, Books, pay
from makers import on_both_stores
from paydown.desk import Refused, Result
from paydown.domain.outcomes import Refusal
from paydown.enquiries import ContactFilter, PageAsk, list_contacts
from paydown.storage import reference
from paydown.storage.database import Database
from paydown.wire.v1 import orders
from paydown.wire.v1.documents import Page

pytestmark = on_both_stores

NEW = "019c2d0e-5f70-7a3c-9d3e-1f2a3b4c5d6e"
ON, OFF = orders.Activation(active=True), orders.Activation(active=False)


@pytest.fixture
def clerk(database: Database) -> Clerk:
    """The till, at the desk."""
    return Clerk(database)


def search(clerk: Clerk, words: str) -> list[str]:
    """The contacts that a search finds."""
    with clerk.database.read() as connection:
        customer = reference.get_customer(connection, clerk.caller.customer_id)
        found = list_contacts(connection, customer, ContactFilter(search=words), PageAsk(None, 50))
    assert isinstance(found, Page)
    return [each.contact_id for each in found.data]


def test_a_new_contact_can_be_found_and_charged(clerk: Clerk) -> None:
    """By its name in other letters, and by its reference; its guid is given or made."""
    order = orders.NewContact(name=" Zoë  Ångström ", contact_id=NEW.upper(), reference="M-0042")
    told = document(clerk.desk.create_contact(clerk.by(), order))
    made = document(clerk.desk.create_contact(clerk.by(), orders.NewContact(name="Cy")))

    assert (told["contact_id"], told["name"]) == (NEW, "Zoë  Ångström")
    assert (told["reference"], told["owed"], told["open_items"]) == ("M-0042", "0.00", [])
    assert made["contact_id"] != NEW
    assert search(clerk, "angstrom zoe") == search(clerk, "m-0042") == [NEW]
    assert document(clerk.desk.create_item(clerk.by(), item(contact_id=NEW)))["contact_name"]
    assert clerk.breaches() == []


def test_a_changed_contact_is_found_by_what_it_is_now(clerk: Clerk) -> None:
    """The old name finds it no more, and a reference left out is taken away."""
    named = orders.ContactChange(name="Anna Ash", reference="M-7")
    first = document(clerk.desk.change_contact(clerk.by(), ANNA, named))
    bare = document(
        clerk.desk.change_contact(clerk.by(), ANNA, orders.ContactChange(name="Anna Quill"))
    )

    assert (first["reference"], first["open_item_count"]) == ("M-7", 21)
    assert bare["reference"] is None
    assert search(clerk, "archer") == search(clerk, "m-7") == []
    assert search(clerk, "quill") == [ANNA]
    assert clerk.breaches() == []


def test_a_contact_that_cannot_be_made_says_why(clerk: Clerk) -> None:
    """One that is there already stays as it is; nor can another customer's be changed."""
    stranger = Clerk(clerk.database, caller=other_customer(clerk.caller))
    own = document(clerk.desk.create_contact(clerk.by(), orders.NewContact(name="Cy")))
    before = clerk.rows("contact")
    refusals = {
        "409 already_exists /contact_id": orders.NewContact(name="Other", contact_id=ANNA),
        "422 invalid_value /contact_id /name": orders.NewContact(name=" ", contact_id="anna"),
        "422 invalid_value /reference": orders.NewContact(name="A", reference="a\nb"),
    }
    told = [code(clerk.desk.create_contact(clerk.by(), each)) for each in refusals.values()]
    change = orders.ContactChange(name="Other")

    assert told == list(refusals)
    assert code(clerk.desk.change_contact(clerk.by(), NEW, change)) == "404 unknown_contact"
    unknown = stranger.desk.change_contact(stranger.by(), own["contact_id"], change)
    assert code(unknown) == "404 unknown_contact"
    assert clerk.rows("contact") == before


def test_a_tender_type_is_made_used_and_disabled(books: Books, clerk: Clerk) -> None:
    """Payments and receipts meet each change at once."""
    order = orders.NewTenderType(tender_type_id=90, name="Coins", clearing_account_code="1210")
    told = document(clerk.desk.create_tender_type(clerk.by(), order))
    paid = books.outcome(pay(clerk.caller, {1: "1.00"}, tender_type_id=90))
    off = document(clerk.desk.set_tender_type_active(clerk.by(), 90, OFF))
    refused = books.outcome(pay(clerk.caller, {1: "1.00"}, tender_type_id=90))
    unpaid = clerk.desk.record_receipt(clerk.by(), receipt(tender_type_id=90))
    on = document(clerk.desk.set_tender_type_active(clerk.by(), 90, ON))

    assert told == {
        "tender_type_id": 90,
        "name": "Coins",
        "clearing_account_code": "1210",
        "active": True,
    }
    assert paid.success
    assert off["active"] is False
    assert refused.refusal is Refusal.inactive_tender_type
    assert code(unpaid) == "422 inactive_tender_type /tender_type_id"
    assert on == told
    assert clerk.breaches() == []


def test_a_billing_type_is_made_used_and_disabled(clerk: Clerk) -> None:
    """Items of it credit its income account, until it is disabled."""
    order = orders.NewBillingType(
        billing_type_id=90,
        name="Court",
        income_account_code="4100",
        external_receivables_account_code="1150",
    )
    told = document(clerk.desk.create_billing_type(clerk.by(), order))
    made = document(clerk.desk.create_item(clerk.by(), item(billing_type_id=90)))
    off = document(clerk.desk.set_billing_type_active(clerk.by(), 90, OFF))
    refused = clerk.desk.create_item(clerk.by(), item(billing_type_id=90))

    assert told["income_account_code"] == "4100"
    assert told["external_receivables_account_code"] == "1150"
    assert made["billing_type_id"] == 90
    assert off == {**told, "active": False}
    assert code(refused) == "422 inactive_billing_type /billing_type_id"
    assert clerk.breaches() == []


def test_an_account_is_made_and_disabled(clerk: Clerk) -> None:
    """Its id is the one asked for, or the next; what still needs it keeps it in use."""
    order = orders.NewAccount(code="4200", name="Court hire", account_type="income")
    told = document(clerk.desk.create_account(clerk.by(), order))
    given = orders.NewAccount(code="4300", name="X", account_type="asset", gl_account_id=900)
    other = document(clerk.desk.create_account(clerk.by(), given))
    off = document(clerk.desk.set_account_active(clerk.by(), told["gl_account_id"], OFF))

    assert (told["code"], told["account_type"], told["active"]) == ("4200", "income", True)
    assert other["gl_account_id"] == 900
    assert off == {**told, "active": False}
    assert code(clerk.desk.set_account_active(clerk.by(), 1, OFF)) == "409 in_use"
    assert clerk.breaches() == []


def test_what_the_books_cannot_refer_to_says_why(clerk: Clerk) -> None:
    """By the same rules as an operator's commands, and without a word of the command line."""
    desk, by = clerk.desk, clerk.by

    def tender(number: int = 91, account: str = "1210", name: str = "Coins") -> str:
        order = orders.NewTenderType(
            tender_type_id=number, name=name, clearing_account_code=account
        )
        refused = desk.create_tender_type(by(), order)
        assert "paydown" not in str(refused)
        return code(refused).strip()

    def billing(number: int = 91, income: str = "4100", external: str = "1150") -> str:
        order = orders.NewBillingType(
            billing_type_id=number,
            name="Court",
            income_account_code=income,
            external_receivables_account_code=external,
        )
        return code(desk.create_billing_type(by(), order)).strip()

    account = orders.NewAccount(code="1100", name="Again", account_type="asset")

    assert tender(CASH) == "409 already_exists"
    assert tender(account="9999") == "422 unknown_gl_account"
    assert tender(account="1100") == "422 unsuitable_gl_account"
    assert tender(account="2140") == "422 unsuitable_gl_account"
    assert tender(name="\u200b") == "422 invalid_value"
    assert billing(1) == "409 already_exists"
    assert billing(income="9999") == "422 unknown_gl_account"
    assert billing(external="4100") == "422 unsuitable_gl_account"
    assert code(desk.create_account(by(), account)).strip() == "409 already_exists"
    assert code(desk.set_account_active(by(), 999, OFF)) == "404 unknown_gl_account"
    assert code(desk.set_tender_type_active(by(), 999, OFF)) == "404 unknown_tender_type"
    assert code(desk.set_billing_type_active(by(), 999, OFF)) == "404 unknown_billing_type"


def test_a_refused_type_says_which_value_is_at_fault(clerk: Clerk) -> None:
    """Of two codes the unknown one, of code and id the one that is taken; and no command to run."""

    def said(result: Result) -> str:
        assert isinstance(result, Refused), result
        return result.detail

    court = orders.NewBillingType(
        billing_type_id=91,
        name="Court",
        income_account_code="4100",
        external_receivables_account_code="7999",
    )
    taken = orders.NewAccount(code="7999", name="New", account_type="asset", gl_account_id=1)

    assert said(clerk.desk.create_billing_type(clerk.by(), court)) == (
        "There is no account with the code '7999'."
    )
    assert said(clerk.desk.create_account(clerk.by(), taken)) == (
        "GLAccountId 1 is that of account 1100 (Billing receivables)."
    )
