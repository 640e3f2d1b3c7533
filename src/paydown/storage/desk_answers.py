"""The first answer to each write of the desk, by its Idempotency-Key; kept for ever."""

from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from paydown.domain import journal
from paydown.storage.schema import desk_answer


class KeyScope(NamedTuple):
    """A key's text, and within what it is known."""

    customer_id: int
    login_id: int
    call: str
    idempotency_key: str


class DeskAnswer(NamedTuple):
    """What was answered, and the fingerprint of what was asked."""

    fingerprint: bytes
    status: int
    body: bytes


def find(connection: Connection, scope: KeyScope) -> DeskAnswer | None:
    """The answer kept under the key."""
    statement = select(*(desk_answer.c[name] for name in DeskAnswer._fields)).where(
        *(desk_answer.c[name] == value for name, value in scope._asdict().items())
    )
    row = connection.execute(statement).one_or_none()
    return DeskAnswer._make(row) if row else None


def add(connection: Connection, scope: KeyScope, answer: DeskAnswer, *, answered_at: int) -> None:
    """Keep the first answer under a key, for ever."""
    connection.execute(
        insert(desk_answer),
        {
            **scope._asdict(),
            **answer._asdict(),
            "answered_at": answered_at,
            "digest": journal.desk_answer_digest(*answer),
        },
    )
