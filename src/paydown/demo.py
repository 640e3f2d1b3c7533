"""A demo customer to try Paydown on: made by the import and by real payments, never by hand.

Law of this file: it only ever deletes what an interrupted demo left, while it holds the folder. All
names are made up, and the same on every machine.
"""

import csv
import fcntl
import json
import os
import shlex
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from paydown.access import generate_password, hash_password
from paydown.admin import Admin, Mistake, NewCustomer, NewLogin
from paydown.bootstrap import recording
from paydown.domain.model import AccountType, Bundle, Caller, Command, Kind, Line, Request
from paydown.domain.money import to_decimal, to_minor
from paydown.domain.outcomes import LineOutcome, Outcome
from paydown.imports import Imported, Source, Unwatched, import_items
from paydown.imports.reading import COLUMNS
from paydown.server import write_authority
from paydown.storage import logins, opening, reference
from paydown.storage.database import Database
from paydown.storage.engine import find_database
from paydown.storage.reference import Customer, Item
from paydown.wire import messages
from paydown.wire.formats import read_date, write_instant

CONTACT_COUNT = 40
ITEM_COUNT = 150

_CUSTOMER_GUID = "5f0c3b52-6a1d-4d0e-9b7f-0d3a5c1e2b44"
_FIRST_BILLING_ID = 1001
_OWN_ITEM_COUNTS = (30, 12)
_INCOME = "4000"
_BAD_DEBT = "6000"
_EXTERNAL_PAYMENT = 28
_UNPUBLISHED = ".demo.json"

_FIRST_NAMES = (
    *("Ada", "Bram", "Carys", "Dev", "Elin", "Farah", "Gwil", "Hana", "Idris", "Jonas"),
    *("Kezia", "Lorcan", "Mirela", "Nadim", "Orla", "Piotr", "Quinn", "Rosa", "Sunil", "Tamsin"),
)
_LAST_NAMES = ("Ashgrove", "Brackley", "Corrie", "Dunmarsh", "Ellerby", "Fenwright", "Garth")
_GOODS = (
    *(("Membership", "49.00"), ("Swimming lessons", "34.50"), ("Locker hire", "6.25")),
    *(("Squash court", "12.00"), ("Personal training", "120.00"), ("Guest pass", "9.99")),
    *(("Family membership", "89.90"), ("Tennis coaching", "27.75"), ("Towel", "0.01")),
    ("Summer camp", "250.00"),
)


class Demo(NamedTuple):
    """A demo in its directory. ``document`` is what ``demo.json`` says."""

    directory: Path
    document: dict[str, Any]

    @property
    def database(self) -> str:
        """The ledger's URL."""
        url: str = self.document["database"]
        return url


class _Plan(NamedTuple):
    """A billing item to be made, and what shall have come of it."""

    billing_id: int
    contact_no: int
    description: str
    total_amount: Decimal
    due_on: date
    opening_balance: Decimal | None
    kind: Kind | None
    amount: Decimal


def prepare(directory: Path) -> Demo | Mistake:
    """The demo in the directory, made where there is none. Raises ``StoreUnavailable``."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _claim(directory) as claimed:
            if claimed:
                return _prepare(directory)
    except OSError as error:
        return Mistake(f"The demo's folder {directory} cannot be used: {error.strerror}.")
    return Mistake(f"Another demo is being made in {directory}: wait, or name another directory.")


def publish(demo: Demo, *, host: str, port: int) -> None:
    """Write ``demo.json``, which tells scripts that the demo is served, and where."""
    demo.document["base_url"] = _base_url(host, port)
    _write(demo, "demo.json")
    (demo.directory / _UNPUBLISHED).unlink(missing_ok=True)


def introduce(demo: Demo, *, host: str, port: int, program: str) -> Iterator[str]:
    """What a stranger should read first. ``program`` is how their shell finds ``paydown``."""
    base_url = _base_url(host, port)
    shown = demo.directory / "demo.json"
    yield f"Paydown listens on {base_url} and serves the demo in {demo.directory}."
    yield f"Its docs are at {base_url}/docs; logins and ids for scripts in {shown}."
    payment = _choose_payment(demo)
    if payment:
        request, answer = payment
        yield "\nRecord a payment by pasting this:\n"
        yield _say_curl(base_url, demo.document["headers"], request)
        yield "\nIt answers, ProcessDate being the moment that it is recorded:\n"
        yield answer
        yield "\nPaste it again: the same answer comes, and nothing moves."
    proof = shlex.join((program, "verify", "--database", demo.database))
    yield f"\nProve the books at any time: {proof}"
    yield "Stop with Ctrl-C; the next start serves the same demo again."


def _base_url(host: str, port: int) -> str:
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound to
    return f"http://{write_authority(everywhere.get(host, host), port)}"


@contextmanager
def _claim(directory: Path) -> Iterator[bool]:
    """Hold the folder, and say whether no other demo does."""
    handle, claimed = os.open(directory, os.O_RDONLY), False
    try:
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            claimed = True
        yield claimed
    finally:
        os.close(handle)


def _prepare(directory: Path) -> Demo | Mistake:
    ledger, making = directory / "ledger.db", directory / ".making"
    documents = [directory / name for name in ("demo.json", _UNPUBLISHED)]
    if making.exists():
        _remove_unfinished(ledger)
    elif ledger.exists():
        for document in documents:
            if document.exists():
                return _read(directory, document)
        return Mistake(f"{ledger} is not a demo's: there is no demo.json. Name another directory.")
    elif not any(map(Path.exists, documents)) and any(directory.iterdir()):
        return Mistake(f"{directory} is not a demo and not empty. Name an empty or new folder.")
    making.touch()
    for document in documents:  # the passwords of a ledger that is gone
        document.unlink(missing_ok=True)
    made = Demo(directory, _make(directory, f"sqlite:///{ledger.resolve()}"))
    _write(made, _UNPUBLISHED)
    making.unlink()
    return made


def _remove_unfinished(ledger: Path) -> None:
    """Remove the ledger, unless it is served. What serves it is told by a file that stays."""
    with find_database(f"sqlite:///{ledger}").claim():
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{ledger}{suffix}").unlink(missing_ok=True)


def _write(demo: Demo, name: str) -> None:
    """Write the document whole or not at all, readable by its owner alone: it holds passwords."""
    written = demo.directory / ".writing"
    written.unlink(missing_ok=True)
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(demo.document, file, indent=2)
    written.replace(demo.directory / name)


def _read(directory: Path, published: Path) -> Demo:
    """The demo that was made there, with today's balances."""
    document = json.loads(published.read_text())
    url = f"sqlite:///{(directory / 'ledger.db').resolve()}"
    facts = _describe(opening.open_store(url), document["customer_guid"])
    return Demo(directory, {**document, **facts, "database": url})


def _make(directory: Path, url: str) -> dict[str, Any]:
    """Make the ledger and all that is in it; what ``demo.json`` will say, but for the address."""
    opening.migrate(url)
    database = opening.open_store(url)
    admin = Admin(database)
    customer = admin.add_customer(NewCustomer("Harbourside Leisure (demo)", _CUSTOMER_GUID))
    assert isinstance(customer, Customer), "a new ledger has no customer"
    headers = _add_login(admin, "demo", tuple(Bundle))
    payments_only = _add_login(admin, "demo-payments", (Bundle.BILLING_PAYMENT,))
    plans = _plan_items(datetime.now(UTC).date())
    _import_items(database, directory / "items.csv", plans)
    _record(database, plans)
    return {
        "base_url": "",
        "headers": headers,
        "payments_only_headers": payments_only,
        "customer_guid": _CUSTOMER_GUID,
        **_describe(database, _CUSTOMER_GUID),
        "database": url,
    }


def _describe(database: Database, customer_guid: str) -> dict[str, Any]:
    """What of the demo a request may name."""
    contacts = {"": _contact_id(0), "other_": _contact_id(1)}
    with database.read() as connection:
        customer = reference.find_customer(connection, customer_guid)
        assert customer is not None, "the demo's customer is never deleted"
        customer_id = customer.customer_id
        items = {
            f"{prefix}billing_items": [
                _describe_item(item, customer.minor_digits)
                for item in reference.list_items(connection, customer_id, contact_id)
            ]
            for prefix, contact_id in contacts.items()
        }
        accounts = reference.list_accounts(connection, customer_id)
        tender_types = reference.list_tender_types(connection, customer_id)
    return {
        **{f"{prefix}contact_id": contact_id for prefix, contact_id in contacts.items()},
        **items,
        "gl_account_ids": [
            account.account_id
            for account in accounts
            if account.active and account.account_type == AccountType.EXPENSE
        ],
        "tender_type_ids": [each.tender_type_id for each in tender_types if each.active],
    }


def _describe_item(item: Item, minor_digits: int) -> dict[str, Any]:
    return {
        "billing_id": item.billing_id,
        "total_amount": f"{to_decimal(item.total_amount, minor_digits):f}",
        "balance": f"{to_decimal(item.balance, minor_digits):f}",
    }


def _add_login(admin: Admin, user_name: str, bundles: Sequence[Bundle]) -> dict[str, str]:
    """The three headers of a new login."""
    password = generate_password()
    added = admin.add_login(NewLogin(user_name, hash_password(password)), _CUSTOMER_GUID, bundles)
    assert not isinstance(added, Mistake), added
    return {"userName": user_name, "password": password, "customerGuid": _CUSTOMER_GUID}


def _plan_items(today: date) -> list[_Plan]:
    """150 items: due from 13 months ago to next month, most of the first contact's unpaid."""
    return [_plan_item(place, today) for place in range(ITEM_COUNT)]


def _plan_item(place: int, today: date) -> _Plan:
    goods, price = _GOODS[place % len(_GOODS)]
    total = Decimal(price)
    due_on = today + timedelta(days=28 - place * 37 % 420)
    own, other = _OWN_ITEM_COUNTS
    if place < own:
        contact_no, fate = 0, place - 24  # the first 24 stay unpaid
    elif place < own + other:
        contact_no, fate = 1, place % 7
    else:
        contact_no, fate = 2 + place % (CONTACT_COUNT - 2), place % 7
    part = (total / 2).quantize(Decimal("0.01")) or total
    opening, kind, amount = {
        0: (None, Kind.PAYMENT, part),
        1: (None, Kind.PAYMENT, total),
        2: (None, Kind.WRITE_DOWN, part),
        3: (None, Kind.WRITE_DOWN, total),
        4: (total - part, None, part),
    }.get(fate, (None, None, part))
    description = f"{goods}, {due_on:%B %Y}"
    return _Plan(
        _FIRST_BILLING_ID + place, contact_no, description, total, due_on, opening, kind, amount
    )


def _contact_id(contact_no: int) -> str:
    return str(uuid.uuid5(uuid.UUID(_CUSTOMER_GUID), f"contact {contact_no}"))


def _contact_name(contact_no: int) -> str:
    first = _FIRST_NAMES[contact_no % len(_FIRST_NAMES)]
    return f"{first} {_LAST_NAMES[contact_no % len(_LAST_NAMES)]}"


def _import_items(database: Database, path: Path, plans: Sequence[_Plan]) -> None:
    """Through a file that stays, for an example of one."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for plan in plans:
            rows.writerow(
                (
                    _contact_id(plan.contact_no),
                    _contact_name(plan.contact_no),
                    plan.billing_id,
                    plan.description,
                    plan.total_amount,
                    "" if plan.opening_balance is None else plan.opening_balance,
                    plan.due_on,
                    _INCOME,
                )
            )
    imported = import_items(database, Source(path, _CUSTOMER_GUID), Unwatched())
    assert isinstance(imported, Imported), imported


def _record(database: Database, plans: Sequence[_Plan]) -> None:
    """Pay and write down what the plans say, as callers would."""
    with database.read() as connection:
        login = logins.find_login(connection, "demo", _CUSTOMER_GUID)
    assert login, "just added"
    assert login.caller, "just granted"
    commands = list(_make_commands(database, login.caller, plans))
    with recording(database.url) as record:
        for command in commands:
            outcome = record(command)
            assert isinstance(outcome, Outcome), outcome
            assert outcome.success, outcome


def _make_commands(database: Database, caller: Caller, plans: Sequence[_Plan]) -> Iterator[Command]:
    with database.read() as connection:
        accounts = reference.list_accounts(connection, caller.customer_id)
    bad_debt = next(account.account_id for account in accounts if account.code == _BAD_DEBT)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    for plan in plans:
        if plan.kind is None:
            continue
        day = min(plan.due_on + timedelta(days=3), yesterday)
        value = read_date(f"{day.isoformat()}T09:30:00", caller.time_zone)
        assert value is not None, "a date of this century"
        line, notes = Line(plan.billing_id, plan.amount, reference=f"DEMO-{plan.billing_id}"), None
        if plan.kind == Kind.WRITE_DOWN:
            line, notes = Line(plan.billing_id, plan.amount, bad_debt), "Left, address unknown"
        contact_id = _contact_id(plan.contact_no)
        request = Request(plan.kind, contact_id, _EXTERNAL_PAYMENT, *value, (line,), notes)
        yield Command(request, caller, request_id=f"demo-{plan.billing_id}")


def _choose_payment(demo: Demo) -> tuple[dict[str, Any], str] | None:
    """A payment for the first item with a balance, and the answer it will get."""
    for item in demo.document["billing_items"]:
        balance = Decimal(item["balance"])
        if balance > 0:
            break
    else:
        return None
    amount = min(balance, Decimal("10.00"))
    value_at = time.time_ns() // 100 | 1  # never without a fraction, which makes it recognisable
    written = write_instant(value_at, "Europe/London")
    request = {
        "ContactId": demo.document["contact_id"],
        "PaymentDate": written,
        "TenderTypeId": _EXTERNAL_PAYMENT,
        "BillingPayments": [{"BillingId": item["billing_id"], "Amount": amount}],
    }
    left = to_minor(balance - amount, 2)
    line = LineOutcome(item["billing_id"], left, "<when it is recorded>", written)
    parsed = Request(
        Kind.PAYMENT, demo.document["contact_id"], _EXTERNAL_PAYMENT, value_at, written, ()
    )
    return request, messages.encode(parsed, Outcome(None, (line,)), 2).decode()


def _say_curl(base_url: str, headers: dict[str, str], request: dict[str, Any]) -> str:
    body = msgspec.json.Encoder(decimal_format="number").encode(request).decode()
    sent = {**headers, "Content-Type": "application/json"}
    lines = [
        f"curl {base_url}/POS/BillingPayments",
        *(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in sent.items()),
        f"-d {shlex.quote(body)}",
    ]
    return " \\\n  ".join(lines)
