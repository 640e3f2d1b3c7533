"""Aged debt: who owed what, and for how long, beside what the accounts say."""

from collections import Counter
from datetime import date

from paydown.domain import days
from paydown.domain.ageing import AGE_BANDS, NOT_DUE, band_of
from paydown.enquiries.writing import write_amount
from paydown.storage import debts
from paydown.storage.debts import ControlAccount, Debt
from paydown.storage.reference import Customer, StoreConnection
from paydown.wire.v1.documents import AccountName, AgedDebt, Band, ContactDebt, TieOut


class _Sums:
    """What is owed, added up by band, by contact and by account, in minor units."""

    def __init__(self, on: date) -> None:
        self._on = on
        self.item_counts: Counter[str] = Counter()
        self.bands: Counter[str] = Counter()
        self.accounts: Counter[int] = Counter()
        self.contacts: dict[tuple[str, str], Counter[str]] = {}

    def add(self, debt: Debt) -> None:
        """What was paid before it was charged is not due, and lowers what is."""
        due_on = date.fromisoformat(debt.due_on)
        band = band_of(due_on, self._on) if debt.balance > 0 else NOT_DUE
        self.item_counts[band] += 1
        self.bands[band] += debt.balance
        self.accounts[debt.receivables_account_id] += debt.balance
        contact = (debt.contact_id, debt.contact_name)
        self.contacts.setdefault(contact, Counter())[band] += debt.balance


def age_debt(connection: StoreConnection, customer: Customer, on: date) -> AgedDebt:
    """The debt at the end of the day, by value date as known now."""
    before = days.end_of(on, customer.time_zone)
    sums = _Sums(on)
    for debt in debts.read_debts(connection, customer.customer_id, before):
        sums.add(debt)
    accounts = debts.list_control_accounts(connection, customer.customer_id, before)
    return AgedDebt(
        on=on.isoformat(),
        currency=customer.currency,
        bands=_tell_bands(sums, customer),
        total=write_amount(sum(sums.bands.values()), customer),
        accounts=[_tie(each, sums.accounts[each.account_id], customer) for each in accounts],
        contacts=[
            ContactDebt(
                contact_id=contact_id,
                name=name,
                bands={band.name: write_amount(owed[band.name], customer) for band in AGE_BANDS},
                total=write_amount(sum(owed.values()), customer),
            )
            for (contact_id, name), owed in sums.contacts.items()
        ],
    )


def _tell_bands(sums: _Sums, customer: Customer) -> list[Band]:
    return [
        Band(
            band=band.name,
            item_count=sums.item_counts[band.name],
            amount=write_amount(sums.bands[band.name], customer),
        )
        for band in AGE_BANDS
    ]


def _tie(account: ControlAccount, owed: int, customer: Customer) -> TieOut:
    """What the postings say of the account, beside what its items come to."""
    name = AccountName(gl_account_id=account.account_id, code=account.code, name=account.name)
    return TieOut(
        account=name,
        ledger_balance=write_amount(account.balance, customer),
        items_balance=write_amount(owed, customer),
        difference=write_amount(account.balance - owed, customer),
    )
