"""Prove the books: every invariant by name, recomputed from what is recorded.

Law of this file: it changes nothing and assumes nothing of the write path. All questions are asked
of one moment, so a server may record meanwhile.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection

from paydown.storage import checks
from paydown.storage.database import Database
from paydown.storage.invariants import QUESTIONS
from paydown.storage.opening import schema_differences

DETAILS_MAX = 20
"""How many breaches of one invariant are named; the others are counted."""


class Finding(NamedTuple):
    """What came of one invariant: how much was examined, and each breach in words."""

    invariant: str
    promise: str
    ok: bool
    examined: int
    detail: list[str]


def verify(database: Database) -> Iterator[Finding]:
    """One finding an invariant, as each is reached. Raises ``StoreUnavailable``."""
    with database.read() as connection:
        yield _file(connection, database)
        yield _schema(connection, database)
        yield _entries(connection)
        yield _answers(connection)
        yield _searches(connection)
        for question in QUESTIONS:
            breaches = checks.ask(connection, question)
            yield _finding(
                question.name, question.promise, checks.count(connection, question), breaches
            )


def _file(connection: Connection, database: Database) -> Finding:
    return _finding(
        "database_intact",
        "the database is sound and every reference leads somewhere",
        1,
        database.damages(connection),
    )


def _schema(connection: Connection, database: Database) -> Finding:
    return _finding(
        "schema_intact",
        "every table, index and guard is as it was made",
        1,
        schema_differences(connection, database),
    )


def _entries(connection: Connection) -> Finding:
    return _unaltered(
        "entries_unaltered",
        "every entry, posting and created item says what it said when recorded",
        checks.altered_entries(connection),
    )


def _answers(connection: Connection) -> Finding:
    return _unaltered(
        "answers_unaltered",
        "every kept answer says what it said when it was given",
        checks.altered_answers(connection),
    )


def _searches(connection: Connection) -> Finding:
    return _unaltered(
        "contacts_findable",
        "every contact is searched by its name and reference",
        checks.altered_searches(connection),
    )


def _unaltered(invariant: str, promise: str, examined: Iterable[tuple[str, bool]]) -> Finding:
    count = 0

    def altered() -> Iterator[str]:
        nonlocal count
        for name, is_altered in examined:
            count += 1
            if is_altered:
                yield f"{name} was altered after it was recorded"

    found = _finding(invariant, promise, 0, altered())
    return found._replace(examined=count)


def _finding(invariant: str, promise: str, examined: int, breaches: Iterable[str]) -> Finding:
    found = iter(breaches)
    detail = list(islice(found, DETAILS_MAX))
    rest = sum(1 for _ in found)
    if rest:
        detail.append(f"and {rest} more")
    return Finding(invariant, promise, not detail, examined, detail)
