"""Wider tables: kinds, bundles and searchable contacts for more than the two calls.

SQLite changes no constraint of a table, so the tables whose definition changes are made anew there.
The connection must not guard foreign keys meanwhile: ``Database.rebuild`` sees to that.

Revision ID: 0002
"""

import unicodedata
from collections.abc import Callable, Iterator

import sqlalchemy as sa
from alembic import op

from paydown.storage.migrations.parts import (
    append_only,
    check,
    create,
    key,
    octets,
    on_postgresql,
    primary,
    whole,
    words,
)

revision = "0002"
down_revision = "0001"

_AT_ONCE = 10_000
_ENTRY_KINDS = (
    "kind IN ('payment', 'write_down', 'charge', 'opening_balance', 'receipt', 'allocation', "
    "'reversal')"
)
_ANSWER_KINDS = "kind IN ('payment', 'write_down')"
_BUNDLES = (
    "bundle IN ('BillingPayment', 'BillingWriteDown', 'Contacts', 'Read', 'Admin', 'Reversal')"
)


def upgrade() -> None:
    """From tables of the two calls alone to tables of the desk as well."""
    if on_postgresql():
        _alter()
    else:
        _make_anew()
    _index()
    _fold_names()


def _alter() -> None:
    for table, name, condition in (
        ("entry", "ck_entry_kind", _ENTRY_KINDS),
        ("kept_answer", "ck_kept_answer_kind", _ANSWER_KINDS),
        ("login_grant", "ck_login_grant_bundle", _BUNDLES),
    ):
        op.drop_constraint(op.f(name), table)
        op.create_check_constraint(op.f(name), table, condition)
    op.alter_column("posting", "billing_id", nullable=True)
    op.add_column("contact", words("reference", null=True))
    op.execute("ALTER TABLE contact ADD search_text TEXT COLLATE \"C\" DEFAULT '' NOT NULL")
    op.execute("ALTER TABLE contact ALTER search_text DROP DEFAULT")


def _make_anew() -> None:
    _replace("login_grant", _create_login_grant)
    _replace("contact", _create_contact, search_text="''")
    _replace("entry", _create_entry)
    _replace("posting", _create_posting)
    _replace("kept_answer", _create_kept_answer)
    op.create_index(
        "ix_posting_history", "posting", ["customer_id", "billing_id", "value_at", "reference"]
    )
    append_only("entry")
    append_only("posting")


def _replace(table: str, create_table: Callable[[], None], **more: str) -> None:
    """Make the table anew with its old rows; ``more`` gives the values of new columns, as SQL."""
    old = f"{table}_0001"
    known = [each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)]
    op.execute(f"ALTER TABLE {table} RENAME TO {old}")
    create_table()
    names, values = ", ".join([*known, *more]), ", ".join([*known, *more.values()])
    op.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM {old}")  # noqa: S608 - ours
    op.execute(f"DROP TABLE {old}")


def _create_login_grant() -> None:
    create(
        "login_grant",
        whole("customer_id"),
        whole("login_id"),
        words("bundle"),
        check("ck_login_grant_bundle", _BUNDLES),
        key("fk_login_grant_customer_id", ["customer_id"], ["customer.customer_id"]),
        key("fk_login_grant_login_id", ["login_id"], ["login.login_id"]),
        primary("pk_login_grant", "customer_id", "login_id", "bundle"),
    )


def _create_contact() -> None:
    create(
        "contact",
        whole("customer_id"),
        words("contact_id"),
        words("name"),
        words("reference", null=True),
        words("search_text"),
        key("fk_contact_customer_id", ["customer_id"], ["customer.customer_id"]),
        primary("pk_contact", "customer_id", "contact_id"),
    )


def _create_entry() -> None:
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
        check("ck_entry_kind", _ENTRY_KINDS),
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


def _create_posting() -> None:
    create(
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


def _create_kept_answer() -> None:
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
        check("ck_kept_answer_kind", _ANSWER_KINDS),
        key(
            "fk_kept_answer_customer_id_entry_id",
            ["customer_id", "entry_id"],
            ["entry.customer_id", "entry.entry_id"],
        ),
        primary("pk_kept_answer", "customer_id", "login_id", "kind", "idempotency_key"),
    )


def _index() -> None:
    op.create_index("ix_contact_customer_id_reference", "contact", ["customer_id", "reference"])
    for column in ("reference", "authorization_code"):
        named = sa.text(f"{column} != ''")
        op.create_index(
            f"ix_posting_{column}",
            "posting",
            ["customer_id", column],
            sqlite_where=named,
            postgresql_where=named,
        )


def _fold_names() -> None:
    change = sa.text(
        "UPDATE contact SET search_text = :folded "
        "WHERE customer_id = :customer_id AND contact_id = :contact_id"
    )
    for rows in _read_contacts():
        op.get_bind().execute(
            change,
            [{**row._mapping, "folded": _fold(row.name)} for row in rows],
        )


def _read_contacts() -> Iterator[list[sa.Row[tuple[int, str, str]]]]:
    """All contacts, some at a time, in the order of their key."""
    question = sa.text(
        "SELECT customer_id, contact_id, name FROM contact "
        "WHERE (customer_id, contact_id) > (:customer_id, :contact_id) "
        "ORDER BY customer_id, contact_id LIMIT :count"
    )
    last: tuple[int, str] = (0, "")
    while rows := (
        op.get_bind()
        .execute(question, {"customer_id": last[0], "contact_id": last[1], "count": _AT_ONCE})
        .fetchall()
    ):
        yield list(rows)
        last = (rows[-1].customer_id, rows[-1].contact_id)


def _fold(name: str) -> str:
    """As searching folded names when this step was written."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    bare = "".join(each for each in decomposed if not unicodedata.combining(each))
    return " ".join(bare.split())
