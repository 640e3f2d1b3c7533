"""The schema's history, and ledgers of other versions."""

import sqlite3
from pathlib import Path

import pytest

from paydown.storage import opening
from paydown.storage.faults import SchemaMismatch, StoreUnavailable
from paydown.storage.opening import migrate, open_store


def url_of(path: Path) -> str:
    """The database URL of the file."""
    return f"sqlite:///{path}"


def test_the_migrations_sum_equals_the_schema(tmp_path: Path) -> None:
    """A ledger made by all steps has exactly the defined tables, indexes and triggers."""
    url = url_of(tmp_path / "ledger.db")
    assert migrate(url) is None

    with open_store(url).read() as connection:
        assert opening.schema_differences(connection) == []


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    """A ledger of this version is left as it is."""
    path = tmp_path / "ledger.db"
    migrate(url_of(path))
    before = path.read_bytes()

    assert migrate(url_of(path)) == "0001"
    assert path.read_bytes() == before


def test_a_difference_from_the_schema_is_told(tmp_path: Path) -> None:
    """A missing, foreign or changed part is named."""
    path = tmp_path / "ledger.db"
    migrate(url_of(path))
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER posting_no_update")
        connection.execute("CREATE TABLE stranger (a)")
        connection.execute("ALTER TABLE contact ADD COLUMN more TEXT")
    connection.close()

    with open_store(url_of(path)).read() as opened:
        assert opening.schema_differences(opened) == [
            "trigger posting_no_update is missing",
            "table stranger is not Paydown's",
            "table contact was changed",
        ]


def make_other(path: Path, revision: str) -> None:
    """A ledger that says it is of another version."""
    migrate(url_of(path))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()


def make_tables(path: Path) -> None:
    """Somebody else's database."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    connection.close()


def make_nothing(path: Path) -> None:
    """No file at all."""
    assert not path.exists()


def make_unversioned(path: Path) -> None:
    """A ledger that has lost its version."""
    migrate(url_of(path))
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM alembic_version")
    connection.close()


CASES = {
    "missing": (make_nothing, "Make one with: paydown migrate --database sqlite:///"),
    "empty": (lambda path: path.touch(), "holds no ledger yet. Make one with: paydown migrate"),
    "a folder": (lambda path: path.mkdir(), "is not a file"),
    "newer": (lambda path: make_other(path, "9999"), "pip install --constraint constraints.txt"),
    "without a version": (make_unversioned, "it does not say its version"),
    "another's": (make_tables, "is not a ledger: it holds other tables"),
    "no database": (lambda path: path.write_text("x" * 5000), "cannot be read as a ledger"),
}


@pytest.mark.parametrize(("make", "sentence"), CASES.values(), ids=CASES)
def test_what_is_no_ledger_of_this_version_is_refused(
    tmp_path: Path, make: object, sentence: str
) -> None:
    """The refusal says what is wrong and names the command that mends it."""
    path = tmp_path / "ledger.db"
    assert callable(make)
    make(path)

    with pytest.raises(StoreUnavailable, match=sentence):
        open_store(url_of(path))


def test_an_older_ledger_is_refused_until_it_is_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a newer step known, an older ledger names the command that brings it up."""
    url = url_of(tmp_path / "ledger.db")
    migrate(url)
    monkeypatch.setattr(opening, "_newest", lambda _: "0002")

    with pytest.raises(SchemaMismatch, match=r"older Paydown.*paydown migrate --database sqlite"):
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


@pytest.mark.parametrize("make", [make_tables, lambda path: make_other(path, "9999")])
def test_migrating_touches_no_strangers_file(tmp_path: Path, make: object) -> None:
    """What is not a ledger, or a newer one, is refused and left as it was."""
    path = tmp_path / "other.db"
    assert callable(make)
    make(path)
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
