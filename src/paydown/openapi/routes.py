"""The routes of ``/v1``: the one table that the door serves and the document describes.

Law of this file: a route's name is the document's operation id and the name of the function that
answers it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from paydown.domain.model import Bundle
from paydown.wire.v1 import documents, orders, queries
from paydown.wire.v1.documents import Page
from paydown.wire.v1.fields import Guid, Id, PostingId

PATH_VALUES = {
    "contact_id": Guid,
    "billing_id": Id,
    "tender_type_id": Id,
    "billing_type_id": Id,
    "gl_account_id": Id,
    "entry_id": Guid,
    "posting_id": PostingId,
    "receipt_id": Guid,
}
"""What stands for each name in a path."""


class Route(NamedTuple):
    """One operation: where it is, who may ask for it, what it takes and what it gives.

    ``answers`` has the shape of each success by its status. ``location`` is where what was created
    is found, made from the answer's members.
    """

    method: str
    path: str
    name: str
    summary: str
    bundle: Bundle
    answers: Mapping[int, Any]
    order: type[orders.Order] | None = None
    location: str | None = None
    query: type[queries.Query] = queries.Query
    media: tuple[str, ...] = ("application/json",)

    @property
    def tag(self) -> str:
        """The group that it belongs to: the first part of its path."""
        return self.path.split("/")[2]

    @property
    def is_write(self) -> bool:
        """Whether it takes an order, and so an Idempotency-Key."""
        return self.order is not None

    @property
    def is_conditional(self) -> bool:
        """Whether it replaces what a read of its path answers, so that If-Match is heard."""
        return self.method == "PUT"


def _read(path: str, name: str, summary: str, answer: Any, **more: Any) -> Route:
    return Route("GET", path, name, summary, Bundle.READ, {200: answer}, **more)


def _create(path: str, name: str, summary: str, answer: Any, **more: Any) -> Route:
    bundle = more.pop("bundle", Bundle.ADMIN)
    return Route("POST", path, name, summary, bundle, {201: answer}, **more)


def _change(path: str, name: str, summary: str, answer: Any, **more: Any) -> Route:
    method, bundle = more.pop("method", "PATCH"), more.pop("bundle", Bundle.ADMIN)
    return Route(method, path, name, summary, bundle, {200: answer}, **more)


_CONTACTS = (
    _read(
        "/v1/contacts",
        "list_contacts",
        "List contacts, or search them",
        Page[documents.Contact],
        query=queries.ContactQuery,
    ),
    _create(
        "/v1/contacts",
        "create_contact",
        "Create a contact",
        documents.ContactInFull,
        order=orders.NewContact,
        location="/v1/contacts/{contact_id}",
    ),
    _read(
        "/v1/contacts/{contact_id}",
        "get_contact",
        "A contact with its open items and totals",
        documents.ContactInFull,
    ),
    _change(
        "/v1/contacts/{contact_id}",
        "change_contact",
        "Change a contact's name and reference",
        documents.ContactInFull,
        method="PUT",
        order=orders.ContactChange,
    ),
    _read(
        "/v1/contacts/{contact_id}/statement",
        "get_statement",
        "A contact's statement of account",
        documents.Statement,
        query=queries.StatementQuery,
        media=("application/json", "text/csv", "text/html"),
    ),
)
_ITEMS = (
    _read(
        "/v1/items",
        "list_items",
        "List billing items",
        Page[documents.Item],
        query=queries.ItemQuery,
    ),
    _create(
        "/v1/items",
        "create_item",
        "Create a billing item",
        documents.Item,
        order=orders.NewItem,
        location="/v1/items/{billing_id}",
    ),
    Route(
        "POST",
        "/v1/items/bulk",
        "create_items",
        "Create many billing items, each judged by itself",
        Bundle.ADMIN,
        {200: documents.ItemResults, 201: documents.ItemResults},
        order=orders.NewItems,
    ),
    _read("/v1/items/{billing_id}", "get_item", "A billing item", documents.Item),
    _read(
        "/v1/items/{billing_id}/explain",
        "explain_item",
        "Why a billing item's balance is what it is, or was",
        documents.Explanation,
        query=queries.ExplainQuery,
    ),
)
_MASTER_DATA = (
    _read(
        "/v1/tender-types",
        "list_tender_types",
        "List tender types",
        Page[documents.TenderType],
    ),
    _create(
        "/v1/tender-types",
        "create_tender_type",
        "Create a tender type",
        documents.TenderType,
        order=orders.NewTenderType,
    ),
    _change(
        "/v1/tender-types/{tender_type_id}",
        "set_tender_type_active",
        "Disable a tender type, or enable it again",
        documents.TenderType,
        order=orders.Activation,
    ),
    _read(
        "/v1/billing-types",
        "list_billing_types",
        "List billing types",
        Page[documents.BillingType],
    ),
    _create(
        "/v1/billing-types",
        "create_billing_type",
        "Create a billing type",
        documents.BillingType,
        order=orders.NewBillingType,
    ),
    _change(
        "/v1/billing-types/{billing_type_id}",
        "set_billing_type_active",
        "Disable a billing type, or enable it again",
        documents.BillingType,
        order=orders.Activation,
    ),
    _read(
        "/v1/gl-accounts",
        "list_accounts",
        "List GL accounts",
        Page[documents.Account],
    ),
    _create(
        "/v1/gl-accounts",
        "create_account",
        "Create a GL account",
        documents.Account,
        order=orders.NewAccount,
    ),
    _change(
        "/v1/gl-accounts/{gl_account_id}",
        "set_account_active",
        "Disable a GL account, or enable it again",
        documents.Account,
        order=orders.Activation,
    ),
)
_JOURNAL = (
    _read(
        "/v1/entries",
        "list_entries",
        "List entries, the newest first",
        Page[documents.Entry],
        query=queries.EntryQuery,
    ),
    _read(
        "/v1/entries/{entry_id}",
        "get_entry",
        "An entry with everything about it",
        documents.EntryInFull,
    ),
    _create(
        "/v1/entries/{entry_id}/reverse",
        "reverse_entry",
        "Undo an entry: all its postings that are not reversed yet",
        documents.Reversed,
        bundle=Bundle.REVERSAL,
        order=orders.Reversal,
        location="/v1/entries/{entry[entry_id]}",
    ),
    _read(
        "/v1/postings",
        "list_postings",
        "List postings, the newest first",
        Page[documents.Posting],
        query=queries.PostingQuery,
    ),
    _read("/v1/postings/{posting_id}", "get_posting", "A posting", documents.Posting),
    _create(
        "/v1/postings/{posting_id}/reverse",
        "reverse_posting",
        "Undo a posting",
        documents.Reversed,
        bundle=Bundle.REVERSAL,
        order=orders.Reversal,
        location="/v1/entries/{entry[entry_id]}",
    ),
)
_RECEIPTS = (
    _read(
        "/v1/receipts",
        "list_receipts",
        "List receipts, the newest first",
        Page[documents.Receipt],
        query=queries.ReceiptQuery,
    ),
    _create(
        "/v1/receipts",
        "record_receipt",
        "Record money received without items",
        documents.Receipt,
        bundle=Bundle.BILLING_PAYMENT,
        order=orders.NewReceipt,
        location="/v1/receipts/{receipt_id}",
    ),
    _read(
        "/v1/receipts/{receipt_id}",
        "get_receipt",
        "A receipt and what became of it",
        documents.Receipt,
    ),
    _change(
        "/v1/receipts/{receipt_id}/allocate",
        "allocate",
        "Apply parts of a receipt to items: all or none",
        documents.Receipt,
        method="POST",
        bundle=Bundle.BILLING_PAYMENT,
        order=orders.Allocations,
    ),
    _change(
        "/v1/receipts/{receipt_id}/unallocate",
        "unallocate",
        "Take one allocation back",
        documents.Receipt,
        method="POST",
        bundle=Bundle.BILLING_PAYMENT,
        order=orders.Unallocation,
    ),
    _read(
        "/v1/receipts/{receipt_id}/suggestions",
        "suggest_allocations",
        "Ways to apply what is left of a receipt. Nothing is applied",
        documents.Suggestions,
    ),
)
_REPORTS = (
    _read(
        "/v1/aged-debt",
        "age_debt",
        "Who owes what, and for how long",
        documents.AgedDebt,
        query=queries.AgedDebtQuery,
    ),
)

ROUTES = (*_CONTACTS, *_ITEMS, *_MASTER_DATA, *_JOURNAL, *_RECEIPTS, *_REPORTS)
"""Every operation of ``/v1``."""
