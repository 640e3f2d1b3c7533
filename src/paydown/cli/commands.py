"""All commands under their nouns: what ``paydown --help`` lists."""

from typing import Annotated

import typer

from paydown import __version__
from paydown.cli import (
    accounts,
    backups,
    billing_types,
    contacts,
    copying,
    customers,
    entries,
    importing,
    items,
    ledger,
    logins,
    serving,
    statements,
    tender_types,
)
from paydown.cli.output import NO_VALUE

app = typer.Typer(
    name="paydown",
    help="Record payments and write-downs against members' billing items, once and for ever.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"paydown {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar=NO_VALUE,
            help="Print the version.",
            is_eager=True,
            callback=lambda value: _print_version(wanted=value),
        ),
    ] = False,
) -> None:
    """Record payments and write-downs against members' billing items, once and for ever."""


app.command()(serving.serve)
app.command()(serving.demo)
app.command()(ledger.migrate)
app.command()(ledger.verify)
app.command()(ledger.replays)
app.command()(copying.copy)
app.command()(statements.statement)
app.command()(statements.aged_debt)
app.command()(backups.backup)
app.command()(backups.restore)
app.add_typer(customers.app, name="customer")
app.add_typer(logins.app, name="login")
app.add_typer(tender_types.app, name="tender-type")
app.add_typer(billing_types.app, name="billing-type")
app.add_typer(accounts.app, name="account")
app.add_typer(contacts.app, name="contact")
app.add_typer(items.app, name="item")
app.add_typer(entries.app, name="entry")
app.add_typer(importing.app, name="import")
