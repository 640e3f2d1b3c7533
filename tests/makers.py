"""Who makes ledgers for a test: of a file each, or of a database each on a PostgreSQL server."""

import sqlite3
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest

import ledgers
from paydown.storage.database import Database

KINDS = ("sqlite", "postgresql", "serializable")
"""What every promise of a ledger's is kept on. The last is PostgreSQL at SERIALIZABLE."""

on_every_store = pytest.mark.parametrize("maker", KINDS, indirect=True)
"""Run the test, which never asks what it runs on, once on each."""

on_every_driver = pytest.mark.parametrize("maker", [*KINDS, "apsw"], indirect=True)
"""The same, and on the driver of ``make simulate``, so that it stands for the one it replaces."""

on_both_stores = pytest.mark.parametrize("maker", KINDS[:2], indirect=True)
"""For what one transaction alone shows, at whatever isolation."""

on_postgresql = pytest.mark.parametrize("maker", KINDS[1:], indirect=True)
"""For what only servers that share a database can do to each other, at either isolation."""


class Maker(Protocol):
    """Makes ledgers of one kind, gone after the test."""

    histories_max: int
    """How many random histories there is time for."""

    def new(self) -> str:
        """The URL of a place where a ledger can be made."""

    def copy(self) -> Database:
        """A ledger like the template."""

    def tamper(self, database: Database, statement: str) -> None:
        """Change what is stored, around every guard, and leave no guard down."""


class SQLiteMaker:
    """Makes files."""

    histories_max = 25

    def __init__(self, template: Path, folder: Path) -> None:
        self._template = template
        self._folder = folder
        self._numbers = count(1)

    def new(self) -> str:
        """The URL of a file that is not there."""
        return f"sqlite:///{self._path()}"

    def copy(self) -> Database:
        """A copy of the template's file."""
        return ledgers.copy_ledger(self._template, self._path())

    def tamper(self, database: Database, statement: str) -> None:
        """Take the triggers away and put them back."""
        connection = sqlite3.connect(database.url.removeprefix("sqlite:///"), isolation_level=None)
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("PRAGMA ignore_check_constraints=ON")
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)
        connection.close()

    def _path(self) -> Path:
        number = next(self._numbers)
        return self._folder / ("ledger.db" if number == 1 else f"ledger-{number}.db")
