"""Make, upgrade and open ledgers; a schema of any other version is refused with what mends it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.pool import NullPool

from paydown.storage import migrations
from paydown.storage.engine import Database, append_only, make_file, objects, path_of
from paydown.storage.faults import SchemaMismatch
from paydown.storage.schema import APPEND_ONLY, metadata


def open_store(url: str, *, lock_wait_seconds: int = 5) -> Database:
    """The ledger at the URL. Raises ``SchemaMismatch`` or ``StoreUnavailable`` with a sentence."""
    path = path_of(url)
    if not path.exists():
        raise SchemaMismatch(
            f"There is no ledger at {path}. Make one with: paydown migrate --database {url}"
        )
    _refuse_folder(path)
    database = Database(path, lock_wait_seconds=lock_wait_seconds)
    with database.read() as connection:
        _check_version(connection, path)
    return database


def migrate(url: str) -> str | None:
    """Make the ledger, or bring it to this version, in one transaction.

    Returns the revision it had before, None for a new ledger. Running it again changes nothing.
    """
    path = path_of(url)
    _refuse_folder(path)
    if not path.parent.is_dir():
        raise SchemaMismatch(f"There is no folder {path.parent}. Make it first.")
    config = _alembic()
    database = Database(path)
    before = None
    if path.exists():
        with database.read() as connection:
            before = _revision(connection, path)
            _refuse_newer(before, path)
    if before != _newest(config):
        make_file(path)
        with database.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return before


def create_schema(connection: Connection) -> None:
    """Make the tables straight from their definition (a ledger is made by ``migrate``)."""
    metadata.create_all(connection)
    for table in APPEND_ONLY:
        for statement in append_only(table):
            connection.exec_driver_sql(statement)


def schema_differences(connection: Connection) -> list[str]:
    """How the ledger's tables, indexes and triggers differ from their definition, in words."""
    with create_engine("sqlite://", poolclass=NullPool).connect() as fresh:
        create_schema(fresh)
        wanted = objects(fresh)
    found = objects(connection)
    found.pop("table alembic_version", None)
    return (
        [f"{name} is missing" for name in sorted(wanted.keys() - found.keys())]
        + [f"{name} is not Paydown's" for name in sorted(found.keys() - wanted.keys())]
        + [
            f"{name} was changed"
            for name in sorted(wanted)
            if found.get(name, wanted[name]) != wanted[name]
        ]
    )


def _check_version(connection: Connection, path: Path) -> None:
    mend = f"paydown migrate --database sqlite:///{path}"
    found = _revision(connection, path)
    if found is None:
        raise SchemaMismatch(f"The file {path} holds no ledger yet. Make one with: {mend}")
    _refuse_newer(found, path)
    if found != _newest(_alembic()):
        raise SchemaMismatch(
            f"The ledger at {path} was made by an older Paydown. Back it up, then run: {mend}"
        )


def _refuse_folder(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise SchemaMismatch(f"{path} is not a file. Name the ledger's file.")


def _revision(connection: Connection, path: Path) -> str | None:
    tables = inspect(connection).get_table_names()
    if tables and "alembic_version" not in tables:
        raise SchemaMismatch(f"The file {path} is not a ledger: it holds other tables.")
    revision = MigrationContext.configure(connection).get_current_revision()
    if tables and revision is None:
        raise SchemaMismatch(f"The file {path} is not a ledger: it does not say its version.")
    return revision


def _refuse_newer(found: str | None, path: Path) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaMismatch(
            f"The ledger at {path} was made by a newer Paydown (schema {found}). "
            "In the newer version's folder run: pip install --constraint constraints.txt ."
        )


def _newest(config: Config) -> str | None:
    return ScriptDirectory.from_config(config).get_current_head()


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
