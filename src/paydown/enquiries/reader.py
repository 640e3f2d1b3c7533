"""The enquiries over a connection of their own, at one moment of the ledger each."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import NamedTuple

from paydown.enquiries import (
    contacts,
    debts,
    explaining,
    items,
    journal,
    master,
    receipts,
    statements,
)
from paydown.enquiries.asking import (
    BadCursor,
    ContactFilter,
    EntryFilter,
    ItemFilter,
    PageAsk,
    PostingFilter,
    ReceiptFilter,
)
from paydown.enquiries.writing import read_id, read_posting_id, today
from paydown.storage import reference
from paydown.storage.database import Database
from paydown.storage.reference import Customer, StoreConnection
from paydown.wire.v1.documents import (
    Account,
    AgedDebt,
    BillingType,
    Contact,
    ContactInFull,
    Entry,
    EntryInFull,
    Explanation,
    Item,
    Page,
    Posting,
    Receipt,
    Statement,
    Suggestions,
    TenderType,
)


class Open(NamedTuple):
    """A customer's books, open for reading, and the time it is (ticks)."""

    connection: StoreConnection
    customer: Customer
    now: int


class Enquiries:
    """One ledger, read. Thread-safe; every method blocks, and raises ``StoreUnavailable``.

    Ids of entries, receipts and postings are texts: what is no such id is not found.
    """

    def __init__(self, database: Database, *, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def find_contact(self, customer_id: int, contact_id: str) -> ContactInFull | None:
        """The contact with its open items."""
        with self._open(customer_id) as (connection, customer, now):
            return contacts.find_contact(connection, customer, contact_id, now=now)

    def list_contacts(
        self, customer_id: int, wanted: ContactFilter, ask: PageAsk
    ) -> Page[Contact] | BadCursor:
        """A part of the contacts."""
        with self._open(customer_id) as (connection, customer, _):
            return contacts.list_contacts(connection, customer, wanted, ask)

    def find_item(self, customer_id: int, billing_id: int) -> Item | None:
        """The billing item."""
        with self._open(customer_id) as (connection, customer, now):
            return items.find_item(connection, customer, billing_id, now=now)

    def list_items(
        self, customer_id: int, wanted: ItemFilter, ask: PageAsk
    ) -> Page[Item] | BadCursor:
        """A part of the billing items."""
        with self._open(customer_id) as (connection, customer, now):
            return items.list_items(connection, customer, wanted, ask, now=now)

    def explain(
        self,
        customer_id: int,
        billing_id: int,
        *,
        as_of: int | None = None,
        known_at: int | None = None,
    ) -> Explanation | None:
        """Why the item's balance is or was what it is or was (ticks)."""
        with self._open(customer_id) as (connection, customer, now):
            return explaining.explain(
                connection, customer, billing_id, as_of=as_of, known_at=known_at, now=now
            )

    def find_entry(self, customer_id: int, entry_id: str) -> EntryInFull | None:
        """The entry with its postings."""
        key = read_id(entry_id)
        if key is None:
            return None
        with self._open(customer_id) as (connection, customer, _):
            return journal.find_entry(connection, customer, key)

    def list_entries(
        self, customer_id: int, wanted: EntryFilter, ask: PageAsk
    ) -> Page[Entry] | BadCursor:
        """A part of the entries."""
        with self._open(customer_id) as (connection, customer, _):
            return journal.list_entries(connection, customer, wanted, ask)

    def find_posting(self, customer_id: int, posting_id: str) -> Posting | None:
        """The posting."""
        key = read_posting_id(posting_id)
        if key is None:
            return None
        with self._open(customer_id) as (connection, customer, _):
            return journal.find_posting(connection, customer, key)

    def list_postings(
        self, customer_id: int, wanted: PostingFilter, ask: PageAsk
    ) -> Page[Posting] | BadCursor:
        """A part of the postings."""
        with self._open(customer_id) as (connection, customer, _):
            return journal.list_postings(connection, customer, wanted, ask)

    def find_receipt(self, customer_id: int, receipt_id: str) -> Receipt | None:
        """The receipt with its allocations."""
        key = read_id(receipt_id)
        if key is None:
            return None
        with self._open(customer_id) as (connection, customer, _):
            return receipts.find_receipt(connection, customer, key)

    def list_receipts(
        self, customer_id: int, wanted: ReceiptFilter, ask: PageAsk
    ) -> Page[Receipt] | BadCursor:
        """A part of the receipts."""
        with self._open(customer_id) as (connection, customer, _):
            return receipts.list_receipts(connection, customer, wanted, ask)

    def suggest(self, customer_id: int, receipt_id: str) -> Suggestions | None:
        """How what is left of the receipt could be applied."""
        key = read_id(receipt_id)
        if key is None:
            return None
        with self._open(customer_id) as (connection, customer, _):
            return receipts.suggest(connection, customer, key)

    def make_statement(
        self, customer_id: int, contact_id: str, *, first_on: date, last_on: date
    ) -> Statement | None:
        """The contact's statement over these days, both in it."""
        with self._open(customer_id) as (connection, customer, _):
            return statements.make_statement(
                connection, customer, contact_id, first_on=first_on, last_on=last_on
            )

    def age_debt(self, customer_id: int, on: date | None = None) -> AgedDebt:
        """The debt at the end of the day, or of today."""
        with self._open(customer_id) as (connection, customer, now):
            return debts.age_debt(connection, customer, on or today(now, customer))

    def list_tender_types(self, customer_id: int) -> list[TenderType]:
        """All tender types."""
        with self._open(customer_id) as (connection, customer, _):
            return master.list_tender_types(connection, customer)

    def list_billing_types(self, customer_id: int) -> list[BillingType]:
        """All billing types."""
        with self._open(customer_id) as (connection, customer, _):
            return master.list_billing_types(connection, customer)

    def list_accounts(self, customer_id: int) -> list[Account]:
        """All GL accounts."""
        with self._open(customer_id) as (connection, customer, _):
            return master.list_accounts(connection, customer)

    @contextmanager
    def _open(self, customer_id: int) -> Iterator[Open]:
        """One moment of the ledger, seen just after the time it is said to be."""
        now = self._clock()
        with self._database.read() as connection:
            yield Open(connection, reference.get_customer(connection, customer_id), now)
