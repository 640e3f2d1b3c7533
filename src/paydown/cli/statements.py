"""``paydown statement`` and ``aged-debt``: what is owed, by contact and by age."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from paydown.cli.contacts import search
from paydown.cli.enquiring import Reading, enquiring, parse_day, to_document
from paydown.cli.output import (
    CustomerOption,
    DatabaseOption,
    JsonOption,
    make_table,
)
from paydown.domain.ageing import AGE_BANDS
from paydown.domain.days import day_of
from paydown.enquiries.printing import print_csv, print_html
from paydown.service import read_clock
from paydown.wire.v1.documents import AgedDebt, Statement, TieOut


def statement(
    contact: Annotated[
        str, typer.Argument(metavar="CONTACT", help="The contact: guid, reference or name.")
    ],
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    first_on: Annotated[
        date, typer.Option("--from", parser=parse_day, metavar="DAY", help="The first day.")
    ],
    last_on: Annotated[
        date | None,
        typer.Option(
            "--to", parser=parse_day, metavar="DAY", help="The last day; today if left out."
        ),
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write it as a CSV file.")
    ] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write it as a page to print.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a contact's statement of account: what it owed, what moved it, what it owes."""
    with enquiring(database, customer, as_json=as_json) as reading:
        last = last_on or day_of(read_clock(), reading.customer.time_zone)
        if last < first_on:
            reading.output.fail(f"The last day, {last}, is before the first, {first_on}.")
        contact_id = _find_one(reading, contact)
        made = reading.enquiries.make_statement(
            reading.customer_id, contact_id, first_on=first_on, last_on=last
        )
        assert made is not None, "it was found just now"
        files = [(csv_file, print_csv), (html_file, print_html)]
        written = [(path, write(made)) for path, write in files if path is not None]
        for path, text in written:
            _write(reading, path, text)
        said = [f"Wrote {path}." for path, _ in written]
        reading.output.show(to_document(made), *(said or _say_statement(made)))


def aged_debt(
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    on: Annotated[
        date | None,
        typer.Option(
            parser=parse_day, metavar="DAY", help="At the end of which day; of today if left out."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List what is owed by contact and age, beside the receivables accounts."""
    with enquiring(database, customer, as_json=as_json) as reading:
        debt = reading.enquiries.age_debt(reading.customer_id, on)
        reading.output.show(to_document(debt), *_say_debt(debt))


def _find_one(reading: Reading, text: str) -> str:
    listed = search(reading, text).data
    named = [each for each in listed if text.strip() == each.reference]
    found = named or listed
    if len(found) != 1:
        number = "Several contacts are" if found else "No contact is"
        reading.output.fail(f"{number} found by {text!r}. See: paydown contact find")
    return found[0].contact_id


def _write(reading: Reading, path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        reading.output.fail(f"The file {path} cannot be written: {error.strerror}.")


def _say_statement(made: Statement) -> list[str | Table]:
    opening = (made.first_on, "", "Opening balance", "", "", "", made.opening_balance)
    closing = (made.last_on, "", "Closing balance", "", "", "", made.closing_balance)
    rows = [
        (
            line.value_at[:10],
            "" if line.billing_id is None else str(line.billing_id),
            line.description,
            line.reference or "",
            line.charge or "",
            line.credit or "",
            line.balance,
        )
        for line in made.lines
    ]
    columns = ["Date", "Item", "Description", "Reference", "Charge", "Credit"]
    about = f"{made.contact_name}, {made.contact_id}"
    return [about, make_table([*columns, f"Balance ({made.currency})"], [opening, *rows, closing])]


def _say_debt(debt: AgedDebt) -> list[str | Table]:
    bands = [band.name for band in AGE_BANDS]
    rows = [
        (each.name, each.contact_id, *(each.bands[band] for band in bands), each.total)
        for each in debt.contacts
    ]
    total = ("Total", "", *(band.amount for band in debt.bands), debt.total)
    ties = [
        f"Account {each.account.code} {each.account.name} says {each.ledger_balance}, its items "
        f"{each.items_balance}{_say_difference(each)}."
        for each in debt.accounts
    ]
    columns = ["Contact", "ContactId", *(band.replace("_", " ") for band in bands)]
    table = make_table([*columns, f"Total ({debt.currency})"], [*rows, total])
    return [f"At the end of {debt.on}:", table, *ties]


def _say_difference(tie: TieOut) -> str:
    return f": they differ by {tie.difference}" if tie.ledger_balance != tie.items_balance else ""
