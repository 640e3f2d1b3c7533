"""``paydown billing-type``: what a customer's billing items are for."""

from typing import Annotated

import typer

from paydown.admin import NewBillingType
from paydown.cli.output import (
    CustomerOption,
    DatabaseOption,
    Document,
    JsonOption,
    administering,
    make_table,
    say_state,
)
from paydown.storage.reference import BillingType

app = typer.Typer(
    help="Add, list, disable and enable billing types: what items are for.", no_args_is_help=True
)

IdArgument = Annotated[
    int, typer.Argument(metavar="ID", help="Its BillingTypeId, which new items name it by.")
]


@app.command()
def add(
    billing_type_id: IdArgument,
    name: Annotated[str, typer.Argument(help="Its name, such as Locker.")],
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    income: Annotated[
        str, typer.Option(metavar="CODE", help="The GL account that an item's total is earned on.")
    ],
    external: Annotated[
        str,
        typer.Option(
            metavar="CODE",
            help="The receivables account that an item is owed on where another collects it.",
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Add what an item can be for."""
    new = NewBillingType(billing_type_id, name, income, external)
    with administering(database, as_json=as_json) as (admin, output):
        added = output.settle(admin.add_billing_type(customer, new))
        output.show(_describe(added), f"Added billing type {added.billing_type_id} {added.name}.")


@app.command("list")
def list_all(
    customer: CustomerOption, database: DatabaseOption, *, as_json: JsonOption = False
) -> None:
    """List a customer's billing types."""
    with administering(database, as_json=as_json) as (admin, output):
        billing_types = output.settle(admin.list_billing_types(customer))
        rows = [
            (
                str(row.billing_type_id),
                row.name,
                row.income_code,
                row.external_receivables_code,
                say_state(active=row.active),
            )
            for row in billing_types
        ]
        output.show(
            {"billing_types": [_describe(billing_type) for billing_type in billing_types]},
            make_table(["BillingTypeId", "Name", "Income", "External receivables", "State"], rows),
        )


@app.command()
def disable(
    billing_type_id: IdArgument,
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Refuse new items of the billing type from now on. Those there are stay."""
    with administering(database, as_json=as_json) as (admin, output):
        changed = output.settle(
            admin.set_billing_type_active(customer, billing_type_id, active=False)
        )
        output.show(_describe(changed), f"Disabled billing type {billing_type_id} {changed.name}.")


@app.command()
def enable(
    billing_type_id: IdArgument,
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Take new items of the billing type again."""
    with administering(database, as_json=as_json) as (admin, output):
        changed = output.settle(
            admin.set_billing_type_active(customer, billing_type_id, active=True)
        )
        output.show(_describe(changed), f"Enabled billing type {billing_type_id} {changed.name}.")


def _describe(billing_type: BillingType) -> Document:
    return {
        "billing_type_id": billing_type.billing_type_id,
        "name": billing_type.name,
        "income_account": billing_type.income_code,
        "external_receivables_account": billing_type.external_receivables_code,
        "active": billing_type.active,
    }
