"""A ledger, a customer, and the command line to work on them with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from paydown.admin import Admin, NewCustomer
from paydown.cli import app
from paydown.storage.database import Database
from paydown.storage.opening import migrate, open_store
from paydown.storage.reference import Customer
from secrets_kept import WATCH


class Answer(NamedTuple):
    """What a command printed, and the status it ended with."""

    status: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document


Paydown = Callable[..., Answer]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a ledger that has been made."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    migrate(url)
    return url


@pytest.fixture
def database(url: str) -> Database:
    """The ledger, open."""
    return open_store(url)


@pytest.fixture
def customer(database: Database) -> Customer:
    """A customer with the preset accounts and tender types."""
    added = Admin(database).add_customer(NewCustomer("Harbourside Leisure"))
    assert isinstance(added, Customer)
    return added


@pytest.fixture
def paydown(url: str) -> Paydown:
    """Run a command on the ledger, as a shell would."""

    def run(*arguments: object, stdin: str | None = None, **environment: str) -> Answer:
        result = CliRunner().invoke(
            app,
            [str(argument) for argument in arguments],
            input=stdin,
            env={"PAYDOWN_DATABASE": url, **environment},
        )
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        if arguments[0] not in {"demo", "login"}:  # which show a password that they made
            WATCH.look_at(f"paydown {arguments[0]}", result.stdout + result.stderr)
        return Answer(result.exit_code, result.stdout, result.stderr)

    return run
