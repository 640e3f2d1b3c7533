"""A ledger with a row of every kind: each table, each null, and texts that need care."""

from decimal import Decimal
from pathlib import Path

import desk_rows
import ledgers
from paydown.admin import Admin, Mistake
from paydown.domain.model import Bundle, Caller, Command, Entry, Line
from paydown.imports import Imported, Source, import_items
from paydown.storage.copying import TABLES
from paydown.storage.database import Database, Row

CARE = 'It\'s "a" \\back\\slash, {a} NULL, \t\r\nnew line, \x7f, é ü 漢字 👩‍👩‍👧 \U0010ffff'
"""What one of the databases quotes, or could take for something else."""

GOODWILL = 14
ROWS_WITHOUT_ID = f"""\
contact_id,contact_name,description,total_amount,balance,due_on,income_account
{ledgers.ANNA},Anna Ärcher 漢,"Pass, ""day"", one",9.99,,2026-03-07,4100
{ledgers.BEN},Ben Baker,{{Pass}} \\N,100000000000.00,0.01,2026-03-08,4100
"""


def fill(database: Database, folder: Path) -> None:
    """Give a ledger like the tests' template whatever it has not got."""
    paid = record(database, folder)
    with database.write() as connection:
        desk_rows.fill(connection, paid)


def record(database: Database, folder: Path) -> Entry:
    """An import, payments of every kind and their retries, and what an operator changes.

    Returned is the first payment.
    """
    file = folder / "passes.csv"
    file.write_text(ROWS_WITHOUT_ID)
    source = Source(file, ledgers.CLUB, batch="passes ø")
    assert isinstance(import_items(database, source, ledgers.Quiet()), Imported)
    with ledgers.Books(database) as books:
        caller = books.caller()
        cared = ledgers.pay(caller, {1: "2.50", 2: "0.01"}, reference=CARE, notes=CARE)
        paid = books.outcome(cared).entry
        for command in (
            ledgers.pay(caller, {1: "2.50"}, reference=CARE),
            keyed_payment(caller),
            ledgers.pay(books.caller(ledgers.PAYMENTS_ONLY), {4: "1.00"}, date="2026-02-05"),
            ledgers.write_down(caller, {5: "10.00"}, GOODWILL, notes=""),
        ):
            assert books.outcome(command).success, command
    assert paid is not None
    admin = Admin(database)
    for done in (
        admin.set_account_active(ledgers.CLUB, "6100", active=False),
        admin.set_login_disabled(ledgers.PAYMENTS_ONLY, disabled=True),
        admin.grant(ledgers.TILL, ledgers.OTHER_CLUB, (Bundle.BILLING_PAYMENT,)),
    ):
        assert not isinstance(done, Mistake), done
    return paid


def keyed_payment(caller: Caller) -> Command:
    """One with an Idempotency-Key, and with every field that a request can have."""
    line = Line(3, Decimal("1.00"), reference="R", notes=CARE, authorization_code="A'1")
    command = ledgers.pay(caller, {3: "1.00"}, key="k'\\1", staff_user="Zoë 'Z'")
    return command._replace(request=command.request._replace(lines=(line,)))


def read_all(database: Database) -> dict[str, list[Row]]:
    """Every row of every table, as values of Python."""
    with database.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr)
            for table in TABLES
        }
