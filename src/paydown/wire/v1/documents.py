"""What ``/v1`` answers, and what the commands print with ``--json``."""

from typing import Generic, Literal, TypeVar

from msgspec import Struct

from paydown.wire.v1.fields import Amount, Day, Guid, Instant, PostingId, SignedAmount

T = TypeVar("T")

Kind = Literal[
    "charge", "opening_balance", "payment", "write_down", "receipt", "allocation", "reversal"
]
ItemState = Literal["open", "settled"]


class Page(Struct, Generic[T], kw_only=True, frozen=True):
    """A part of a list. ``next_cursor`` asks for the part after it; null at the end.

    A part before the end may hold fewer than were asked for, even none.
    """

    data: list[T]
    next_cursor: str | None


class Account(Struct, kw_only=True, frozen=True):
    """A GL account. ``gl_account_id`` is the two calls' ``GLAccountId``."""

    gl_account_id: int
    code: str
    name: str
    account_type: str
    active: bool


class AccountName(Struct, kw_only=True, frozen=True):
    """A GL account, named."""

    gl_account_id: int
    code: str
    name: str


class TenderType(Struct, kw_only=True, frozen=True):
    """A way to pay, and the account that the money is expected on."""

    tender_type_id: int
    name: str
    clearing_account_code: str
    active: bool


class BillingType(Struct, kw_only=True, frozen=True):
    """What items are for, and the accounts they move."""

    billing_type_id: int
    name: str
    income_account_code: str
    external_receivables_account_code: str
    active: bool


class ExplainedItem(Struct, kw_only=True, frozen=True):
    """A billing item at a past moment. Its contacts go without names: those may change."""

    billing_id: int
    contact_id: Guid
    beneficiary_id: Guid
    description: str
    total_amount: Amount
    balance: SignedAmount
    state: ItemState
    due_on: Day
    days_overdue: int
    billing_type_id: int | None
    agreement_id: int | None
    member_service_id: int | None
    is_external: bool
    receivables_account_code: str


class Item(ExplainedItem, kw_only=True, frozen=True):
    """A billing item. ``days_overdue`` is 0 until the day after ``due_on``, and when settled."""

    balance: Amount
    contact_name: str
    beneficiary_name: str


class Contact(Struct, kw_only=True, frozen=True):
    """A contact, what its open items come to, and what it paid that is not applied yet."""

    contact_id: Guid
    name: str
    reference: str | None
    open_item_count: int
    owed: Amount
    unapplied: Amount


class ContactInFull(Contact, kw_only=True, frozen=True):
    """A contact with its open items, those due first before the others."""

    open_items: list[Item]


class ReversedBy(Struct, kw_only=True, frozen=True):
    """What undid a posting, and why."""

    posting_id: PostingId
    value_at: Instant
    recorded_at: Instant
    reason: str | None


class Posting(Struct, kw_only=True, frozen=True):
    """One amount, moved from a debit to a credit account.

    ``balance_after`` is what the item owed then; of a receipt, which has no item, what was not
    applied.
    """

    posting_id: PostingId
    entry_id: Guid
    kind: Kind
    contact_id: Guid | None
    tender_type_id: int | None
    billing_id: int | None
    receipt_id: Guid | None
    amount: Amount
    debit_account: AccountName
    credit_account: AccountName
    balance_after: Amount
    reference: str | None
    authorization_code: str | None
    notes: str | None
    value_at: Instant
    recorded_at: Instant
    caller: str | None
    staff_user: str | None
    request_id: str
    address: str
    reverses: PostingId | None
    reversed_by: ReversedBy | None


class Entry(Struct, kw_only=True, frozen=True):
    """A journal entry: one event, one value date, one caller."""

    entry_id: Guid
    kind: Kind
    contact_id: Guid | None
    tender_type_id: int | None
    value_at: Instant
    recorded_at: Instant
    caller: str | None
    staff_user: str | None
    request_id: str
    address: str
    idempotency_key: str | None
    notes: str | None
    amount: Amount
    posting_count: int


class EntryInFull(Entry, kw_only=True, frozen=True):
    """A journal entry with its postings and its digest (SHA-256, in hex).

    Of more than 10,000 postings, as an import's may be, the first stand here: all are in the list
    of postings of that ``entry_id``.
    """

    digest: str
    postings: list[Posting]


class Reversed(Struct, kw_only=True, frozen=True):
    """A reversal, why it has its value date, and what the items owe after it."""

    entry: EntryInFull
    value_at_rule: Literal["given", "original"]
    items: list["ItemBalance"]


class ItemBalance(Struct, kw_only=True, frozen=True):
    """What an item owes."""

    billing_id: int
    balance: Amount


class Movement(Struct, kw_only=True, frozen=True):
    """What moved an item's balance, by whom and under which rule, and what later undid it."""

    posting_id: PostingId
    entry_id: Guid
    kind: Kind
    effect: SignedAmount
    balance: SignedAmount
    value_at: Instant
    recorded_at: Instant
    rule: str
    counter_account: AccountName
    tender_type: str | None
    receipt_id: Guid | None
    reference: str | None
    authorization_code: str | None
    notes: str | None
    caller: str | None
    staff_user: str | None
    request_id: str
    address: str
    reverses: PostingId | None
    reversed_by: ReversedBy | None


class Explanation(Struct, kw_only=True, frozen=True):
    """Why an item's balance is what it is: every penny in order, and the same in sentences.

    It counts what was true at ``as_of`` (null: whatever its value date) as it was known at
    ``known_at``, and for a fixed pair of both it never changes. Where ``provisional``, something
    recorded up to ``known_at`` may still come in.
    """

    item: ExplainedItem
    as_of: Instant | None
    known_at: Instant
    provisional: bool
    balance: SignedAmount
    movements: list[Movement]
    sentences: list[str]


class StatementLine(Struct, kw_only=True, frozen=True):
    """A movement on a contact's account: ``charge`` raises the balance, ``credit`` lowers it."""

    posting_id: PostingId
    value_at: Instant
    kind: Kind
    billing_id: int | None
    description: str
    reference: str | None
    charge: Amount | None
    credit: Amount | None
    balance: SignedAmount


class Statement(Struct, kw_only=True, frozen=True):
    """A statement of account: what a contact owed, what moved it, what it owes.

    Both days are in it. A receipt lowers the balance when it is received; its allocation does not.
    """

    customer_name: str
    currency: str
    contact_id: Guid
    contact_name: str
    contact_reference: str | None
    first_on: Day
    last_on: Day
    opening_balance: SignedAmount
    lines: list[StatementLine]
    closing_balance: SignedAmount


class Band(Struct, kw_only=True, frozen=True):
    """Debt by how many days it is overdue.

    Money for an item that was charged only later stands under ``not_due``, below zero.
    """

    band: str
    item_count: int
    amount: SignedAmount


class ContactDebt(Struct, kw_only=True, frozen=True):
    """What one contact owes, by band."""

    contact_id: Guid
    name: str
    bands: dict[str, SignedAmount]
    total: SignedAmount


class TieOut(Struct, kw_only=True, frozen=True):
    """A receivables account beside its items: what the ledger says and what they add up to."""

    account: AccountName
    ledger_balance: SignedAmount
    items_balance: SignedAmount
    difference: SignedAmount


class AgedDebt(Struct, kw_only=True, frozen=True):
    """Who owed what, and for how long, at the end of a day."""

    on: Day
    currency: str
    bands: list[Band]
    total: SignedAmount
    accounts: list[TieOut]
    contacts: list[ContactDebt]


class Allocation(Struct, kw_only=True, frozen=True):
    """A part of a receipt that was applied to an item."""

    allocation_id: PostingId
    billing_id: int
    amount: Amount
    value_at: Instant
    recorded_at: Instant
    reversed_by: ReversedBy | None


class Receipt(Struct, kw_only=True, frozen=True):
    """Money received without items, and what became of it.

    A write answers with the ``allocations`` that it made or took back, a read with all.
    """

    receipt_id: Guid
    contact_id: Guid
    contact_name: str
    tender_type_id: int
    amount: Amount
    unapplied: Amount
    value_at: Instant
    recorded_at: Instant
    reference: str | None
    authorization_code: str | None
    notes: str | None
    allocations: list[Allocation]
    reversed_by: ReversedBy | None


class SuggestedLine(Struct, kw_only=True, frozen=True):
    """A part of a suggestion, as ``allocate`` takes it."""

    billing_id: int
    amount: Amount


class Suggestion(Struct, kw_only=True, frozen=True):
    """One way to apply what is left of a receipt, and what speaks for it."""

    rank: int
    rule: Literal["exact_item", "exact_subset", "oldest_first"]
    reason: str
    total: Amount
    left_over: Amount
    lines: list[SuggestedLine]


class Suggestions(Struct, kw_only=True, frozen=True):
    """The ways to apply what is left of a receipt, the likeliest first. Nothing is applied."""

    receipt_id: Guid
    unapplied: Amount
    suggestions: list[Suggestion]


class ItemResult(Struct, kw_only=True, frozen=True):
    """What came of one of several items: its id and entry, or why it was refused."""

    index: int
    billing_id: int | None
    entry_id: Guid | None
    code: str | None
    detail: str | None
    errors: list["ProblemError"]


class ItemResults(Struct, kw_only=True, frozen=True):
    """What came of several items, in order. ``success`` is true when none was refused."""

    success: bool
    created_count: int
    results: list[ItemResult]


class ProblemError(Struct, kw_only=True, frozen=True):
    """One of several things that are wrong; ``pointer`` is a JSON pointer into the body."""

    pointer: str
    detail: str


class Problem(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """Why a request failed (RFC 9457). ``code`` is stable; ``detail`` says what to send instead."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemError] = []
