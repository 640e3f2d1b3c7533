"""Runs seeds one after the other, each on a copy of one template."""

import logging
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import structlog

import ledgers
from paydown.storage import engine
from paydown.storage.sqlite_database import SQLiteDatabase
from simulation.callers import PASSWORD
from simulation.server import HASHER
from simulation.trial import BEGINS_AT, Report, Trial


class Runs:
    """A folder to run in."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"
        # Made at one moment with the same ids, wherever and whenever it is made.
        with (
            patch.object(time, "time_ns", return_value=BEGINS_AT * 100),
            patch.object(engine, "_random_bits", random.Random(0).getrandbits),  # noqa: S311
        ):
            ledgers.make_ledger(f"sqlite:///{self._template}", password_hash=HASHER.hash(PASSWORD))
        # The same for all, and used before the first run, so that statements are compiled once and
        # no run is another's first.
        self._path = folder / "run" / "ledger.db"
        self._database = SQLiteDatabase(self._path)
        with self._copied(), self._database.connect(), self._database.read():
            pass

    def run(self, seed: int) -> Report:
        """One run, of which nothing is left but what is told."""
        with self._copied(), silence():
            return Trial(seed, self._path, self._database).run()

    @contextmanager
    def _copied(self) -> Iterator[None]:
        self._path.parent.mkdir()
        shutil.copy(self._template, self._path)
        try:
            yield
        finally:
            shutil.rmtree(self._path.parent)


@contextmanager
def silence() -> Iterator[None]:
    """While the block lasts, nothing is logged: there is trouble by the hundred, on purpose."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        cache_logger_on_first_use=False,
    )
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        structlog.configure(**before)
