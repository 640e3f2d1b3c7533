"""``paydown account``: the general-ledger accounts of a customer."""

from typing import Annotated

import typer

from paydown.admin import NewAccount
from paydown.cli.output import (
    CustomerOption,
    DatabaseOption,
    Document,
    JsonOption,
    administering,
    make_table,
    say_state,
)
from paydown.domain.model import AccountType
from paydown.storage.reference import Account

app = typer.Typer(help="Add, list, disable and enable GL accounts.", no_args_is_help=True)

CodeArgument = Annotated[str, typer.Argument(help="The account's code.")]


@app.command()
def add(
    code: CodeArgument,
    name: Annotated[str, typer.Argument(help="The account's name.")],
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    account_type: Annotated[AccountType, typer.Option("--type", help="What it counts.")],
    account_id: Annotated[
        int | None, typer.Option("--id", help="Its GLAccountId; without it the next one.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Add an account to a customer's books."""
    new = NewAccount(code, name, account_type, account_id)
    with administering(database, as_json=as_json) as (admin, output):
        added = output.settle(admin.add_account(customer, new))
        output.show(
            _describe(added), f"Added {added.code} {added.name}, GLAccountId {added.account_id}."
        )


@app.command("list")
def list_all(
    customer: CustomerOption, database: DatabaseOption, *, as_json: JsonOption = False
) -> None:
    """List a customer's accounts, by code."""
    with administering(database, as_json=as_json) as (admin, output):
        accounts = output.settle(admin.list_accounts(customer))
        rows = [
            (
                row.code,
                row.name,
                row.account_type,
                str(row.account_id),
                say_state(active=row.active),
            )
            for row in accounts
        ]
        output.show(
            {"accounts": [_describe(account) for account in accounts]},
            make_table(["Code", "Name", "Type", "GLAccountId", "State"], rows),
        )


@app.command()
def disable(
    code: CodeArgument,
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Refuse the account in write-downs and imports from now on. What it holds stays."""
    with administering(database, as_json=as_json) as (admin, output):
        account = output.settle(admin.set_account_active(customer, code, active=False))
        output.show(_describe(account), f"Disabled {account.code} {account.name}.")


@app.command()
def enable(
    code: CodeArgument,
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Take the account again in write-downs and imports."""
    with administering(database, as_json=as_json) as (admin, output):
        account = output.settle(admin.set_account_active(customer, code, active=True))
        output.show(_describe(account), f"Enabled {account.code} {account.name}.")


def _describe(account: Account) -> Document:
    return {
        "gl_account_id": account.account_id,
        "code": account.code,
        "name": account.name,
        "type": account.account_type,
        "active": account.active,
    }
