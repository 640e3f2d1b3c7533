"""``paydown entry``: what was recorded, and its undoing."""

import uuid
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from paydown.cli.enquiring import Reading, enquiring, read_time, to_document
from paydown.cli.output import (
    NO_VALUE,
    CustomerOption,
    DatabaseOption,
    JsonOption,
    make_table,
)
from paydown.desk import Desk, Instruction, Operator, Refused, Result, Told
from paydown.domain.desk_refusals import DeskRefusal
from paydown.service import RisingClock, read_clock
from paydown.wire.formats import INT32_MAX, read_day, read_guid, write_instant
from paydown.wire.v1.documents import EntryInFull, Posting, Reversed
from paydown.wire.v1.orders import Reversal

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
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", metavar=NO_VALUE, help="Say what it would do, and do nothing."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Undo an entry, or one posting of it, by its exact mirror. Once is all."""
    with enquiring(database, customer, as_json=as_json) as reading:
        guid = read_guid(entry_id)
        if guid is None:
            reading.output.fail(f"{entry_id!r} is not an entry's id. Nothing was changed.")
        written = _choose_value(reading, guid, value_at)
        order = Reversal(reason=reason, value_at=written)
        told = _reverse(reading, guid, line, order, dry_run=dry_run)
        if isinstance(told, Refused):
            reading.output.fail(_say_refused(told))
        assert isinstance(told, Told), "a command has no key that could be another's"
        done = msgspec.json.decode(told.body, type=Reversed)
        words = _say_reversed(done, reading.customer.currency, dry_run=dry_run)
        reading.output.show(to_document(done), *words)


def _choose_value(reading: Reading, guid: str, text: str | None) -> str | None:
    """The value date as it is to be written. A day is from its first moment on.

    The original's own day is from the original on: nobody can reverse what was not there yet.
    """
    ticks = read_time(reading.output, text, reading.customer)
    if ticks is None or text is None:
        return None
    written = write_instant(ticks, reading.customer.time_zone)
    if read_day(text):
        entry = reading.enquiries.find_entry(reading.customer_id, guid)
        if entry is not None and entry.value_at.startswith(text):
            return entry.value_at
    return written


def _reverse(
    reading: Reading, guid: str, line: int | None, order: Reversal, *, dry_run: bool
) -> Result:
    customer = reading.customer
    by = Instruction(
        Operator(customer.customer_id, customer.time_zone),
        request_id=f"cli-{uuid.uuid4()}",
        dry_run=dry_run,
    )
    desk = Desk(reading.database, clock=RisingClock(read_clock))
    if line is None:
        return desk.reverse_entry(by, guid, order)
    return desk.reverse_posting(by, f"{guid}.{line}", order)


def _say_refused(told: Refused) -> str:
    if told.refusal is DeskRefusal.value_before_original:
        return "--value-at must not be before the value date of what is reversed."
    details = [error.detail for error in told.errors if error.detail != told.detail]
    return " ".join([told.detail, *details])


def _say_reversed(done: Reversed, currency: str, *, dry_run: bool) -> list[str]:
    entry_id, value_at = done.entry.entry_id, done.entry.value_at
    owed = [
        (f"Billing item {item.billing_id}", f"{item.balance} {currency}") for item in done.items
    ]
    if dry_run:
        words = f"Nothing was recorded. It would be reversed with value date {value_at}."
        return [words, *(f"{item} would owe {balance}." for item, balance in owed)]
    words = f"Reversed by entry {entry_id}, value date {value_at}."
    return [words, *(f"{item} owes {balance} now." for item, balance in owed)]


def _say_entry(entry: EntryInFull) -> list[str | Table]:
    about = (
        f"{entry.kind} {entry.entry_id}, value date {entry.value_at}, recorded {entry.recorded_at}"
        f" by {entry.caller or 'an operator'}, request {entry.request_id}"
    )
    words: list[str | Table] = [about]
    if entry.notes:
        words.append(f"Notes: {entry.notes}")
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
