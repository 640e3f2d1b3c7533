"""The log beside a SQLite ledger: whether it may be believed, and how it is moved into the file.

SQLite lets the commit that finds the log long enough move it, and that payment and all behind it
wait for two more syncs and a write for each page. Here a thread with a connection of its own does
that while payments go on. It buys a tenth of SQLite's throughput, and a fifth of a large ledger's,
whose pages lie far apart.

Law of this file: a move fails no commit. What was not moved is in the log, as durable as in the
file, and the next move tries it again; after one that failed, with all that was moved before it.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from paydown.storage import sqlite
from paydown.storage.faults import StoreUnavailable
from paydown.storage.files import Files

MOVE = "PRAGMA wal_checkpoint(PASSIVE)"
"""Waits for nobody, and keeps nobody waiting."""

UNMOVED_ROWS_MAX = 500
"""How many rows others than the writer commit before they move the log themselves."""

_logger = logging.getLogger(__name__)


class Log:
    """The log beside a ledger, and whether this process doubts that what it shows will last.

    What a sync that failed left behind is in memory alone, may be read once the ledger is opened
    anew, and no later sync brings it to the disk: so before any of it is believed, or anything put
    behind it, the log is written anew.

    The same goes for the file. SQLite syncs it only where a move leaves nothing in the log, and
    never moves twice: where that sync fails, what earlier moves wrote may be gone with it. So after
    a move that failed nothing is moved, until all is, anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = Path(f"{path}-wal")
        self._moving = threading.Lock()
        self._unmoved_rows = 0
        self._is_moved = False
        self.doubted = True
        self.moves_doubted = False

    def bring_to_disk(self) -> None:
        """Write it over itself and sync it; in a transaction nobody else writes to it."""
        try:
            sqlite.write_anew(self._file)
        except OSError as error:
            raise StoreUnavailable(
                f"The log beside {self._path} cannot be written: {error.strerror}."
            ) from error
        self.doubted = False

    def move(self, connection: sqlite3.Connection) -> bool:
        """Move what can be moved now, of a log that is believed; whether it was looked through.

        Nothing begins on a log of which all is moved: SQLite before 3.51.3 may then take for moved
        what a commit at that very moment puts at the beginning of it.
        """
        with self._alone() as alone:
            if self._is_moved:
                return True
            if not alone or not self.may_move:
                return False
            try:
                busy, pages, moved = connection.execute(MOVE).fetchone()
            except sqlite3.Error as error:
                self.moves_doubted = True
                _logger.error("moving the log failed: %s; all of it will be moved anew", error)
                return False
            self._is_moved = not busy and pages == moved
        return not busy

    def move_anew(self) -> None:
        """Move all of it, by a connection that has the ledger alone and asks nobody what was moved.

        While others read there can be none.
        """
        with self._alone() as alone, suppress(sqlite3.Error):
            if alone:
                with closing(sqlite.connect(self._path, wait_seconds=0, alone=True)) as connection:
                    _, pages, moved = connection.execute(MOVE).fetchone()
                self.moves_doubted = pages != moved

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether no other thread is moving it: none begins before it knows what this one met."""
        alone = self._moving.acquire(blocking=False)
        try:
            yield alone
        finally:
            if alone:
                self._moving.release()

    def note_commit(self) -> None:
        """There is something to move again."""
        self._is_moved = False

    def note_write(self, connection: sqlite3.Connection) -> None:
        """After a commit of another than the writer, by a connection of its own."""
        self.note_commit()
        self._unmoved_rows += connection.total_changes
        if self._unmoved_rows >= UNMOVED_ROWS_MAX and self.move(connection):
            self._unmoved_rows = 0

    @property
    def may_move(self) -> bool:
        """Whether what it shows lasts, and what was moved of it."""
        return not (self.doubted or self.moves_doubted)

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Around the closing of a connection: the last to close would move the log into the file.

        One that may only read moves nothing. It stays until the other is gone.
        """
        reader = None
        with suppress(sqlite3.Error, FileNotFoundError):
            if self._file.stat().st_size > 0:
                reader = sqlite.connect(self._path, wait_seconds=0, mode="ro")
                reader.execute("PRAGMA user_version").fetchone()
        try:
            yield
        finally:
            if reader is not None:
                reader.close()

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

    def __init__(self, path: Path, log: Log, files: Files) -> None:
        self._path = path
        self._log = log
        self._files = files
        self._connection: sqlite3.Connection | None = None
        self._thread: threading.Thread | None = None
        self._due = threading.Event()
        self._stopping = False

    def due(self) -> None:
        """Have moved soon what was committed by now."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="paydown-log", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                _logger.warning("the log is not moved beside the payments: %s", error)
                return
            self._thread = thread
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
        """Move what can be moved now, of a log that is believed, and of no other ledger's."""
        if not self._log.may_move:
            return
        with suppress(sqlite3.Error, OSError):
            if self._connection is None:
                if not self._files.unchanged():
                    return
                self._connection = sqlite.connect(self._path, wait_seconds=0)
            self._log.move(self._connection)
