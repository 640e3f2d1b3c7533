"""``paydown login``: who may call, for which customers, with which bundles.

Law of this file: a password comes from standard input or is generated, and is shown once at most.
"""

import getpass
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from paydown.access import generate_password, hash_password
from paydown.admin import NewLogin, check_password
from paydown.cli.output import (
    NO_VALUE,
    CustomerOption,
    DatabaseOption,
    Document,
    JsonOption,
    Output,
    administering,
    make_table,
)
from paydown.domain.model import Bundle
from paydown.storage.logins import LoginRecord
from paydown.wire.formats import write_instant

app = typer.Typer(
    help="Add, list, disable and enable logins; grant and revoke bundles; change a password.",
    no_args_is_help=True,
)


class Handling(StrEnum):
    """What happens to a request with a line at fault, where the request does not say."""

    LENIENT = "lenient"
    STRICT = "strict"


class References(StrEnum):
    """Whether a ThirdPartyReference belongs to one payment or to many (a batch name, say)."""

    UNIQUE = "unique"
    SHARED = "shared"


NameArgument = Annotated[str, typer.Argument(help="The login's userName.")]
StdinOption = Annotated[
    bool,
    typer.Option(
        "--password-stdin",
        metavar=NO_VALUE,
        help="Read the password from standard input; without it one is made and shown once.",
    ),
]


@app.command()
def add(
    name: NameArgument,
    database: DatabaseOption,
    *,
    customer: Annotated[
        str | None, typer.Option(metavar="GUID", help="A customer it may act for; needs --bundle.")
    ] = None,
    bundle: Annotated[
        list[Bundle] | None,
        typer.Option(help="A right it holds for that customer; needs --customer; may be repeated."),
    ] = None,
    handling: Annotated[
        Handling,
        typer.Option(help="strict: all lines or none, where the request does not say otherwise."),
    ] = Handling.LENIENT,
    references: Annotated[
        References,
        typer.Option(
            help="shared: its ThirdPartyReference is not one per payment, so it tells no retry."
        ),
    ] = References.UNIQUE,
    password_stdin: StdinOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add a login. Its password is made and shown once, or read from standard input."""
    with administering(database, as_json=as_json) as (admin, output):
        password = _choose_password(output, from_stdin=password_stdin)
        new = NewLogin(
            name,
            hash_password(password),
            strict=handling == Handling.STRICT,
            references_shared=references == References.SHARED,
        )
        added = output.settle(admin.add_login(new, customer, bundle or ()))
        _show(output, added, f"Added login {name}.", None if password_stdin else password)


@app.command()
def grant(
    name: NameArgument,
    customer: CustomerOption,
    bundle: Annotated[
        list[Bundle], typer.Option("--bundle", help="A right to grant; may be repeated.")
    ],
    database: DatabaseOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Let a login act for a customer with these bundles too."""
    with administering(database, as_json=as_json) as (admin, output):
        changed = output.settle(admin.grant(name, customer, bundle))
        _show(output, changed, f"Granted {', '.join(bundle)} to {name}.")


@app.command()
def revoke(
    name: NameArgument,
    customer: CustomerOption,
    bundle: Annotated[
        list[Bundle], typer.Option("--bundle", help="A right to revoke; may be repeated.")
    ],
    database: DatabaseOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Take bundles from a login for a customer. A running server notices within 30 seconds."""
    with administering(database, as_json=as_json) as (admin, output):
        changed = output.settle(admin.revoke(name, customer, bundle))
        _show(output, changed, f"Revoked {', '.join(bundle)} from {name}.")


@app.command()
def disable(name: NameArgument, database: DatabaseOption, *, as_json: JsonOption = False) -> None:
    """Refuse a login everywhere. A running server notices within 30 seconds."""
    with administering(database, as_json=as_json) as (admin, output):
        changed = output.settle(admin.set_login_disabled(name, disabled=True))
        _show(output, changed, f"Disabled login {name}.")


@app.command()
def enable(name: NameArgument, database: DatabaseOption, *, as_json: JsonOption = False) -> None:
    """Let a disabled login in again, with the grants it had."""
    with administering(database, as_json=as_json) as (admin, output):
        changed = output.settle(admin.set_login_disabled(name, disabled=False))
        _show(output, changed, f"Enabled login {name}.")


@app.command("password")
def set_password(
    name: NameArgument,
    database: DatabaseOption,
    *,
    password_stdin: StdinOption = False,
    as_json: JsonOption = False,
) -> None:
    """Replace a login's password. A running server forgets the old one within 30 seconds."""
    with administering(database, as_json=as_json) as (admin, output):
        password = _choose_password(output, from_stdin=password_stdin)
        changed = output.settle(admin.set_password(name, hash_password(password)))
        shown = None if password_stdin else password
        _show(output, changed, f"Changed the password of {name}.", shown)


@app.command("list")
def list_all(database: DatabaseOption, *, as_json: JsonOption = False) -> None:
    """List the logins with what they may do for whom."""
    with administering(database, as_json=as_json) as (admin, output):
        logins = admin.list_logins()
        columns = ["userName", "Handling", "References", "State", "customerGuid", "Bundles"]
        output.show(
            {"logins": [_describe(login) for login in logins]},
            make_table(columns, [row for login in logins for row in _list_rows(login)]),
        )


def _choose_password(output: Output, *, from_stdin: bool) -> str:
    """The password to set: generated, typed unseen at a terminal, or the first line piped in."""
    if not from_stdin:
        return generate_password()
    typed = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if mistake := check_password(typed):
        output.fail(mistake.for_operator)
    return typed


def _show(output: Output, login: LoginRecord, sentence: str, password: str | None = None) -> None:
    if password is None:
        output.show(_describe(login), sentence)
    else:
        output.show(
            {**_describe(login), "password": password},
            f"{sentence} Its password, which is not shown again: {password}",
        )


def _describe(login: LoginRecord) -> Document:
    return {
        "user_name": login.user_name,
        "handling": _handling(login),
        "references": _references(login),
        "disabled": login.disabled,
        "created_at": write_instant(login.created_at, "UTC"),
        "grants": [
            {"customer_guid": customer_guid, "bundles": list(bundles)}
            for customer_guid, bundles in login.grants
        ],
    }


def _list_rows(login: LoginRecord) -> Sequence[Sequence[str]]:
    """One row for each customer; the login's own cells on the first."""
    state = "disabled" if login.disabled else "active"
    own = (login.user_name, _handling(login), _references(login), state)
    grants = [(guid, ", ".join(bundles)) for guid, bundles in login.grants] or [("", "")]
    return [
        (*(own if place == 0 else ("",) * len(own)), *grant) for place, grant in enumerate(grants)
    ]


def _handling(login: LoginRecord) -> str:
    return Handling.STRICT if login.strict else Handling.LENIENT


def _references(login: LoginRecord) -> str:
    return References.SHARED if login.references_shared else References.UNIQUE
