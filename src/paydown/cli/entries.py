"""``paydown entry``: what was recorded, and its undoing."""

import uuid
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from paydown.cli.enquiring import Reading, enquiring, read_time, to_document
from paydown.cli.output import (
    CustomerOption,
    DatabaseOption,
    JsonOption,
    make_table,
    printable,
)
from paydown.desk import Desk, Instruction, Operator, Refused, Result, Told
from paydown.service import RisingClock, read_clock
from paydown.wire.formats import INT32_MAX, read_guid, write_instant
from paydown.wire.v1.documents import EntryInFull, Posting, Reversed
from paydown.wire.v1.orders import Reversal

CALL = "paydown entry reverse"

app = typer.Typer(help="Show and reverse journal entries.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ENTRY_ID", help="Its id, a guid.")]


@app.command()
def show(
    entry_id: IdArgument,
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show a journal entry with its postings."""
    with enquiring(database, customer, as_json=as_json) as reading:
        entry = reading.enquiries.find_entry(reading.customer_id, entry_id)
        if entry is None:
            reading.output.fail(f"There is no entry {entry_id}.")
        reading.output.show(to_document(entry), *_say_entry(entry))


@app.command()
def reverse(
    entry_id: IdArgument,
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why. Kept for ever.", show_default=False)
    ],
    line: Annotated[
        int | None,
        typer.Option(min=1, max=INT32_MAX, help="Only this posting, by its place in the entry."),
    ] = None,
    value_at: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="From when it counts; without it, as the original."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Undo an entry, or one posting of it, by its exact mirror. Once is all."""
    with enquiring(database, customer, as_json=as_json) as reading:
        guid = read_guid(entry_id)
        if guid is None:
            reading.output.fail(f"{entry_id!r} is not an entry's id. Nothing was changed.")
        ticks = read_time(reading.output, value_at, reading.customer)
        written = None if ticks is None else write_instant(ticks, reading.customer.time_zone)
        told = _reverse(reading, guid, line, Reversal(reason=reason, value_at=written))
        if isinstance(told, Refused):
            details = [error.detail for error in told.errors if error.detail != told.detail]
            reading.output.fail(" ".join([told.detail, *details]))
        assert isinstance(told, Told), "a command has no key that could be another's"
        done = msgspec.json.decode(told.body, type=Reversed)
        balances = [
            f"Billing item {item.billing_id} owes {item.balance} {reading.customer.currency} now."
            for item in done.items
        ]
        words = f"Reversed by entry {done.entry.entry_id}, value date {done.entry.value_at}."
        reading.output.show(to_document(done), words, *balances)


def _reverse(reading: Reading, guid: str, line: int | None, order: Reversal) -> Result:
    customer = reading.customer
    by = Instruction(
        Operator(customer.customer_id, customer.minor_digits, customer.time_zone),
        CALL,
        target=guid if line is None else f"{guid}.{line}",
        request_id=f"cli-{uuid.uuid4()}",
    )
    desk = Desk(reading.database, clock=RisingClock(read_clock))
    if line is None:
        return desk.reverse_entry(by, guid, order)
    return desk.reverse_posting(by, f"{guid}.{line}", order)


def _say_entry(entry: EntryInFull) -> list[str | Table]:
    about = (
        f"{entry.kind} {entry.entry_id}, value date {entry.value_at}, recorded {entry.recorded_at}"
        f" by {entry.caller or 'an operator'}, request {entry.request_id}"
    )
    words: list[str | Table] = [printable(about)]
    if entry.notes:
        words.append(printable(f"Notes: {entry.notes}"))
    columns = ["Line", "BillingId", "Amount", "Debit", "Credit", "Balance after", "Reference"]
    words.append(
        make_table([*columns, "Reversed"], [_say_posting(each) for each in entry.postings])
    )
    if entry.posting_count > len(entry.postings):
        words.append(f"These are the first of {entry.posting_count:,} postings.")
    return words


def _say_posting(posting: Posting) -> tuple[str, ...]:
    return (
        posting.posting_id.rpartition(".")[2],
        "" if posting.billing_id is None else str(posting.billing_id),
        posting.amount,
        posting.debit_account.code,
        posting.credit_account.code,
        posting.balance_after,
        posting.reference or "",
        posting.reversed_by.value_at if posting.reversed_by else "",
    )
