"""Make, upgrade and open ledgers; a schema of any other version is refused with what mends it."""

from pathlib import Path
from weakref import WeakKeyDictionary

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, literal, select, text

from paydown.storage import migrations
from paydown.storage.database import USUAL, Database, Patience
from paydown.storage.engine import find_database
from paydown.storage.faults import SchemaMismatch
from paydown.storage.schema import APPEND_ONLY, metadata

_COPY_OF = "copy of "
"""How the version of a copy that is not finished begins. Alembic's column takes 32 characters."""

_wanted = WeakKeyDictionary[Database, dict[str, list[str]]]()


def open_store(url: str, patience: Patience = USUAL) -> Database:
    """The ledger at the URL. Raises ``SchemaMismatch`` or ``StoreUnavailable`` with a sentence."""
    database = find_database(url, patience)
    if not database.exists():
        raise SchemaMismatch(f"There is no ledger at {url}. Make one with: {_mend(database)}")
    with database.read() as connection:
        _check_version(connection, database)
    return database


def is_current(database: Database) -> bool:
    """Whether what is there is a ledger of this version; False for one of an older version.

    Raises ``SchemaMismatch`` for anything else.
    """
    if not database.exists():
        raise SchemaMismatch(f"{database.place} is not there.")
    with database.read() as connection:
        return _find_known(connection, database) == _newest()


def migrate(url: str) -> str | None:
    """Make the ledger, or bring it to this version, in one transaction.

    Returns the revision it had before, None for a new ledger. Running it again changes nothing.
    """
    database = find_database(url)
    before = None
    if database.exists():
        with database.read() as connection:
            before = _revision(connection, database)
            _refuse_newer(before, database)
    if before != _newest():
        database.make()
        with database.rebuild() as connection:
            _upgrade(connection)
    return before


def make_mark(digest: str) -> str:
    """What marks a copy, while it is not finished, of a ledger with that digest (in hex)."""
    return f"{_COPY_OF}{_newest()} {digest}"[:32]


def check_target(database: Database) -> None:
    """Raise ``SchemaMismatch`` where a ledger can be neither copied to nor being copied to."""
    if database.exists():
        with database.read() as connection:
            _find_mark(connection, database)


def begin_copy(database: Database, mark: str) -> bool:
    """Make an empty ledger with the mark; False where one with that very mark is there already.

    Raises ``SchemaMismatch`` where anything else is there.
    """
    with database.rebuild() as connection:
        found = _find_mark(connection, database)
        if found is None:
            _upgrade(connection)
            _set_version(connection, mark)
        elif found != mark:
            raise SchemaMismatch(
                f"{database.place} holds an unfinished copy of another ledger, or of this one "
                "before it changed. Copy into an empty place."
            )
    return found is None


def end_copy(database: Database) -> None:
    """Take the mark away: the place holds a ledger now."""
    try:
        with database.write() as connection:
            _set_version(connection, _newest())
    except KeyboardInterrupt:
        # It may have come between the commit and here; only the ledger knows.
        with database.read() as connection:
            if _version(connection, database) != _newest():
                raise


def create_schema(connection: Connection, database: Database) -> None:
    """Make the tables straight from their definition (a ledger is made by ``migrate``)."""
    metadata.create_all(connection)
    database.guard(connection, APPEND_ONLY)


def schema_differences(connection: Connection, database: Database) -> list[str]:
    """How the ledger's tables, indexes and triggers differ from their definition, in words."""
    wanted = _find_wanted(database)
    found = database.objects(connection)
    return (
        [f"{name} is missing" for name in sorted(wanted.keys() - found.keys())]
        + [f"{name} is not Paydown's" for name in sorted(found.keys() - wanted.keys())]
        + [
            f"{name} was changed"
            for name in sorted(wanted)
            if found.get(name, wanted[name]) != wanted[name]
        ]
    )


def _find_wanted(database: Database) -> dict[str, list[str]]:
    """What they would be if they were made now, each as its database describes it: found once."""
    wanted = _wanted.get(database)
    if wanted is None:
        with database.scratch() as scratch:
            create_schema(scratch, database)
            wanted = _wanted[database] = database.objects(scratch)
    return wanted


def _upgrade(connection: Connection) -> None:
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _set_version(connection: Connection, version: str | None) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": version})


def _find_mark(connection: Connection, database: Database) -> str | None:
    """The mark of the unfinished copy that is there, None where there is nothing yet."""
    version = _version(connection, database)
    if version is None or version.startswith(_COPY_OF):
        return version
    _check_version(connection, database)
    first_rows = (
        select(literal(1)).select_from(table).limit(1) for table in metadata.sorted_tables
    )
    if any(connection.execute(each).first() for each in first_rows):
        raise SchemaMismatch(
            f"{database.place} is not empty: it holds a ledger. Copy into an empty place."
        )
    return None


def _mend(database: Database) -> str:
    return f"paydown migrate --database {database.shown_url}"


def _check_version(connection: Connection, database: Database) -> None:
    if _find_known(connection, database) != _newest():
        raise SchemaMismatch(
            f"{database.place} holds a ledger of an older Paydown. Back it up, then run: "
            f"{_mend(database)}"
        )


def _find_known(connection: Connection, database: Database) -> str:
    """The version of the ledger that is there, this one or an older."""
    found = _revision(connection, database)
    if found is None:
        raise SchemaMismatch(
            f"{database.place} holds no ledger yet. Make one with: {_mend(database)}"
        )
    _refuse_newer(found, database)
    return found


def _revision(connection: Connection, database: Database) -> str | None:
    """The version of the ledger that is there, None where there is nothing."""
    version = _version(connection, database)
    if version is not None and version.startswith(_COPY_OF):
        raise SchemaMismatch(
            f"{database.place} holds a copy that is not finished. Run the same paydown copy again "
            "to finish it."
        )
    return version


def _version(connection: Connection, database: Database) -> str | None:
    tables = inspect(connection).get_table_names()
    if tables and "alembic_version" not in tables:
        raise SchemaMismatch(f"{database.place} is not a ledger: it holds other tables.")
    revision = MigrationContext.configure(connection).get_current_revision()
    if tables and revision is None:
        raise SchemaMismatch(f"{database.place} is not a ledger: it does not say its version.")
    return revision


def _refuse_newer(found: str | None, database: Database) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaMismatch(
            f"{database.place} holds a ledger of a newer Paydown (schema {found}). "
            "In the newer version's folder run: pip install --constraint constraints.txt ."
        )


def _newest() -> str | None:
    return ScriptDirectory.from_config(_alembic()).get_current_head()


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
