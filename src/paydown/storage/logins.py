"""Logins and their grants: who may do what for which customer.

Law of this file: it reads and writes what it is told. Whether a change is allowed is ``admin``'s
to say. Every function works in its caller's transaction.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Select, bindparam, delete, insert, select, update

from paydown.domain.model import Caller, Login
from paydown.storage.reference import next_id
from paydown.storage.schema import customer, login, login_grant


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


def add_login(connection: Connection, values: dict[str, Any]) -> int:
    """The new login's id; it holds no bundle yet."""
    login_id = next_id(connection, login.c.login_id)
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
