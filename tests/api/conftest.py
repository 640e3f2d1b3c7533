"""The HTTP door over a ledger of the test's own, and over a service that does what it is told."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_log import logging_to
from doors import PASSWORD_HASH, STRICT_LOGIN, Door, open_door

import ledgers
from paydown.admin import Admin, Mistake, NewLogin
from paydown.domain.model import Bundle
from paydown.storage.database import Database
from paydown.storage.opening import open_store
from paydown.telemetry import Metrics


@pytest.fixture(scope="session")
def known_password_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger file whose logins' password the tests know. Copied, never changed."""
    path = tmp_path_factory.mktemp("door") / "ledger.db"
    ledgers.make_ledger(f"sqlite:///{path}", password_hash=PASSWORD_HASH)
    admin = Admin(open_store(f"sqlite:///{path}"))
    strict = NewLogin(STRICT_LOGIN, PASSWORD_HASH, strict=True)
    assert not isinstance(admin.add_login(strict, ledgers.CLUB, tuple(Bundle)), Mistake)
    return path


@pytest.fixture
def ledger(known_password_template: Path, tmp_path: Path) -> Database:
    """A ledger of the test's own."""
    return ledgers.copy_ledger(known_password_template, tmp_path / "ledger.db")


@pytest.fixture
def log() -> Iterator[io.BytesIO]:
    """All that is logged, as it is written; afterwards logging is as it was."""
    with logging_to(io.BytesIO()) as written:
        yield written


@pytest.fixture
def metrics() -> Metrics:
    """The measurements of the test's server."""
    return Metrics()


@pytest.fixture
def door(ledger: Database, metrics: Metrics) -> Iterator[Door]:
    """The door of a running server on a ledger of the test's own."""
    opened = open_door(ledger, metrics)
    yield opened
    opened.close()
