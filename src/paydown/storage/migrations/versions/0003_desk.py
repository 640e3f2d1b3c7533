"""The desk: items made by calls, receipts and their allocations, reversals.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

from paydown.storage.migrations.parts import (
    append_only,
    check,
    create,
    key,
    octets,
    primary,
    unique,
    whole,
    words,
)

revision = "0003"
down_revision = "0002"

_POSTING_KEY = ["posting.customer_id", "posting.entry_id", "posting.line_no"]


def upgrade() -> None:
    """From the two calls to the desk."""
    create(
        "billing_type",
        whole("customer_id"),
        whole("billing_type_id"),
        words("name"),
        whole("income_account_id"),
        whole("external_receivables_account_id"),
        whole("active"),
        check("ck_billing_type_active", "active IN (0, 1)"),
        _account_key("billing_type", "external_receivables_account_id"),
        _account_key("billing_type", "income_account_id"),
        primary("pk_billing_type", "customer_id", "billing_type_id"),
    )
    create(
        "created_item",
        whole("customer_id"),
        whole("billing_id"),
        whole("billing_type_id"),
        words("beneficiary_id"),
        whole("agreement_id", null=True),
        whole("member_service_id", null=True),
        whole("is_external"),
        check("ck_created_item_is_external", "is_external IN (0, 1)"),
        key(
            "fk_created_item_customer_id_beneficiary_id",
            ["customer_id", "beneficiary_id"],
            ["contact.customer_id", "contact.contact_id"],
        ),
        key(
            "fk_created_item_customer_id_billing_id",
            ["customer_id", "billing_id"],
            ["billing_item.customer_id", "billing_item.billing_id"],
        ),
        key(
            "fk_created_item_customer_id_billing_type_id",
            ["customer_id", "billing_type_id"],
            ["billing_type.customer_id", "billing_type.billing_type_id"],
        ),
        primary("pk_created_item", "customer_id", "billing_id"),
    )
    op.create_index(
        "ix_created_item_customer_id_beneficiary_id",
        "created_item",
        ["customer_id", "beneficiary_id"],
    )
    create(
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
        key("fk_desk_answer_customer_id", ["customer_id"], ["customer.customer_id"]),
        key("fk_desk_answer_login_id", ["login_id"], ["login.login_id"]),
        primary("pk_desk_answer", "customer_id", "login_id", "call", "idempotency_key"),
    )
    create(
        "receipt_defaults",
        whole("customer_id"),
        whole("unapplied_account_id"),
        _account_key("receipt_defaults", "unapplied_account_id"),
        primary("pk_receipt_defaults", "customer_id"),
    )
    create(
        "receipt",
        whole("customer_id"),
        octets("entry_id"),
        words("contact_id"),
        whole("amount"),
        whole("unapplied"),
        check("ck_receipt_amount", "amount BETWEEN 1 AND 10000000000000"),
        check("ck_receipt_unapplied", "unapplied BETWEEN 0 AND amount"),
        key(
            "fk_receipt_customer_id_contact_id",
            ["customer_id", "contact_id"],
            ["contact.customer_id", "contact.contact_id"],
        ),
        key(
            "fk_receipt_customer_id_entry_id",
            ["customer_id", "entry_id"],
            ["entry.customer_id", "entry.entry_id"],
        ),
        primary("pk_receipt", "customer_id", "entry_id"),
    )
    op.create_index("ix_receipt_customer_id_contact_id", "receipt", ["customer_id", "contact_id"])
    create(
        "allocation",
        whole("customer_id"),
        octets("entry_id"),
        whole("line_no"),
        octets("receipt_entry_id"),
        key(
            "fk_allocation_customer_id_entry_id_line_no",
            ["customer_id", "entry_id", "line_no"],
            _POSTING_KEY,
        ),
        key(
            "fk_allocation_customer_id_receipt_entry_id",
            ["customer_id", "receipt_entry_id"],
            ["receipt.customer_id", "receipt.entry_id"],
        ),
        primary("pk_allocation", "customer_id", "entry_id", "line_no"),
    )
    op.create_index(
        "ix_allocation_customer_id_receipt_entry_id",
        "allocation",
        ["customer_id", "receipt_entry_id"],
    )
    create(
        "reversal",
        whole("customer_id"),
        octets("reversed_entry_id"),
        whole("reversed_line_no"),
        octets("entry_id"),
        whole("line_no"),
        key(
            "fk_reversal_customer_id_entry_id_line_no",
            ["customer_id", "entry_id", "line_no"],
            _POSTING_KEY,
        ),
        key(
            "fk_reversal_customer_id_reversed_entry_id_reversed_line_no",
            ["customer_id", "reversed_entry_id", "reversed_line_no"],
            _POSTING_KEY,
        ),
        primary("pk_reversal", "customer_id", "reversed_entry_id", "reversed_line_no"),
        unique("uq_reversal_customer_id_entry_id_line_no", "customer_id", "entry_id", "line_no"),
    )
    append_only("reversal")
    append_only("allocation")
    _add_unapplied_accounts()


def _account_key(table: str, column: str) -> sa.Constraint:
    return key(
        f"fk_{table}_customer_id_{column}",
        ["customer_id", column],
        ["account.customer_id", "account.account_id"],
    )


def _add_unapplied_accounts() -> None:
    """Under 2140, or the next code that the customer has not given to another account."""
    connection = op.get_bind()
    for (customer_id,) in connection.execute(sa.text("SELECT customer_id FROM customer")).all():
        customer = {"customer_id": customer_id}
        accounts = connection.execute(
            sa.text("SELECT code, account_id FROM account WHERE customer_id = :customer_id"),
            customer,
        ).all()
        taken = {row.code for row in accounts}
        code = next(code for code in map(str, range(2140, 10**6)) if code not in taken)
        added = {**customer, "id": max(row.account_id for row in accounts) + 1, "code": code}
        connection.execute(
            sa.text(
                "INSERT INTO account (customer_id, account_id, code, name, account_type, active) "
                "VALUES (:customer_id, :id, :code, 'Unapplied receipts', 'liability', 1)"
            ),
            added,
        )
        connection.execute(
            sa.text("INSERT INTO receipt_defaults VALUES (:customer_id, :id)"), added
        )
