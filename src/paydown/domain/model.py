"""What the books are made of, and what a caller asks of them.

Units throughout: amounts are integer minor units unless typed ``Decimal`` (only what a caller sent
is); times are ticks, 100 ns integers since 1970-01-01T00:00:00Z.
"""

from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

TICKS_PER_SECOND = 10_000_000


class Kind(StrEnum):
    """What business event an entry is."""

    PAYMENT = "payment"
    WRITE_DOWN = "write_down"
    CHARGE = "charge"
    OPENING_BALANCE = "opening_balance"
    RECEIPT = "receipt"
    ALLOCATION = "allocation"
    REVERSAL = "reversal"


CALL_KINDS = (Kind.PAYMENT, Kind.WRITE_DOWN)
"""What the two calls record."""


class AccountType(StrEnum):
    """The type of a general-ledger account; ``receivable`` marks a control account."""

    RECEIVABLE = "receivable"
    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class Bundle(StrEnum):
    """A right that a login holds for one customer.

    The first three are the vendor's own; the others open parts of ``/v1``.
    """

    BILLING_PAYMENT = "BillingPayment"
    BILLING_WRITE_DOWN = "BillingWriteDown"
    CONTACTS = "Contacts"
    READ = "Read"
    ADMIN = "Admin"
    REVERSAL = "Reversal"


class Line(NamedTuple):
    """One line of a request: an amount for one billing item."""

    billing_id: int
    amount: Decimal
    gl_account_id: int | None = None
    reference: str | None = None
    notes: str | None = None
    authorization_code: str | None = None


class Request(NamedTuple):
    """A well-formed body, parsed. ``value_written`` is the value date as an answer writes it."""

    kind: Kind
    contact_id: str
    tender_type_id: int
    value_at: int
    value_written: str
    lines: tuple[Line, ...]
    notes: str | None = None


class Caller(NamedTuple):
    """A verified login acting for one customer, with what of both a request needs."""

    customer_id: int
    login_id: int
    user_name: str
    minor_digits: int
    time_zone: str
    bundles: frozenset[str]
    strict: bool = False
    references_shared: bool = False


class Command(NamedTuple):
    """A request together with who makes it and how it wants to be handled."""

    request: Request
    caller: Caller
    strict: bool = False
    key: str | None = None
    staff_user: str | None = None
    request_id: str = ""
    address: str = ""
    dry_run: bool = False


class Stamp(NamedTuple):
    """Identity and record date of the entry that a command may make, chosen before deciding."""

    entry_id: bytes
    recorded_at: int
    recorded_written: str


class Posting(NamedTuple):
    """One positive amount moved from a debit to a credit account, against one billing item.

    A receipt has no item: ``balance_after`` is then what of it is unapplied.
    """

    line_no: int
    billing_id: int | None
    amount: int
    debit_account_id: int
    credit_account_id: int
    balance_after: int
    reference: str | None
    notes: str | None
    authorization_code: str | None


class Entry(NamedTuple):
    """A journal entry: one business event, one value date, one caller. Never changed once saved."""

    customer_id: int
    entry_id: bytes
    kind: Kind
    contact_id: str | None
    tender_type_id: int | None
    login_id: int | None
    idempotency_key: str | None
    staff_user: str | None
    request_id: str
    address: str
    value_at: int
    value_written: str
    recorded_at: int
    recorded_written: str
    notes: str | None
    postings: tuple[Posting, ...]


class RecordedLine(NamedTuple):
    """A recorded posting, with what of its entry a retry is recognised by and answered with."""

    kind: Kind
    contact_id: str | None
    tender_type_id: int | None
    login_id: int | None
    idempotency_key: str | None
    notes: str | None
    value_written: str
    recorded_at: int
    recorded_written: str
    entry_id: bytes
    posting: Posting


class ItemFact(NamedTuple):
    """What deciding needs to know of a billing item."""

    contact_id: str
    balance: int
    receivables_account_id: int


class TenderTypeFact(NamedTuple):
    """What deciding needs to know of a tender type."""

    clearing_account_id: int
    active: bool


class AccountFact(NamedTuple):
    """What deciding needs to know of a general-ledger account."""

    account_type: str
    active: bool


class KeptAnswer(NamedTuple):
    """The first answer under an Idempotency-Key, with its request's fingerprint; kept for ever."""

    fingerprint: bytes
    body: bytes


class Login(NamedTuple):
    """A login as authentication needs it, and the caller it is for the customer named.

    ``caller`` is None where that customer is unknown or the login holds no bundle for it.
    """

    login_id: int
    password_hash: str
    disabled: bool
    caller: Caller | None
