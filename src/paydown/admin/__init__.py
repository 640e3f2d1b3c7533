"""What an operator sets up: customers and their books, logins and their grants.

Law of this file: a mistake of the operator's comes back as a ``Mistake`` and has changed nothing.
"""

import time
import uuid
import zoneinfo
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, TypeVar

from paydown.admin.books import Books, NewAccount, NewBillingType, NewTenderType
from paydown.admin.mistakes import Mistake, Wrong, check_password, check_text, check_user_name
from paydown.domain import presets
from paydown.domain.model import Bundle
from paydown.storage import logins, reference
from paydown.storage.database import Database
from paydown.storage.logins import LoginRecord
from paydown.storage.reference import Account, BillingType, Customer, StoreConnection, TenderType
from paydown.wire.formats import read_guid

__all__ = [
    "Admin",
    "Books",
    "Mistake",
    "NewAccount",
    "NewBillingType",
    "NewCustomer",
    "NewLogin",
    "NewTenderType",
    "Wrong",
    "check_password",
    "find_customer",
]

T = TypeVar("T")


class NewCustomer(NamedTuple):
    """A customer to add. ``bare`` leaves out the preset accounts and types."""

    name: str
    customer_guid: str | None = None
    currency: str = "GBP"
    time_zone: str = "Europe/London"
    bare: bool = False


class NewLogin(NamedTuple):
    """A login to add."""

    user_name: str
    password_hash: str
    strict: bool = False
    references_shared: bool = False


class Admin:
    """The operations on one ledger, each in a transaction of its own; safe beside a server."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_customer(self, new: NewCustomer) -> Customer | Mistake:
        """Add a customer, by default with all it needs to take payments."""
        customer_guid = read_guid(
            str(uuid.uuid4()) if new.customer_guid is None else new.customer_guid
        )
        if mistake := _check_customer(new, customer_guid):
            return mistake
        assert customer_guid is not None, "checked"
        currency = new.currency.upper()
        with self._database.write() as connection:
            if reference.find_customer(connection, customer_guid):
                return Mistake(f"There is a customer {customer_guid} already.")
            reference.add_customer(
                connection,
                {
                    "customer_guid": customer_guid,
                    "name": new.name.strip(),
                    "currency": currency,
                    "minor_digits": presets.MINOR_DIGITS[currency],
                    "time_zone": new.time_zone,
                    "created_at": time.time_ns() // 100,
                },
            )
            added = reference.find_customer(connection, customer_guid)
            assert added is not None, "just added"
            Books(self._database, connection, added).fill(bare=new.bare)
            return added

    def list_customers(self) -> list[Customer]:
        """All customers, oldest first."""
        with self._database.read() as connection:
            return reference.list_customers(connection)

    def find_customer(self, customer_guid: str) -> Customer | Mistake:
        """The customer of that guid, in any of its written forms."""
        with self._database.read() as connection:
            return find_customer(connection, customer_guid)

    def add_account(self, customer_guid: str, new: NewAccount) -> Account | Mistake:
        """Add an account to the customer's books."""
        return self._change(customer_guid, lambda books: books.add_account(new))

    def list_accounts(self, customer_guid: str) -> list[Account] | Mistake:
        """The customer's accounts, by code."""
        return self._ask(customer_guid, Books.list_accounts)

    def set_account_active(
        self, customer_guid: str, code: str, *, active: bool
    ) -> Account | Mistake:
        """Let write-downs, imports and new types use the account, or no longer."""
        return self._change(
            customer_guid, lambda books: books.set_account_active(code, active=active)
        )

    def add_tender_type(self, customer_guid: str, new: NewTenderType) -> TenderType | Mistake:
        """Add a way to pay."""
        return self._change(customer_guid, lambda books: books.add_tender_type(new))

    def list_tender_types(self, customer_guid: str) -> list[TenderType] | Mistake:
        """The customer's tender types, by id."""
        return self._ask(customer_guid, Books.list_tender_types)

    def set_tender_type_active(
        self, customer_guid: str, tender_type_id: int, *, active: bool
    ) -> TenderType | Mistake:
        """Let requests name the tender type, or no longer."""
        return self._change(
            customer_guid,
            lambda books: books.set_tender_type_active(tender_type_id, active=active),
        )

    def add_billing_type(self, customer_guid: str, new: NewBillingType) -> BillingType | Mistake:
        """Add what an item can be for."""
        return self._change(customer_guid, lambda books: books.add_billing_type(new))

    def list_billing_types(self, customer_guid: str) -> list[BillingType] | Mistake:
        """The customer's billing types, by id."""
        return self._ask(customer_guid, Books.list_billing_types)

    def set_billing_type_active(
        self, customer_guid: str, billing_type_id: int, *, active: bool
    ) -> BillingType | Mistake:
        """Let new items be of the type, or no longer."""
        return self._change(
            customer_guid,
            lambda books: books.set_billing_type_active(billing_type_id, active=active),
        )

    def add_login(
        self, new: NewLogin, customer_guid: str | None = None, bundles: Collection[Bundle] = ()
    ) -> LoginRecord | Mistake:
        """Add a login, with its first bundles for one customer where that is named."""
        if mistake := check_user_name(new.user_name):
            return mistake
        if (customer_guid is None) != (not bundles):
            return Mistake("Name the customer and the bundles together, or neither.")
        with self._database.write() as connection:
            if logins.list_logins(connection, new.user_name):
                return Mistake(f"There is a login {new.user_name} already.")
            customer = None
            if customer_guid is not None:
                customer = find_customer(connection, customer_guid)
            if isinstance(customer, Mistake):
                return customer
            values = {
                **new._asdict(),
                "strict": int(new.strict),
                "references_shared": int(new.references_shared),
                "created_at": time.time_ns() // 100,
            }
            login_id = logins.add_login(connection, values)
            if customer:
                granted = sorted(set(bundles))
                logins.grant_bundles(connection, customer.customer_id, login_id, granted)
            return logins.list_logins(connection, new.user_name)[0]

    def list_logins(self) -> list[LoginRecord]:
        """All logins with their grants, by name."""
        with self._database.read() as connection:
            return logins.list_logins(connection)

    def grant(
        self, user_name: str, customer_guid: str, bundles: Sequence[Bundle]
    ) -> LoginRecord | Mistake:
        """Give the login these bundles for the customer; those it holds, it keeps."""
        return self._regrant(user_name, customer_guid, bundles, granting=True)

    def revoke(
        self, user_name: str, customer_guid: str, bundles: Sequence[Bundle]
    ) -> LoginRecord | Mistake:
        """Take these bundles for the customer from the login."""
        return self._regrant(user_name, customer_guid, bundles, granting=False)

    def set_login_disabled(self, user_name: str, *, disabled: bool) -> LoginRecord | Mistake:
        """Refuse the login everywhere, or no longer."""
        return self._change_login(user_name, {"disabled": int(disabled)})

    def set_password(self, user_name: str, password_hash: str) -> LoginRecord | Mistake:
        """Replace the login's password."""
        return self._change_login(user_name, {"password_hash": password_hash})

    def _change(self, customer_guid: str, change: Callable[[Books], T | Mistake]) -> T | Mistake:
        with self._database.write() as connection:
            customer = find_customer(connection, customer_guid)
            if isinstance(customer, Mistake):
                return customer
            return change(Books(self._database, connection, customer))

    def _ask(self, customer_guid: str, question: Callable[[Books], T]) -> T | Mistake:
        with self._database.read() as connection:
            customer = find_customer(connection, customer_guid)
            if isinstance(customer, Mistake):
                return customer
            return question(Books(self._database, connection, customer))

    def _change_login(self, user_name: str, values: dict[str, int | str]) -> LoginRecord | Mistake:
        with self._database.write() as connection:
            login = _find_login(connection, user_name)
            if isinstance(login, Mistake):
                return login
            logins.change_login(connection, login.login_id, values)
            return _find_login(connection, user_name)

    def _regrant(
        self, user_name: str, customer_guid: str, bundles: Sequence[Bundle], *, granting: bool
    ) -> LoginRecord | Mistake:
        with self._database.write() as connection:
            customer = find_customer(connection, customer_guid)
            if isinstance(customer, Mistake):
                return customer
            login = _find_login(connection, user_name)
            if isinstance(login, Mistake):
                return login
            held = dict(login.grants).get(customer.customer_guid, ())
            place = (connection, customer.customer_id, login.login_id)
            if granting:
                logins.grant_bundles(*place, sorted(set(bundles).difference(held)))
            elif missing := sorted(set(bundles).difference(held)):
                return Mistake(f"{user_name} does not hold {missing[0]} for {customer.name}.")
            else:
                logins.revoke_bundles(*place, bundles)
            return _find_login(connection, user_name)


def _check_customer(new: NewCustomer, customer_guid: str | None) -> Mistake | None:
    if customer_guid is None:
        return Mistake(f"{new.customer_guid!r} is not a guid. Give one such as {uuid.uuid4()}.")
    if new.currency.upper() not in presets.MINOR_DIGITS:
        known = ", ".join(sorted(presets.MINOR_DIGITS))
        return Mistake(f"{new.currency!r} is not a currency Paydown knows. It knows {known}.")
    if new.time_zone not in zoneinfo.available_timezones():
        return Mistake(f"{new.time_zone!r} is not a time zone. Give one such as Europe/London.")
    return check_text("name", new.name.strip())


def find_customer(connection: StoreConnection, text: str) -> Customer | Mistake:
    """The customer of that guid, in any of its written forms."""
    customer_guid = read_guid(text.strip())
    if customer_guid is None:
        return Mistake(f"{text!r} is not a customer's guid. See: paydown customer list")
    customer = reference.find_customer(connection, customer_guid)
    return customer or Mistake(f"There is no customer {customer_guid}. See: paydown customer list")


def _find_login(connection: StoreConnection, user_name: str) -> LoginRecord | Mistake:
    if mistake := check_user_name(user_name):
        return mistake
    found = logins.list_logins(connection, user_name)
    return found[0] if found else Mistake(f"There is no login {user_name!r}.")
