"""Enquiries: every reading of the books, for ``/v1`` and the commands alike.

Law of this package: nothing is changed. The functions read over an open connection, so that a write
can answer from inside its own transaction; ``Enquiries`` does the same over one of its own.
"""

from paydown.enquiries.asking import (
    BadCursor,
    ContactFilter,
    EntryFilter,
    ItemFilter,
    PageAsk,
    PostingFilter,
    ReceiptFilter,
)
from paydown.enquiries.contacts import find_contact, list_contacts
from paydown.enquiries.debts import age_debt
from paydown.enquiries.explaining import explain
from paydown.enquiries.items import find_item, list_items
from paydown.enquiries.journal import find_entry, find_posting, list_entries, list_postings
from paydown.enquiries.master import list_accounts, list_billing_types, list_tender_types
from paydown.enquiries.reader import Enquiries
from paydown.enquiries.receipts import find_receipt, list_receipts, suggest
from paydown.enquiries.statements import make_statement

__all__ = [
    "BadCursor",
    "ContactFilter",
    "Enquiries",
    "EntryFilter",
    "ItemFilter",
    "PageAsk",
    "PostingFilter",
    "ReceiptFilter",
    "age_debt",
    "explain",
    "find_contact",
    "find_entry",
    "find_item",
    "find_posting",
    "find_receipt",
    "list_accounts",
    "list_billing_types",
    "list_contacts",
    "list_entries",
    "list_items",
    "list_postings",
    "list_receipts",
    "list_tender_types",
    "make_statement",
    "suggest",
]
