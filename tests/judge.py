"""The product's decisions in the oracle's words, and the oracle's books as a ledger begins."""

from decimal import Decimal

from sqlalchemy import Connection

from ledgers import ANNA, BEN
from oracle import Item, Oracle, Told
from paydown.domain.outcomes import Decision, KeyConflict, KeyReplayed


def told_by(decision: Decision, answer: bytes | None, kept: dict[bytes, Told]) -> Told:
    """What was decided. ``kept`` says what each kept answer told, and learns of this one."""
    if isinstance(decision, KeyConflict):
        return ["conflict"]
    if isinstance(decision, KeyReplayed):
        return ["kept", *kept[decision.body]]
    told: Told = [decision.refusal.name if decision.refusal else "ok"]
    for line in decision.lines:
        balance = None if line.balance is None else Decimal(line.balance).scaleb(-2)
        why = "replay" if line.replayed else line.refusal.name if line.refusal else None
        told.append((balance, why))
    if answer:
        kept[answer] = told
    return told


def read_oracle(connection: Connection) -> Oracle:
    """An oracle whose books are those of the first customer."""
    query = connection.exec_driver_sql
    items = query("SELECT billing_id, contact_id, balance FROM billing_item WHERE customer_id = 1")
    accounts = query(
        "SELECT account_id, CASE WHEN account_type = 'receivable' THEN 'receivable' "
        "ELSE 'usable' END FROM account WHERE customer_id = 1"
    )
    tender_types = query("SELECT tender_type_id, active FROM tender_type WHERE customer_id = 1")
    return Oracle(
        {row[0]: Item(row[1], Decimal(row[2]).scaleb(-2)) for row in items},
        {ANNA, BEN},
        {row[0]: bool(row[1]) for row in tender_types},
        {row[0]: row[1] for row in accounts},
    )
