"""How a list is read in parts, each a bounded piece of work, however rare what is looked for is.

Law of this file: a list goes by a key. Where no index leads to what is asked, a part looks at the
next ``EXAMINED_MAX`` rows by that key and ends there, with fewer rows than it could hold or none.
"""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, literal, select, tuple_

EXAMINED_MAX = 10_000
"""The most rows that one part of a list looks at."""

Key = tuple[Any, ...]
T = TypeVar("T")


class Part(NamedTuple, Generic[T]):
    """Rows of a list. ``next_key`` is the last key looked at, None where nothing is after it."""

    rows: list[T]
    next_key: Key | None


class Walk(NamedTuple):
    """A list by its key, its scope (one customer's rows), and where the part asked for begins."""

    keys: Sequence[ColumnElement[Any]]
    scope: ColumnElement[bool]
    after: Key | None
    count_max: int
    descending: bool = True

    def go_on(self, statement: Select[Any]) -> Select[Any]:
        """The statement's rows after the last part, in order: one more than the part can hold."""
        if self.after is not None:
            statement = statement.where(self._is_beyond(self.after))
        return statement.order_by(*self._order()).limit(self.count_max + 1)

    def bound(
        self, connection: Connection, statement: Select[Any]
    ) -> tuple[Select[Any], Key | None]:
        """The statement over the next rows alone, and the last key of them, if more follow."""
        ends = select(*self.keys).where(self.scope).order_by(*self._order())
        if self.after is not None:
            ends = ends.where(self._is_beyond(self.after))
        end = connection.execute(ends.offset(EXAMINED_MAX - 1).limit(1)).one_or_none()
        if end is None:
            return statement, None
        key = tuple(end)
        return statement.where(self._is_up_to(key)), key

    def cut(self, rows: Sequence[Row[Any]], *, end: Key | None = None) -> Part[Row[Any]]:
        """The part, and where the next begins. The rows' first columns are the key."""
        if len(rows) <= self.count_max:
            return Part(list(rows), end)
        kept = list(rows[: self.count_max])
        return Part(kept, tuple(kept[-1][: len(self.keys)]))

    def _order(self) -> list[ColumnElement[Any]]:
        return [key.desc() if self.descending else key for key in self.keys]

    def _is_beyond(self, key: Key) -> ColumnElement[bool]:
        own, other = _whole(self.keys), _whole([literal(value) for value in key])
        return own < other if self.descending else own > other

    def _is_up_to(self, key: Key) -> ColumnElement[bool]:
        own, other = _whole(self.keys), _whole([literal(value) for value in key])
        return own >= other if self.descending else own <= other


def _whole(key: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    """The key as one value that is compared."""
    return key[0] if len(key) == 1 else tuple_(*key)


def read_found(connection: Connection, walk: Walk, statement: Select[Any]) -> Part[Row[Any]]:
    """A part of what an index found."""
    return walk.cut(connection.execute(walk.go_on(statement)).all())


def read_walking(connection: Connection, walk: Walk, statement: Select[Any]) -> Part[Row[Any]]:
    """A part of what no index leads to: looked for among the next rows."""
    bounded, end = walk.bound(connection, statement)
    return walk.cut(connection.execute(walk.go_on(bounded)).all(), end=end)
