"""What is PostgreSQL's own: its URL, its connection's settings, its errors, its catalogue.

Law of this file: only ``engine`` and ``postgresql_database`` import it. No sentence made here holds
a password.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, and_, func, select, text
from sqlalchemy.exc import DBAPIError

from paydown.storage.faults import (
    SchemaMismatch,
    StoreContested,
    StoreFull,
    StoreLocked,
    StoreUnavailable,
    StoreUnreachable,
)
from paydown.storage.schema import metadata

# The driver's warnings say nothing that its errors do not, so unasked they are not printed.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

LOCK_CLASS = 0x70617964
"""The first half of every advisory lock of Paydown's; the second is a customer, or 0 for all."""

_SCHEMES = ("postgresql://", "postgres://")

_UNLESS_GIVEN = {
    "application_name": "paydown",
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""A peer that is gone is noticed within seconds, also when it never said so."""

_NOTICE_LOSS = (
    "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; "
    "SET tcp_keepalives_count = 3; SET tcp_user_timeout = 10000"
)
"""So does PostgreSQL notice that a server of ours is gone, and lets go of what that one held."""

_DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')"
)

# A payment writes its entry first: held in this order, none waits for what a payment holds while
# that payment waits for it. Locking tables takes no snapshot, so what is read next is of later.
FREEZE = (
    f"LOCK TABLE {', '.join(sorted(metadata.tables, key=lambda name: name != 'entry'))}"
    " IN SHARE MODE"
)


def is_named_by(url: str) -> bool:
    """Whether the URL is one of PostgreSQL's."""
    return url.startswith(_SCHEMES)


def read_url(url: str) -> dict[str, str]:
    """The connection's parameters. Raises ``SchemaMismatch``."""
    try:
        found = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # The driver's own words may quote the password.
        raise SchemaMismatch(
            f"{without_password(url)!r} is not a database URL. "
            "Give one such as postgresql://user@host:5432/name."
        ) from None
    parameters = {name: str(value) for name, value in found.items()}
    if not _is_escaped(parameters):
        # Then a part of the password stands where the host or the name should be: quote nothing.
        raise SchemaMismatch(
            "The URL of the database holds a / or an @ too many. In a password write %2F for / and "
            "%40 for @, or leave it out of the URL: docs/how-to/postgresql.md says how."
        )
    return parameters


def _is_escaped(parameters: dict[str, str]) -> bool:
    ports = parameters.get("port", "").split(",")
    places = parameters.get("host", "") + parameters.get("dbname", "")
    return "@" not in places and all(port == "" or port.isdecimal() for port in ports)


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    hidden = re.sub(r"(://[^/?#]*?):[^/?#]*@", r"\1@", url)
    return re.sub(r"([?&])(ssl)?password=[^&]*&?", r"\1", hidden).rstrip("?&")


def say_place(parameters: dict[str, str]) -> str:
    """What begins a sentence about the database: its name, and where it is."""
    hosts = parameters.get("host", "").split(",")
    ports = parameters.get("port", "").split(",")
    ports *= len(hosts) if len(ports) == 1 else 1
    where = ", ".join(
        f"{host or 'localhost'}{port and ':'}{port}"
        for host, port in zip(hosts, ports, strict=False)
    )
    name = parameters.get("dbname") or parameters.get("user") or ""
    return f"The database {name!r} at {where}"


class _Bounded(psycopg.Connection):
    """A connection that waits for an answer so long and no longer, where it is given a time.

    A server that hangs, and a commit whose standby is gone, keep the connection open and silent.
    """

    answer_seconds: int | None = None

    def wait(self, gen: Any, *how: Any, **named: Any) -> Any:
        try:
            return super().wait(gen, *how, **{"timeout": self.answer_seconds, **named})
        except psycopg.errors._WaitTimeout:
            # What is tried on it afterwards, to end in good order, fails at once.
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer for {self.answer_seconds} seconds") from None


def connect(url: str, *, lock_wait_seconds: int, answer_seconds: int | None) -> psycopg.Connection:
    """A driver connection in autocommit mode, whose commits are synced.

    ``answer_seconds`` is how long a statement may take; None lets it take as long as it likes.
    """
    parameters = {**_UNLESS_GIVEN, **read_url(url), "client_encoding": "utf8"}
    try:
        connection = _Bounded.connect("", autocommit=True, **parameters)  # type: ignore[arg-type]
    except psycopg.ProgrammingError as error:
        raise SchemaMismatch(f"The URL of the database is wrong: {_first_line(error)}.") from None
    connection.answer_seconds = answer_seconds
    try:
        _refuse_encoding(connection)
        connection.execute(_DURABLE)
        wait = max(lock_wait_seconds * 1000, 1)
        connection.execute(f"SET lock_timeout = {wait:d}; SET client_min_messages = warning")
        connection.execute(_NOTICE_LOSS)
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_encoding(connection: psycopg.Connection) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise SchemaMismatch(
            f"The database holds texts in {encoding}, where not every text has a place. "
            "Make one with: createdb --encoding=UTF8 --template=template0 --locale=C"
        )


def guard(connection: Connection, tables: Sequence[str]) -> None:
    """Make the database itself refuse to change or remove the tables' rows."""
    schema = _current_schema(connection)
    connection.exec_driver_sql(
        f"CREATE FUNCTION {schema}.paydown_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END$$"
    )
    for table in tables:
        connection.exec_driver_sql(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {schema}.paydown_append_only()"
        )


def _current_schema(connection: Connection) -> str:
    return str(connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one())


_OBJECTS = """
WITH own AS (
    SELECT c.oid, c.relname, c.relkind FROM pg_class c
    WHERE c.relnamespace = CAST(current_schema() AS regnamespace)
      AND c.relname NOT LIKE 'alembic_version%'
)
SELECT 'table ' || own.relname, concat_ws(' ', 'column', a.attname,
       format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
       a.attidentity, a.attgenerated, l.collname, pg_get_expr(d.adbin, d.adrelid))
FROM own
JOIN pg_attribute a ON a.attrelid = own.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_collation l ON l.oid = a.attcollation
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE own.relkind NOT IN ('i', 'I')
UNION ALL
SELECT 'table ' || own.relname, concat_ws(' ', k.conname, pg_get_constraintdef(k.oid))
FROM own JOIN pg_constraint k ON k.conrelid = own.oid AND k.contype <> 'n'
UNION ALL
SELECT 'index ' || own.relname, concat_ws(' ', pg_get_indexdef(own.oid),
       CASE WHEN NOT i.indisvalid THEN 'INVALID' END)
FROM own JOIN pg_index i ON i.indexrelid = own.oid
UNION ALL
SELECT 'trigger ' || t.tgname, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
FROM own JOIN pg_trigger t ON t.tgrelid = own.oid AND NOT t.tgisinternal
UNION ALL
SELECT 'trigger ' || t.tgname, f.prosrc
FROM own JOIN pg_trigger t ON t.tgrelid = own.oid AND NOT t.tgisinternal
JOIN pg_proc f ON f.oid = t.tgfoid
UNION ALL
SELECT 'table ' || own.relname, 'guard off: ' || k.conname
FROM own JOIN pg_trigger t ON t.tgrelid = own.oid AND t.tgisinternal AND t.tgenabled <> 'O'
JOIN pg_constraint k ON k.oid = t.tgconstraint
UNION ALL
SELECT 'table ' || own.relname, pg_get_ruledef(r.oid)
FROM own JOIN pg_rewrite r ON r.ev_class = own.oid
UNION ALL
SELECT 'table ' || own.relname, 'row level security'
FROM own JOIN pg_class c ON c.oid = own.oid AND c.relrowsecurity
"""


def objects(connection: Connection) -> dict[str, list[str]]:
    """Every table, index and trigger by name, as the parts of its definition in any order."""
    schema = _current_schema(connection)
    found: dict[str, list[str]] = {}
    for name, part in connection.execute(text(_OBJECTS)):
        # PostgreSQL names the schema of a temporary table in either way.
        bare = part.replace(f"{schema}.", "").replace("pg_temp.", "")
        found.setdefault(name, []).append(bare)
    return {name: sorted(parts) for name, parts in found.items()}


def damages(connection: Connection) -> Iterator[str]:
    """Where a row refers to one that is not there, which only a switched-off guard lets happen."""
    for child in metadata.sorted_tables:
        for key in child.foreign_key_constraints:
            parent = key.referred_table.alias("parent")
            pairs = [(each.parent, parent.c[each.column.name]) for each in key.elements]
            orphans = (
                select(func.count())
                .select_from(child.outerjoin(parent, and_(*(a == b for a, b in pairs))))
                .where(*(a.is_not(None) for a, _ in pairs), pairs[0][1].is_(None))
            )
            if count := connection.execute(orphans).scalar_one():
                yield (
                    f"{count} rows of {child.name} refer to rows of {key.referred_table.name} "
                    "that are not there"
                )


@contextmanager
def naming_faults(place: str) -> Iterator[None]:
    """Turn the driver's operational errors into ``StoreUnavailable``; a bug passes as it is."""
    try:
        yield
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.Error) or not (fault := _name(error.orig, place)):
            raise
        raise fault from error
    except psycopg.Error as error:
        fault = _name(error, place)
        if fault is None:
            raise
        raise fault from error


_ENDED = ("25P03", "25P04", "40003")
"""PostgreSQL ended the connection, which stood still in a transaction, or for its own reasons."""

_WORDS = {
    "25006": "{place} is read-only: it is a standby, or set so.",
    "42501": "{place} does not let the role do what it has to ({error}). "
    "Grant it the rights that docs/how-to/postgresql.md names.",
    "58": "{place} reports an I/O error ({error}).",
    "XX": "{place} reports damage ({error}).",
}
"""By SQLSTATE, or its class. None of these is a bug of ours."""


def _name(error: psycopg.Error, place: str) -> StoreUnavailable | None:
    state, said = error.sqlstate or "", _first_line(error)
    if state in ("40001", "40P01"):
        return StoreContested(f"{place}: another transaction came first.")
    if state == "55P03":
        return StoreLocked(f"{place} is locked by another process.")
    if state in ("53100", "53200"):
        return StoreFull(f"{place} has no room left ({said}).")
    if words := _WORDS.get(state) or _WORDS.get(state[:2]):
        return StoreUnavailable(
            words.format(place=place, error=said), outcome_unknown=state[:2] in ("58", "XX")
        )
    if state == "08P01":
        return None  # what was sent is no message of the protocol: a bug of ours
    if state[:2] in ("08", "57", "53") or state in _ENDED or _is_lost(error):
        return StoreUnreachable(f"{place} cannot be reached ({said}).")
    return None


def _is_lost(error: psycopg.Error) -> bool:
    """Whether the error is the client's own word for a connection that failed or ended."""
    return isinstance(error, psycopg.OperationalError) and error.sqlstate is None


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
