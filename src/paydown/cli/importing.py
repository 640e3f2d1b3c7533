"""``paydown import``: billing items from files."""

import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from paydown.cli.output import (
    CustomerOption,
    DatabaseOption,
    Document,
    JsonOption,
    Output,
    answering,
)
from paydown.domain.money import to_decimal
from paydown.imports import Imported, Rejected, Source, import_items
from paydown.storage.opening import open_store

app = typer.Typer(help="Bring billing items in from a file.", no_args_is_help=True)

_AMOUNT = re.compile(r"[0-9]{1,20}(\.[0-9]{1,4})?").fullmatch


@app.callback()
def _group() -> None:
    """Bring billing items in from a file."""


def _read_amount(text: str) -> Decimal:
    if not _AMOUNT(text):
        raise typer.BadParameter(f"{text!r} is not an amount such as 1234.56.")
    return Decimal(text)


@app.command()
def items(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, readable=True, metavar="FILE.csv", help="The CSV file."
        ),
    ],
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    batch: Annotated[
        str | None,
        typer.Option(help="The file's name for good: by it rows without a billing_id are known."),
    ] = None,
    expect_total: Annotated[
        Decimal | None,
        typer.Option(
            parser=_read_amount, metavar="AMOUNT", help="Refuse unless total_amount adds up to it."
        ),
    ] = None,
    expect_count: Annotated[
        int | None, typer.Option(min=0, help="Refuse unless the file has so many rows.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring in the billing items of a CSV file: all of them or none.

    The first line names the columns: contact_id, contact_name, billing_id (optional), description,
    total_amount, balance (optional), due_on, income_account (a GL account's code). Running it
    again imports only what is missing; a row that has changed is refused.
    """
    source = Source(file, customer, batch, expect_count, expect_total)
    with answering(as_json=as_json) as output:
        output.interrupted = "Interrupted: nothing was imported."
        with _Bar(output) as bar:
            result = import_items(open_store(database), source, bar)
        if isinstance(result, Rejected):
            _fail(output, result)
        output.show(_describe(result), *_say(result))


class _Bar(Progress):
    """How much of the file is read, on a terminal; and a word before a long wait for payments."""

    def __init__(self, output: Output) -> None:
        console = output.stderr
        self._output = output
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._reading = self.add_task("Reading", total=None)

    def on_read(self, byte_count: int, byte_total: int) -> None:
        """Move the bar."""
        self.update(self._reading, completed=byte_count, total=byte_total)
        if byte_count == byte_total:
            self.update(self._reading, description="Recording")

    def on_forecast(self, row_count: int, seconds: float) -> None:
        """Say how long payments will wait; at a terminal, ask whether that is all right."""
        self.stop()
        self.console.print(
            f"Recording {row_count:,} items will hold payments up for about {seconds:.0f} s."
        )
        if self.console.is_terminal and can_ask():
            typer.confirm("Go on?", abort=True, err=True)

    def on_recorded(self) -> None:
        """What is recorded stays, also where nobody waits to read about it."""
        self._output.interrupted = "Interrupted: all of the file was imported."


def can_ask() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()


def _fail(output: Output, rejected: Rejected) -> NoReturn:
    words = [f"line {fault.line_number}: {fault.sentence}" for fault in rejected.faults]
    more = rejected.fault_count - len(rejected.faults)
    if more:
        words.append(f"… and {more} more.")
    document: Document = {}
    if rejected.faults:
        document = {
            "fault_count": rejected.fault_count,
            "faults": [
                {"line": fault.line_number, "sentence": fault.sentence} for fault in rejected.faults
            ],
        }
    output.fail(rejected.sentence, *words, document=document)


def _describe(done: Imported) -> Document:
    given = done.given_ids
    return {
        "customer_guid": done.customer.customer_guid,
        "rows": done.row_count,
        "total_amount": _say_total(done),
        "imported": done.new_count,
        "known": done.row_count - done.new_count,
        "contacts_added": done.new_contact_count,
        "contacts_renamed": [renamed._asdict() for renamed in done.renamed],
        "billing_ids_given": {"first": given[0], "last": given[-1]} if given else None,
        "payments_held_ms": round(done.held_seconds * 1000),
    }


def _say(done: Imported) -> list[str]:
    known = done.row_count - done.new_count
    total = f"{_say_total(done)} {done.customer.currency}"
    rows = "1 row" if done.row_count == 1 else f"{done.row_count:,} rows"
    words = [f"{rows} of {total}: {done.new_count:,} imported, {known:,} known already."]
    if done.new_contact_count:
        words.append(f"Contacts added: {done.new_contact_count:,}.")
    if len(done.given_ids) == 1:
        words.append(f"BillingId given: {done.given_ids[0]}.")
    elif done.given_ids:
        words.append(f"BillingIds given: {done.given_ids[0]} to {done.given_ids[-1]}.")
    words += [
        f"Contact {renamed.contact_id} is now {renamed.new_name!r}, before {renamed.old_name!r}."
        for renamed in done.renamed
    ]
    return words


def _say_total(done: Imported) -> str:
    return f"{to_decimal(done.total_amount, done.customer.minor_digits):f}"
