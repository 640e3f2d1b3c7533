"""What a customer's books are made of: accounts, and the types of tenders and of billing items.

Law of this file: it works in its caller's transaction, which is to be committed also where a
``Mistake`` comes back: nothing was changed then.
"""

from typing import NamedTuple

from paydown.admin.mistakes import Mistake, Wrong, check_id, check_text
from paydown.domain import presets
from paydown.domain.model import AccountType
from paydown.storage import reference
from paydown.storage.database import Database
from paydown.storage.reference import Account, BillingType, Customer, StoreConnection, TenderType
from paydown.wire.formats import INT32_MAX
from paydown.wire.v1.fields import CODE_MAX


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


class NewBillingType(NamedTuple):
    """A billing type to add, with the codes of its accounts.

    Items are owed on the external receivables account where they are another's to collect.
    """

    billing_type_id: int
    name: str
    income_code: str
    external_receivables_code: str


class Books(NamedTuple):
    """A customer's books, inside a transaction: a write transaction for whatever changes them."""

    database: Database
    connection: StoreConnection
    customer: Customer

    def add_account(self, new: NewAccount) -> Account | Mistake:
        """Add an account."""
        code, name = new.code.strip(), new.name.strip()
        if mistake := check_text("code", code, CODE_MAX) or check_text("name", name):
            return mistake
        if new.account_id is not None and (mistake := check_id("account", new.account_id)):
            return mistake
        accounts = self.list_accounts()
        for account in accounts:
            if code == account.code:
                return Mistake(f"There is an account {_say(account)} already.", Wrong.EXISTS)
            if new.account_id == account.account_id:
                taken = f"GLAccountId {account.account_id} is that of account {_say(account)}."
                return Mistake(taken, Wrong.EXISTS)
        if new.account_id is None and any(each.account_id == INT32_MAX for each in accounts):
            return Mistake(
                "There is no GLAccountId left beyond the greatest in use. Name one that is free."
            )
        values = {**new._asdict(), "code": code, "name": name}
        account_id = reference.add_account(self.connection, self.customer.customer_id, values)
        return Account(account_id, code, name, new.account_type, active=True)

    def list_accounts(self) -> list[Account]:
        """The accounts, by code."""
        return reference.list_accounts(self.connection, self.customer.customer_id)

    def set_account_active(self, code: str, *, active: bool) -> Account | Mistake:
        """Let write-downs, imports and new types use the account, or no longer."""
        account = self._find_account(code)
        if isinstance(account, Mistake):
            return account
        if not active and (use := self._find_use(account)):
            return use
        self._hold()
        reference.set_account_active(
            self.connection, self.customer.customer_id, account.account_id, active=active
        )
        return account._replace(active=active)

    def add_tender_type(self, new: NewTenderType) -> TenderType | Mistake:
        """Add a way to pay."""
        name = new.name.strip()
        mistake = check_id("tender type", new.tender_type_id) or check_text("name", name)
        if mistake:
            return mistake
        for known in self.list_tender_types():
            if known.tender_type_id == new.tender_type_id:
                return Mistake(
                    f"There is a tender type {_say_tender(known)} already.", Wrong.EXISTS
                )
        account = self._find_clearing_account(new.clearing_code)
        if isinstance(account, Mistake):
            return account
        added = TenderType(new.tender_type_id, name, account.account_id, account.code, active=True)
        reference.add_tender_type(self.connection, self.customer.customer_id, added)
        return added

    def list_tender_types(self) -> list[TenderType]:
        """The tender types, by id."""
        return reference.list_tender_types(self.connection, self.customer.customer_id)

    def set_tender_type_active(self, tender_type_id: int, *, active: bool) -> TenderType | Mistake:
        """Let requests name the tender type, or no longer."""
        for known in self.list_tender_types():
            if known.tender_type_id == tender_type_id:
                account = self._find_clearing_account(known.clearing_code)
                if active and isinstance(account, Mistake):
                    return account
                self._hold()
                reference.set_tender_type_active(
                    self.connection, self.customer.customer_id, tender_type_id, active=active
                )
                return known._replace(active=active)
        return Mistake(f"{self.customer.name} has no tender type {tender_type_id}.", Wrong.UNKNOWN)

    def add_billing_type(self, new: NewBillingType) -> BillingType | Mistake:
        """Add what an item can be for."""
        name = new.name.strip()
        mistake = check_id("billing type", new.billing_type_id) or check_text("name", name)
        if mistake:
            return mistake
        for known in self.list_billing_types():
            if known.billing_type_id == new.billing_type_id:
                return Mistake(
                    f"There is a billing type {_say_billing(known)} already.", Wrong.EXISTS
                )
        accounts = self._find_billing_accounts(new.income_code, new.external_receivables_code)
        if isinstance(accounts, Mistake):
            return accounts
        (income, external) = ((each.account_id, each.code) for each in accounts)
        added = BillingType(new.billing_type_id, name, *income, *external, active=True)
        reference.add_billing_type(self.connection, self.customer.customer_id, added)
        return added

    def list_billing_types(self) -> list[BillingType]:
        """The billing types, by id."""
        return reference.list_billing_types(self.connection, self.customer.customer_id)

    def set_billing_type_active(
        self, billing_type_id: int, *, active: bool
    ) -> BillingType | Mistake:
        """Let new items be of the type, or no longer."""
        for known in self.list_billing_types():
            if known.billing_type_id == billing_type_id:
                codes = (known.income_code, known.external_receivables_code)
                accounts = self._find_billing_accounts(*codes)
                if active and isinstance(accounts, Mistake):
                    return accounts
                self._hold()
                reference.set_billing_type_active(
                    self.connection, self.customer.customer_id, billing_type_id, active=active
                )
                return known._replace(active=active)
        return Mistake(
            f"{self.customer.name} has no billing type {billing_type_id}.", Wrong.UNKNOWN
        )

    def fill(self, *, bare: bool) -> None:
        """Give a new customer what it needs, and unless ``bare`` all that the presets name."""
        receivables = self._add_preset(presets.RECEIVABLES)
        opening = self._add_preset(presets.OPENING_BALANCES)
        customer_id = self.customer.customer_id
        reference.set_item_defaults(
            self.connection, customer_id, receivables=receivables, opening=opening
        )
        for preset in () if bare else presets.ACCOUNTS:
            self._add_preset(preset)
        # Behind the others, whose GLAccountIds callers know from before there were receipts.
        unapplied = self._add_preset(presets.UNAPPLIED_RECEIPTS)
        reference.set_unapplied_account(self.connection, customer_id, unapplied)
        if not bare:
            self._add_preset(presets.EXTERNAL_RECEIVABLES)
            for tender_type in presets.TENDER_TYPES:
                self.add_tender_type(NewTenderType(*tender_type))
            for billing_type in presets.BILLING_TYPES:
                self.add_billing_type(NewBillingType(*billing_type))

    def _add_preset(self, preset: presets.PresetAccount) -> int:
        added = self.add_account(NewAccount(*preset))
        assert isinstance(added, Account), "the presets are right"
        return added.account_id

    def _hold(self) -> None:
        self.database.hold_customer(self.connection, self.customer.customer_id)

    def _find_account(self, code: str) -> Account | Mistake:
        for account in self.list_accounts():
            if account.code == code.strip():
                return account
        hint = f"See: paydown account list --customer {self.customer.customer_guid}"
        return Mistake(f"There is no account with the code {code!r}.", Wrong.UNKNOWN_ACCOUNT, hint)

    def _find_usable_account(self, code: str) -> Account | Mistake:
        account = self._find_account(code)
        if isinstance(account, Mistake) or account.active:
            return account
        return Mistake(f"Account {_say(account)} is disabled.", Wrong.UNSUITABLE_ACCOUNT)

    def _find_clearing_account(self, code: str) -> Account | Mistake:
        account = self._find_account(code)
        if isinstance(account, Account) and (own := self._find_own_use(account)):
            return Mistake(
                f"Account {_say(account)} {own}; money clears elsewhere.", Wrong.UNSUITABLE_ACCOUNT
            )
        return self._find_usable_account(code)

    def _find_own_use(self, account: Account) -> str | None:
        """What an account is kept for that other things move by themselves."""
        if account.account_type == AccountType.RECEIVABLE:
            return "is a receivables account"
        customer_id = self.customer.customer_id
        if account.account_id == reference.find_unapplied_account(self.connection, customer_id):
            return "holds receipts that are not applied"
        return None

    def _find_billing_accounts(
        self, income_code: str, external_code: str
    ) -> tuple[Account, Account] | Mistake:
        income = self._find_usable_account(income_code)
        if isinstance(income, Mistake):
            return income
        if own := self._find_own_use(income):
            return Mistake(
                f"Account {_say(income)} {own}; income is elsewhere.", Wrong.UNSUITABLE_ACCOUNT
            )
        external = self._find_usable_account(external_code)
        if isinstance(external, Mistake):
            return external
        if external.account_type != AccountType.RECEIVABLE:
            return Mistake(
                f"Account {_say(external)} is no receivables account.", Wrong.UNSUITABLE_ACCOUNT
            )
        return income, external

    def _find_use(self, account: Account) -> Mistake | None:
        """What still needs the account, so that it cannot be disabled."""
        connection, customer_id = self.connection, self.customer.customer_id
        if account.account_id in reference.find_item_defaults(connection, customer_id):
            return Mistake(f"Account {_say(account)} is needed by every import.", Wrong.IN_USE)
        if account.account_id == reference.find_unapplied_account(connection, customer_id):
            return Mistake(f"Account {_say(account)} is needed by every receipt.", Wrong.IN_USE)
        for tender_type in self.list_tender_types():
            if tender_type.active and tender_type.clearing_account_id == account.account_id:
                return Mistake(
                    f"Account {_say(account)} clears tender type {_say_tender(tender_type)}: "
                    "disable that first.",
                    Wrong.IN_USE,
                )
        for billing_type in self.list_billing_types():
            accounts = (
                billing_type.income_account_id,
                billing_type.external_receivables_account_id,
            )
            if billing_type.active and account.account_id in accounts:
                return Mistake(
                    f"Account {_say(account)} is used by billing type "
                    f"{_say_billing(billing_type)}: disable that first.",
                    Wrong.IN_USE,
                )
        return None


def _say(account: Account) -> str:
    return f"{account.code} ({account.name})"


def _say_tender(tender_type: TenderType) -> str:
    return f"{tender_type.tender_type_id} ({tender_type.name})"


def _say_billing(billing_type: BillingType) -> str:
    return f"{billing_type.billing_type_id} ({billing_type.name})"
