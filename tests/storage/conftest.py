"""A PostgreSQL server that a test may stop, restart and misconfigure."""

from collections.abc import Iterator

import pytest

import ledgers
import postgres
from paydown.storage.database import Database
from paydown.storage.opening import open_store


@pytest.fixture
def own_server() -> Iterator[postgres.Server]:
    """A server of the test's own."""
    with postgres.running() as server:
        yield server


@pytest.fixture
def own_ledger(own_server: postgres.Server) -> Database:
    """A ledger on it."""
    ledgers.make_ledger(own_server.url)
    return open_store(own_server.url)
