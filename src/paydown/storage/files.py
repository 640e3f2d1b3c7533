"""The files of an open ledger, and whether their paths still name them.

Law of this file: it never opens a ledger for reading or writing. Closing such a handle would drop
the locks that SQLite holds on the file for this whole process.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paydown.storage.faults import StoreUnavailable

Identity = tuple[int, int] | None
"""Device and inode, or None where there is no file."""

BESIDE = ("-wal", "-shm")
"""What SQLite keeps beside the ledger: the newest commits, and the locks on them."""


class Files:
    """The ledger's file, pinned from the start, and those beside it while a connection is open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._paths_beside = [Path(f"{path}{suffix}") for suffix in BESIDE]
        # A file that is held by O_PATH keeps its inode number, also when it is removed, so that a
        # new file at the path cannot be taken for it. Where there is no O_PATH, the number decides.
        flag = getattr(os, "O_PATH", None)
        self._pin = os.open(path, flag) if flag is not None and path.exists() else None
        self._main = identify(path)
        self._beside: list[Identity] = []
        self._lock = threading.Lock()

    def note_beside(self) -> None:
        """Remember the files beside the ledger, now that a transaction has made them."""
        with self._lock:
            if not self._beside:
                self._beside = self._identify_beside()

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Around the closing of a connection, with which SQLite may remove the files beside."""
        with self._lock:
            self._beside = []
            yield

    def unchanged(self) -> bool:
        """Whether each path names the file that it named when it was noted. From any thread.

        Raises OSError where that cannot be told.
        """
        with self._lock:
            if self._main is None or identify(self._path) != self._main:
                return False
            return not self._beside or self._identify_beside() == self._beside

    def check(self) -> None:
        """Raise ``StoreUnavailable`` unless all is unchanged. From any thread."""
        try:
            unchanged = self.unchanged()
        except OSError as error:
            raise StoreUnavailable(
                f"The ledger at {self._path} cannot be looked at: {error.strerror}.",
                outcome_unknown=True,
            ) from error
        if not unchanged:
            raise StoreUnavailable(
                f"The ledger at {self._path}, or a file beside it, was moved or replaced while the "
                "server was running. Restart the server.",
                passing=False,
                outcome_unknown=True,
            )

    def close(self) -> None:
        """Let go of the ledger's file."""
        if self._pin is not None:
            os.close(self._pin)
            self._pin = None

    def _identify_beside(self) -> list[Identity]:
        return [identify(path) for path in self._paths_beside]


def identify(path: Path) -> Identity:
    """Which file the path names now. Raises OSError where that cannot be told."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino
