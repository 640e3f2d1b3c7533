"""What the books refer to: customers, accounts, tender types and billing types.

Law of this file: it reads and writes what it is told. Whether a change is allowed is ``admin``'s
to say. Every function works in its caller's transaction.
"""

from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, FromClause, func, insert, select, update
from sqlalchemy.sql import ColumnElement

from paydown.storage.schema import (
    account,
    billing_item,
    billing_type,
    customer,
    item_defaults,
    receipt_defaults,
    tender_type,
)

StoreConnection = Connection
"""What ``Database`` hands out, for the layers above, which speak no SQL."""


class Customer(NamedTuple):
    """Whose books these are."""

    customer_id: int
    customer_guid: str
    name: str
    currency: str
    minor_digits: int
    time_zone: str
    created_at: int


class Account(NamedTuple):
    """A general-ledger account of a customer; ``account_id`` is the wire's GLAccountId."""

    account_id: int
    code: str
    name: str
    account_type: str
    active: bool


class TenderType(NamedTuple):
    """A way to pay, with the account that the money is expected on."""

    tender_type_id: int
    name: str
    clearing_account_id: int
    clearing_code: str
    active: bool


class BillingType(NamedTuple):
    """What an item is for: its income, and where it is owed when it is another's to collect."""

    billing_type_id: int
    name: str
    income_account_id: int
    income_code: str
    external_receivables_account_id: int
    external_receivables_code: str
    active: bool


class ItemDefaults(NamedTuple):
    """Which accounts an import uses for a customer."""

    receivables_account_id: int
    opening_account_id: int


class Item(NamedTuple):
    """A billing item and what it still owes, in minor units."""

    billing_id: int
    total_amount: int
    balance: int


def add_customer(connection: Connection, values: dict[str, Any]) -> int:
    """The new customer's id."""
    customer_id = next_id(connection, customer.c.customer_id)
    connection.execute(insert(customer), {"customer_id": customer_id, **values})
    return customer_id


def find_customer(connection: Connection, customer_guid: str) -> Customer | None:
    """The customer of that guid (lower case, hyphenated)."""
    row = connection.execute(
        select(customer).where(customer.c.customer_guid == customer_guid)
    ).one_or_none()
    return Customer._make(row) if row else None


def get_customer(connection: Connection, customer_id: int) -> Customer:
    """The customer of an id that is in use."""
    statement = select(customer).where(customer.c.customer_id == customer_id)
    return Customer._make(connection.execute(statement).one())


def list_customers(connection: Connection) -> list[Customer]:
    """All customers, oldest first."""
    rows = connection.execute(select(customer).order_by(customer.c.customer_id))
    return [Customer._make(row) for row in rows]


def add_account(connection: Connection, customer_id: int, values: dict[str, Any]) -> int:
    """The new account's id: the one in ``values``, or the next."""
    account_id: int = values.get("account_id") or next_id(
        connection, account.c.account_id, account.c.customer_id == customer_id
    )
    connection.execute(
        insert(account),
        {"active": 1, **values, "customer_id": customer_id, "account_id": account_id},
    )
    return account_id


def list_accounts(connection: Connection, customer_id: int) -> list[Account]:
    """The customer's accounts, by code."""
    columns = account.c
    rows = connection.execute(
        select(columns.account_id, columns.code, columns.name, columns.account_type, columns.active)
        .where(columns.customer_id == customer_id)
        .order_by(columns.code)
    )
    return [Account._make(row)._replace(active=bool(row.active)) for row in rows]


def set_account_active(
    connection: Connection, customer_id: int, account_id: int, *, active: bool
) -> None:
    """Let write-downs and imports use the account, or no longer."""
    connection.execute(
        update(account)
        .where(account.c.customer_id == customer_id, account.c.account_id == account_id)
        .values(active=int(active))
    )


def set_item_defaults(
    connection: Connection, customer_id: int, *, receivables: int, opening: int
) -> None:
    """Name a new customer's receivables and opening-balances accounts; BillingIds begin at 1."""
    connection.execute(
        insert(item_defaults),
        {
            "customer_id": customer_id,
            "receivables_account_id": receivables,
            "opening_account_id": opening,
            "next_billing_id": 1,
        },
    )


def find_item_defaults(connection: Connection, customer_id: int) -> ItemDefaults:
    """Every customer has them: ``admin`` makes them with the customer."""
    row = connection.execute(
        select(item_defaults.c.receivables_account_id, item_defaults.c.opening_account_id).where(
            item_defaults.c.customer_id == customer_id
        )
    ).one()
    return ItemDefaults._make(row)


def find_next_billing_id(connection: Connection, customer_id: int) -> int:
    """The BillingId that the customer's next item takes, where none is named."""
    statement = select(item_defaults.c.next_billing_id).where(
        item_defaults.c.customer_id == customer_id
    )
    next_id: int = connection.execute(statement).scalar_one()
    return next_id


def set_unapplied_account(connection: Connection, customer_id: int, account_id: int) -> None:
    """Name the account where a new customer's unapplied receipts stand."""
    connection.execute(
        insert(receipt_defaults),
        {"customer_id": customer_id, "unapplied_account_id": account_id},
    )


def find_unapplied_account(connection: Connection, customer_id: int) -> int:
    """Every customer has one: ``admin`` makes it with the customer."""
    statement = select(receipt_defaults.c.unapplied_account_id).where(
        receipt_defaults.c.customer_id == customer_id
    )
    account_id: int = connection.execute(statement).scalar_one()
    return account_id


def list_items(connection: Connection, customer_id: int, contact_id: str) -> list[Item]:
    """The contact's billing items, by id."""
    columns = billing_item.c
    rows = connection.execute(
        select(columns.billing_id, columns.total_amount, columns.balance)
        .where(columns.customer_id == customer_id, columns.contact_id == contact_id)
        .order_by(columns.billing_id)
    )
    return [Item._make(row) for row in rows]


def add_tender_type(connection: Connection, customer_id: int, added: TenderType) -> None:
    """Add a tender type."""
    connection.execute(
        insert(tender_type),
        {
            "customer_id": customer_id,
            "tender_type_id": added.tender_type_id,
            "name": added.name,
            "clearing_account_id": added.clearing_account_id,
            "active": int(added.active),
        },
    )


def list_tender_types(connection: Connection, customer_id: int) -> list[TenderType]:
    """The customer's tender types, by id."""
    columns = tender_type.c
    rows = connection.execute(
        select(
            columns.tender_type_id,
            columns.name,
            columns.clearing_account_id,
            account.c.code,
            columns.active,
        )
        .join_from(tender_type, account, _names_account(account, columns.clearing_account_id))
        .where(columns.customer_id == customer_id)
        .order_by(columns.tender_type_id)
    )
    return [TenderType._make(row)._replace(active=bool(row.active)) for row in rows]


def set_tender_type_active(
    connection: Connection, customer_id: int, tender_type_id: int, *, active: bool
) -> None:
    """Let requests name the tender type, or no longer."""
    connection.execute(
        update(tender_type)
        .where(
            tender_type.c.customer_id == customer_id,
            tender_type.c.tender_type_id == tender_type_id,
        )
        .values(active=int(active))
    )


def add_billing_type(connection: Connection, customer_id: int, added: BillingType) -> None:
    """Add a billing type."""
    values = {name: value for name, value in added._asdict().items() if name in billing_type.c}
    connection.execute(
        insert(billing_type), {**values, "customer_id": customer_id, "active": int(added.active)}
    )


def list_billing_types(connection: Connection, customer_id: int) -> list[BillingType]:
    """The customer's billing types, by id."""
    columns = billing_type.c
    income, external = account.alias("income"), account.alias("external")
    rows = connection.execute(
        select(
            columns.billing_type_id,
            columns.name,
            columns.income_account_id,
            income.c.code,
            columns.external_receivables_account_id,
            external.c.code,
            columns.active,
        )
        .join_from(billing_type, income, _names_account(income, columns.income_account_id))
        .join(external, _names_account(external, columns.external_receivables_account_id))
        .where(columns.customer_id == customer_id)
        .order_by(columns.billing_type_id)
    )
    return [BillingType._make(row)._replace(active=bool(row.active)) for row in rows]


def set_billing_type_active(
    connection: Connection, customer_id: int, billing_type_id: int, *, active: bool
) -> None:
    """Let new items be of the type, or no longer."""
    connection.execute(
        update(billing_type)
        .where(
            billing_type.c.customer_id == customer_id,
            billing_type.c.billing_type_id == billing_type_id,
        )
        .values(active=int(active))
    )


def _names_account(named: FromClause, account_id: Column[int]) -> ColumnElement[bool]:
    return (named.c.customer_id == account_id.table.c.customer_id) & (
        named.c.account_id == account_id
    )


def next_id(connection: Connection, column: ColumnElement[int], *where: ColumnElement[bool]) -> int:
    """The number after the greatest there is."""
    greatest = connection.execute(select(func.max(column)).where(*where)).scalar_one()
    return (greatest or 0) + 1
