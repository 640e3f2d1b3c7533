"""Callers of ``/v1``: receipts, what is applied of them and taken back, reversals, new items.

Law of this file: a clerk goes by the answers that left the server, to whichever clerk they went, so
that two of them come to undo or to apply the same thing.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ledgers import ANNA, CASH, EXTERNAL, TILL
from paydown.api.answers import Answer
from simulation.callers import ITEMS, Message, make_headers

BILLING_TYPE = 1
TILL_TAKES = (500, 999, 2000)
KINDS = ("receipt", "item", "allocate", "allocate", "allocate", "unallocate", "undo", "undo")


@dataclass(slots=True, kw_only=True)
class Order(Message):
    """What a clerk wants done once. ``target`` is the id in its path.

    ``lines`` are pence by item, or under 0 where there is no item yet.
    """

    kind: str
    target: str
    lines: dict[int, int]

    @property
    def done(self) -> list[Answer]:
        """The answers that say that it is done."""
        return [answer for answer in self.answers if answer.status in (200, 201)]

    @property
    def told(self) -> Any:
        """What the first of those says."""
        return json.loads(self.done[0].body)


class Office:
    """The clerks' common desk: all that any of them sent, in order."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.orders: list[Order] = []

    def make_orders(self, name: str, count: int) -> Iterator[Order]:
        """What one clerk does, each after the one before."""
        for number in range(count):
            order = self._make(f"{name}-{number}")
            self.orders.append(order)
            yield order

    def _make(self, name: str) -> Order:
        receipts = [order.told["receipt_id"] for order in self._done("receipt")]
        applied = [
            (order.target, line["allocation_id"])
            for order in self._done("allocate")
            for line in order.told["allocations"]
        ]
        kind = self._chance.choice(KINDS) if receipts else "receipt"
        if kind == "receipt":
            return self._receipt(name)
        if kind == "item":
            return self._item(name)
        if kind == "allocate" or not applied:
            return self._allocate(name, self._chance.choice(receipts))
        if kind == "unallocate":
            return self._unallocate(name, *self._chance.choice(applied))
        return self._undo(name, receipts, [posting_id for _, posting_id in applied])

    def _done(self, kind: str) -> list[Order]:
        return [order for order in self.orders if order.kind == kind and order.done]

    def _receipt(self, name: str) -> Order:
        pence = self._chance.choice(TILL_TAKES)
        body = {
            "contact_id": ANNA,
            "tender_type_id": self._chance.choice((CASH, EXTERNAL)),
            "amount": _pounds(pence),
            "value_at": "2026-02-05T10:00:00Z",
            "notes": name,
        }
        return _order(name, "/v1/receipts", body, kind="receipt", lines={0: pence})

    def _item(self, name: str) -> Order:
        pence = self._chance.choice(TILL_TAKES)
        body = {
            "contact_id": ANNA,
            "billing_type_id": BILLING_TYPE,
            "total_amount": _pounds(pence),
            "description": name,
        }
        return _order(name, "/v1/items", body, kind="item", lines={0: pence})

    def _allocate(self, name: str, receipt_id: str) -> Order:
        made = [order.told["billing_id"] for order in self._done("item")]
        items = self._chance.sample([*ITEMS[ANNA], *made], self._chance.choice((1, 1, 2)))
        lines = {item: self._chance.choice((1, 37, 100, 250)) for item in items}
        shares = [{"billing_id": item, "amount": _pounds(lines[item])} for item in lines]
        path = f"/v1/receipts/{receipt_id}/allocate"
        return _order(
            name, path, {"lines": shares}, kind="allocate", target=receipt_id, lines=lines
        )

    def _unallocate(self, name: str, receipt_id: str, posting_id: str) -> Order:
        path = f"/v1/receipts/{receipt_id}/unallocate"
        body = {"allocation_id": posting_id, "reason": name}
        return _order(name, path, body, kind="unallocate", target=posting_id)

    def _undo(self, name: str, receipts: list[str], postings: list[str]) -> Order:
        entries = [posting_id.partition(".")[0] for posting_id in postings]
        target = self._chance.choice([*receipts, *entries, *postings])
        place = "postings" if "." in target else "entries"
        path = f"/v1/{place}/{target}/reverse"
        return _order(name, path, {"reason": name}, kind="undo", target=target)


def _order(name: str, path: str, body: dict[str, Any], **more: Any) -> Order:
    data = json.dumps(body).encode()
    return Order(
        name=name,
        path=path,
        headers=make_headers(name, TILL, data, key=name),
        body=data,
        **{"target": "", "lines": {}, **more},
    )


def _pounds(pence: int) -> str:
    return f"{pence / 100:.2f}"
