"""What a run came to, held against the books as another SQLite reads them, and against the oracle.

Law of this file: it believes what left the server and what is on the disk after the end, nothing
in between.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from judge import told_by
from oracle import Oracle, Told
from paydown import audit
from paydown.api.answers import Answer
from paydown.domain.outcomes import KeyConflict, KeyReplayed, Outcome
from paydown.storage.database import Database
from paydown.storage.faults import StoreUnavailable
from paydown.storage.jobs import Failed, Job
from simulation.callers import Intent, Message
from simulation.clerks import Order
from simulation.desk_books import DeskBooks, check_orders
from simulation.server import Deed, Saved

STATUSES = {200, 503}
"""What a caller with a right login and a well-formed request may be answered."""


class Sent(NamedTuple):
    """All that was sent in a run: by the callers of the two calls, and by the desk's."""

    intents: Sequence[Intent]
    orders: Sequence[Order]


def count_messages(sent: Sent) -> Counter[str]:
    """How many requests there were, how often they came, and how many answers left."""
    messages: list[Message] = [*sent.intents, *sent.orders]
    counts = Counter(
        requests=len(messages),
        messages=sum(message.sent_count for message in messages),
        answers=sum(len(message.answers) for message in messages),
    )
    for order in sent.orders:
        counts[f"desk {order.kind} {'done' if order.done else 'refused'}"] += 1
    return counts


def check(database: Database, oracle: Oracle, sent: Sent, deeds: Sequence[Deed]) -> list[str]:
    """All that is wrong after a run, in words; nothing where every promise was kept."""
    desk = DeskBooks(oracle.items)
    try:
        wrong = [f"verify: {line}" for found in audit.verify(database) for line in found.detail]
        wrong += [line for intent in sent.intents for line in check_answers(intent)]
        wrong += check_figures(sent.intents, read_figures(database))
        wrong += check_lines(sent.intents, read_lines(database))
        wrong += check_orders(sent.orders, read_keys(database))
        written = Written(read_entries(database), {order.name: order for order in sent.orders})
        wrong += check_deeds(oracle, desk, deeds, written)
        wrong += check_balances(oracle, read_balances(database))
        wrong += desk.check(read_receipts(database))
    except StoreUnavailable as fault:
        return [f"the ledger cannot be read: {fault}"]
    return wrong


def read_lines(database: Database) -> Counter[tuple[str, int, int]]:
    """Every line of the callers' that is in the books: its intent's name, item and pence."""
    with database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT COALESCE(posting.notes, entry.notes), posting.billing_id, posting.amount "
            "FROM posting JOIN entry ON entry.customer_id = posting.customer_id "
            "AND entry.entry_id = posting.entry_id WHERE entry.kind IN ('payment', 'write_down')"
        )
        return Counter((name, item, pence) for name, item, pence in rows)


def read_figures(database: Database) -> set[tuple[str, int, Decimal, str]]:
    """What an answer may say of each of those lines: its balance then, and when it was recorded."""
    with database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT COALESCE(posting.notes, entry.notes), posting.billing_id, "
            "posting.balance_after, entry.recorded_written "
            "FROM posting JOIN entry ON entry.customer_id = posting.customer_id "
            "AND entry.entry_id = posting.entry_id WHERE entry.kind IN ('payment', 'write_down')"
        )
        return {(name, item, Decimal(left).scaleb(-2), at) for name, item, left, at in rows}


def read_entries(database: Database) -> set[bytes]:
    """The id of every entry."""
    with database.read() as connection:
        return set(connection.exec_driver_sql("SELECT entry_id FROM entry").scalars())


def read_balances(database: Database) -> dict[int, int]:
    """What each item of the first customer owes."""
    with database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT billing_id, balance FROM billing_item WHERE customer_id = 1"
        )
        return dict(map(tuple, rows))


def read_keys(database: Database) -> Counter[str]:
    """How many of the desk's entries each key has."""
    with database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT idempotency_key FROM entry WHERE kind NOT IN ('payment', 'write_down') "
            "AND login_id IS NOT NULL"
        )
        return Counter(rows.scalars())


def read_receipts(database: Database) -> dict[bytes, int]:
    """What is left of each receipt."""
    with database.read() as connection:
        rows = connection.exec_driver_sql("SELECT entry_id, unapplied FROM receipt")
        return dict(map(tuple, rows))


def all_lines(answer: Answer) -> list[dict[str, Any]]:
    """The lines of an answer."""
    if answer.status != 200:
        return []
    told = json.loads(answer.body, parse_float=Decimal)
    lines: list[dict[str, Any]] = told.get("BillingPayments") or told["BillingWriteDowns"]
    return lines


def recorded_lines(answer: Answer) -> list[dict[str, Any]]:
    """Those that it says are recorded."""
    return [line for line in all_lines(answer) if line["ProcessDate"]]


def check_answers(intent: Intent) -> Iterator[str]:
    """No failure of ours, and no two tales of what is recorded once."""
    if odd := {int(answer.status) for answer in intent.answers} - STATUSES:
        yield f"{intent.name} was answered {sorted(odd)}"
    # By its key a request is told of as a whole. Else a line is: one that was refused for want of a
    # balance is recorded when it is sent again, once an allocation was taken back.
    tales: dict[int, set[object]] = defaultdict(set)
    for lines in map(recorded_lines, intent.answers):
        told = {line["BillingId"]: (line["Balance"], line["ProcessDate"]) for line in lines}
        for item, tale in told.items():
            tales[item].add(tuple(told.items()) if intent.protection == "key" else tale)
    if intent.protected and any(len(each) > 1 for each in tales.values()):
        yield f"{intent.name} was told of as recorded in several ways"


def check_figures(
    intents: Sequence[Intent], figures: set[tuple[str, int, Decimal, str]]
) -> Iterator[str]:
    """What is told of a line is what is in the books; all went well only where all is."""
    for intent in intents:
        for answer in intent.answers:
            recorded = recorded_lines(answer)
            for line in recorded:
                figure = (intent.name, line["BillingId"], line["Balance"], line["ProcessDate"])
                if figure not in figures:
                    yield f"{intent.name}: told of {figure}, which is not in the books"
            well = json.loads(answer.body).get("Success", False)
            if well != (answer.status == 200 and len(recorded) == len(intent.lines)):
                yield f"{intent.name}: told that all went well: {well}, recorded: {recorded}"


def check_lines(intents: Sequence[Intent], found: Counter[tuple[str, int, int]]) -> Iterator[str]:
    """What was acknowledged is there, once; of what was protected nothing is there twice."""
    unexplained = found.copy()
    for intent in intents:
        told = [{line["BillingId"] for line in recorded_lines(each)} for each in intent.answers]
        for item, pence in intent.lines.items():
            count = unexplained.pop((intent.name, item, pence), 0)
            acknowledged = sum(item in items for items in told)
            most = 1 if intent.protected else intent.sent_count
            least = min(acknowledged, 1) if intent.protected else acknowledged
            if not least <= count <= most:
                yield (
                    f"{intent.name} ({intent.protection}), item {item}: recorded {count} times, "
                    f"acknowledged {acknowledged}, sent {intent.sent_count}"
                )
            if intent.protected and intent.decided and count > least:
                yield f"{intent.name}, item {item}: recorded, and answered as refused"
    for line, count in unexplained.items():
        yield f"nobody sent {line}, which is in the books {count} times"


class Written(NamedTuple):
    """The ids of the entries that are in the books, and the desk's orders by their keys."""

    entries: set[bytes]
    orders: dict[str, Order]


def check_deeds(
    oracle: Oracle, desk: DeskBooks, deeds: Sequence[Deed], written: Written
) -> Iterator[str]:
    """All came out as the oracle and the desk's own books say, in the order of the ledger."""
    kept: dict[bytes, Told] = {}
    for deed in deeds:
        if not isinstance(deed, Saved):
            yield from check_decisions(oracle, deed, written.entries, kept)
        elif deed.entry_id in written.entries:
            yield from desk.book(written.orders[deed.key], deed.entry_id)


def check_decisions(
    oracle: Oracle, jobs: Sequence[Job], entries: set[bytes], kept: dict[bytes, Told]
) -> Iterator[str]:
    """Each command came out as the oracle says, in the order in which they were decided.

    Of one whose outcome its server did not live to tell, the books say whether it was recorded.
    """
    for job in jobs:
        there = job.stamp is not None and job.stamp.entry_id in entries
        if job.result is Failed.FAILED:
            yield f"{job.command.request_id} failed: a bug"
        elif isinstance(job.result, Outcome | KeyReplayed | KeyConflict):
            yield from _compare(oracle, job, kept, there=there)
        elif there:
            oracle.tell(job.command)


def _compare(oracle: Oracle, job: Job, kept: dict[bytes, Told], *, there: bool) -> Iterator[str]:
    name, result = job.command.request_id, job.result
    assert isinstance(result, Outcome | KeyReplayed | KeyConflict), "it has an outcome"
    wanted = oracle.tell(job.command)
    if isinstance(result, KeyReplayed) and result.body not in kept:
        # Recorded by a server that did not live to tell; the oracle alone knows what.
        kept[result.body] = wanted[1:]
    told = told_by(result, job.answer, kept)
    if told != wanted:
        yield f"{name}: decided {told}, the oracle says {wanted}"
    if isinstance(result, Outcome) and bool(result.entry) != there:
        yield f"{name}: decided as recorded, in the books: {there}"


def check_balances(oracle: Oracle, balances: dict[int, int]) -> Iterator[str]:
    """Every item owes what the oracle says."""
    for item, balance in balances.items():
        wanted = int(oracle.items[item].balance.scaleb(2)) if item in oracle.items else None
        if wanted != balance:
            yield f"item {item} owes {balance}, the oracle says {wanted}"
