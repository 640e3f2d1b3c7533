"""Somebody at the desk: makes instructions, and reads what was told."""

import itertools
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from ledgers import ANNA, CLUB, EXTERNAL, TILL
from paydown import audit
from paydown.desk import Desk, Instruction, Refused, Result, Told
from paydown.domain.model import Caller, Posting
from paydown.service import RisingClock, read_clock
from paydown.storage import moves, schema
from paydown.storage.database import Database
from paydown.storage.logins import find_login
from paydown.wire.v1 import orders

PAID = "2026-02-05T10:00:00+00:00"

_numbers = itertools.count(1)


class Clerk:
    """A caller with a desk on the ledger. Without a ``key`` each write gets one of its own."""

    def __init__(self, database: Database, *, caller: Caller | None = None) -> None:
        self.database = database
        self.desk = Desk(database, clock=RisingClock(read_clock))
        self.caller = caller or _find_caller(database)

    def by(self, call: str = "POST /v1/tests", **more: Any) -> Instruction:
        """An instruction of the caller's."""
        more = {"key": f"own-{next(_numbers)}", "request_id": "r-1", "address": "10.0.0.7", **more}
        return Instruction(self.caller, call, **more)

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """All that the table holds."""
        with self.database.read() as connection:
            found = connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            return sorted((tuple(row) for row in found), key=repr)

    def balance(self, billing_id: int) -> int:
        """What the item owes, in minor units."""
        return int(self._ask(f"SELECT balance FROM billing_item WHERE billing_id = {billing_id}"))

    def unapplied(self, receipt_id: str) -> int:
        """What is left of the receipt, in minor units."""
        sought = _hex(receipt_id)
        (left,) = (row[4] for row in self.rows("receipt") if row[1].hex() == sought)
        return int(left)

    def posting(self, posting_id: str) -> Posting:
        """The posting as it is recorded."""
        guid, _, line_no = posting_id.partition(".")
        with self.database.read() as connection:
            entry_id = bytes.fromhex(_hex(guid))
            found = moves.find_posting(connection, self.caller.customer_id, entry_id, int(line_no))
        assert found is not None
        return found

    def entry(self, guid: str) -> Any:
        """The entry's row."""
        with self.database.read() as connection:
            return connection.execute(
                select(schema.entry).where(schema.entry.c.entry_id == bytes.fromhex(_hex(guid)))
            ).one()

    def postings_of(self, billing_id: int) -> list[str]:
        """The ids of all that moved the item, in order."""
        places = [
            (entry_guid(row[1]), row[3])
            for row in self.rows("posting")
            if row[0] == self.caller.customer_id and row[4] == billing_id
        ]
        return [f"{guid}.{line_no}" for guid, line_no in sorted(places)]

    def entry_of(self, billing_id: int) -> str:
        """The id of the entry that moved the item last."""
        return self.postings_of(billing_id)[-1].partition(".")[0]

    def receive(self, amount: str = "30.00", **more: Any) -> str:
        """Record a receipt of Anna's; its id."""
        order = receipt(amount, **more)
        return str(document(self.desk.record_receipt(self.by(), order))["receipt_id"])

    def breaches(self) -> list[str]:
        """What ``paydown verify`` finds wrong."""
        return [line for found in audit.verify(self.database) for line in found.detail]

    def _ask(self, sql: str) -> Any:
        with self.database.read() as connection:
            own = f"{sql} AND customer_id = {self.caller.customer_id}"
            return connection.exec_driver_sql(own).scalar_one()


def _find_caller(database: Database) -> Caller:
    with database.read() as connection:
        login = find_login(connection, TILL, CLUB)
    assert login is not None
    assert login.caller is not None
    return login.caller


def other_customer(caller: Caller) -> Caller:
    """The same login, acting for the other customer."""
    return caller._replace(customer_id=caller.customer_id + 1, time_zone="Europe/Rome")


def entry_guid(entry_id: bytes) -> str:
    """An entry's id as ``/v1`` writes it."""
    return str(UUID(bytes=entry_id))


def _hex(guid: str) -> str:
    return guid.replace("-", "")


def document(result: Result) -> dict[str, Any]:
    """What was told."""
    assert isinstance(result, Told), result
    decoded = msgspec.json.decode(result.body)
    assert isinstance(decoded, dict)
    return decoded


def code(result: Result) -> str:
    """A refusal as its status, its code, and the members of the body that are at fault."""
    assert isinstance(result, Refused), result
    pointers = [error.pointer for error in result.errors]
    return " ".join([str(result.status), result.refusal.name, *pointers])


def receipt(amount: str = "30.00", **more: Any) -> orders.NewReceipt:
    """A lump sum of Anna's."""
    given = {"contact_id": ANNA, "tender_type_id": EXTERNAL, "value_at": PAID, **more}
    return orders.NewReceipt(amount=amount, **given)


def shares(lines: dict[int, str], **more: Any) -> orders.Allocations:
    """Parts of a receipt, by item."""
    made = [orders.AllocationLine(billing_id=item, amount=each) for item, each in lines.items()]
    return orders.Allocations(lines=made, **more)


def item(amount: str = "25.00", **more: Any) -> orders.NewItem:
    """A membership of Anna's."""
    given = {"contact_id": ANNA, "billing_type_id": 1, "description": "May", **more}
    return orders.NewItem(total_amount=amount, **given)


def because(reason: str = "Wrong member", **more: Any) -> orders.Reversal:
    """A reversal with its reason."""
    return orders.Reversal(reason=reason, **more)
