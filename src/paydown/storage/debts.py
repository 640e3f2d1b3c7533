"""What was owed at a moment: every item's balance then, and the accounts beside them.

Law of this file: it goes through all of a customer's postings, as no other reading does. The
accounts' side is added up from the postings alone, so that it can disagree with the items'.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, and_, case, func, select

from paydown.domain.model import AccountType
from paydown.storage.schema import account, billing_item, contact, posting


class Debt(NamedTuple):
    """What an item owed; below zero where it was paid before it was charged."""

    contact_id: str
    contact_name: str
    due_on: str
    receivables_account_id: int
    balance: int


class ControlAccount(NamedTuple):
    """A receivables account, and its debits less its credits."""

    account_id: int
    code: str
    name: str
    balance: int


def read_debts(connection: Connection, customer_id: int, before: int) -> Iterator[Debt]:
    """Every item that owed something then, by contact, by what was true before the time (ticks)."""
    item = billing_item.c
    raises = posting.c.debit_account_id == item.receivables_account_id
    later = (
        select(
            posting.c.billing_id,
            func.sum(case((raises, posting.c.amount), else_=-posting.c.amount)).label("effect"),
        )
        .join_from(
            posting,
            billing_item,
            and_(
                item.customer_id == posting.c.customer_id, item.billing_id == posting.c.billing_id
            ),
        )
        .where(posting.c.customer_id == customer_id, posting.c.value_at >= before)
        .group_by(posting.c.billing_id)
        .subquery("later")
    )
    balance = item.balance - func.coalesce(later.c.effect, 0)
    named = and_(contact.c.customer_id == item.customer_id, contact.c.contact_id == item.contact_id)
    statement = (
        select(item.contact_id, contact.c.name, item.due_on, item.receivables_account_id, balance)
        .select_from(
            billing_item.join(contact, named).outerjoin(
                later, later.c.billing_id == item.billing_id
            )
        )
        .where(item.customer_id == customer_id, balance != 0)
        .order_by(item.contact_id)
    )
    for row in connection.execute(statement):
        yield Debt(*row[:-1], int(row[-1]))


def list_control_accounts(
    connection: Connection, customer_id: int, before: int
) -> list[ControlAccount]:
    """The receivables accounts by code, by the postings that were true before the time (ticks)."""
    moved = connection.execute(
        select(posting.c.debit_account_id, posting.c.credit_account_id, func.sum(posting.c.amount))
        .where(posting.c.customer_id == customer_id, posting.c.value_at < before)
        .group_by(posting.c.debit_account_id, posting.c.credit_account_id)
    )
    balances: dict[int, int] = {}
    for debit_id, credit_id, amount in moved:
        balances[debit_id] = balances.get(debit_id, 0) + int(amount)
        balances[credit_id] = balances.get(credit_id, 0) - int(amount)
    accounts = connection.execute(
        select(account.c.account_id, account.c.code, account.c.name)
        .where(
            account.c.customer_id == customer_id,
            account.c.account_type == AccountType.RECEIVABLE,
        )
        .order_by(account.c.code)
    )
    return [ControlAccount(*row, balances.get(row.account_id, 0)) for row in accounts]
