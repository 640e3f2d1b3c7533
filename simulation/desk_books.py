"""The desk's books as its clerks would keep them by hand, from what they asked for alone.

Law of this file: it shares no code with the product's rules. Whatever is in the books is booked
here too, in the order in which the ledger had it, and told where it should never have been done.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from ledgers import ANNA
from oracle import Item
from simulation.clerks import Order


class Applied(NamedTuple):
    """A part of a receipt that stands on an item."""

    receipt_id: str
    item: int
    pence: int


@dataclass
class DeskBooks:
    """What is left of each receipt, in pence. ``items`` are those of everybody."""

    items: dict[int, Item]
    received: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    applied: dict[str, Applied] = field(default_factory=dict)

    def book(self, order: Order, entry_id: bytes) -> Iterator[str]:
        """Book what an entry did; all that speaks against it, and against what is told of it."""
        written = str(UUID(bytes=entry_id))
        if order.kind == "receipt":
            self.received[written] = self.left[written] = order.lines[0]
        elif order.kind == "item" and order.done:
            self.items[order.told["billing_id"]] = Item(ANNA, _pounds(order.lines[0]))
        elif order.kind == "allocate":
            for line_no, (item, pence) in enumerate(order.lines.items(), start=1):
                self._apply(f"{written}.{line_no}", Applied(order.target, item, pence))
        elif order.target in self.left:
            yield from self._undo_receipt(order)
        elif order.target:
            yield from self._take_back(order)
        yield from self._find_overdrawn(order)
        yield from self._compare(order)

    def _apply(self, posting_id: str, applied: Applied, sign: int = 1) -> None:
        if sign > 0:
            self.applied[posting_id] = applied
        else:
            del self.applied[posting_id]
        self.left[applied.receipt_id] -= sign * applied.pence
        self.items[applied.item].balance -= sign * _pounds(applied.pence)

    def _undo_receipt(self, order: Order) -> Iterator[str]:
        if self.left[order.target] < self.received[order.target] or not self.left[order.target]:
            yield f"{order.name}: a receipt was undone that is applied, or was undone before"
        self.left[order.target] = 0

    def _take_back(self, order: Order) -> Iterator[str]:
        """Take back one posting, or all of an entry that stand."""
        standing = [each for each in self.applied if order.target in (each, each.split(".")[0])]
        if not standing:
            yield f"{order.name}: undone, though nothing stands"
        for posting_id in standing:
            self._apply(posting_id, self.applied[posting_id], sign=-1)

    def _find_overdrawn(self, order: Order) -> Iterator[str]:
        items = {item: state.balance for item, state in self.items.items() if state.balance < 0}
        receipts = {receipt: left for receipt, left in self.left.items() if left < 0}
        if items or receipts:
            yield f"{order.name}: more was applied than there was: {items} {receipts}"

    def _compare(self, order: Order) -> Iterator[str]:
        """What the answer says is left, against what is."""
        told = order.told if order.done else {}
        receipt_id = told.get("receipt_id")
        if receipt_id and Decimal(told["unapplied"]) != _pounds(self.left.get(receipt_id, -1)):
            yield f"{order.name}: told that {told['unapplied']} is left of {self.left}"
        for item in told.get("items", ()):
            balance = self.items[item["billing_id"]].balance
            if Decimal(item["balance"]) != balance:
                yield f"{order.name}: told of {item}, the balance is {balance}"

    def check(self, receipts: Mapping[bytes, int]) -> Iterator[str]:
        """What the ledger says is left of each receipt, against what is."""
        found = {str(UUID(bytes=entry_id)): left for entry_id, left in receipts.items()}
        if found != self.left:
            yield f"left of the receipts: {found}, by hand {self.left}"


def check_orders(orders: Sequence[Order], kept: Mapping[str, int]) -> Iterator[str]:
    """What was answered as done is in the books once, in the same words however often it was asked.

    ``kept`` says how many of the desk's entries each key has.
    """
    for order in orders:
        if odd := {int(each.status) for each in order.answers} - {200, 201, 409, 422, 503}:
            yield f"{order.name} was answered {sorted(odd)}"
        if len({(each.status, each.body) for each in order.done}) > 1:
            yield f"{order.name} was told of as done in several ways"
        count = kept.get(order.name, 0)
        if count != bool(order.done):
            yield f"{order.name}: {len(order.done)} times told done, {count} times in the books"
    if strange := set(kept) - {order.name for order in orders}:
        yield f"nobody sent {sorted(strange)}"


def _pounds(pence: int) -> Decimal:
    return Decimal(pence).scaleb(-2)
