"""The first ledger: every table of the two calls.

Revision ID: 0001
"""

from alembic import op

from paydown.storage.migrations.parts import (
    append_only,
    check,
    create,
    key,
    octets,
    on_postgresql,
    primary,
    unique,
    whole,
    words,
)

revision = "0001"
down_revision = None


def upgrade() -> None:
    """From nothing to the first ledger."""
    create(
        "customer",
        whole("customer_id"),
        words("customer_guid"),
        words("name"),
        words("currency"),
        whole("minor_digits"),
        words("time_zone"),
        whole("created_at"),
        check("ck_customer_minor_digits", "minor_digits BETWEEN 0 AND 4"),
        primary("pk_customer", "customer_id"),
        unique("uq_customer_customer_guid", "customer_guid"),
    )
    create(
        "login",
        whole("login_id"),
        words("user_name"),
        words("password_hash"),
        whole("strict"),
        whole("references_shared"),
        whole("disabled"),
        whole("created_at"),
        check("ck_login_disabled", "disabled IN (0, 1)"),
        check("ck_login_references_shared", "references_shared IN (0, 1)"),
        check("ck_login_strict", "strict IN (0, 1)"),
        primary("pk_login", "login_id"),
        unique("uq_login_user_name", "user_name"),
    )
    create(
        "account",
        whole("customer_id"),
        whole("account_id"),
        words("code"),
        words("name"),
        words("account_type"),
        whole("active"),
        check(
            "ck_account_account_type",
            "account_type IN ('receivable', 'asset', 'liability', 'equity', 'income', 'expense')",
        ),
        check("ck_account_active", "active IN (0, 1)"),
        key("fk_account_customer_id", ["customer_id"], ["customer.customer_id"]),
        primary("pk_account", "customer_id", "account_id"),
        unique("uq_account_customer_id_code", "customer_id", "code"),
    )
    create(
        "contact",
        whole("customer_id"),
        words("contact_id"),
        words("name"),
        key("fk_contact_customer_id", ["customer_id"], ["customer.customer_id"]),
        primary("pk_contact", "customer_id", "contact_id"),
    )
    create(
        "login_grant",
        whole("customer_id"),
        whole("login_id"),
        words("bundle"),
        check("ck_login_grant_bundle", "bundle IN ('BillingPayment', 'BillingWriteDown')"),
        key("fk_login_grant_customer_id", ["customer_id"], ["customer.customer_id"]),
        key("fk_login_grant_login_id", ["login_id"], ["login.login_id"]),
        primary("pk_login_grant", "customer_id", "login_id", "bundle"),
    )
    create(
        "billing_item",
        whole("customer_id"),
        whole("billing_id"),
        words("contact_id"),
        words("description"),
        whole("total_amount"),
        whole("balance"),
        words("due_on"),
        whole("receivables_account_id"),
        check("ck_billing_item_balance", "balance BETWEEN 0 AND total_amount"),
        check("ck_billing_item_total_amount", "total_amount BETWEEN 1 AND 10000000000000"),
        key(
            "fk_billing_item_customer_id_contact_id",
            ["customer_id", "contact_id"],
            ["contact.customer_id", "contact.contact_id"],
        ),
        key(
            "fk_billing_item_customer_id_receivables_account_id",
            ["customer_id", "receivables_account_id"],
            ["account.customer_id", "account.account_id"],
        ),
        primary("pk_billing_item", "customer_id", "billing_id"),
    )
    op.create_index(
        "ix_billing_item_customer_id_contact_id", "billing_item", ["customer_id", "contact_id"]
    )
    create(
        "item_defaults",
        whole("customer_id"),
        whole("receivables_account_id"),
        whole("opening_account_id"),
        whole("next_billing_id"),
        key(
            "fk_item_defaults_customer_id_opening_account_id",
            ["customer_id", "opening_account_id"],
            ["account.customer_id", "account.account_id"],
        ),
        key(
            "fk_item_defaults_customer_id_receivables_account_id",
            ["customer_id", "receivables_account_id"],
            ["account.customer_id", "account.account_id"],
        ),
        primary("pk_item_defaults", "customer_id"),
    )
    create(
        "tender_type",
        whole("customer_id"),
        whole("tender_type_id"),
        words("name"),
        whole("clearing_account_id"),
        whole("active"),
        check("ck_tender_type_active", "active IN (0, 1)"),
        key(
            "fk_tender_type_customer_id_clearing_account_id",
            ["customer_id", "clearing_account_id"],
            ["account.customer_id", "account.account_id"],
        ),
        primary("pk_tender_type", "customer_id", "tender_type_id"),
    )
    create(
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
        check("ck_entry_kind", "kind IN ('payment', 'write_down', 'charge', 'opening_balance')"),
        key(
            "fk_entry_customer_id_contact_id",
            ["customer_id", "contact_id"],
            ["contact.customer_id", "contact.contact_id"],
        ),
        key(
            "fk_entry_customer_id_tender_type_id",
            ["customer_id", "tender_type_id"],
            ["tender_type.customer_id", "tender_type.tender_type_id"],
        ),
        key("fk_entry_customer_id", ["customer_id"], ["customer.customer_id"]),
        key("fk_entry_login_id", ["login_id"], ["login.login_id"]),
        primary("pk_entry", "customer_id", "entry_id"),
    )
    create(
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
        key(
            "fk_imported_row_customer_id_billing_id",
            ["customer_id", "billing_id"],
            ["billing_item.customer_id", "billing_item.billing_id"],
        ),
        primary("pk_imported_row", "customer_id", "billing_id"),
        unique(
            "uq_imported_row_customer_id_batch_line_number", "customer_id", "batch", "line_number"
        ),
    )
    create(
        "kept_answer",
        whole("customer_id"),
        whole("login_id"),
        words("kind"),
        words("idempotency_key"),
        octets("fingerprint"),
        octets("entry_id"),
        octets("body"),
        octets("digest"),
        check(
            "ck_kept_answer_kind", "kind IN ('payment', 'write_down', 'charge', 'opening_balance')"
        ),
        key(
            "fk_kept_answer_customer_id_entry_id",
            ["customer_id", "entry_id"],
            ["entry.customer_id", "entry.entry_id"],
        ),
        primary("pk_kept_answer", "customer_id", "login_id", "kind", "idempotency_key"),
    )
    create(
        "posting",
        whole("customer_id"),
        octets("entry_id"),
        whole("value_at"),
        whole("line_no"),
        whole("billing_id"),
        whole("amount"),
        whole("debit_account_id"),
        whole("credit_account_id"),
        whole("balance_after"),
        words("reference", null=True),
        words("notes", null=True),
        words("authorization_code", null=True),
        check("ck_posting_amount", "amount BETWEEN 1 AND 10000000000000"),
        check("ck_posting_two_accounts", "debit_account_id <> credit_account_id"),
        key(
            "fk_posting_customer_id_billing_id",
            ["customer_id", "billing_id"],
            ["billing_item.customer_id", "billing_item.billing_id"],
        ),
        key(
            "fk_posting_customer_id_credit_account_id",
            ["customer_id", "credit_account_id"],
            ["account.customer_id", "account.account_id"],
        ),
        key(
            "fk_posting_customer_id_debit_account_id",
            ["customer_id", "debit_account_id"],
            ["account.customer_id", "account.account_id"],
        ),
        key(
            "fk_posting_customer_id_entry_id",
            ["customer_id", "entry_id"],
            ["entry.customer_id", "entry.entry_id"],
        ),
        primary("pk_posting", "customer_id", "entry_id", "line_no"),
    )
    op.create_index(
        "ix_posting_history",
        "posting",
        ["customer_id", "billing_id", "value_at", "reference"],
    )
    create(
        "replay",
        whole("customer_id"),
        whole("replayed_at"),
        octets("entry_id"),
        whole("line_no"),
        whole("login_id"),
        words("request_id"),
        words("address"),
        key(
            "fk_replay_customer_id_entry_id_line_no",
            ["customer_id", "entry_id", "line_no"],
            ["posting.customer_id", "posting.entry_id", "posting.line_no"],
        ),
        key("fk_replay_login_id", ["login_id"], ["login.login_id"]),
        primary("pk_replay", "customer_id", "replayed_at", "entry_id", "line_no"),
    )
    if on_postgresql():
        op.execute(
            "CREATE FUNCTION paydown_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END$$"
        )
    append_only("entry")
    append_only("posting")
