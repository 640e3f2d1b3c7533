"""Charge a contact: judge a billing item to be, and make it with the posting that charges it.

Law of this file: it is pure. Its rules stand in the order in which they are tried.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from paydown.domain import money
from paydown.domain.desk_refusals import DeskRefusal, Objection
from paydown.domain.journal import Said
from paydown.domain.model import Posting

BILLING_ID_MAX = 2**31 - 1


class NewBilling(NamedTuple):
    """A billing item to make.

    Where left out: ``description`` is the billing type's name, ``effective`` (ticks, and as an
    answer writes them) is now, ``due_on`` is that day, and it is for the payer itself.
    """

    contact_id: str
    billing_type_id: int
    total_amount: Decimal
    description: str | None = None
    due_on: str | None = None
    effective: tuple[int, str] | None = None
    beneficiary_id: str | None = None
    agreement_id: int | None = None
    member_service_id: int | None = None
    is_external: bool = False


class BillingTypeFact(NamedTuple):
    """What charging needs to know of a billing type."""

    name: str
    income_account_id: int
    income_code: str
    external_receivables_account_id: int
    active: bool


@dataclass(slots=True)
class ChargingFacts:
    """What charging needs to know: the contacts there are among those named, and the rest."""

    minor_digits: int
    contacts: frozenset[str]
    billing_types: dict[int, BillingTypeFact]
    receivables_account_id: int
    next_billing_id: int


class ChargedItem(NamedTuple):
    """A billing item that was judged good: all that is to be recorded of it."""

    billing_id: int
    contact_id: str
    description: str
    total_amount: int
    due_on: str
    receivables_account_id: int
    billing_type_id: int
    beneficiary_id: str
    agreement_id: int | None
    member_service_id: int | None
    is_external: bool
    income_account_id: int
    income_code: str
    effective: tuple[int, str]

    @property
    def said(self) -> Said:
        """What its entry's digest holds of it: all that is kept beside its posting."""
        return (*self[:10], int(self.is_external))


def charge(billing: NewBilling, facts: ChargingFacts) -> ChargedItem | Objection:
    """The item that comes of it, which takes the next BillingId. Its dates must be filled in."""
    amount = _judge(billing, facts)
    if isinstance(amount, Objection):
        return amount
    billing_type = facts.billing_types[billing.billing_type_id]
    assert billing.effective is not None, "filled in before"
    assert billing.due_on is not None, "filled in before"
    billing_id = facts.next_billing_id
    facts.next_billing_id += 1
    return ChargedItem(
        billing_id=billing_id,
        contact_id=billing.contact_id,
        description=billing_type.name if billing.description is None else billing.description,
        total_amount=amount,
        due_on=billing.due_on,
        receivables_account_id=(
            billing_type.external_receivables_account_id
            if billing.is_external
            else facts.receivables_account_id
        ),
        billing_type_id=billing.billing_type_id,
        beneficiary_id=billing.beneficiary_id or billing.contact_id,
        agreement_id=billing.agreement_id,
        member_service_id=billing.member_service_id,
        is_external=billing.is_external,
        income_account_id=billing_type.income_account_id,
        income_code=billing_type.income_code,
        effective=billing.effective,
    )


def post(item: ChargedItem, *, line_no: int) -> Posting:
    """The posting that charges the item: what it owes from the first."""
    return Posting(
        line_no=line_no,
        billing_id=item.billing_id,
        amount=item.total_amount,
        debit_account_id=item.receivables_account_id,
        credit_account_id=item.income_account_id,
        balance_after=item.total_amount,
        reference=None,
        notes=None,
        authorization_code=None,
    )


def judge_amount(amount: Decimal, minor_digits: int, pointer: str) -> int | Objection:
    """The amount in minor units, or why the books do not take it."""
    if amount <= 0:
        return Objection(DeskRefusal.amount_not_positive, pointer)
    minor = money.to_minor(amount, minor_digits)
    if minor is None:
        return Objection(DeskRefusal.amount_too_precise, pointer)
    return Objection(DeskRefusal.amount_too_large, pointer) if minor > money.AMOUNT_MAX else minor


def _judge(billing: NewBilling, facts: ChargingFacts) -> int | Objection:
    """The total in minor units, or why no item is made."""
    if billing.contact_id not in facts.contacts:
        return Objection(DeskRefusal.unknown_contact, "/contact_id")
    if billing.beneficiary_id is not None and billing.beneficiary_id not in facts.contacts:
        return Objection(DeskRefusal.unknown_contact, "/beneficiary_id")
    billing_type = facts.billing_types.get(billing.billing_type_id)
    if billing_type is None:
        return Objection(DeskRefusal.unknown_billing_type, "/billing_type_id")
    if not billing_type.active:
        return Objection(DeskRefusal.inactive_billing_type, "/billing_type_id")
    amount = judge_amount(billing.total_amount, facts.minor_digits, "/total_amount")
    if isinstance(amount, int) and facts.next_billing_id > BILLING_ID_MAX:
        return Objection(DeskRefusal.billing_ids_used_up)
    return amount
