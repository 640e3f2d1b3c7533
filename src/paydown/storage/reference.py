"""What the books refer to: customers, accounts, tender types, logins and their grants.

Law of this file: it reads and writes what it is told. Whether a change is allowed is ``admin``'s
to say. Every function works in its caller's transaction.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.sql import ColumnElement

from paydown.domain.model import Caller, Login
from paydown.storage.schema import (
    account,
    billing_item,
    customer,
    item_defaults,
    login,
    login_grant,
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


class ItemDefaults(NamedTuple):
    """Which accounts an import uses for a customer."""

    receivables_account_id: int
    opening_account_id: int


class Item(NamedTuple):
    """A billing item and what it still owes, in minor units."""

    billing_id: int
    total_amount: int
    balance: int


class Grant(NamedTuple):
    """The bundles that a login holds for one customer."""

    customer_guid: str
    bundles: tuple[str, ...]


class LoginRecord(NamedTuple):
    """A login as an operator sees it: everything but the password."""

    login_id: int
    user_name: str
    strict: bool
    references_shared: bool
    disabled: bool
    created_at: int
    grants: tuple[Grant, ...] = ()


def add_customer(connection: Connection, values: dict[str, Any]) -> int:
    """The new customer's id."""
    customer_id = _next_id(connection, customer.c.customer_id)
    connection.execute(insert(customer), {"customer_id": customer_id, **values})
    return customer_id


def find_customer(connection: Connection, customer_guid: str) -> Customer | None:
    """The customer of that guid (lower case, hyphenated)."""
    row = connection.execute(
        select(customer).where(customer.c.customer_guid == customer_guid)
    ).one_or_none()
    return Customer._make(row) if row else None


def list_customers(connection: Connection) -> list[Customer]:
    """All customers, oldest first."""
    rows = connection.execute(select(customer).order_by(customer.c.customer_id))
    return [Customer._make(row) for row in rows]


def add_account(connection: Connection, customer_id: int, values: dict[str, Any]) -> int:
    """The new account's id: the one in ``values``, or the next."""
    account_id: int = values.get("account_id") or _next_id(
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
        .join_from(tender_type, account, _names_account(columns.clearing_account_id))
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


def add_login(connection: Connection, values: dict[str, Any]) -> int:
    """The new login's id; it holds no bundle yet."""
    login_id = _next_id(connection, login.c.login_id)
    connection.execute(insert(login), {"disabled": 0, **values, "login_id": login_id})
    return login_id


def change_login(connection: Connection, login_id: int, values: dict[str, Any]) -> None:
    """Set the named columns of a login."""
    connection.execute(update(login).where(login.c.login_id == login_id).values(values))


def list_logins(connection: Connection, user_name: str | None = None) -> list[LoginRecord]:
    """All logins by name, or the named one alone, each with its grants."""
    columns = login.c
    logins = select(
        columns.login_id,
        columns.user_name,
        columns.strict,
        columns.references_shared,
        columns.disabled,
        columns.created_at,
    ).order_by(columns.user_name)
    if user_name is not None:
        logins = logins.where(columns.user_name == user_name)
    grants = _list_grants(connection)
    return [
        LoginRecord(
            row.login_id,
            row.user_name,
            bool(row.strict),
            bool(row.references_shared),
            bool(row.disabled),
            row.created_at,
            tuple(Grant(*grant) for grant in grants.get(row.login_id, {}).items()),
        )
        for row in connection.execute(logins)
    ]


def grant_bundles(
    connection: Connection, customer_id: int, login_id: int, bundles: Iterable[str]
) -> None:
    """Give the login these bundles, none of which it may hold yet."""
    rows = [
        {"customer_id": customer_id, "login_id": login_id, "bundle": bundle} for bundle in bundles
    ]
    if rows:
        connection.execute(insert(login_grant), rows)


def revoke_bundles(
    connection: Connection, customer_id: int, login_id: int, bundles: Iterable[str]
) -> None:
    """Take these bundles from the login."""
    connection.execute(
        delete(login_grant).where(
            login_grant.c.customer_id == customer_id,
            login_grant.c.login_id == login_id,
            login_grant.c.bundle.in_(list(bundles)),
        )
    )


def _find_login_statement() -> Select[Any]:
    """The login, once for each bundle it holds for the customer, or once with nulls."""
    held = login_grant.join(customer, login_grant.c.customer_id == customer.c.customer_id)
    granted = (
        select(
            login_grant.c.login_id,
            login_grant.c.bundle,
            customer.c.customer_id,
            customer.c.minor_digits,
            customer.c.time_zone,
        )
        .select_from(held)
        .where(customer.c.customer_guid == bindparam("customer_guid"))
        .subquery()
    )
    return (
        select(login, granted.c.bundle, granted.c.customer_id, granted.c.minor_digits)
        .add_columns(granted.c.time_zone)
        .join_from(login, granted, login.c.login_id == granted.c.login_id, isouter=True)
        .where(login.c.user_name == bindparam("user_name"))
    )


_FIND_LOGIN = _find_login_statement()


def find_login(connection: Connection, user_name: str, customer_guid: str | None) -> Login | None:
    """The login of that exact name, and the caller it is for that customer."""
    rows = (
        connection.execute(_FIND_LOGIN, {"user_name": user_name, "customer_guid": customer_guid})
        .mappings()
        .all()
    )
    if not rows:
        return None
    first = rows[0]
    return Login(
        login_id=first["login_id"],
        password_hash=first["password_hash"],
        disabled=bool(first["disabled"]),
        caller=_caller(first, frozenset(row["bundle"] for row in rows)),
    )


def _list_grants(connection: Connection) -> dict[int, dict[str, tuple[str, ...]]]:
    """The bundles held, by login and by the customer's guid."""
    rows = connection.execute(
        select(login_grant.c.login_id, customer.c.customer_guid, login_grant.c.bundle)
        .join(customer, login_grant.c.customer_id == customer.c.customer_id)
        .order_by(customer.c.customer_id, login_grant.c.bundle)
    )
    grants: dict[int, dict[str, tuple[str, ...]]] = {}
    for login_id, customer_guid, bundle in rows:
        held = grants.setdefault(login_id, {})
        held[customer_guid] = (*held.get(customer_guid, ()), bundle)
    return grants


def _caller(row: RowMapping, bundles: frozenset[str]) -> Caller | None:
    if row["customer_id"] is None:
        return None
    return Caller(
        customer_id=row["customer_id"],
        login_id=row["login_id"],
        user_name=row["user_name"],
        minor_digits=row["minor_digits"],
        time_zone=row["time_zone"],
        bundles=bundles,
        strict=bool(row["strict"]),
        references_shared=bool(row["references_shared"]),
    )


def _names_account(account_id: ColumnElement[int]) -> ColumnElement[bool]:
    return (account.c.customer_id == tender_type.c.customer_id) & (
        account.c.account_id == account_id
    )


def _next_id(
    connection: Connection, column: ColumnElement[int], *where: ColumnElement[bool]
) -> int:
    greatest = connection.execute(select(func.max(column)).where(*where)).scalar_one()
    return (greatest or 0) + 1
