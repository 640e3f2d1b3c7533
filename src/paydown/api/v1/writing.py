"""The writes of ``/v1``: an order to the desk, and what it says as an answer."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from paydown.api import answers
from paydown.api.answers import Answer, Header
from paydown.api.v1 import problems
from paydown.desk import Desk, Instruction, KeyConflict, Refused, Result, Told
from paydown.openapi.routes import Route
from paydown.storage.faults import StoreUnavailable
from paydown.telemetry import Exchange
from paydown.wire.v1.reading import Misread, read_body


class Order(NamedTuple):
    """A write as it came in, but for its body: its route, the values of its path, who wants it."""

    route: Route
    target: tuple[Any, ...]
    instruction: Instruction
    exchange: Exchange


class Writes:
    """Answers every write. It blocks: call it from a thread."""

    def __init__(self, desk: Desk) -> None:
        self._acts: dict[str, Callable[..., Result]] = {
            "create_contact": desk.create_contact,
            "change_contact": desk.change_contact,
            "create_item": desk.create_item,
            "create_items": desk.create_items,
            "create_tender_type": desk.create_tender_type,
            "set_tender_type_active": desk.set_tender_type_active,
            "create_billing_type": desk.create_billing_type,
            "set_billing_type_active": desk.set_billing_type_active,
            "create_account": desk.create_account,
            "set_account_active": desk.set_account_active,
            "reverse_entry": desk.reverse_entry,
            "reverse_posting": desk.reverse_posting,
            "record_receipt": desk.record_receipt,
            "allocate": desk.allocate,
            "unallocate": desk.unallocate,
        }

    def answer(self, order: Order, body: bytes) -> Answer:
        """What came of the order, once it is durable."""
        route, exchange = order.route, order.exchange
        assert route.order is not None, "a write takes an order"
        wanted = read_body(body, route.order)
        if isinstance(wanted, Misread):
            exchange.faults = [wanted.pointer or "body"]
            return problems.refuse_misread(problems.Code.INVALID_BODY, wanted)
        try:
            result = self._acts[route.name](order.instruction, *order.target, wanted)
        except StoreUnavailable as fault:
            return problems.unavailable(str(fault), writing=True)
        if isinstance(result, KeyConflict):
            return problems.retell(answers.KEY_CONFLICT)
        if isinstance(result, Refused):
            exchange.refusals = [result.refusal.name]
            return problems.refuse(
                result.status,
                result.refusal.name,
                result.detail,
                *answers.dry_run_applied(order.instruction.dry_run),
                errors=result.errors,
            )
        return _tell(order, result)


def _tell(order: Order, told: Told) -> Answer:
    exchange, dry_run = order.exchange, order.instruction.dry_run
    headers: list[Header] = [*answers.dry_run_applied(dry_run)]
    if told.replayed:
        headers.append(answers.REPLAYED)
    if not dry_run:
        exchange.recorded, exchange.replayed = int(not told.replayed), int(told.replayed)
        exchange.replayed_by_key = told.replayed
    if order.route.location and told.status == HTTPStatus.CREATED and not dry_run:
        made = order.route.location.format(**msgspec.json.decode(told.body))
        headers.append((b"location", made.encode()))
    return Answer(HTTPStatus(told.status), told.body, tuple(headers))
