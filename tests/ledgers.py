"""Ledgers for tests: made once by the product's own means, then copied for each test."""

import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from sqlalchemy import text

from paydown.admin import Admin, Mistake, NewCustomer, NewLogin
from paydown.domain.model import Bundle, Caller, Command, Kind, Line, Request
from paydown.domain.outcomes import Outcome
from paydown.imports import Imported, Source, Unwatched, import_items
from paydown.service import Service
from paydown.storage.database import Database
from paydown.storage.jobs import Job, Pace
from paydown.storage.opening import migrate, open_store
from paydown.storage.reference import find_customer
from paydown.wire.formats import read_date

CLUB = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
OTHER_CLUB = "16fd2706-8baf-433b-82eb-8c7fada847da"
ANNA = "6ae26b8d-5064-492b-b727-fcd34e07710b"
BEN = "f9025eb8-7bcb-4f72-aa35-ca5d82e6cb01"
TILL = "till"
PAYMENTS_ONLY = "kiosk"
TILL_AND_KIOSK = (TILL, PAYMENTS_ONLY)
CASH, EXTERNAL, DISABLED_TENDER = 1, 28, 7

ITEMS = (
    # contact, billing id, total, balance
    *((ANNA, number, "10.00", "10.00") for number in range(1, 21)),
    (ANNA, 21, "250.00", "100.50"),
    (ANNA, 22, "5.00", "0.00"),
    *((BEN, number, "40.00", "40.00") for number in range(31, 36)),
)
HEADER = "contact_id,contact_name,billing_id,description,total_amount,balance,due_on,income_account"


class Quiet(Unwatched):
    """Nobody who watches an import or a writer."""

    def batch_committed(self, *, commands: int, commit_ns: int) -> None:
        """Nothing."""


def make_ledger(url: str, *, password_hash: str = "unusable") -> None:
    """Two customers with items, tender types, accounts and logins."""
    migrate(url)
    database = open_store(url)
    admin = Admin(database)
    for guid, currency, zone in (
        (CLUB, "GBP", "Europe/London"),
        (OTHER_CLUB, "EUR", "Europe/Rome"),
    ):
        made = admin.add_customer(
            NewCustomer("Club", customer_guid=guid, currency=currency, time_zone=zone)
        )
        assert not isinstance(made, Mistake), made
        admin.set_tender_type_active(guid, DISABLED_TENDER, active=False)
        import_rows(database, guid, ITEMS)
    every = tuple(Bundle)
    for name, bundles in ((TILL, every), (PAYMENTS_ONLY, (Bundle.BILLING_PAYMENT,))):
        login = admin.add_login(NewLogin(name, password_hash), CLUB, bundles)
        assert not isinstance(login, Mistake), login


def import_rows(
    database: Database, customer_guid: str, items: Sequence[tuple[str, int, str, str]]
) -> None:
    """Import the items through the product's own door."""
    names = {ANNA: "Anna Archer", BEN: "Ben Baker"}
    rows = [
        f"{contact},{names[contact]},{billing_id},Membership,{total},{balance},2026-01-31,4000"
        for contact, billing_id, total, balance in items
    ]
    with NamedTemporaryFile("w") as file:
        file.write("\n".join([HEADER, *rows]) + "\n")
        file.flush()
        imported = import_items(database, Source(Path(file.name), customer_guid), Quiet())
    assert isinstance(imported, Imported), imported


def copy_ledger(template: Path, target: Path) -> Database:
    """A ledger of the test's own, like the template."""
    shutil.copy(template, target)
    return open_store(f"sqlite:///{target}")


@contextmanager
def holding(database: Database, customer_guid: str = CLUB) -> Iterator[None]:
    """While the block lasts, no payment of the customer's is decided."""
    with database.write() as connection:
        customer = find_customer(connection, customer_guid)
        assert customer is not None
        database.hold_customer(connection, customer.customer_id)
        yield


class Books:
    """A running service, and its results waited for."""

    def __init__(self, database: Database, **more: Any) -> None:
        self.database = database
        self.service = Service(database, **{"pace": Pace(), "observer": Quiet(), **more})
        self.batch_sizes: list[int] = []

    def __enter__(self) -> "Books":
        self.service.start(self._wake)
        return self

    def __exit__(self, *_: object) -> None:
        self.service.stop()

    def _wake(self, jobs: Sequence[Job]) -> None:
        self.batch_sizes.append(len(jobs))
        for job in jobs:
            job.waiter.set()

    def submit(self, command: Command) -> Job:
        """Queue the command without waiting."""
        job = Job(command, threading.Event())
        assert self.service.submit(job)
        return job

    def record(self, command: Command) -> Job:
        """Queue the command and wait for its result."""
        return finished(self.submit(command))

    def outcome(self, command: Command) -> Outcome:
        """The command's outcome, where it has one."""
        result = self.record(command).result
        assert isinstance(result, Outcome), result
        return result

    def caller(self, user_name: str = TILL, customer_guid: str = CLUB) -> Caller:
        """Who the login is, as authentication would say."""
        login = self.service.find_login(user_name, customer_guid)
        assert login is not None
        assert login.caller is not None
        return login.caller

    def balances(self, customer_guid: str = CLUB) -> dict[int, int]:
        """Every item's balance in minor units, as kept."""
        with self.database.read() as connection:
            rows = connection.execute(
                text(
                    "SELECT billing_id, balance FROM billing_item "
                    "JOIN customer USING (customer_id) WHERE customer_guid = :guid"
                ),
                {"guid": customer_guid},
            )
            return {row.billing_id: row.balance for row in rows}

    def count(self, table: str) -> int:
        """How many rows the table has."""
        with self.database.read() as connection:
            counted = connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one()
            assert isinstance(counted, int)
            return counted


def finished(job: Job) -> Job:
    """The job, once it has a result."""
    assert job.waiter.wait(30), "no result came"
    assert job.result is not None
    return job


def pay(caller: Caller, lines: dict[int, str], **more: Any) -> Command:
    """A payment of Anna's by tender 28; what is said of a line stands on every line."""
    said = {
        name: more.pop(name)
        for name in ("reference", "authorization_code", "notes")
        if name in more
    }
    made = tuple(Line(billing_id, Decimal(amount), **said) for billing_id, amount in lines.items())
    return _command(caller, Kind.PAYMENT, made, more)


def write_down(caller: Caller, lines: dict[int, str], account_id: int, **more: Any) -> Command:
    """A write-down of Anna's against the GL account."""
    made = tuple(
        Line(billing_id, Decimal(amount), account_id) for billing_id, amount in lines.items()
    )
    return _command(caller, Kind.WRITE_DOWN, made, more)


def _command(caller: Caller, kind: Kind, lines: tuple[Line, ...], more: dict[str, Any]) -> Command:
    date = read_date(more.pop("date", "2026-02-05T10:00:00+00:00"), caller.time_zone)
    assert date is not None
    request = Request(
        kind,
        more.pop("contact_id", ANNA),
        more.pop("tender_type_id", EXTERNAL),
        *date,
        lines,
        more.pop("notes", None),
    )
    return Command(request, caller, **{"request_id": "test", "address": "127.0.0.1", **more})
