"""The last step of an import: what was staged goes into the books, in one write transaction.

Law of this file: payments wait while it runs, so it only checks that what was prepared still holds,
and copies.
"""

from typing import NamedTuple

from sqlalchemy import Connection, Insert, and_, bindparam, insert, literal, select, update

from paydown.domain.model import Entry, Posting
from paydown.storage import schema, staging
from paydown.storage.reference import find_next_billing_id
from paydown.storage.staging import COMPARED, Counts, Scope, contact_change, new_item


class Prepared(NamedTuple):
    """What is staged, counted, and the entries it makes, each with its digest, without postings."""

    scope: Scope
    counts: Counts
    entries: tuple[tuple[Entry, bytes], ...]


def apply(connection: Connection, prepared: Prepared) -> bool:
    """Write items, contacts and entries, inside a write transaction.

    False, and nothing written, where the ledger has changed since ``prepare`` so that it matters.
    """
    scope, counts, entries = prepared
    if _has_changed(connection, scope, counts):
        return False
    connection.execute(_insert_contacts(scope))
    _rename_contacts(connection, scope)
    connection.execute(_insert_items(scope))
    connection.execute(_insert_imported_rows(scope))
    for entry, digest in entries:
        connection.execute(_insert_entry(entry, digest))
        connection.execute(_insert_postings(scope, entry))
    connection.execute(
        update(schema.item_defaults)
        .where(schema.item_defaults.c.customer_id == scope.customer_id)
        .values(next_billing_id=counts.given_ids.stop)
    )
    return True


def is_recorded(connection: Connection, prepared: Prepared) -> bool:
    """Whether these very entries are in the books."""
    ids = [entry.entry_id for entry, _ in prepared.entries]
    statement = select(schema.entry.c.entry_id).where(
        schema.entry.c.customer_id == prepared.scope.customer_id, schema.entry.c.entry_id.in_(ids)
    )
    return connection.execute(statement).first() is not None


def _has_changed(connection: Connection, scope: Scope, counts: Counts) -> bool:
    """Whether another import or an account's disabling came between ``prepare`` and the lock."""
    if find_next_billing_id(connection, scope.customer_id) != counts.next_billing_id_before:
        return True
    item, account, contact = schema.billing_item, schema.account, schema.contact
    known = staging.is_contact(scope, contact_change.c.contact_id)
    taken = select(literal(1)).join_from(
        new_item,
        item,
        and_(item.c.customer_id == scope.customer_id, item.c.billing_id == new_item.c.billing_id),
    )
    unusable = select(literal(1)).where(new_item.c.income_account_id.is_(None))
    disabled = select(literal(1)).where(
        account.c.customer_id == scope.customer_id,
        account.c.active == 0,
        account.c.account_id.in_(select(new_item.c.income_account_id)),
    )
    renamed = (
        select(literal(1))
        .outerjoin_from(contact_change, contact, known)
        .where(
            contact.c.name.is_distinct_from(contact_change.c.known_name)
            | contact.c.reference.is_distinct_from(contact_change.c.known_reference)
        )
    )
    questions = (taken, unusable, disabled, renamed)
    return any(connection.execute(question.limit(1)).first() for question in questions)


def _insert_contacts(scope: Scope) -> Insert:
    columns = contact_change.c
    source = (
        select(literal(scope.customer_id), columns.contact_id, columns.name, columns.search_text)
        .where(columns.known_name.is_(None))
        .order_by(columns.contact_id)
    )
    names = ["customer_id", "contact_id", "name", "search_text"]
    return insert(schema.contact).from_select(names, source)


def _rename_contacts(connection: Connection, scope: Scope) -> None:
    contact, change = schema.contact, contact_change.c
    statement = select(change.contact_id, change.name, change.search_text)
    changes = [
        {"renamed_id": contact_id, "new_name": name, "folded": folded}
        for contact_id, name, folded in connection.execute(
            statement.where(change.known_name.is_not(None))
        )
    ]
    if changes:
        connection.execute(
            update(contact)
            .where(
                contact.c.customer_id == scope.customer_id,
                contact.c.contact_id == bindparam("renamed_id"),
            )
            .values(name=bindparam("new_name"), search_text=bindparam("folded")),
            changes,
        )


def _insert_items(scope: Scope) -> Insert:
    names = ["billing_id", "contact_id", "description", "total_amount", "balance", "due_on"]
    source = select(
        literal(scope.customer_id),
        *(new_item.c[name] for name in names),
        literal(scope.defaults.receivables_account_id),
    ).order_by(new_item.c.billing_id)
    return insert(schema.billing_item).from_select(
        ["customer_id", *names, "receivables_account_id"], source
    )


def _insert_imported_rows(scope: Scope) -> Insert:
    names = [*COMPARED, "batch", "line_number"]
    source = select(literal(scope.customer_id), *(new_item.c[name] for name in names)).order_by(
        new_item.c.billing_id
    )
    return insert(schema.imported_row).from_select(["customer_id", *names], source)


def _insert_entry(entry: Entry, digest: bytes) -> Insert:
    values = entry._asdict()
    del values["postings"]
    return insert(schema.entry).values(**values, digest=digest)


def _insert_postings(scope: Scope, entry: Entry) -> Insert:
    source = staging.select_postings(scope, entry.kind).add_columns(
        literal(entry.customer_id), literal(entry.entry_id), literal(entry.value_at)
    )
    names = [*Posting._fields, "customer_id", "entry_id", "value_at"]
    return insert(schema.posting).from_select(names, source)
