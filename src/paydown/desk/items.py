"""Billing items: create one, or many of which each is judged by itself."""

from collections.abc import Sequence

from msgspec import structs

from paydown.desk.instructions import Refused, refuse_for
from paydown.desk.reading import Reading
from paydown.desk.work import Answer, Draft, Work, answer
from paydown.domain import charging
from paydown.domain.charging import (
    BillingTypeFact,
    ChargedItem,
    ChargingFacts,
    NewBilling,
)
from paydown.domain.days import day_of
from paydown.domain.desk_refusals import Objection
from paydown.domain.model import Entry, Kind
from paydown.enquiries.items import find_item
from paydown.enquiries.writing import write_id
from paydown.storage import creations, reference
from paydown.wire import billing
from paydown.wire.v1 import orders
from paydown.wire.v1.documents import ItemResult, ItemResults

Sent = NewBilling | orders.ListedItem
"""An item as it was read, or as it came where it cannot be."""


def read_item(order: orders.ListedItem, time_zone: str) -> NewBilling | Refused:
    """What an item is to be."""
    reading = Reading(time_zone)
    meant = NewBilling(
        contact_id=reading.guid("contact_id", order.contact_id),
        billing_type_id=order.billing_type_id,
        total_amount=reading.amount("total_amount", order.total_amount),
        description=reading.words("description", order.description),
        due_on=reading.optional(reading.day, "due_on", order.due_on),
        effective=reading.optional(reading.instant, "effective_at", order.effective_at),
        beneficiary_id=reading.optional(reading.guid, "beneficiary_id", order.beneficiary_id),
        agreement_id=order.agreement_id,
        member_service_id=order.member_service_id,
        is_external=order.is_external,
    )
    return reading.refused() or meant


def read_items(order: orders.NewItems, time_zone: str) -> tuple[Sent, ...]:
    """What each item is to be; as it was sent where it cannot be read."""
    read = (read_item(each, time_zone) for each in order.items)
    return tuple(
        sent if isinstance(item, Refused) else item
        for sent, item in zip(order.items, read, strict=True)
    )


def create(work: Work, asked: NewBilling) -> Answer | Refused:
    """Charge the item."""
    item = _create_one(work, asked)
    if isinstance(item, Refused):
        return item
    found = find_item(work.connection, work.customer, item.billing_id, now=work.recorded_at)
    assert found is not None, "it was just written"
    return answer(201, found)


def create_billing(work: Work, asked: NewBilling) -> Answer | Refused:
    """Charge the item, and answer as Legend does."""
    item = _create_one(work, asked)
    if isinstance(item, Refused):
        return item
    body = billing.encode(
        item.contact_id,
        billing_id=item.billing_id,
        gl_code=item.income_code,
        total_amount=item.total_amount,
        minor_digits=work.customer.minor_digits,
    )
    return Answer(200, body)


def create_many(work: Work, asked: Sequence[Sent]) -> Answer:
    """Charge those items that nothing stands against, and say of each what came of it."""
    judged = _judge(work, asked)
    entries = _save(work, [each for each in judged if isinstance(each, ChargedItem)])
    results = [_result(index, each, entries) for index, each in enumerate(judged)]
    told = ItemResults(
        success=all(each.code is None for each in results),
        created_count=len(entries),
        results=results,
    )
    return answer(201 if entries else 200, told, recorded=bool(entries))


def _create_one(work: Work, asked: NewBilling) -> ChargedItem | Refused:
    (judged,) = _judge(work, [asked])
    if isinstance(judged, ChargedItem):
        _save(work, [judged])
    return judged


def _judge(work: Work, asked: Sequence[Sent]) -> list[ChargedItem | Refused]:
    """Judge each in order; those that are good take the next BillingIds."""
    facts = _load(work, [each for each in asked if isinstance(each, NewBilling)])
    judged: list[ChargedItem | Refused] = []
    for each in asked:
        item = each if isinstance(each, NewBilling) else read_item(each, work.customer.time_zone)
        judged.append(item if isinstance(item, Refused) else _charge(_fill_in(item, work), facts))
    return judged


def _charge(asked: NewBilling, facts: ChargingFacts) -> ChargedItem | Refused:
    charged = charging.charge(asked, facts)
    return refuse_for(charged) if isinstance(charged, Objection) else charged


def _fill_in(asked: NewBilling, work: Work) -> NewBilling:
    """The same with its dates: now, and the day that it then is at the customer's."""
    effective = asked.effective or work.now
    due_on = asked.due_on or str(day_of(effective[0], work.customer.time_zone))
    return asked._replace(effective=effective, due_on=due_on)


def _load(work: Work, asked: Sequence[NewBilling]) -> ChargingFacts:
    connection, customer_id = work.connection, work.customer_id
    named = {each.contact_id for each in asked}
    named.update(each.beneficiary_id for each in asked if each.beneficiary_id)
    billing_types = {
        each.billing_type_id: BillingTypeFact(
            each.name,
            each.income_account_id,
            each.income_code,
            each.external_receivables_account_id,
            each.active,
        )
        for each in reference.list_billing_types(connection, customer_id)
    }
    return ChargingFacts(
        minor_digits=work.customer.minor_digits,
        contacts=creations.find_contacts(connection, customer_id, named),
        billing_types=billing_types,
        receivables_account_id=reference.find_item_defaults(
            connection, customer_id
        ).receivables_account_id,
        next_billing_id=reference.find_next_billing_id(connection, customer_id),
    )


def _save(work: Work, items: Sequence[ChargedItem]) -> dict[int, Entry]:
    """Write the items and an entry for each value date; the entry of each item, by its id."""
    creations.add_items(work.connection, work.customer_id, items)
    together: dict[tuple[int, str], list[ChargedItem]] = {}
    for item in items:
        together.setdefault(item.effective, []).append(item)
    entries: dict[int, Entry] = {}
    for effective, dated in together.items():
        payers = {item.contact_id for item in dated}
        postings = (charging.post(item, line_no=n) for n, item in enumerate(dated, start=1))
        entry = work.save(
            Draft(
                Kind.CHARGE,
                effective,
                tuple(postings),
                contact_id=payers.pop() if len(payers) == 1 else None,
                items=tuple(item.said for item in dated),
            )
        )
        entries.update((item.billing_id, entry) for item in dated)
    return entries


def _result(index: int, judged: ChargedItem | Refused, entries: dict[int, Entry]) -> ItemResult:
    if isinstance(judged, Refused):
        return ItemResult(
            index=index,
            billing_id=None,
            entry_id=None,
            code=judged.refusal.name,
            detail=judged.detail,
            errors=[
                structs.replace(error, pointer=f"/items/{index}{error.pointer}")
                for error in judged.errors
            ],
        )
    entry_id = write_id(entries[judged.billing_id].entry_id)
    return ItemResult(
        index=index,
        billing_id=judged.billing_id,
        entry_id=entry_id,
        code=None,
        detail=None,
        errors=[],
    )
