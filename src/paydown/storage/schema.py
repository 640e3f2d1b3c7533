"""The one definition of the tables; the migrations' sum equals it, by test.

Law of this file: ``customer_id`` leads every primary key and stands in every foreign key, so that
a distributed database can place a customer on a node; only ``login`` is keyed without one. Amounts
are minor units, ``_at`` columns are ticks (100 ns since 1970, UTC), ``_written`` columns are dates
as an answer wrote them, flags are 0 or 1. What ``APPEND_ONLY`` names is so by trigger, and there
are no other triggers.
"""

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.sql import ColumnElement

from paydown.domain.model import CALL_KINDS, AccountType, Bundle, Kind
from paydown.domain.money import AMOUNT_MAX
from paydown.storage.columns import (
    account_key,
    customer_key,
    flag,
    octets,
    one_of,
    table,
    whole,
    words,
)

customer = table(
    "customer",
    whole("customer_id"),
    words("customer_guid"),
    words("name"),
    words("currency"),
    whole("minor_digits"),
    words("time_zone"),
    whole("created_at"),
    PrimaryKeyConstraint("customer_id"),
    UniqueConstraint("customer_guid"),
    CheckConstraint("minor_digits BETWEEN 0 AND 4", "minor_digits"),
)

account = table(
    "account",
    whole("customer_id"),
    whole("account_id"),
    words("code"),
    words("name"),
    words("account_type"),
    *flag("active"),
    PrimaryKeyConstraint("customer_id", "account_id"),
    UniqueConstraint("customer_id", "code"),
    customer_key(),
    one_of("account_type", AccountType),
)

# Which accounts an import uses, and the next BillingId: only the making of items locks this row.
item_defaults = table(
    "item_defaults",
    whole("customer_id"),
    whole("receivables_account_id"),
    whole("opening_account_id"),
    whole("next_billing_id"),
    PrimaryKeyConstraint("customer_id"),
    account_key("receivables_account_id"),
    account_key("opening_account_id"),
)

tender_type = table(
    "tender_type",
    whole("customer_id"),
    whole("tender_type_id"),
    words("name"),
    whole("clearing_account_id"),
    *flag("active"),
    PrimaryKeyConstraint("customer_id", "tender_type_id"),
    account_key("clearing_account_id"),
)

login = table(
    "login",
    whole("login_id"),
    words("user_name"),
    words("password_hash"),
    *flag("strict"),
    *flag("references_shared"),
    *flag("disabled"),
    whole("created_at"),
    PrimaryKeyConstraint("login_id"),
    UniqueConstraint("user_name"),
)

login_grant = table(
    "login_grant",
    whole("customer_id"),
    whole("login_id"),
    words("bundle"),
    PrimaryKeyConstraint("customer_id", "login_id", "bundle"),
    customer_key(),
    ForeignKeyConstraint(["login_id"], ["login.login_id"]),
    one_of("bundle", Bundle),
)

# What a billing item is for, and so which accounts it moves. Money that is another's to collect
# (``IsExternalBilling``) is owed on the external account.
billing_type = table(
    "billing_type",
    whole("customer_id"),
    whole("billing_type_id"),
    words("name"),
    whole("income_account_id"),
    whole("external_receivables_account_id"),
    *flag("active"),
    PrimaryKeyConstraint("customer_id", "billing_type_id"),
    account_key("income_account_id"),
    account_key("external_receivables_account_id"),
)

# Where money stands that was received and not yet applied to items.
receipt_defaults = table(
    "receipt_defaults",
    whole("customer_id"),
    whole("unapplied_account_id"),
    PrimaryKeyConstraint("customer_id"),
    account_key("unapplied_account_id"),
)

# ``search_text`` is the folded name and reference: what a search looks for its words in.
contact = table(
    "contact",
    whole("customer_id"),
    words("contact_id"),
    words("name"),
    words("reference", null=True),
    words("search_text"),
    PrimaryKeyConstraint("customer_id", "contact_id"),
    customer_key(),
    Index(None, "customer_id", "reference"),
)

billing_item = table(
    "billing_item",
    whole("customer_id"),
    whole("billing_id"),
    words("contact_id"),
    words("description"),
    whole("total_amount"),
    whole("balance"),
    words("due_on"),
    whole("receivables_account_id"),
    PrimaryKeyConstraint("customer_id", "billing_id"),
    ForeignKeyConstraint(
        ["customer_id", "contact_id"], ["contact.customer_id", "contact.contact_id"]
    ),
    account_key("receivables_account_id"),
    CheckConstraint(f"total_amount BETWEEN 1 AND {AMOUNT_MAX}", "total_amount"),
    CheckConstraint("balance BETWEEN 0 AND total_amount", "balance"),
    Index(None, "customer_id", "contact_id"),
)

# What an import read for an item, kept so that running it again can tell the same from a change.
imported_row = table(
    "imported_row",
    whole("customer_id"),
    whole("billing_id"),
    words("batch", null=True),
    whole("line_number", null=True),
    words("contact_id"),
    words("contact_name"),
    words("description"),
    whole("total_amount"),
    whole("balance"),
    words("due_on"),
    words("income_account"),
    PrimaryKeyConstraint("customer_id", "billing_id"),
    UniqueConstraint("customer_id", "batch", "line_number"),
    ForeignKeyConstraint(
        ["customer_id", "billing_id"], ["billing_item.customer_id", "billing_item.billing_id"]
    ),
)

# What was said of an item that was not imported. It is for the payer where nobody else is named.
created_item = table(
    "created_item",
    whole("customer_id"),
    whole("billing_id"),
    whole("billing_type_id"),
    words("beneficiary_id"),
    whole("agreement_id", null=True),
    whole("member_service_id", null=True),
    *flag("is_external"),
    PrimaryKeyConstraint("customer_id", "billing_id"),
    ForeignKeyConstraint(
        ["customer_id", "billing_id"], ["billing_item.customer_id", "billing_item.billing_id"]
    ),
    ForeignKeyConstraint(
        ["customer_id", "billing_type_id"],
        ["billing_type.customer_id", "billing_type.billing_type_id"],
    ),
    ForeignKeyConstraint(
        ["customer_id", "beneficiary_id"], ["contact.customer_id", "contact.contact_id"]
    ),
    Index(None, "customer_id", "beneficiary_id"),
)

entry = table(
    "entry",
    whole("customer_id"),
    octets("entry_id"),
    words("kind"),
    words("contact_id", null=True),
    whole("tender_type_id", null=True),
    whole("login_id", null=True),
    words("idempotency_key", null=True),
    words("staff_user", null=True),
    words("request_id"),
    words("address"),
    whole("value_at"),
    words("value_written"),
    whole("recorded_at"),
    words("recorded_written"),
    words("notes", null=True),
    octets("digest"),
    PrimaryKeyConstraint("customer_id", "entry_id"),
    customer_key(),
    ForeignKeyConstraint(
        ["customer_id", "contact_id"], ["contact.customer_id", "contact.contact_id"]
    ),
    ForeignKeyConstraint(
        ["customer_id", "tender_type_id"],
        ["tender_type.customer_id", "tender_type.tender_type_id"],
    ),
    ForeignKeyConstraint(["login_id"], ["login.login_id"]),
    one_of("kind", Kind),
)

# Without an item where it is a receipt's: ``balance_after`` is what of it is unapplied then.
posting = table(
    "posting",
    whole("customer_id"),
    octets("entry_id"),
    whole("value_at"),
    whole("line_no"),
    whole("billing_id", null=True),
    whole("amount"),
    whole("debit_account_id"),
    whole("credit_account_id"),
    whole("balance_after"),
    words("reference", null=True),
    words("notes", null=True),
    words("authorization_code", null=True),
    PrimaryKeyConstraint("customer_id", "entry_id", "line_no"),
    ForeignKeyConstraint(["customer_id", "entry_id"], ["entry.customer_id", "entry.entry_id"]),
    ForeignKeyConstraint(
        ["customer_id", "billing_id"], ["billing_item.customer_id", "billing_item.billing_id"]
    ),
    account_key("debit_account_id"),
    account_key("credit_account_id"),
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


def is_named(column: ColumnElement[str]) -> ColumnElement[bool]:
    """That the text is there and not empty: who looks for a posting by it has to say so."""
    return column != literal_column("''")


# Where a payment is found by what its caller calls it. Were they of all that is not null, then
# PostgreSQL would look for a line's twins by its reference alone, which thousands may share.
for _column in (posting.c.reference, posting.c.authorization_code):
    Index(
        f"ix_posting_{_column.name}",
        posting.c.customer_id,
        _column,
        sqlite_where=is_named(_column),
        postgresql_where=is_named(_column),
    )

kept_answer = table(
    "kept_answer",
    whole("customer_id"),
    whole("login_id"),
    words("kind"),
    words("idempotency_key"),
    octets("fingerprint"),
    octets("entry_id"),
    octets("body"),
    octets("digest"),
    PrimaryKeyConstraint("customer_id", "login_id", "kind", "idempotency_key"),
    ForeignKeyConstraint(["customer_id", "entry_id"], ["entry.customer_id", "entry.entry_id"]),
    one_of("kind", CALL_KINDS),
)

# The first answer to each write of the desk under its Idempotency-Key.
desk_answer = table(
    "desk_answer",
    whole("customer_id"),
    whole("login_id"),
    words("call"),
    words("idempotency_key"),
    octets("fingerprint"),
    whole("status"),
    octets("body"),
    whole("answered_at"),
    octets("digest"),
    PrimaryKeyConstraint("customer_id", "login_id", "call", "idempotency_key"),
    customer_key(),
    ForeignKeyConstraint(["login_id"], ["login.login_id"]),
)

# Each time a line was answered as an earlier one without a key: what `paydown replays` lists.
replay = table(
    "replay",
    whole("customer_id"),
    whole("replayed_at"),
    octets("entry_id"),
    whole("line_no"),
    whole("login_id"),
    words("request_id"),
    words("address"),
    PrimaryKeyConstraint("customer_id", "replayed_at", "entry_id", "line_no"),
    ForeignKeyConstraint(
        ["customer_id", "entry_id", "line_no"],
        ["posting.customer_id", "posting.entry_id", "posting.line_no"],
    ),
    ForeignKeyConstraint(["login_id"], ["login.login_id"]),
)

# Which posting undoes which: each once, as the primary key has it.
reversal = table(
    "reversal",
    whole("customer_id"),
    octets("reversed_entry_id"),
    whole("reversed_line_no"),
    octets("entry_id"),
    whole("line_no"),
    PrimaryKeyConstraint("customer_id", "reversed_entry_id", "reversed_line_no"),
    UniqueConstraint("customer_id", "entry_id", "line_no"),
    ForeignKeyConstraint(
        ["customer_id", "reversed_entry_id", "reversed_line_no"],
        ["posting.customer_id", "posting.entry_id", "posting.line_no"],
    ),
    ForeignKeyConstraint(
        ["customer_id", "entry_id", "line_no"],
        ["posting.customer_id", "posting.entry_id", "posting.line_no"],
    ),
)

# Money received without items. ``unapplied`` is a cache, as an item's balance is.
receipt = table(
    "receipt",
    whole("customer_id"),
    octets("entry_id"),
    words("contact_id"),
    whole("amount"),
    whole("unapplied"),
    PrimaryKeyConstraint("customer_id", "entry_id"),
    ForeignKeyConstraint(["customer_id", "entry_id"], ["entry.customer_id", "entry.entry_id"]),
    ForeignKeyConstraint(
        ["customer_id", "contact_id"], ["contact.customer_id", "contact.contact_id"]
    ),
    CheckConstraint(f"amount BETWEEN 1 AND {AMOUNT_MAX}", "amount"),
    CheckConstraint("unapplied BETWEEN 0 AND amount", "unapplied"),
    Index(None, "customer_id", "contact_id"),
)

# Which receipt an allocation's posting takes from.
allocation = table(
    "allocation",
    whole("customer_id"),
    octets("entry_id"),
    whole("line_no"),
    octets("receipt_entry_id"),
    PrimaryKeyConstraint("customer_id", "entry_id", "line_no"),
    ForeignKeyConstraint(
        ["customer_id", "entry_id", "line_no"],
        ["posting.customer_id", "posting.entry_id", "posting.line_no"],
    ),
    ForeignKeyConstraint(
        ["customer_id", "receipt_entry_id"], ["receipt.customer_id", "receipt.entry_id"]
    ),
    Index(None, "customer_id", "receipt_entry_id"),
)

metadata = customer.metadata
APPEND_ONLY = ("entry", "posting", "reversal", "allocation")
