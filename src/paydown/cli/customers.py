"""``paydown customer``: whose books these are."""

from typing import Annotated

import typer

from paydown.admin import NewCustomer
from paydown.cli.output import (
    NO_VALUE,
    DatabaseOption,
    Document,
    JsonOption,
    administering,
    make_table,
)
from paydown.storage.reference import Customer
from paydown.wire.formats import write_instant

app = typer.Typer(help="Add and list customers: whose books these are.", no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The customer's name.")],
    database: DatabaseOption,
    *,
    guid: Annotated[
        str | None, typer.Option(help="Its customerGuid; without it one is made.")
    ] = None,
    currency: Annotated[str, typer.Option(help="The ISO 4217 code of its currency.")] = "GBP",
    time_zone: Annotated[
        str, typer.Option(help="The time zone that its dates are read and written in.")
    ] = "Europe/London",
    bare: Annotated[
        bool,
        typer.Option(
            "--bare",
            metavar=NO_VALUE,
            help="Add only the accounts for receivables, opening balances and unapplied receipts: "
            "no other account, no tender type, no billing type.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Add a customer, with GL accounts, the tender types 1 to 8 and 28 and two billing types."""
    new = NewCustomer(name, guid, currency, time_zone, bare=bare)
    with administering(database, as_json=as_json) as (admin, output):
        added = output.settle(admin.add_customer(new))
        output.show(_describe(added), f"Added {added.name}, customerGuid {added.customer_guid}.")


@app.command("list")
def list_all(database: DatabaseOption, *, as_json: JsonOption = False) -> None:
    """List the customers, oldest first."""
    with administering(database, as_json=as_json) as (admin, output):
        customers = admin.list_customers()
        rows = [(row.customer_guid, row.name, row.currency, row.time_zone) for row in customers]
        output.show(
            {"customers": [_describe(customer) for customer in customers]},
            make_table(["customerGuid", "Name", "Currency", "Time zone"], rows),
        )


def _describe(customer: Customer) -> Document:
    return {
        "customer_guid": customer.customer_guid,
        "name": customer.name,
        "currency": customer.currency,
        "time_zone": customer.time_zone,
        "created_at": write_instant(customer.created_at, "UTC"),
    }
