"""Why an item's balance is what it is, now or at any past moment.

Law of this file: an explanation says nothing that can change: no contact's name, and nothing that
depends on when it is asked for, but whether it is provisional.
"""

from datetime import date
from typing import cast

from paydown.domain import explaining, model
from paydown.domain.ageing import days_overdue
from paydown.domain.explaining import Moment, Step
from paydown.domain.lines import Line
from paydown.domain.wording import RULES
from paydown.enquiries.writing import (
    describe_reversal,
    locale_of,
    today,
    write_amount,
    write_id,
    write_receipt_id,
    write_reversed,
    write_time,
)
from paydown.storage import history, items
from paydown.storage.items import ItemRow
from paydown.storage.reference import Customer, StoreConnection
from paydown.wire.v1.documents import AccountName, ExplainedItem, Explanation, Kind, Movement


def explain(
    connection: StoreConnection,
    customer: Customer,
    billing_id: int,
    *,
    as_of: int | None,
    known_at: int | None,
    now: int,
) -> Explanation | None:
    """The explanation (times are ticks), or None where the item was not known then.

    Without ``known_at`` all that is known counts, also what a server's fast clock dated ahead.
    """
    found = items.find_items(connection, customer.customer_id, [billing_id])
    lines = history.list_lines_of_item(connection, customer.customer_id, billing_id)
    if not found:
        return None
    moment = Moment(as_of, explaining.latest(lines, now) if known_at is None else known_at)
    if all(line.recorded_at > moment.known_at for line in lines):
        return None
    steps = explaining.explain(lines, moment)
    balance = steps[-1].balance if steps else 0
    return Explanation(
        item=_describe_item(found[0], balance, moment, customer),
        as_of=None if as_of is None else write_time(as_of, customer),
        known_at=write_time(moment.known_at, customer),
        provisional=explaining.is_provisional(moment.known_at, now),
        balance=write_amount(balance, customer),
        movements=[_describe_step(step, customer) for step in steps],
        sentences=explaining.tell(steps, moment, locale_of(customer)),
    )


def _describe_item(row: ItemRow, balance: int, moment: Moment, customer: Customer) -> ExplainedItem:
    day = today(moment.known_at if moment.as_of is None else moment.as_of, customer)
    return ExplainedItem(
        billing_id=row.billing_id,
        contact_id=row.contact_id,
        beneficiary_id=row.beneficiary_id,
        description=row.description,
        total_amount=write_amount(row.total_amount, customer),
        balance=write_amount(balance, customer),
        state="open" if balance > 0 else "settled",
        due_on=row.due_on,
        days_overdue=days_overdue(date.fromisoformat(row.due_on), day) if balance > 0 else 0,
        billing_type_id=row.billing_type_id,
        agreement_id=row.agreement_id,
        member_service_id=row.member_service_id,
        is_external=bool(row.is_external),
        receivables_account_code=row.receivables_code,
    )


def _describe_step(step: Step, customer: Customer) -> Movement:
    line: Line = step.line
    account_id, code, name = line.counter_account
    return Movement(
        posting_id=str(line.key),
        entry_id=write_id(line.entry_id),
        kind=cast(Kind, line.kind),
        effect=write_amount(line.effect, customer),
        balance=write_amount(step.balance, customer),
        value_at=write_time(line.value_at, customer),
        recorded_at=write_time(line.recorded_at, customer),
        rule=RULES[model.Kind(line.kind)],
        counter_account=AccountName(gl_account_id=account_id, code=code, name=name),
        tender_type=line.tender_name,
        receipt_id=write_receipt_id(line),
        reference=line.reference,
        authorization_code=line.authorization_code,
        notes=line.notes,
        caller=line.caller,
        staff_user=line.staff_user,
        request_id=line.request_id,
        address=line.address,
        reverses=write_reversed(line),
        reversed_by=describe_reversal(line, customer),
    )
