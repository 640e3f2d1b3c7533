"""What the books refer to: GL accounts, tender types and billing types, created and disabled.

Law of this file: what is allowed is ``admin``'s to say; here its mistakes get their codes.
"""

from typing import NamedTuple

from paydown.admin import Books, Mistake, NewAccount, NewBillingType, NewTenderType, Wrong
from paydown.desk.instructions import Refused, refuse
from paydown.desk.work import Answer, Work, answer
from paydown.domain.desk_refusals import DeskRefusal
from paydown.domain.model import AccountType
from paydown.enquiries.master import (
    describe_account,
    describe_billing_type,
    describe_tender_type,
)
from paydown.wire.v1 import orders
from paydown.wire.v1.documents import ProblemError


class Switch(NamedTuple):
    """Something that may be used from now on, or no longer, by its id."""

    own_id: int
    active: bool


_REFUSALS = {
    Wrong.VALUE: DeskRefusal.invalid_value,
    Wrong.UNKNOWN_ACCOUNT: DeskRefusal.unknown_gl_account,
    Wrong.UNSUITABLE_ACCOUNT: DeskRefusal.unsuitable_gl_account,
    Wrong.EXISTS: DeskRefusal.already_exists,
    Wrong.IN_USE: DeskRefusal.in_use,
}


def read_account(order: orders.NewAccount) -> NewAccount:
    """An account to add."""
    account_type = AccountType(order.account_type)
    return NewAccount(order.code, order.name, account_type, order.gl_account_id)


def read_tender_type(order: orders.NewTenderType) -> NewTenderType:
    """A tender type to add."""
    return NewTenderType(order.tender_type_id, order.name, order.clearing_account_code)


def read_billing_type(order: orders.NewBillingType) -> NewBillingType:
    """A billing type to add."""
    return NewBillingType(
        order.billing_type_id,
        order.name,
        order.income_account_code,
        order.external_receivables_account_code,
    )


def create_account(work: Work, new: NewAccount) -> Answer | Refused:
    """Add the account."""
    added = _books(work).add_account(new)
    if isinstance(added, Mistake):
        return _refuse(added)
    return answer(201, describe_account(added))


def create_tender_type(work: Work, new: NewTenderType) -> Answer | Refused:
    """Add the tender type."""
    added = _books(work).add_tender_type(new)
    if isinstance(added, Mistake):
        return _refuse(added)
    return answer(201, describe_tender_type(added))


def create_billing_type(work: Work, new: NewBillingType) -> Answer | Refused:
    """Add the billing type."""
    added = _books(work).add_billing_type(new)
    if isinstance(added, Mistake):
        return _refuse(added)
    return answer(201, describe_billing_type(added))


def switch_account(work: Work, switch: Switch) -> Answer | Refused:
    """Let write-downs, imports and new types use the account, or no longer."""
    books = _books(work)
    codes = {each.account_id: each.code for each in books.list_accounts()}
    if switch.own_id not in codes:
        return refuse(DeskRefusal.unknown_gl_account)
    changed = books.set_account_active(codes[switch.own_id], active=switch.active)
    if isinstance(changed, Mistake):
        return _refuse_switch(changed)
    return answer(200, describe_account(changed))


def switch_tender_type(work: Work, switch: Switch) -> Answer | Refused:
    """Let requests name the tender type, or no longer."""
    changed = _books(work).set_tender_type_active(switch.own_id, active=switch.active)
    if isinstance(changed, Mistake):
        return _refuse_switch(changed, unknown=DeskRefusal.unknown_tender_type)
    return answer(200, describe_tender_type(changed))


def switch_billing_type(work: Work, switch: Switch) -> Answer | Refused:
    """Let new items be of the billing type, or no longer."""
    changed = _books(work).set_billing_type_active(switch.own_id, active=switch.active)
    if isinstance(changed, Mistake):
        return _refuse_switch(changed, unknown=DeskRefusal.unknown_billing_type)
    return answer(200, describe_billing_type(changed))


def _books(work: Work) -> Books:
    return Books(work.database, work.connection, work.customer)


def _refuse_switch(mistake: Mistake, *, unknown: DeskRefusal | None = None) -> Refused:
    """The mistake by its code. The books stand against it, and nothing in the body."""
    if unknown is not None and mistake.wrong is Wrong.UNKNOWN:
        return refuse(unknown)
    return refuse(_REFUSALS[mistake.wrong], mistake.sentence)


def _refuse(mistake: Mistake) -> Refused:
    """The mistake by its code; its sentence quotes the value that is at fault."""
    errors = (ProblemError(pointer="", detail=mistake.sentence),)
    return Refused(_REFUSALS[mistake.wrong], mistake.sentence, errors)
