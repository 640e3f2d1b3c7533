"""What all tests share: a template ledger, a copy of it, and a running service on the copy."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import ledgers
import postgres
from makers import Maker, SQLiteMaker
from paydown.storage import sqlite
from paydown.storage.database import Database
from simulation.driver import Driver

settings.register_profile("paydown", deadline=None, max_examples=60, print_blob=True)
settings.load_profile("paydown")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: object) -> Iterator[None]:
    """Where ``PAYDOWN_TEST_NO_SKIPS`` is set, a test that was skipped has failed."""
    report = yield
    if report.skipped and os.environ.get("PAYDOWN_TEST_NO_SKIPS"):
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger file that tests copy and never change."""
    path = tmp_path_factory.mktemp("template") / "ledger.db"
    ledgers.make_ledger(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The URL of the PostgreSQL server that tests share."""
    with postgres.provided() as url:
        yield url


@pytest.fixture(scope="session")
def every_database(server_url: str) -> Iterator[postgres.Databases]:
    """Databases on that server, with a ledger in the first that tests copy and never change."""
    databases = postgres.Databases(server_url)
    yield databases
    databases.drop(keep=0)


@pytest.fixture
def databases(every_database: postgres.Databases) -> Iterator[postgres.Databases]:
    """Databases of the test's own."""
    before = len(every_database)
    yield every_database
    every_database.drop(keep=before)


@pytest.fixture
def maker(request: pytest.FixtureRequest, tmp_path: Path) -> Maker:
    """Makes ledgers of the kind that the test is run on: of SQLite, unless it says otherwise."""
    kind = getattr(request, "param", "sqlite")
    if kind == "apsw":
        patch = request.getfixturevalue("monkeypatch")
        patch.setattr(sqlite, "open_driver", Driver().connect)
    if kind in ("sqlite", "apsw"):
        return SQLiteMaker(request.getfixturevalue("template"), tmp_path)
    query = postgres.SERIALIZABLE if kind == "serializable" else ""
    return postgres.PostgreSQLMaker(request.getfixturevalue("databases"), query)


@pytest.fixture
def database(maker: Maker) -> Database:
    """A ledger of the test's own."""
    return maker.copy()


@pytest.fixture
def books(database: Database) -> Iterator[ledgers.Books]:
    """A running service on a ledger of the test's own."""
    with ledgers.Books(database) as running:
        yield running
