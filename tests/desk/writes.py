"""Each write of the desk once, for what is true of all of them.

Law of this file: the writes of one ledger are ready to be made in any order, and each succeeds.
"""

from collections.abc import Callable
from decimal import Decimal

from clerk import Clerk, because, document, entry_guid, item, receipt, shares
from ledgers import ANNA, BEN, Books, pay
from paydown.desk import Instruction, NewBilling, Result
from paydown.wire.v1 import orders

Write = Callable[[Instruction], Result]


def every_write(books: Books, clerk: Clerk) -> dict[str, Write]:
    """The writes by name, on a ledger with a payment of two lines and a receipt applied in part."""
    entry = books.outcome(pay(clerk.caller, {1: "1.00", 2: "2.00"}, reference="R-1")).entry
    assert entry is not None
    paid = entry_guid(entry.entry_id)
    received = clerk.receive("30.00")
    document(clerk.desk.allocate(clerk.by(), received, shares({3: "1.00"})))
    back = orders.Unallocation(allocation_id=clerk.postings_of(3)[-1], reason="Other item")
    tender = orders.NewTenderType(tender_type_id=90, name="Coins", clearing_account_code="1210")
    kind = orders.NewBillingType(
        billing_type_id=90,
        name="Court",
        income_account_code="4100",
        external_receivables_account_code="1150",
    )
    account = orders.NewAccount(code="4200", name="Court hire", account_type="income")
    off = orders.Activation(active=False)
    many = orders.NewItems(items=[item("1.00"), item("2.00", contact_id=BEN)])
    billing = NewBilling(ANNA, 1, Decimal("3.00"), agreement_id=7)
    return {
        "create_contact": lambda by: clerk.desk.create_contact(by, orders.NewContact(name="Cy")),
        "change_contact": lambda by: clerk.desk.change_contact(
            by, ANNA, orders.ContactChange(name="Anna Ash", reference="M-7")
        ),
        "create_item": lambda by: clerk.desk.create_item(by, item("4.00")),
        "create_items": lambda by: clerk.desk.create_items(by, many),
        "create_billing": lambda by: clerk.desk.create_billing(by, billing),
        "create_tender_type": lambda by: clerk.desk.create_tender_type(by, tender),
        "create_billing_type": lambda by: clerk.desk.create_billing_type(by, kind),
        "create_account": lambda by: clerk.desk.create_account(by, account),
        "set_tender_type_active": lambda by: clerk.desk.set_tender_type_active(by, 2, off),
        "set_billing_type_active": lambda by: clerk.desk.set_billing_type_active(by, 2, off),
        "set_account_active": lambda by: clerk.desk.set_account_active(by, 13, off),
        "reverse_posting": lambda by: clerk.desk.reverse_posting(by, f"{paid}.1", because()),
        "reverse_entry": lambda by: clerk.desk.reverse_entry(by, paid, because()),
        "record_receipt": lambda by: clerk.desk.record_receipt(by, receipt("9.00")),
        "allocate": lambda by: clerk.desk.allocate(by, received, shares({4: "2.00", 5: "3.00"})),
        "unallocate": lambda by: clerk.desk.unallocate(by, received, back),
    }
