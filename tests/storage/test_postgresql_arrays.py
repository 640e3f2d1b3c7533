"""How rows reach PostgreSQL: every value arrives as it was given."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydown.storage.postgresql_database import as_array

# PostgreSQL stores every character but NUL; the wire lets neither that nor a lone surrogate in.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
awkward = st.sampled_from(
    ["", "NULL", "null", '"', "\\", '\\"', "{}", "{a,b}", ",", " ", "\n", "'"]
)
whole = st.integers(-(2**63), 2**63 - 1)


@pytest.fixture(scope="module")
def connection(server_url: str) -> Iterator[psycopg.Connection]:
    """A connection to ask."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        yield connection


def returned(connection: psycopg.Connection, kind: str, values: list[Any]) -> list[Any]:
    """The array as PostgreSQL read it, element by element."""
    cursor = psycopg.RawCursor(connection)
    rows = cursor.execute(f"SELECT unnest($1::{kind}[])", [as_array(values)], binary=True)
    return [row[0] for row in rows]


@given(values=st.lists(st.none() | texts | awkward))
def test_texts_arrive_as_given(connection: psycopg.Connection, values: list[str | None]) -> None:
    """Quotes, backslashes, line ends, the word NULL, nothing at all, and any script."""
    assert returned(connection, "text", values) == values


@given(values=st.lists(st.none() | whole))
def test_whole_numbers_arrive_as_given(
    connection: psycopg.Connection, values: list[int | None]
) -> None:
    """Up to 64 bits of either sign."""
    assert returned(connection, "bigint", values) == values


@given(values=st.lists(st.none() | st.binary()))
def test_bytes_arrive_as_given(connection: psycopg.Connection, values: list[bytes | None]) -> None:
    """Whatever they are, zeros too."""
    assert returned(connection, "bytea", values) == values
