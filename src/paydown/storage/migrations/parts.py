"""What the steps are written with: columns and constraints, each with its full name.

Law of this file: it only grows. A step is history, and must make for ever what it once made.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def whole(name: str, *, null: bool = False) -> sa.Column[Any]:
    """A column of whole numbers."""
    return sa.Column(name, _WHOLE, autoincrement=False, nullable=null)


def words(name: str, *, null: bool = False) -> sa.Column[Any]:
    """A column of texts, compared by code point."""
    return sa.Column(name, _WORDS, nullable=null)


def octets(name: str) -> sa.Column[Any]:
    """A column of bytes."""
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def primary(name: str, *columns: str) -> sa.Constraint:
    """A primary key."""
    return sa.PrimaryKeyConstraint(*columns, name=op.f(name))


def unique(name: str, *columns: str) -> sa.Constraint:
    """What no two rows have alike."""
    return sa.UniqueConstraint(*columns, name=op.f(name))


def key(name: str, columns: Sequence[str], refers_to: Sequence[str]) -> sa.Constraint:
    """A foreign key."""
    return sa.ForeignKeyConstraint(columns, refers_to, name=op.f(name))


def check(name: str, condition: str) -> sa.Constraint:
    """What every row satisfies."""
    return sa.CheckConstraint(condition, name=op.f(name))


def create(name: str, *parts: sa.Column[Any] | sa.Constraint) -> None:
    """Make a table."""
    op.create_table(name, *parts, sqlite_strict=True, sqlite_with_rowid=False)


def on_postgresql() -> bool:
    """Whether the step runs there; otherwise it runs on SQLite."""
    return op.get_context().dialect.name == "postgresql"


def append_only(table: str) -> None:
    """Have the database refuse to change or remove the table's rows."""
    if on_postgresql():
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION paydown_append_only()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
