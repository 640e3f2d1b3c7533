"""What an operator sets up: customers, their accounts and tender types, logins and their grants.

Law of this file: a mistake of the operator's comes back as a ``Mistake`` and has changed nothing. A
change to a login is told to ``on_login_change`` once it is committed.
"""

import time
import uuid
import zoneinfo
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from paydown.domain import presets
from paydown.domain.model import AccountType, Bundle
from paydown.storage import reference
from paydown.storage.database import Database
from paydown.storage.reference import Account, Customer, LoginRecord, StoreConnection, TenderType
from paydown.wire.formats import INT32_MAX, read_guid

NAME_LENGTH_MAX = 255
CODE_LENGTH_MAX = 50


class Mistake(NamedTuple):
    """Why nothing was changed, in a sentence for the operator."""

    sentence: str


class NewCustomer(NamedTuple):
    """A customer to add. ``bare`` leaves out the preset accounts and tender types."""

    name: str
    customer_guid: str | None = None
    currency: str = "GBP"
    time_zone: str = "Europe/London"
    bare: bool = False


class NewAccount(NamedTuple):
    """An account to add. ``account_id`` is the wire's GLAccountId; None gives the next."""

    code: str
    name: str
    account_type: AccountType
    account_id: int | None = None


class NewTenderType(NamedTuple):
    """A tender type to add, with the code of the account that its money is expected on."""

    tender_type_id: int
    name: str
    clearing_code: str


class NewLogin(NamedTuple):
    """A login to add."""

    user_name: str
    password_hash: str
    strict: bool = False
    references_shared: bool = False


class Admin:
    """The operations on one ledger, each in a transaction of its own; safe beside a server."""

    def __init__(
        self, database: Database, on_login_change: Callable[[str], None] = lambda _: None
    ) -> None:
        self._database = database
        self._on_login_change = on_login_change

    def add_customer(self, new: NewCustomer) -> Customer | Mistake:
        """Add a customer, by default with all it needs to take payments."""
        customer_guid = read_guid(new.customer_guid or str(uuid.uuid4()))
        if mistake := _check_customer(new, customer_guid):
            return mistake
        assert customer_guid is not None, "checked"
        currency = new.currency.upper()
        with self._database.write() as connection:
            if reference.find_customer(connection, customer_guid):
                return Mistake(f"There is a customer {customer_guid} already.")
            customer_id = reference.add_customer(
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
            _add_required_accounts(connection, customer_id)
            if not new.bare:
                _add_presets(connection, customer_id)
            added = reference.find_customer(connection, customer_guid)
            assert added is not None, "just added"
            return added

    def list_customers(self) -> list[Customer]:
        """All customers, oldest first."""
        with self._database.read() as connection:
            return reference.list_customers(connection)

    def find_customer(self, customer_guid: str) -> Customer | Mistake:
        """The customer of that guid, in any of its written forms."""
        with self._database.read() as connection:
            return _find_customer(connection, customer_guid)

    def add_account(self, customer_guid: str, new: NewAccount) -> Account | Mistake:
        """Add an account to the customer's books."""
        code, name = new.code.strip(), new.name.strip()
        if mistake := _check_text("code", code, CODE_LENGTH_MAX) or _check_text("name", name):
            return mistake
        if new.account_id is not None and not 1 <= new.account_id <= INT32_MAX:
            return Mistake(f"The account's id must be from 1 to {INT32_MAX}.")
        with self._database.write() as connection:
            customer = _find_customer(connection, customer_guid)
            if isinstance(customer, Mistake):
                return customer
            for account in reference.list_accounts(connection, customer.customer_id):
                if code == account.code or new.account_id == account.account_id:
                    return Mistake(f"There is an account {_say(account)} already.")
            account_id = _add_account(connection, customer.customer_id, new)
            return Account(account_id, code, name, new.account_type, active=True)

    def list_accounts(self, customer_guid: str) -> list[Account] | Mistake:
        """The customer's accounts, by code."""
        with self._database.read() as connection:
            customer = _find_customer(connection, customer_guid)
            if isinstance(customer, Mistake):
                return customer
            return reference.list_accounts(connection, customer.customer_id)

    def set_account_active(
        self, customer_guid: str, code: str, *, active: bool
    ) -> Account | Mistake:
        """Let write-downs and imports use the account, or no longer."""
        with self._database.write() as connection:
            customer = _find_customer(connection, customer_guid)
            if isinstance(customer, Mistake):
                return customer
            account = _find_account(connection, customer, code)
            if isinstance(account, Mistake):
                return account
            if not active and (use := _find_use(connection, customer.customer_id, account)):
                return use
            self._database.hold_customer(connection, customer.customer_id)
            reference.set_account_active(
                connection, customer.customer_id, account.account_id, active=active
            )
            return account._replace(active=active)

    def add_tender_type(self, customer_guid: str, new: NewTenderType) -> TenderType | Mistake:
        """Add a way to pay."""
        if not 1 <= new.tender_type_id <= INT32_MAX:
            return Mistake(f"The tender type's id must be from 1 to {INT32_MAX}.")
        name = new.name.strip()
        if mistake := _check_text("name", name):
            return mistake
        with self._database.write() as connection:
            customer = _find_customer(connection, customer_guid)
            if isinstance(customer, Mistake):
                return customer
            for known in reference.list_tender_types(connection, customer.customer_id):
                if known.tender_type_id == new.tender_type_id:
                    return Mistake(f"There is a tender type {_say_tender(known)} already.")
            account = _find_clearing_account(connection, customer, new.clearing_code)
            if isinstance(account, Mistake):
                return account
            added = TenderType(
                new.tender_type_id, name, account.account_id, account.code, active=True
            )
            reference.add_tender_type(connection, customer.customer_id, added)
            return added

    def list_tender_types(self, customer_guid: str) -> list[TenderType] | Mistake:
        """The customer's tender types, by id."""
        with self._database.read() as connection:
            customer = _find_customer(connection, customer_guid)
            if isinstance(customer, Mistake):
                return customer
            return reference.list_tender_types(connection, customer.customer_id)

    def set_tender_type_active(
        self, customer_guid: str, tender_type_id: int, *, active: bool
    ) -> TenderType | Mistake:
        """Let requests name the tender type, or no longer."""
        with self._database.write() as connection:
            customer = _find_customer(connection, customer_guid)
            if isinstance(customer, Mistake):
                return customer
            for known in reference.list_tender_types(connection, customer.customer_id):
                if known.tender_type_id == tender_type_id:
                    account = _find_clearing_account(connection, customer, known.clearing_code)
                    if active and isinstance(account, Mistake):
                        return account
                    self._database.hold_customer(connection, customer.customer_id)
                    reference.set_tender_type_active(
                        connection, customer.customer_id, tender_type_id, active=active
                    )
                    return known._replace(active=active)
            return Mistake(f"{customer.name} has no tender type {tender_type_id}.")

    def add_login(
        self, new: NewLogin, customer_guid: str | None = None, bundles: Collection[Bundle] = ()
    ) -> LoginRecord | Mistake:
        """Add a login, with its first bundles for one customer where that is named."""
        if mistake := _check_user_name(new.user_name):
            return mistake
        if (customer_guid is None) != (not bundles):
            return Mistake("Name the customer and the bundles together, or neither.")
        with self._database.write() as connection:
            if reference.list_logins(connection, new.user_name):
                return Mistake(f"There is a login {new.user_name} already.")
            customer = _find_customer(connection, customer_guid) if customer_guid else None
            if isinstance(customer, Mistake):
                return customer
            values = {
                **new._asdict(),
                "strict": int(new.strict),
                "references_shared": int(new.references_shared),
                "created_at": time.time_ns() // 100,
            }
            login_id = reference.add_login(connection, values)
            if customer:
                granted = sorted(set(bundles))
                reference.grant_bundles(connection, customer.customer_id, login_id, granted)
            added = reference.list_logins(connection, new.user_name)[0]
        self._on_login_change(new.user_name)
        return added

    def list_logins(self) -> list[LoginRecord]:
        """All logins with their grants, by name."""
        with self._database.read() as connection:
            return reference.list_logins(connection)

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

    def _change_login(self, user_name: str, values: dict[str, int | str]) -> LoginRecord | Mistake:
        with self._database.write() as connection:
            login = _find_login(connection, user_name)
            if isinstance(login, Mistake):
                return login
            reference.change_login(connection, login.login_id, values)
            changed = _find_login(connection, user_name)
        self._on_login_change(user_name)
        return changed

    def _regrant(
        self, user_name: str, customer_guid: str, bundles: Sequence[Bundle], *, granting: bool
    ) -> LoginRecord | Mistake:
        with self._database.write() as connection:
            customer = _find_customer(connection, customer_guid)
            if isinstance(customer, Mistake):
                return customer
            login = _find_login(connection, user_name)
            if isinstance(login, Mistake):
                return login
            held = dict(login.grants).get(customer.customer_guid, ())
            place = (connection, customer.customer_id, login.login_id)
            if granting:
                reference.grant_bundles(*place, sorted(set(bundles).difference(held)))
            elif missing := sorted(set(bundles).difference(held)):
                return Mistake(f"{user_name} does not hold {missing[0]} for {customer.name}.")
            else:
                reference.revoke_bundles(*place, bundles)
            changed = _find_login(connection, user_name)
        self._on_login_change(user_name)
        return changed


def _check_customer(new: NewCustomer, customer_guid: str | None) -> Mistake | None:
    if customer_guid is None:
        return Mistake(f"{new.customer_guid!r} is not a guid. Give one such as {uuid.uuid4()}.")
    if new.currency.upper() not in presets.MINOR_DIGITS:
        known = ", ".join(sorted(presets.MINOR_DIGITS))
        return Mistake(f"{new.currency!r} is not a currency Paydown knows. It knows {known}.")
    if new.time_zone not in zoneinfo.available_timezones():
        return Mistake(f"{new.time_zone!r} is not a time zone. Give one such as Europe/London.")
    return _check_text("name", new.name.strip())


def _check_text(what: str, text: str, length_max: int = NAME_LENGTH_MAX) -> Mistake | None:
    if not text or len(text) > length_max or not text.isprintable():
        return Mistake(f"The {what} must be 1 to {length_max} printable characters.")
    return None


def _check_user_name(name: str) -> Mistake | None:
    if not name.isascii() or name != name.strip():
        return Mistake("The login's name must be ASCII without spaces around it: it is a header.")
    return _check_text("login's name", name)


def check_password(password: str) -> Mistake | None:
    """Whether a password that an operator brings can be sent in a header."""
    if password != password.strip():
        return Mistake("The password must have no spaces around it: it is sent in a header.")
    return _check_text("password", password)


def _add_required_accounts(connection: StoreConnection, customer_id: int) -> None:
    ids = [
        _add_account(connection, customer_id, NewAccount(*preset))
        for preset in (presets.RECEIVABLES, presets.OPENING_BALANCES)
    ]
    reference.set_item_defaults(connection, customer_id, receivables=ids[0], opening=ids[1])


def _add_presets(connection: StoreConnection, customer_id: int) -> None:
    ids = {
        preset.code: _add_account(connection, customer_id, NewAccount(*preset))
        for preset in presets.ACCOUNTS
    }
    for tender_type_id, name, code in presets.TENDER_TYPES:
        added = TenderType(tender_type_id, name, ids[code], code, active=True)
        reference.add_tender_type(connection, customer_id, added)


def _add_account(connection: StoreConnection, customer_id: int, new: NewAccount) -> int:
    values = {**new._asdict(), "code": new.code.strip(), "name": new.name.strip()}
    return reference.add_account(connection, customer_id, values)


def _find_customer(connection: StoreConnection, text: str) -> Customer | Mistake:
    customer_guid = read_guid(text.strip())
    if customer_guid is None:
        return Mistake(f"{text!r} is not a customer's guid. See: paydown customer list")
    customer = reference.find_customer(connection, customer_guid)
    return customer or Mistake(f"There is no customer {customer_guid}. See: paydown customer list")


def _find_login(connection: StoreConnection, user_name: str) -> LoginRecord | Mistake:
    logins = reference.list_logins(connection, user_name)
    return logins[0] if logins else Mistake(f"There is no login {user_name!r}.")


def _find_account(connection: StoreConnection, customer: Customer, code: str) -> Account | Mistake:
    for account in reference.list_accounts(connection, customer.customer_id):
        if account.code == code.strip():
            return account
    hint = f"See: paydown account list --customer {customer.customer_guid}"
    return Mistake(f"There is no account with the code {code!r}. {hint}")


def _find_clearing_account(
    connection: StoreConnection, customer: Customer, code: str
) -> Account | Mistake:
    account = _find_account(connection, customer, code)
    if isinstance(account, Mistake):
        return account
    if account.account_type == AccountType.RECEIVABLE:
        return Mistake(f"Account {_say(account)} is a receivables account; money clears elsewhere.")
    return account if account.active else Mistake(f"Account {_say(account)} is disabled.")


def _find_use(connection: StoreConnection, customer_id: int, account: Account) -> Mistake | None:
    """What still needs the account, so that it cannot be disabled."""
    if account.account_id in reference.find_item_defaults(connection, customer_id):
        return Mistake(f"Account {_say(account)} is needed by every import.")
    for tender_type in reference.list_tender_types(connection, customer_id):
        if tender_type.active and tender_type.clearing_account_id == account.account_id:
            return Mistake(
                f"Account {_say(account)} clears tender type {_say_tender(tender_type)}: "
                "disable that first."
            )
    return None


def _say(account: Account) -> str:
    return f"{account.code} ({account.name})"


def _say_tender(tender_type: TenderType) -> str:
    return f"{tender_type.tender_type_id} ({tender_type.name})"
