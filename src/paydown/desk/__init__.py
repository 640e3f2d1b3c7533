"""The desk: every write of ``/v1``, each in one transaction, once for each Idempotency-Key.

Law of this package: its methods may be called from any thread, and block. A user's mistake comes
back as ``Refused`` or ``KeyConflict`` and has changed nothing; ``StoreUnavailable`` is raised.
"""

from paydown.desk import catalogue, contacts, items, receipts, reversals
from paydown.desk.catalogue import Switch
from paydown.desk.instructions import Instruction, Operator, Refused, Result, Told
from paydown.desk.work import Clock, Writing
from paydown.domain.charging import NewBilling
from paydown.domain.outcomes import KeyConflict
from paydown.storage.database import Database
from paydown.wire.v1 import orders

__all__ = [
    "Clock",
    "Desk",
    "Instruction",
    "KeyConflict",
    "NewBilling",
    "Operator",
    "Refused",
    "Result",
    "Told",
]


class Desk:
    """The writes on one ledger. ``clock`` never says the same time twice, nor an earlier one."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._carry_out = Writing(database, clock).carry_out

    def create_contact(self, by: Instruction, order: orders.NewContact) -> Result:
        """Add a contact."""
        return self._carry_out(by, contacts.read_new(order, by.zone), contacts.create)

    def change_contact(
        self, by: Instruction, contact_id: str, order: orders.ContactChange
    ) -> Result:
        """Give a contact another name and reference."""
        read = contacts.read_change(contact_id, order, by.zone)
        return self._carry_out(by, read, contacts.change)

    def create_item(self, by: Instruction, order: orders.NewItem) -> Result:
        """Charge a billing item."""
        return self._carry_out(by, items.read_item(order, by.zone), items.create)

    def create_items(self, by: Instruction, order: orders.NewItems) -> Result:
        """Charge billing items, each judged by itself."""
        return self._carry_out(by, items.read_items(order, by.zone), items.create_many)

    def create_billing(self, by: Instruction, asked: NewBilling) -> Result:
        """Charge a billing item as Legend's own call does, and answer as that does."""
        return self._carry_out(by, asked, items.create_billing)

    def create_tender_type(self, by: Instruction, order: orders.NewTenderType) -> Result:
        """Add a way to pay."""
        read = catalogue.read_tender_type(order)
        return self._carry_out(by, read, catalogue.create_tender_type)

    def create_billing_type(self, by: Instruction, order: orders.NewBillingType) -> Result:
        """Add what an item can be for."""
        read = catalogue.read_billing_type(order)
        return self._carry_out(by, read, catalogue.create_billing_type)

    def create_account(self, by: Instruction, order: orders.NewAccount) -> Result:
        """Add a GL account."""
        return self._carry_out(by, catalogue.read_account(order), catalogue.create_account)

    def set_tender_type_active(
        self, by: Instruction, tender_type_id: int, order: orders.Activation
    ) -> Result:
        """Let requests name the tender type, or no longer."""
        switch = Switch(tender_type_id, order.active)
        return self._carry_out(by, switch, catalogue.switch_tender_type)

    def set_billing_type_active(
        self, by: Instruction, billing_type_id: int, order: orders.Activation
    ) -> Result:
        """Let new items be of the billing type, or no longer."""
        switch = Switch(billing_type_id, order.active)
        return self._carry_out(by, switch, catalogue.switch_billing_type)

    def set_account_active(
        self, by: Instruction, gl_account_id: int, order: orders.Activation
    ) -> Result:
        """Let write-downs, imports and new types use the account, or no longer."""
        switch = Switch(gl_account_id, order.active)
        return self._carry_out(by, switch, catalogue.switch_account)

    def reverse_posting(self, by: Instruction, posting_id: str, order: orders.Reversal) -> Result:
        """Undo one posting, once."""
        read = reversals.read_posting(posting_id, order, by.zone)
        return self._carry_out(by, read, reversals.reverse)

    def reverse_entry(self, by: Instruction, entry_id: str, order: orders.Reversal) -> Result:
        """Undo all that still stands of an entry, once."""
        read = reversals.read_entry(entry_id, order, by.zone)
        return self._carry_out(by, read, reversals.reverse)

    def record_receipt(self, by: Instruction, order: orders.NewReceipt) -> Result:
        """Record money that came in without items."""
        return self._carry_out(by, receipts.read_money(order, by.zone), receipts.record)

    def allocate(self, by: Instruction, receipt_id: str, order: orders.Allocations) -> Result:
        """Apply parts of a receipt to items: all of them, or none."""
        read = receipts.read_shares(receipt_id, order, by.zone)
        return self._carry_out(by, read, receipts.allocate)

    def unallocate(self, by: Instruction, receipt_id: str, order: orders.Unallocation) -> Result:
        """Take an allocation back from its item."""
        read = receipts.read_return(receipt_id, order, by.zone)
        return self._carry_out(by, read, receipts.take_back)
