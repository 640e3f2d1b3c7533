"""The one definition of the tables; the migrations' sum equals it, by test.

Law of this file: ``customer_id`` leads every primary key and stands in every foreign key, so that
a distributed database can place a customer on a node; only ``login`` is keyed without one. Amounts
are minor units, ``_at`` columns are ticks (100 ns since 1970, UTC), ``_written`` columns are dates
as an answer wrote them, flags are 0 or 1. ``entry`` and ``posting`` are append-only by trigger,
and those are the only triggers there are.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.schema import SchemaItem

from paydown.domain.model import AccountType, Bundle, Kind
from paydown.domain.money import AMOUNT_MAX

# SQLite spells every whole number INTEGER; its STRICT tables know no other name.
Whole = BigInteger().with_variant(Integer(), "sqlite")

# Texts are compared by code point on both databases, whatever language PostgreSQL was set up in.
Words = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _table(name: str, *items: SchemaItem) -> Table:
    """A table that SQLite type-checks and stores in primary-key order."""
    return Table(name, metadata, *items, sqlite_strict=True, sqlite_with_rowid=False)


def _whole(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, Whole, nullable=null, autoincrement=False)


def _text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Words, nullable=null)


def _bytes(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _flag(name: str) -> tuple[SchemaItem, SchemaItem]:
    return _whole(name), CheckConstraint(f"{name} IN (0, 1)", name)


def _one_of(name: str, values: type[Kind | AccountType | Bundle]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{name} IN ({listed})", name)


def _account_key(column: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["customer_id", column], ["account.customer_id", "account.account_id"]
    )


def _customer_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["customer_id"], ["customer.customer_id"])


customer = _table(
    "customer",
    _whole("customer_id"),
    _text("customer_guid"),
    _text("name"),
    _text("currency"),
    _whole("minor_digits"),
    _text("time_zone"),
    _whole("created_at"),
    PrimaryKeyConstraint("customer_id"),
    UniqueConstraint("customer_guid"),
    CheckConstraint("minor_digits BETWEEN 0 AND 4", "minor_digits"),
)

account = _table(
    "account",
    _whole("customer_id"),
    _whole("account_id"),
    _text("code"),
    _text("name"),
    _text("account_type"),
    *_flag("active"),
    PrimaryKeyConstraint("customer_id", "account_id"),
    UniqueConstraint("customer_id", "code"),
    _customer_key(),
    _one_of("account_type", AccountType),
)

# Which accounts an import uses, and the next BillingId: only the making of items locks this row.
item_defaults = _table(
    "item_defaults",
    _whole("customer_id"),
    _whole("receivables_account_id"),
    _whole("opening_account_id"),
    _whole("next_billing_id"),
    PrimaryKeyConstraint("customer_id"),
    _account_key("receivables_account_id"),
    _account_key("opening_account_id"),
)

tender_type = _table(
    "tender_type",
    _whole("customer_id"),
    _whole("tender_type_id"),
    _text("name"),
    _whole("clearing_account_id"),
    *_flag("active"),
    PrimaryKeyConstraint("customer_id", "tender_type_id"),
    _account_key("clearing_account_id"),
)

login = _table(
    "login",
    _whole("login_id"),
    _text("user_name"),
    _text("password_hash"),
    *_flag("strict"),
    *_flag("references_shared"),
    *_flag("disabled"),
    _whole("created_at"),
    PrimaryKeyConstraint("login_id"),
    UniqueConstraint("user_name"),
)

login_grant = _table(
    "login_grant",
    _whole("customer_id"),
    _whole("login_id"),
    _text("bundle"),
    PrimaryKeyConstraint("customer_id", "login_id", "bundle"),
    _customer_key(),
    ForeignKeyConstraint(["login_id"], ["login.login_id"]),
    _one_of("bundle", Bundle),
)

contact = _table(
    "contact",
    _whole("customer_id"),
    _text("contact_id"),
    _text("name"),
    PrimaryKeyConstraint("customer_id", "contact_id"),
    _customer_key(),
)

billing_item = _table(
    "billing_item",
    _whole("customer_id"),
    _whole("billing_id"),
    _text("contact_id"),
    _text("description"),
    _whole("total_amount"),
    _whole("balance"),
    _text("due_on"),
    _whole("receivables_account_id"),
    PrimaryKeyConstraint("customer_id", "billing_id"),
    ForeignKeyConstraint(
        ["customer_id", "contact_id"], ["contact.customer_id", "contact.contact_id"]
    ),
    _account_key("receivables_account_id"),
    CheckConstraint(f"total_amount BETWEEN 1 AND {AMOUNT_MAX}", "total_amount"),
    CheckConstraint("balance BETWEEN 0 AND total_amount", "balance"),
    Index(None, "customer_id", "contact_id"),
)

# What an import read for an item, kept so that running it again can tell the same from a change.
imported_row = _table(
    "imported_row",
    _whole("customer_id"),
    _whole("billing_id"),
    _text("batch", null=True),
    _whole("line_number", null=True),
    _text("contact_id"),
    _text("contact_name"),
    _text("description"),
    _whole("total_amount"),
    _whole("balance"),
    _text("due_on"),
    _text("income_account"),
    PrimaryKeyConstraint("customer_id", "billing_id"),
    UniqueConstraint("customer_id", "batch", "line_number"),
    ForeignKeyConstraint(
        ["customer_id", "billing_id"], ["billing_item.customer_id", "billing_item.billing_id"]
    ),
)

entry = _table(
    "entry",
    _whole("customer_id"),
    _bytes("entry_id"),
    _text("kind"),
    _text("contact_id", null=True),
    _whole("tender_type_id", null=True),
    _whole("login_id", null=True),
    _text("idempotency_key", null=True),
    _text("staff_user", null=True),
    _text("request_id"),
    _text("address"),
    _whole("value_at"),
    _text("value_written"),
    _whole("recorded_at"),
    _text("recorded_written"),
    _text("notes", null=True),
    _bytes("digest"),
    PrimaryKeyConstraint("customer_id", "entry_id"),
    _customer_key(),
    ForeignKeyConstraint(
        ["customer_id", "contact_id"], ["contact.customer_id", "contact.contact_id"]
    ),
    ForeignKeyConstraint(
        ["customer_id", "tender_type_id"],
        ["tender_type.customer_id", "tender_type.tender_type_id"],
    ),
    ForeignKeyConstraint(["login_id"], ["login.login_id"]),
    _one_of("kind", Kind),
)

posting = _table(
    "posting",
    _whole("customer_id"),
    _bytes("entry_id"),
    _whole("value_at"),
    _whole("line_no"),
    _whole("billing_id"),
    _whole("amount"),
    _whole("debit_account_id"),
    _whole("credit_account_id"),
    _whole("balance_after"),
    _text("reference", null=True),
    _text("notes", null=True),
    _text("authorization_code", null=True),
    PrimaryKeyConstraint("customer_id", "entry_id", "line_no"),
    ForeignKeyConstraint(["customer_id", "entry_id"], ["entry.customer_id", "entry.entry_id"]),
    ForeignKeyConstraint(
        ["customer_id", "billing_id"], ["billing_item.customer_id", "billing_item.billing_id"]
    ),
    _account_key("debit_account_id"),
    _account_key("credit_account_id"),
    CheckConstraint(f"amount BETWEEN 1 AND {AMOUNT_MAX}", "amount"),
    CheckConstraint("debit_account_id <> credit_account_id", "two_accounts"),
)

# The history of an item, and where the retry-proof rule looks for a line's possible twins.
posting_history = Index(
    "ix_posting_history",
    posting.c.customer_id,
    posting.c.billing_id,
    posting.c.value_at,
    posting.c.reference,
)

kept_answer = _table(
    "kept_answer",
    _whole("customer_id"),
    _whole("login_id"),
    _text("kind"),
    _text("idempotency_key"),
    _bytes("fingerprint"),
    _bytes("entry_id"),
    _bytes("body"),
    _bytes("digest"),
    PrimaryKeyConstraint("customer_id", "login_id", "kind", "idempotency_key"),
    ForeignKeyConstraint(["customer_id", "entry_id"], ["entry.customer_id", "entry.entry_id"]),
    _one_of("kind", Kind),
)

# Each time a line was answered as an earlier one without a key: what `paydown replays` lists.
replay = _table(
    "replay",
    _whole("customer_id"),
    _whole("replayed_at"),
    _bytes("entry_id"),
    _whole("line_no"),
    _whole("login_id"),
    _text("request_id"),
    _text("address"),
    PrimaryKeyConstraint("customer_id", "replayed_at", "entry_id", "line_no"),
    ForeignKeyConstraint(
        ["customer_id", "entry_id", "line_no"],
        ["posting.customer_id", "posting.entry_id", "posting.line_no"],
    ),
    ForeignKeyConstraint(["login_id"], ["login.login_id"]),
)

APPEND_ONLY = ("entry", "posting")
