"""What ``paydown replays`` lists: every time that a line was answered as an earlier one."""

from typing import NamedTuple

from sqlalchemy import Connection, FromClause, select

from paydown.storage.schema import contact, customer, entry, login, posting, replay


class Replay(NamedTuple):
    """One time that a line was answered as an earlier one without a key, and that earlier line."""

    replayed_at: int
    customer_guid: str
    currency: str
    minor_digits: int
    time_zone: str
    kind: str
    contact_id: str
    contact_name: str
    billing_id: int
    amount: int
    reference: str | None
    value_written: str
    recorded_written: str
    user_name: str
    request_id: str
    address: str


def list_replays(
    connection: Connection, *, customer_id: int | None, since: int, count_max: int
) -> list[Replay]:
    """The latest replays without a key at or after ``since`` (ticks), newest first."""
    statement = (
        select(
            replay.c.replayed_at,
            customer.c.customer_guid,
            customer.c.currency,
            customer.c.minor_digits,
            customer.c.time_zone,
            entry.c.kind,
            entry.c.contact_id,
            contact.c.name,
            posting.c.billing_id,
            posting.c.amount,
            posting.c.reference,
            entry.c.value_written,
            entry.c.recorded_written,
            login.c.user_name,
            replay.c.request_id,
            replay.c.address,
        )
        .select_from(_replayed_lines())
        .where(replay.c.replayed_at >= since)
        .order_by(replay.c.replayed_at.desc(), replay.c.entry_id, replay.c.line_no)
        .limit(count_max)
    )
    if customer_id is not None:
        statement = statement.where(replay.c.customer_id == customer_id)
    return [Replay._make(row) for row in connection.execute(statement)]


def _replayed_lines() -> FromClause:
    """Each replay beside the posting, entry, contact, customer and login it is about."""
    same_customer = replay.c.customer_id
    return (
        replay.join(
            posting,
            (posting.c.customer_id == same_customer)
            & (posting.c.entry_id == replay.c.entry_id)
            & (posting.c.line_no == replay.c.line_no),
        )
        .join(
            entry,
            (entry.c.customer_id == same_customer) & (entry.c.entry_id == replay.c.entry_id),
        )
        .join(
            contact,
            (contact.c.customer_id == same_customer) & (contact.c.contact_id == entry.c.contact_id),
        )
        .join(customer, customer.c.customer_id == same_customer)
        .join(login, login.c.login_id == replay.c.login_id)
    )
