"""The naive peer's ledger: each request is one transaction of plain SQLAlchemy statements."""

import threading
import time
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    bindparam,
    create_engine,
    event,
    insert,
    select,
    update,
)

from bench.peers.naive_messages import PaymentLine, WriteDownLine
from paydown.storage.schema import account, billing_item, contact, entry, posting, tender_type

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PRAGMAS = ("foreign_keys=ON", "synchronous=FULL", "busy_timeout=30000")

LOWER_BALANCE = (
    update(billing_item)
    .where(
        billing_item.c.customer_id == bindparam("of"),
        billing_item.c.billing_id == bindparam("item"),
    )
    .values(balance=billing_item.c.balance - bindparam("moved"))
)

Line = PaymentLine | WriteDownLine
ItemRow = Row[int, int, int]


class Caller(NamedTuple):
    """A login acting for a customer."""

    customer_id: int
    login_id: int
    minor_digits: int
    zone: ZoneInfo
    bundles: frozenset[str]


class Call(NamedTuple):
    """A request of either kind, and who makes it."""

    kind: str
    caller: Caller
    contact_id: str
    tender_type_id: int
    date: datetime
    lines: list[Any]
    request_id: str
    notes: str | None = None

    @property
    def value_at(self) -> int:
        """The value date in ticks of 100 ns."""
        date = self.date if self.date.tzinfo else self.date.replace(tzinfo=self.caller.zone)
        since = date - EPOCH
        return (since.days * 86_400 + since.seconds) * 10_000_000 + since.microseconds * 10

    @property
    def value_written(self) -> str:
        """The value date as it is answered."""
        if self.date.tzinfo is None:
            return self.date.isoformat()
        return self.date.astimezone(self.caller.zone).isoformat()


class LineResult(NamedTuple):
    """What came of a line of either kind."""

    billing_id: int
    balance: int | None = None
    recorded_written: str | None = None
    error: str | None = None


class Refused(Exception):
    """The whole request is refused."""


class Ledger:
    """Records calls, each in a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # SQLite takes one writer: to wait here is cheaper than to be told so by the file.
        self._turn = threading.Lock()

    def record(self, call: Call) -> list[LineResult]:
        """What came of each line; what was accepted is durable. Raises Refused."""
        with self._turn, self._engine.begin() as connection:
            return _record(connection, call)


def open_engine(database: str) -> Engine:
    """An engine whose every transaction takes the write lock at once and syncs its commit."""
    engine = create_engine(database, pool_size=40)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")  # or the planner reads all that a customer has
    return engine


def _record(connection: Connection, call: Call) -> list[LineResult]:
    billing_ids = [line.BillingId for line in call.lines]
    if not billing_ids:
        raise Refused("No lines were sent.")
    if len(set(billing_ids)) < len(billing_ids):
        raise Refused("A BillingId stands on more than one line.")
    clearing_id = _check_request(connection, call)
    items = _find_items(connection, call, billing_ids)
    twins = _find_twins(connection, call, billing_ids)
    recorded_written = datetime.now(call.caller.zone).isoformat()
    results: list[LineResult] = []
    accepted: list[dict[str, Any]] = []
    for line in call.lines:
        item = items.get(line.BillingId)
        error = _check_line(connection, call, line, item)
        if twin := twins.get(line.BillingId):
            results.append(twin)
        elif error or item is None:
            results.append(LineResult(line.BillingId, item.balance if item else None, error=error))
        else:
            accepted.append(_make_posting(call, line, item, clearing_id))
            left = accepted[-1]["balance_after"]
            results.append(LineResult(line.BillingId, left, recorded_written))
    if accepted:
        _save(connection, call, accepted, recorded_written)
    return results


def _check_request(connection: Connection, call: Call) -> int:
    """The account that the tender type clears through. Raises Refused."""
    customer_id = call.caller.customer_id
    known = connection.execute(
        select(contact.c.contact_id).where(
            contact.c.customer_id == customer_id, contact.c.contact_id == call.contact_id
        )
    ).first()
    if known is None:
        raise Refused("ContactId is not a contact of this customer.")
    tender = connection.execute(
        select(tender_type.c.clearing_account_id, tender_type.c.active).where(
            tender_type.c.customer_id == customer_id,
            tender_type.c.tender_type_id == call.tender_type_id,
        )
    ).first()
    if tender is None or not tender.active:
        raise Refused("TenderTypeId is not a tender type in use.")
    return int(tender.clearing_account_id)


def _find_items(connection: Connection, call: Call, billing_ids: list[int]) -> dict[int, ItemRow]:
    """This contact's items among those that are named."""
    found = connection.execute(
        select(
            billing_item.c.billing_id,
            billing_item.c.balance,
            billing_item.c.receivables_account_id,
        ).where(
            billing_item.c.customer_id == call.caller.customer_id,
            billing_item.c.billing_id.in_(billing_ids),
            billing_item.c.contact_id == call.contact_id,
        )
    )
    return {row.billing_id: row for row in found}


def _find_twins(
    connection: Connection, call: Call, billing_ids: list[int]
) -> dict[int, LineResult]:
    """The lines that were recorded before: same item, date, amount, reference and tender type."""
    found = connection.execute(
        select(
            posting.c.billing_id,
            posting.c.balance_after,
            posting.c.amount,
            posting.c.reference,
            posting.c.authorization_code,
            entry.c.recorded_written,
        )
        .join_from(
            posting,
            entry,
            (entry.c.customer_id == posting.c.customer_id)
            & (entry.c.entry_id == posting.c.entry_id),
        )
        .where(
            posting.c.customer_id == call.caller.customer_id,
            posting.c.billing_id.in_(billing_ids),
            posting.c.value_at == call.value_at,
            posting.c.reference.is_not(None),
            entry.c.kind == call.kind,
            entry.c.contact_id == call.contact_id,
            entry.c.tender_type_id == call.tender_type_id,
        )
    )
    asked = {_identify(call, line) for line in call.lines}
    return {
        row.billing_id: LineResult(row.billing_id, row.balance_after, row.recorded_written)
        for row in found
        if (row.billing_id, row.amount, row.reference, row.authorization_code) in asked
    }


def _identify(call: Call, line: Line) -> tuple[int, int | None, str | None, str | None]:
    """What a line is recognised by, but for what its request says."""
    return (
        line.BillingId,
        _to_minor(call, line.Amount),
        getattr(line, "ThirdPartyReference", None),
        getattr(line, "AuthorizationCode", None),
    )


def _check_line(connection: Connection, call: Call, line: Line, item: ItemRow | None) -> str | None:
    if item is None:
        return "BillingId is not a billing item of this contact."
    if isinstance(line, WriteDownLine):
        found = connection.execute(
            select(account.c.active, account.c.account_type).where(
                account.c.customer_id == call.caller.customer_id,
                account.c.account_id == line.GLAccountId,
            )
        ).first()
        if found is None or not found.active or found.account_type == "receivable":
            return "GLAccountId cannot be used."
    amount = _to_minor(call, line.Amount)
    if line.Amount <= 0:
        return "Amount must be greater than zero."
    if amount is None:
        return "Amount has more decimals than the currency has."
    return "Amount must not exceed the balance." if amount > item.balance else None


def _to_minor(call: Call, amount: Decimal) -> int | None:
    scaled = amount.scaleb(call.caller.minor_digits)
    return int(scaled) if scaled == int(scaled) else None


def _make_posting(call: Call, line: Line, item: ItemRow, clearing_id: int) -> dict[str, Any]:
    amount = _to_minor(call, line.Amount)
    assert amount is not None, "checked"
    return {
        "billing_id": line.BillingId,
        "amount": amount,
        "debit_account_id": getattr(line, "GLAccountId", clearing_id),
        "credit_account_id": item.receivables_account_id,
        "balance_after": item.balance - amount,
        "reference": getattr(line, "ThirdPartyReference", None),
        "notes": getattr(line, "Notes", None),
        "authorization_code": getattr(line, "AuthorizationCode", None),
    }


def _save(
    connection: Connection, call: Call, postings: list[dict[str, Any]], recorded_written: str
) -> None:
    own = {
        "customer_id": call.caller.customer_id,
        # In order of time, as a UUID of version 7 is: kind to the primary key.
        "entry_id": (time.time_ns() // 1_000_000).to_bytes(6) + uuid.uuid4().bytes[:10],
        "value_at": call.value_at,
    }
    heading = {
        **own,
        "kind": call.kind,
        "contact_id": call.contact_id,
        "tender_type_id": call.tender_type_id,
        "login_id": call.caller.login_id,
        "request_id": call.request_id,
        "address": "127.0.0.1",
        "value_written": call.value_written,
        "recorded_at": time.time_ns() // 100,
        "recorded_written": recorded_written,
        "notes": call.notes,
        "digest": b"",
    }
    lines = [{**own, "line_no": number, **line} for number, line in enumerate(postings, 1)]
    lowered = [
        {"of": own["customer_id"], "item": line["billing_id"], "moved": line["amount"]}
        for line in postings
    ]
    connection.execute(insert(entry), heading)
    connection.execute(insert(posting), lines)
    connection.execute(LOWER_BALANCE, lowered)
