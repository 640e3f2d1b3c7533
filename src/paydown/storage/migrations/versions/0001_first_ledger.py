"""The first ledger: every table of the two calls.

Revision ID: 0001
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _whole(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _WHOLE, autoincrement=False, nullable=null)


def _text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _WORDS, nullable=null)


def _bytes(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _primary(name: str, *columns: str) -> sa.Constraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(name))


def _unique(name: str, *columns: str) -> sa.Constraint:
    return sa.UniqueConstraint(*columns, name=op.f(name))


def _key(name: str, columns: Sequence[str], refers_to: Sequence[str]) -> sa.Constraint:
    return sa.ForeignKeyConstraint(columns, refers_to, name=op.f(name))


def _check(name: str, condition: str) -> sa.Constraint:
    return sa.CheckConstraint(condition, name=op.f(name))


def _create(name: str, *parts: sa.Column[Any] | sa.Constraint) -> None:
    op.create_table(name, *parts, sqlite_strict=True, sqlite_with_rowid=False)


def _append_only(table: str) -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION paydown_append_only()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def upgrade() -> None:
    """From nothing to the first ledger."""
    _create(
        "customer",
        _whole("customer_id"),
        _text("customer_guid"),
        _text("name"),
        _text("currency"),
        _whole("minor_digits"),
        _text("time_zone"),
        _whole("created_at"),
        _check("ck_customer_minor_digits", "minor_digits BETWEEN 0 AND 4"),
        _primary("pk_customer", "customer_id"),
        _unique("uq_customer_customer_guid", "customer_guid"),
    )
    _create(
        "login",
        _whole("login_id"),
        _text("user_name"),
        _text("password_hash"),
        _whole("strict"),
        _whole("references_shared"),
        _whole("disabled"),
        _whole("created_at"),
        _check("ck_login_disabled", "disabled IN (0, 1)"),
        _check("ck_login_references_shared", "references_shared IN (0, 1)"),
        _check("ck_login_strict", "strict IN (0, 1)"),
        _primary("pk_login", "login_id"),
        _unique("uq_login_user_name", "user_name"),
    )
    _create(
        "account",
        _whole("customer_id"),
        _whole("account_id"),
        _text("code"),
        _text("name"),
        _text("account_type"),
        _whole("active"),
        _check(
            "ck_account_account_type",
            "account_type IN ('receivable', 'asset', 'liability', 'equity', 'income', 'expense')",
        ),
        _check("ck_account_active", "active IN (0, 1)"),
        _key("fk_account_customer_id", ["customer_id"], ["customer.customer_id"]),
        _primary("pk_account", "customer_id", "account_id"),
        _unique("uq_account_customer_id_code", "customer_id", "code"),
    )
    _create(
        "contact",
        _whole("customer_id"),
        _text("contact_id"),
        _text("name"),
        _key("fk_contact_customer_id", ["customer_id"], ["customer.customer_id"]),
        _primary("pk_contact", "customer_id", "contact_id"),
    )
    _create(
        "login_grant",
        _whole("customer_id"),
        _whole("login_id"),
        _text("bundle"),
        _check("ck_login_grant_bundle", "bundle IN ('BillingPayment', 'BillingWriteDown')"),
        _key("fk_login_grant_customer_id", ["customer_id"], ["customer.customer_id"]),
        _key("fk_login_grant_login_id", ["login_id"], ["login.login_id"]),
        _primary("pk_login_grant", "customer_id", "login_id", "bundle"),
    )
    _create(
        "billing_item",
        _whole("customer_id"),
        _whole("billing_id"),
        _text("contact_id"),
        _text("description"),
        _whole("total_amount"),
        _whole("balance"),
        _text("due_on"),
        _whole("receivables_account_id"),
        _check("ck_billing_item_balance", "balance BETWEEN 0 AND total_amount"),
        _check("ck_billing_item_total_amount", "total_amount BETWEEN 1 AND 10000000000000"),
        _key(
            "fk_billing_item_customer_id_contact_id",
            ["customer_id", "contact_id"],
            ["contact.customer_id", "contact.contact_id"],
        ),
        _key(
            "fk_billing_item_customer_id_receivables_account_id",
            ["customer_id", "receivables_account_id"],
            ["account.customer_id", "account.account_id"],
        ),
        _primary("pk_billing_item", "customer_id", "billing_id"),
    )
    op.create_index(
        "ix_billing_item_customer_id_contact_id", "billing_item", ["customer_id", "contact_id"]
    )
    _create(
        "item_defaults",
        _whole("customer_id"),
        _whole("receivables_account_id"),
        _whole("opening_account_id"),
        _whole("next_billing_id"),
        _key(
            "fk_item_defaults_customer_id_opening_account_id",
            ["customer_id", "opening_account_id"],
            ["account.customer_id", "account.account_id"],
        ),
        _key(
            "fk_item_defaults_customer_id_receivables_account_id",
            ["customer_id", "receivables_account_id"],
            ["account.customer_id", "account.account_id"],
        ),
        _primary("pk_item_defaults", "customer_id"),
    )
    _create(
        "tender_type",
        _whole("customer_id"),
        _whole("tender_type_id"),
        _text("name"),
        _whole("clearing_account_id"),
        _whole("active"),
        _check("ck_tender_type_active", "active IN (0, 1)"),
        _key(
            "fk_tender_type_customer_id_clearing_account_id",
            ["customer_id", "clearing_account_id"],
            ["account.customer_id", "account.account_id"],
        ),
        _primary("pk_tender_type", "customer_id", "tender_type_id"),
    )
    _create(
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
        _check("ck_entry_kind", "kind IN ('payment', 'write_down', 'charge', 'opening_balance')"),
        _key(
            "fk_entry_customer_id_contact_id",
            ["customer_id", "contact_id"],
            ["contact.customer_id", "contact.contact_id"],
        ),
        _key(
            "fk_entry_customer_id_tender_type_id",
            ["customer_id", "tender_type_id"],
            ["tender_type.customer_id", "tender_type.tender_type_id"],
        ),
        _key("fk_entry_customer_id", ["customer_id"], ["customer.customer_id"]),
        _key("fk_entry_login_id", ["login_id"], ["login.login_id"]),
        _primary("pk_entry", "customer_id", "entry_id"),
    )
    _create(
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
        _key(
            "fk_imported_row_customer_id_billing_id",
            ["customer_id", "billing_id"],
            ["billing_item.customer_id", "billing_item.billing_id"],
        ),
        _primary("pk_imported_row", "customer_id", "billing_id"),
        _unique(
            "uq_imported_row_customer_id_batch_line_number", "customer_id", "batch", "line_number"
        ),
    )
    _create(
        "kept_answer",
        _whole("customer_id"),
        _whole("login_id"),
        _text("kind"),
        _text("idempotency_key"),
        _bytes("fingerprint"),
        _bytes("entry_id"),
        _bytes("body"),
        _bytes("digest"),
        _check(
            "ck_kept_answer_kind", "kind IN ('payment', 'write_down', 'charge', 'opening_balance')"
        ),
        _key(
            "fk_kept_answer_customer_id_entry_id",
            ["customer_id", "entry_id"],
            ["entry.customer_id", "entry.entry_id"],
        ),
        _primary("pk_kept_answer", "customer_id", "login_id", "kind", "idempotency_key"),
    )
    _create(
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
        _check("ck_posting_amount", "amount BETWEEN 1 AND 10000000000000"),
        _check("ck_posting_two_accounts", "debit_account_id <> credit_account_id"),
        _key(
            "fk_posting_customer_id_billing_id",
            ["customer_id", "billing_id"],
            ["billing_item.customer_id", "billing_item.billing_id"],
        ),
        _key(
            "fk_posting_customer_id_credit_account_id",
            ["customer_id", "credit_account_id"],
            ["account.customer_id", "account.account_id"],
        ),
        _key(
            "fk_posting_customer_id_debit_account_id",
            ["customer_id", "debit_account_id"],
            ["account.customer_id", "account.account_id"],
        ),
        _key(
            "fk_posting_customer_id_entry_id",
            ["customer_id", "entry_id"],
            ["entry.customer_id", "entry.entry_id"],
        ),
        _primary("pk_posting", "customer_id", "entry_id", "line_no"),
    )
    op.create_index(
        "ix_posting_history",
        "posting",
        ["customer_id", "billing_id", "value_at", "reference"],
    )
    _create(
        "replay",
        _whole("customer_id"),
        _whole("replayed_at"),
        _bytes("entry_id"),
        _whole("line_no"),
        _whole("login_id"),
        _text("request_id"),
        _text("address"),
        _key(
            "fk_replay_customer_id_entry_id_line_no",
            ["customer_id", "entry_id", "line_no"],
            ["posting.customer_id", "posting.entry_id", "posting.line_no"],
        ),
        _key("fk_replay_login_id", ["login_id"], ["login.login_id"]),
        _primary("pk_replay", "customer_id", "replayed_at", "entry_id", "line_no"),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION paydown_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END$$"
        )
    _append_only("entry")
    _append_only("posting")
