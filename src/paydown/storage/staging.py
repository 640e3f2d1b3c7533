"""An import's rows, staged beside the ledger and compared with it.

Law of this file: all work that grows with the file happens in TEMP tables, which belong to one
connection and take no lock on the ledger, so payments go on meanwhile. ``applying`` does the rest.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    FromClause,
    Insert,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.engine import RowMapping
from sqlalchemy.sql import ColumnElement

from paydown.domain.model import AccountType, Kind, Posting
from paydown.domain.searching import make_search_text
from paydown.storage import schema
from paydown.storage.columns import Whole, Words
from paydown.storage.reference import ItemDefaults, find_next_billing_id

_temporary = MetaData()
COMPARED = (
    "billing_id",
    "contact_id",
    "contact_name",
    "description",
    "total_amount",
    "balance",
    "due_on",
    "income_account",
)


def _row_columns() -> list[Column[Any]]:
    whole = {"billing_id", "total_amount", "balance"}
    return [Column(name, Whole if name in whole else Words) for name in COMPARED]


_staged = Table(
    "staged_row",
    _temporary,
    Column("line_number", Whole, primary_key=True),
    *_row_columns(),
    prefixes=["TEMPORARY"],
)
# The rows that make items: numbered for the postings of either entry, every BillingId decided.
new_item = Table(
    "new_item",
    _temporary,
    Column("charge_no", Whole, primary_key=True),
    Column("opening_no", Whole),
    Column("batch", Words),
    Column("line_number", Whole),
    Column("income_account_id", Whole),
    *_row_columns(),
    prefixes=["TEMPORARY"],
)
contact_change = Table(
    "contact_change",
    _temporary,
    Column("contact_id", Words, primary_key=True),
    Column("name", Words),
    Column("known_name", Words),
    Column("known_reference", Words),
    Column("search_text", Words),
    prefixes=["TEMPORARY"],
)
_by_id = schema.imported_row.alias("by_id")
_by_line = schema.imported_row.alias("by_line")


class Row(NamedTuple):
    """One row of the file: amounts in minor units, no ``billing_id`` where one is to be given."""

    line_number: int
    billing_id: int | None
    contact_id: str
    contact_name: str
    description: str
    total_amount: int
    balance: int
    due_on: str
    income_account: str


class Scope(NamedTuple):
    """Whose books the staged rows go into, and under which batch name."""

    customer_id: int
    defaults: ItemDefaults
    batch: str | None


class Difference(NamedTuple):
    """A cell that is not what an earlier import read for the same item."""

    line_number: int
    billing_id: int
    column: str
    imported: str | int
    found: str | int


class Renamed(NamedTuple):
    """A contact that the file names otherwise than the books do."""

    contact_id: str
    old_name: str
    new_name: str


class Counts(NamedTuple):
    """What applying will make. ``given_ids`` are the BillingIds of the new rows without one."""

    items: int
    openings: int
    new_contacts: int
    given_ids: range
    next_billing_id_before: int


def create(connection: Connection) -> None:
    """Make the TEMP tables, once on a connection."""
    _temporary.create_all(connection, checkfirst=False)


def stage(connection: Connection, rows: Sequence[Row]) -> None:
    """Put rows beside the ledger."""
    connection.execute(insert(_staged), [row._asdict() for row in rows])


def find_differences(connection: Connection, scope: Scope) -> list[Difference]:
    """Where staged rows that were imported before do not say the same, in order of the file."""
    known = _by_id.c, _by_line.c
    old = [func.coalesce(*(side[name] for side in known)).label(name) for name in COMPARED]
    differs = [_staged.c[name] != column for name, column in zip(COMPARED, old, strict=True)]
    rows = connection.execute(
        select(_staged, *(column.label(f"old_{column.name}") for column in old))
        .select_from(_staged_beside_imported(scope))
        .where(or_(*differs))
        .order_by(_staged.c.line_number)
    ).mappings()
    return [
        Difference(row["line_number"], row["old_billing_id"], name, row[f"old_{name}"], row[name])
        for row in rows
        for name in COMPARED
        if row[name] is not None and row[name] != row[f"old_{name}"]
        if name != "balance" or not _is_owed_in_full(row)
    ]


def _is_owed_in_full(row: RowMapping) -> bool:
    """Whether the balance is the total, then and now: it only followed its total."""
    return bool(
        row["balance"] == row["total_amount"] and row["old_balance"] == row["old_total_amount"]
    )


def find_taken(connection: Connection, scope: Scope) -> list[tuple[int, int]]:
    """Line and BillingId of new rows whose BillingId is an item that was not imported."""
    rows = connection.execute(
        select(_staged.c.line_number, _staged.c.billing_id)
        .select_from(_staged_beside_imported(scope))
        .join(
            schema.billing_item,
            and_(
                schema.billing_item.c.customer_id == scope.customer_id,
                schema.billing_item.c.billing_id == _staged.c.billing_id,
            ),
        )
        .where(_is_new())
        .order_by(_staged.c.line_number)
    )
    return [(line_number, billing_id) for line_number, billing_id in rows]


def find_unusable_accounts(connection: Connection, scope: Scope) -> list[tuple[int, str]]:
    """Line and code of new rows whose income account is unknown, disabled or a receivables one."""
    rows = connection.execute(
        select(_staged.c.line_number, _staged.c.income_account)
        .select_from(_staged_beside_imported(scope))
        .outerjoin(schema.account, _usable_account(scope))
        .where(_is_new(), schema.account.c.account_id.is_(None))
        .order_by(_staged.c.line_number)
    )
    return [(line_number, code) for line_number, code in rows]


def prepare(connection: Connection, scope: Scope) -> Counts:
    """Number the new rows, give BillingIds to those without, and find the contacts to change."""
    connection.execute(new_item.delete())
    connection.execute(contact_change.delete())
    found = find_next_billing_id(connection, scope.customer_id)
    in_use = select(func.max(schema.billing_item.c.billing_id)).where(
        schema.billing_item.c.customer_id == scope.customer_id
    )
    in_file = select(func.max(_staged.c.billing_id))
    greatest = [connection.execute(statement).scalar_one() or 0 for statement in (in_use, in_file)]
    first = max(found, *(value + 1 for value in greatest))
    connection.execute(_number_new_rows(scope, first))
    connection.execute(_list_contact_changes(scope))
    _fold_names(connection)
    items, openings, given = connection.execute(
        select(
            func.count(), func.count(new_item.c.opening_no), func.count(new_item.c.line_number)
        ).select_from(new_item)
    ).one()
    new_contacts = connection.execute(
        select(func.count()).where(contact_change.c.known_name.is_(None))
    ).scalar_one()
    return Counts(items, openings, new_contacts, range(first, first + given), found)


def list_renamed(connection: Connection) -> list[Renamed]:
    """The contacts whose name the import will change."""
    columns = contact_change.c
    rows = connection.execute(
        select(columns.contact_id, columns.known_name, columns.name)
        .where(columns.known_name.is_not(None))
        .order_by(columns.contact_id)
    )
    return [Renamed._make(row) for row in rows]


def read_postings(connection: Connection, scope: Scope, kind: Kind) -> Iterator[Posting]:
    """The prepared postings of the entry of that kind, in order."""
    for row in connection.execute(select_postings(scope, kind)):
        yield Posting._make(row)


def select_postings(scope: Scope, kind: Kind) -> Select[Any]:
    """A charge moves the total from receivables to income; an opening credits what is paid."""
    receivables, columns = literal(scope.defaults.receivables_account_id), new_item.c
    nothing = (null().label(name) for name in ("reference", "notes", "authorization_code"))
    if kind == Kind.CHARGE:
        return select(
            columns.charge_no,
            columns.billing_id,
            columns.total_amount,
            receivables,
            columns.income_account_id,
            columns.total_amount.label("balance_after"),
            *nothing,
        ).order_by(columns.charge_no)
    return (
        select(
            columns.opening_no,
            columns.billing_id,
            columns.total_amount - columns.balance,
            literal(scope.defaults.opening_account_id),
            receivables,
            columns.balance,
            *nothing,
        )
        .where(columns.opening_no.is_not(None))
        .order_by(columns.opening_no)
    )


def _staged_beside_imported(scope: Scope) -> FromClause:
    """Staged rows with what an earlier import read, known by BillingId or by batch and line.

    No batch is compared too: NULL equals nothing, and each look-up goes by the whole key.
    """
    same_id = and_(
        _by_id.c.customer_id == scope.customer_id, _by_id.c.billing_id == _staged.c.billing_id
    )
    same_line = and_(
        _by_line.c.customer_id == scope.customer_id,
        _by_line.c.batch == literal(scope.batch, Text),
        _by_line.c.line_number == _staged.c.line_number,
    )
    return _staged.outerjoin(_by_id, same_id).outerjoin(_by_line, same_line)


def _is_new() -> ColumnElement[bool]:
    return and_(_by_id.c.billing_id.is_(None), _by_line.c.billing_id.is_(None))


def _usable_account(scope: Scope) -> ColumnElement[bool]:
    return and_(
        schema.account.c.customer_id == scope.customer_id,
        schema.account.c.code == _staged.c.income_account,
        schema.account.c.active == 1,
        schema.account.c.account_type != AccountType.RECEIVABLE,
    )


def _number_new_rows(scope: Scope, first_id: int) -> Insert:
    """New rows in order of the file. Those without a BillingId get the ids from ``first_id``."""
    columns = _staged.c

    def running(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0)).over(order_by=columns.line_number)

    nameless, opened = columns.billing_id.is_(None), columns.balance < columns.total_amount
    given_id = literal(first_id - 1) + running(nameless)
    values: dict[str, ColumnElement[Any]] = {
        "charge_no": func.row_number().over(order_by=columns.line_number),
        "opening_no": case((opened, running(opened))),
        "batch": case((nameless, literal(scope.batch))),
        "line_number": case((nameless, columns.line_number)),
        "income_account_id": schema.account.c.account_id,
        **{name: columns[name] for name in COMPARED},
        "billing_id": func.coalesce(columns.billing_id, given_id),
    }
    source = (
        select(*values.values())
        .select_from(_staged_beside_imported(scope))
        .outerjoin(schema.account, _usable_account(scope))
        .where(_is_new())
    )
    return insert(new_item).from_select(list(values), source)


def _list_contact_changes(scope: Scope) -> Insert:
    """Contacts of new rows that the books do not know, or know under another name."""
    known = schema.contact
    source = (
        select(new_item.c.contact_id, func.max(new_item.c.contact_name), func.max(known.c.name))
        .add_columns(func.max(known.c.reference))
        .outerjoin_from(new_item, known, is_contact(scope, new_item.c.contact_id))
        .where(known.c.name.is_distinct_from(new_item.c.contact_name))
        .group_by(new_item.c.contact_id)
    )
    names = ["contact_id", "name", "known_name", "known_reference"]
    return insert(contact_change).from_select(names, source)


def _fold_names(connection: Connection) -> None:
    columns = contact_change.c
    statement = select(columns.contact_id, columns.name, columns.known_reference)
    change = (
        update(contact_change)
        .where(columns.contact_id == bindparam("folded_id"))
        .values(search_text=bindparam("folded"))
    )
    folded = [
        {"folded_id": contact_id, "folded": make_search_text(name, reference)}
        for contact_id, name, reference in connection.execute(statement)
    ]
    if folded:
        connection.execute(change, folded)


def is_contact(scope: Scope, contact_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """That a row of ``contact`` is the customer's contact of that id."""
    return and_(
        schema.contact.c.customer_id == scope.customer_id,
        schema.contact.c.contact_id == contact_id,
    )
