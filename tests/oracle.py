"""A naive ledger: dictionaries, lists and loops, written from the wire's text alone.

It shares no code with the product's rules. What it says of a command is compared with the product.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from paydown.domain.model import Command, Line

Told = list[Any]


@dataclass
class Item:
    """What an item owes, and who owes it."""

    contact_id: str
    balance: Decimal


@dataclass
class Oracle:
    """One customer's books."""

    items: dict[int, Item]
    contacts: set[str]
    tender_types: dict[int, bool]
    accounts: dict[int, str]
    recorded: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[tuple[int, str, str], tuple[Any, Told]] = field(default_factory=dict)

    def tell(self, command: Command) -> Told:
        """The root, then for each line its balance and its refusal, or ``replay`` for one."""
        request = command.request
        key = (command.caller.login_id, request.kind.value, command.key or "")
        meaning = (request._replace(value_written=""), command.strict)
        if command.key and key in self.keys:
            before, told = self.keys[key]
            return ["kept", *told] if before == meaning else ["conflict"]
        told, recorded = self._judge(command)
        if recorded:
            self.recorded += recorded
            for row in recorded:
                self.items[row["line"].billing_id].balance = row["balance"]
            if command.key:
                self.keys[key] = (meaning, told)
        return told

    def _judge(self, command: Command) -> tuple[Told, list[dict[str, Any]]]:
        request = command.request
        echo = [(None, None) for _ in request.lines]
        if not request.lines:
            return ["no_lines"], []
        ids = [line.billing_id for line in request.lines]
        if sorted(ids) != sorted(set(ids)):
            return ["repeated_billing_id", *echo], []
        before = [self._find(command, line) for line in request.lines]
        if None in before:
            if request.contact_id not in self.contacts:
                return ["unknown_contact", *echo], []
            if request.tender_type_id not in self.tender_types:
                return ["unknown_tender_type", *echo], []
            if not self.tender_types[request.tender_type_id]:
                return ["inactive_tender_type", *echo], []
        told: Told = ["ok"]
        recorded = []
        for line, twin in zip(request.lines, before, strict=True):
            if twin:
                told.append((twin["balance"], "replay"))
                continue
            refusal, balance = self._judge_line(command, line)
            if refusal is None:
                assert balance is not None
                balance -= line.amount
                recorded.append({"command": command, "line": line, "balance": balance})
            told.append((balance, refusal))
        refused = [row[1] for row in told[1:] if row[1] not in (None, "replay")]
        if command.strict and refused:
            kept = [(None, why if why != "replay" else None) for _, why in told[1:]]
            return ["lines_refused", *kept], []
        return told, recorded

    def _judge_line(self, command: Command, line: Line) -> tuple[str | None, Decimal | None]:
        item = self.items.get(line.billing_id)
        if item is None or item.contact_id != command.request.contact_id:
            return "unknown_billing_item", None
        if line.gl_account_id is not None:
            state = self.accounts.get(line.gl_account_id, "unknown")
            if state != "usable":
                return f"{state}_gl_account", item.balance
        if line.amount <= 0:
            return "amount_not_positive", item.balance
        if line.amount != line.amount.quantize(Decimal("0.01")):
            return "amount_too_precise", item.balance
        if line.amount > item.balance:
            return "amount_exceeds_balance", item.balance
        return None, item.balance

    def _find(self, command: Command, line: Line) -> dict[str, Any] | None:
        request = command.request
        named = line.reference is not None and not command.caller.references_shared
        if not named and request.value_at % 10_000_000 == 0:
            return None
        for row in self.recorded:
            was, old = row["command"], row["line"]
            both_keyed = command.key and was.key
            mine = (command.caller.login_id, command.key)
            if both_keyed and mine != (was.caller.login_id, was.key):
                continue
            same = (
                was.request.kind == request.kind
                and was.request.contact_id == request.contact_id
                and was.request.tender_type_id == request.tender_type_id
                and was.request.value_at == request.value_at
                and was.request.notes == request.notes
                and old._replace(notes=None) == line._replace(notes=None)
                and (named or old.notes == line.notes)
            )
            if same:
                return dict(row)
        return None
