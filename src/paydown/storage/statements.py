"""The statements of the hot path: Core constructs, spelled once for each database.

Law of this file: a statement is fed with rows, whole lists at a time, and written down once. The
list is a table named ``listed``: of JSON on SQLite, of arrays on PostgreSQL. What the two spell
otherwise is said here and nowhere else.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    FromClause,
    Insert,
    LargeBinary,
    Select,
    Table,
    Text,
    Update,
    bindparam,
    column,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnClause
from sqlalchemy.sql.selectable import TableClause
from sqlalchemy.types import ARRAY, TypeEngine


class Spelling(NamedTuple):
    """A statement as one database reads it, and the order in which it wants its values."""

    sql: str
    names: tuple[str, ...]


class Statement(NamedTuple):
    """A statement as each database reads it."""

    sqlite: Spelling
    postgresql: Spelling


class Listed(TableClause):
    """The rows given to a statement, as a table. Its columns are typed as those they stand for."""

    inherit_cache = False


def listed(columns: Iterable[ColumnClause[Any]]) -> Listed:
    """A table of the rows given, whose columns have the names and types of these."""
    return Listed("listed", *(column(each.name, _plain(each.type)) for each in columns))


def prepare(construct: Select[Any] | Insert | Update) -> Statement:
    """Spell a Core construct for the hot path."""
    return Statement(_spell(construct, _SQLITE), _spell(construct, _POSTGRESQL))


def prepare_insert(table: Table) -> Statement:
    """Spell the adding of rows, their values in the order of the table's columns."""
    names = [each.name for each in table.c]
    added = insert(table).from_select(names, select(*listed(table.c).c))
    return Statement(_spell(insert(table), _SQLITE), _spell(added, _POSTGRESQL))


def _plain(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """A type by its bare name, as arrays are declared."""
    for plain in (BigInteger, Text, LargeBinary):
        if isinstance(kind, plain):
            return plain()
    raise TypeError(f"{kind!r} is in no list")


@compiles(Listed, "sqlite")
def _spell_json(element: Listed, compiler: SQLCompiler, **more: Any) -> str:
    given = compiler.process(bindparam("rows", type_=Text()), **_without_from(more))
    columns = ", ".join(
        f"json_extract(value, '$[{place}]') AS {name}"
        for place, name in enumerate(element.c.keys())
    )
    return f"(SELECT {columns} FROM json_each({given})) AS listed"  # noqa: S608 - names of ours


@compiles(Listed, "postgresql")
def _spell_arrays(element: Listed, compiler: SQLCompiler, **more: Any) -> str:
    arrays = (
        compiler.process(
            bindparam(f"rows_{each.name}", type_=ARRAY(each.type)), **_without_from(more)
        )
        for each in element.c
    )
    return f"unnest({', '.join(arrays)}) AS listed ({', '.join(element.c.keys())})"


def _without_from(more: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in more.items() if name not in ("asfrom", "fromhints")}


class _SQLiteCompiler(SQLiteCompiler):
    """Writes table hints (INDEXED BY), which SQLAlchemy's own compiler leaves out."""

    def get_from_hint_text(self, _: FromClause, text: str | None) -> str | None:
        return text


def _make_sqlite() -> Dialect:
    made = sqlite.dialect(paramstyle="qmark")
    made.statement_compiler = _SQLiteCompiler
    return made


_SQLITE = _make_sqlite()
_POSTGRESQL: Dialect = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


def _spell(construct: Select[Any] | Insert | Update, dialect: Dialect) -> Spelling:
    compiled = construct.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    return Spelling(str(compiled), tuple(compiled.positiontup or ()))
