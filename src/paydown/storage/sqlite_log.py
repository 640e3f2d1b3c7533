"""The log beside a SQLite ledger: whether it may be believed, and how it is moved into the file.

SQLite lets the commit that finds the log long enough move it, and that payment and all behind it
wait for two more syncs and a write for each page. Here a thread with a connection of its own does
that while payments go on. It buys a tenth of SQLite's throughput, and a fifth of a large ledger's,
whose pages lie far apart.

Law of this file: a move fails no commit. What was not moved is in the log, as durable as in the
file, and the next move tries it again.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from paydown.storage import sqlite
from paydown.storage.faults import StoreUnavailable

MOVE = "PRAGMA wal_checkpoint(PASSIVE)"
"""Waits for nobody, and keeps nobody waiting."""

_logger = logging.getLogger(__name__)


class Log:
    """The log beside a ledger, and whether this process doubts that what it shows will last.

    What a sync that failed left behind is in memory alone, may be read once the ledger is opened
    anew, and no later sync brings it to the disk: so before any of it is believed, or anything put
    behind it, the log is written anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.doubted = True

    def bring_to_disk(self) -> None:
        """Write it over itself and sync it; in a transaction nobody else writes to it."""
        try:
            sqlite.write_anew(Path(f"{self._path}-wal"))
        except OSError as error:
            raise StoreUnavailable(
                f"The log beside {self._path} cannot be written: {error.strerror}."
            ) from error
        self.doubted = False

    @contextmanager
    def doubting(self) -> Iterator[None]:
        """Around a commit: one that fails may have left anything."""
        try:
            yield
        except BaseException:
            self.doubted = True
            raise


class LogMover:
    """Moves when told to. Everything but the moving itself is called by one thread."""

    def __init__(self, path: Path, log: Log) -> None:
        self._path = path
        self._log = log
        self._connection: sqlite3.Connection | None = None
        self._thread: threading.Thread | None = None
        self._due = threading.Event()
        self._stopping = False

    def due(self) -> None:
        """Have moved soon what was committed by now."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="paydown-log", daemon=True)
            self._thread.start()
        self._due.set()

    def stop(self) -> None:
        """Let go of the file, once a move under way has ended."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping = True
            self._due.set()
            thread.join()
            self._stopping = False
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _run(self) -> None:
        while self._due.wait() and not self._stopping:
            self._due.clear()
            try:
                self.move()
            except Exception:
                _logger.exception("moving the log failed")

    def move(self) -> None:
        """Move what can be moved now, of a log that is believed."""
        if self._log.doubted:
            return
        with suppress(sqlite3.Error, StoreUnavailable):
            if self._connection is None:
                self._connection = sqlite.connect(self._path, wait_seconds=0)
            self._connection.execute(MOVE).fetchone()
