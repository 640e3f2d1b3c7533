"""``paydown item``: what a billing item owes, and why."""

from typing import Annotated

import typer

from paydown.cli.enquiring import enquiring, read_moment, to_document
from paydown.cli.output import CustomerOption, DatabaseOption, JsonOption
from paydown.wire.formats import INT32_MAX

app = typer.Typer(help="Show and explain billing items.", no_args_is_help=True)

IdArgument = Annotated[
    int, typer.Argument(min=1, max=INT32_MAX, metavar="BILLING_ID", help="Its BillingId.")
]

_PROVISIONAL = "This is provisional: not all that is recorded by then may be there yet."
"""Said of a moment that was asked for and is younger than a minute, or still to come."""


@app.command()
def show(
    billing_id: IdArgument,
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show a billing item as it is."""
    with enquiring(database, customer, as_json=as_json) as reading:
        item = reading.enquiries.find_item(reading.customer_id, billing_id)
        if item is None:
            reading.output.fail(f"There is no billing item {billing_id}.")
        currency = reading.customer.currency
        told = [
            ("Item", f"{item.billing_id}  {item.description}"),
            ("Contact", f"{item.contact_name}  {item.contact_id}"),
            ("For", f"{item.beneficiary_name}  {item.beneficiary_id}"),
            ("Total", f"{item.total_amount} {currency}"),
            ("Balance", f"{item.balance} {currency}, {item.state}"),
            ("Due on", f"{item.due_on}, {item.days_overdue} days overdue"),
            ("Receivables account", item.receivables_account_code),
        ]
        lines = (f"{name:<20} {words}" for name, words in told)
        reading.output.show(to_document(item), *lines)


@app.command()
def explain(
    billing_id: IdArgument,
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="Only what was true by the end of that day, or by that time."
        ),
    ] = None,
    known_at: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="Only what was known by the end of that day, or by that time."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say why a billing item's balance is what it is, penny by penny."""
    with enquiring(database, customer, as_json=as_json) as reading:
        explanation = reading.enquiries.explain(
            reading.customer_id,
            billing_id,
            as_of=read_moment(reading.output, as_of, reading.customer),
            known_at=read_moment(reading.output, known_at, reading.customer),
        )
        if explanation is None:
            known = f" was known at {known_at}" if known_at else ""
            reading.output.fail(f"No billing item {billing_id}{known or ' is known'}.")
        more = [_PROVISIONAL] if known_at and explanation.provisional else []
        reading.output.show(to_document(explanation), *explanation.sentences, *more)
