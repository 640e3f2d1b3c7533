"""What all tests share: a template ledger, a copy of it, and a running service on the copy."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import ledgers
from paydown.storage.engine import Database

settings.register_profile("paydown", deadline=None, max_examples=60, print_blob=True)
settings.load_profile("paydown")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger file that tests copy and never change."""
    path = tmp_path_factory.mktemp("template") / "ledger.db"
    ledgers.make_ledger(path)
    return path


@pytest.fixture
def database(template: Path, tmp_path: Path) -> Database:
    """A ledger of the test's own."""
    return ledgers.copy_ledger(template, tmp_path / "ledger.db")


@pytest.fixture
def books(database: Database) -> Iterator[ledgers.Books]:
    """A running service on a ledger of the test's own."""
    with ledgers.Books(database) as running:
        yield running
