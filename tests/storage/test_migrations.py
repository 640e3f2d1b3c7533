"""The schema's history, and ledgers of other versions."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from makers import Maker, on_both_stores
from paydown.storage import opening
from paydown.storage.engine import find_database
from paydown.storage.faults import SchemaMismatch, StoreUnavailable
from paydown.storage.opening import migrate, open_store

NEWEST = "0003"


def url_of(path: Path) -> str:
    """The database URL of the file."""
    return f"sqlite:///{path}"


def execute(url: str, *statements: str) -> None:
    """Run statements in the database."""
    with find_database(url).write() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def differences(url: str) -> list[str]:
    """How the ledger differs from the definition of its tables."""
    database = open_store(url)
    with database.read() as connection:
        return opening.schema_differences(connection, database)


@on_both_stores
def test_the_migrations_sum_equals_the_schema(maker: Maker) -> None:
    """A ledger made by all steps has exactly the defined tables, indexes and triggers."""
    url = maker.new()

    assert migrate(url) is None
    assert differences(url) == []
    assert migrate(url) == NEWEST
    assert differences(url) == []


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    """A ledger of this version is left as it is."""
    path = tmp_path / "ledger.db"
    migrate(url_of(path))
    before = path.read_bytes()

    assert migrate(url_of(path)) == NEWEST
    assert path.read_bytes() == before


def test_a_difference_from_the_schema_is_told(tmp_path: Path) -> None:
    """A missing, foreign or changed part is named."""
    url = url_of(tmp_path / "ledger.db")
    migrate(url)
    execute(
        url,
        "DROP TRIGGER posting_no_update",
        "CREATE TABLE stranger (a)",
        "ALTER TABLE contact ADD COLUMN more TEXT",
    )

    assert differences(url) == [
        "trigger posting_no_update is missing",
        "table stranger is not Paydown's",
        "table contact was changed",
    ]


def make_nothing(url: str) -> None:
    """A place with nothing in it."""
    find_database(url).make()


def make_newer(url: str) -> None:
    """A ledger that says it is of a version to come."""
    migrate(url)
    execute(url, "UPDATE alembic_version SET version_num = '9999'")


def make_tables(url: str) -> None:
    """Somebody else's database."""
    make_nothing(url)
    execute(url, "CREATE TABLE theirs (a INTEGER)")


def make_unversioned(url: str) -> None:
    """A ledger that has lost its version."""
    migrate(url)
    execute(url, "DELETE FROM alembic_version")


CASES = {
    "empty": (make_nothing, "holds no ledger yet. Make one with: paydown migrate --database "),
    "newer": (make_newer, "pip install --constraint constraints.txt"),
    "without a version": (make_unversioned, "it does not say its version"),
    "another's": (make_tables, "is not a ledger: it holds other tables"),
}


@on_both_stores
@pytest.mark.parametrize(("make", "sentence"), CASES.values(), ids=CASES)
def test_what_is_no_ledger_of_this_version_is_refused(
    maker: Maker, make: Callable[[str], None], sentence: str
) -> None:
    """The refusal says what is wrong and names the command that mends it."""
    url = maker.new()
    make(url)

    with pytest.raises(StoreUnavailable, match=sentence):
        open_store(url)


FILES = {
    "missing": (lambda _: None, "Make one with: paydown migrate --database sqlite:///"),
    "empty": (lambda path: path.touch(), "holds no ledger yet. Make one with: paydown migrate"),
    "a folder": (lambda path: path.mkdir(), "is not a file"),
    "no database": (lambda path: path.write_text("x" * 5000), "cannot be read as a ledger"),
}


@pytest.mark.parametrize(("make", "sentence"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_ledger_is_refused(
    tmp_path: Path, make: Callable[[Path], object], sentence: str
) -> None:
    """The refusal says what is wrong and names the command that mends it."""
    path = tmp_path / "ledger.db"
    make(path)

    with pytest.raises(StoreUnavailable, match=sentence):
        open_store(url_of(path))


@on_both_stores
def test_an_older_ledger_is_refused_until_it_is_migrated(
    maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a newer step known, an older ledger names the command that brings it up."""
    url = maker.new()
    migrate(url)
    monkeypatch.setattr(opening, "_newest", lambda: "9999")

    with pytest.raises(SchemaMismatch, match=r"older Paydown.*paydown migrate --database "):
        open_store(url)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ledger.db", "is not a database URL"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("mysql://localhost/x", "Only SQLite"),
        ("sqlite+other:///ledger.db", "Only SQLite"),
    ],
)
def test_urls_that_name_no_ledger_are_refused(url: str, sentence: str) -> None:
    """A wrong URL is told what a right one looks like."""
    with pytest.raises(SchemaMismatch, match=f"{sentence}.*sqlite:///ledger.db"):
        migrate(url)


@pytest.mark.parametrize("make", [make_tables, make_newer])
def test_migrating_touches_no_strangers_file(tmp_path: Path, make: Callable[[str], None]) -> None:
    """What is not a ledger, or a newer one, is refused and left as it was."""
    path = tmp_path / "other.db"
    make(url_of(path))
    before = path.read_bytes()

    with pytest.raises(SchemaMismatch):
        migrate(url_of(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "sentence"), [("", "is not a file"), ("a\0b.db", "names no file")]
)
def test_migrating_what_can_be_no_file_is_refused(tmp_path: Path, name: str, sentence: str) -> None:
    """A folder, or a name that no file can have, is told as such."""
    with pytest.raises(SchemaMismatch, match=sentence):
        migrate(f"{url_of(tmp_path)}/{name}")


@pytest.mark.parametrize("use", [open_store, migrate])
def test_a_path_that_cannot_be_looked_at_is_said(
    tmp_path: Path, use: Callable[[str], object]
) -> None:
    """The name is longer than the system takes; a folder that may not be entered is the same."""
    with pytest.raises(StoreUnavailable, match="cannot be looked at: File name too long"):
        use(f"{url_of(tmp_path)}/{'a' * 5000}")


def test_migrating_into_no_folder_is_refused(tmp_path: Path) -> None:
    """The folder is the operator's to make."""
    with pytest.raises(SchemaMismatch, match="There is no folder"):
        migrate(url_of(tmp_path / "none" / "ledger.db"))


def test_an_sqlite_that_is_too_old_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Python with an old SQLite is told so, not shown the driver's syntax error."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))

    with pytest.raises(SchemaMismatch, match=r"needs 3\.37\.0 or newer"):
        migrate(url_of(tmp_path / "ledger.db"))
