"""Postings as they are read: each with its entry, its accounts, what it undoes and what undid it.

Law of this file: everything beside a posting is found by a whole key.
"""

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    func,
    select,
)

from paydown.domain.lines import Line
from paydown.domain.model import Kind
from paydown.storage.schema import (
    account,
    allocation,
    billing_item,
    entry,
    login,
    posting,
    reversal,
    tender_type,
)

_debited, _credited = account.alias("debited"), account.alias("credited")
_undone, _undoing = reversal.alias("undone"), reversal.alias("undoing")
_undone_entry, _undoing_entry = entry.alias("undone_entry"), entry.alias("undoing_entry")


CONTACT_ID = func.coalesce(billing_item.c.contact_id, entry.c.contact_id)
"""Whose item or receipt a posting moves."""

_BESIDE: dict[str, ColumnElement[Any]] = {
    "contact_id": CONTACT_ID,
    "tender_name": tender_type.c.name,
    "caller": login.c.user_name,
    "item_description": billing_item.c.description,
    "item_receivables_id": billing_item.c.receivables_account_id,
    "debit_code": _debited.c.code,
    "debit_name": _debited.c.name,
    "credit_code": _credited.c.code,
    "credit_name": _credited.c.name,
    "receipt_id": case(
        (entry.c.kind == Kind.RECEIPT, entry.c.entry_id),
        (_undone_entry.c.kind == Kind.RECEIPT, _undone_entry.c.entry_id),
        else_=allocation.c.receipt_entry_id,
    ),
    "undone_id": _undone.c.reversed_entry_id,
    "undone_line_no": _undone.c.reversed_line_no,
    "undone_kind": _undone_entry.c.kind,
    "undone_value_at": _undone_entry.c.value_at,
    "undoing_id": _undoing.c.entry_id,
    "undoing_line_no": _undoing.c.line_no,
    "undoing_value_at": _undoing_entry.c.value_at,
    "undoing_recorded_at": _undoing_entry.c.recorded_at,
    "undoing_notes": _undoing_entry.c.notes,
}


def select_lines(postings: FromClause = posting) -> Select[Any]:
    """The lines of the postings: the table's, to be narrowed down, or some that were settled."""
    own = postings.c
    sources = {
        **_BESIDE,
        "debit_id": own.debit_account_id,
        "credit_id": own.credit_account_id,
        "notes": func.coalesce(own.notes, entry.c.notes),
    }
    told = []
    for name in Line._fields:
        source = sources.get(name)
        if source is None:
            source = own[name] if name in own else entry.c[name]
        told.append(source.label(name))
    return select(*told).select_from(_join(postings))


def settle_postings(statement: Select[Any]) -> CTE:
    """The postings that the statement finds, found before anything is put beside them.

    Otherwise PostgreSQL may look beside each for all that is of the same entry.
    """
    settled: CTE = statement.cte("moved").prefix_with("MATERIALIZED")
    return settled


def _join(postings: FromClause) -> FromClause:
    """The postings beside all that a line tells."""
    own, undone, undoing = postings.c, _undone.c, _undoing.c

    def is_own(table: FromClause, **keys: ColumnElement[Any]) -> ColumnElement[bool]:
        same = (table.c[name] == value for name, value in keys.items())
        return and_(table.c.customer_id == own.customer_id, *same)

    joined = postings.join(entry, is_own(entry, entry_id=own.entry_id))
    joined = joined.join(_debited, is_own(_debited, account_id=own.debit_account_id))
    joined = joined.join(_credited, is_own(_credited, account_id=own.credit_account_id))
    may_be = (
        (billing_item, is_own(billing_item, billing_id=own.billing_id)),
        (login, login.c.login_id == entry.c.login_id),
        (tender_type, is_own(tender_type, tender_type_id=entry.c.tender_type_id)),
        (_undone, is_own(_undone, entry_id=own.entry_id, line_no=own.line_no)),
        (_undone_entry, is_own(_undone_entry, entry_id=undone.reversed_entry_id)),
        (
            _undoing,
            is_own(_undoing, reversed_entry_id=own.entry_id, reversed_line_no=own.line_no),
        ),
        (_undoing_entry, is_own(_undoing_entry, entry_id=undoing.entry_id)),
        (
            allocation,
            is_own(
                allocation,
                entry_id=func.coalesce(undone.reversed_entry_id, own.entry_id),
                line_no=func.coalesce(undone.reversed_line_no, own.line_no),
            ),
        ),
    )
    for table, condition in may_be:
        joined = joined.outerjoin(table, condition)
    return joined
