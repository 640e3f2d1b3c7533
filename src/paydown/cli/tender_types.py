"""``paydown tender-type``: the ways to pay that a customer takes."""

from typing import Annotated

import typer

from paydown.admin import NewTenderType
from paydown.cli.output import (
    CustomerOption,
    DatabaseOption,
    Document,
    JsonOption,
    administering,
    make_table,
    say_state,
)
from paydown.storage.reference import TenderType

app = typer.Typer(
    help="Add, list, disable and enable tender types: ways to pay.", no_args_is_help=True
)

IdArgument = Annotated[
    int, typer.Argument(metavar="ID", help="Its TenderTypeId, which requests name it by.")
]


@app.command()
def add(
    tender_type_id: IdArgument,
    name: Annotated[str, typer.Argument(help="Its name, such as Direct Debit.")],
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    clearing: Annotated[
        str,
        typer.Option(metavar="CODE", help="The GL account that the money is expected on."),
    ],
    as_json: JsonOption = False,
) -> None:
    """Add a way to pay."""
    new = NewTenderType(tender_type_id, name, clearing)
    with administering(database, as_json=as_json) as (admin, output):
        added = output.settle(admin.add_tender_type(customer, new))
        output.show(_describe(added), f"Added tender type {added.tender_type_id} {added.name}.")


@app.command("list")
def list_all(
    customer: CustomerOption, database: DatabaseOption, *, as_json: JsonOption = False
) -> None:
    """List a customer's tender types."""
    with administering(database, as_json=as_json) as (admin, output):
        tender_types = output.settle(admin.list_tender_types(customer))
        rows = [
            (str(row.tender_type_id), row.name, row.clearing_code, say_state(active=row.active))
            for row in tender_types
        ]
        output.show(
            {"tender_types": [_describe(tender_type) for tender_type in tender_types]},
            make_table(["TenderTypeId", "Name", "Clearing account", "State"], rows),
        )


@app.command()
def disable(
    tender_type_id: IdArgument,
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Refuse the tender type from now on. What was paid with it stays, and is still replayed."""
    with administering(database, as_json=as_json) as (admin, output):
        changed = output.settle(
            admin.set_tender_type_active(customer, tender_type_id, active=False)
        )
        output.show(_describe(changed), f"Disabled tender type {tender_type_id} {changed.name}.")


@app.command()
def enable(
    tender_type_id: IdArgument,
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Take the tender type again."""
    with administering(database, as_json=as_json) as (admin, output):
        changed = output.settle(admin.set_tender_type_active(customer, tender_type_id, active=True))
        output.show(_describe(changed), f"Enabled tender type {tender_type_id} {changed.name}.")


def _describe(tender_type: TenderType) -> Document:
    return {
        "tender_type_id": tender_type.tender_type_id,
        "name": tender_type.name,
        "clearing_account": tender_type.clearing_code,
        "active": tender_type.active,
    }
