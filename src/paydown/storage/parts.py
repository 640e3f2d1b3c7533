"""A file that has its name only once it is whole.

Law of this file: the handle that holds the lock is closed last. Closing any handle on a file would
drop the locks that SQLite holds on it for this whole process.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paydown.storage.faults import SchemaMismatch, StoreUnavailable
from paydown.storage.files import BESIDE

_LEFT = ("-journal", "-server", *BESIDE)
"""What may lie beside a file that SQLite, or a copy, worked on."""


class Part:
    """A file in the making, at ``path``; nobody else makes it. Only its owner may read it."""

    def __init__(self, name: Path) -> None:
        self.name = name
        self.path = Path(f"{name}.part")
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._handle = os.open(self.path, flags, 0o600)

    def begin(self) -> None:
        """Empty it, if nobody else is making it. What a killed one left is nobody's."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.fstat(self._handle)
            is_ours = os.path.samestat(found, self.path.stat())
        except (BlockingIOError, FileNotFoundError):
            is_ours = False
        if not is_ours:
            raise SchemaMismatch(f"{self.path} is being written now, by another command.")
        if found.st_nlink > 1:
            raise SchemaMismatch(f"{self.path} is another file too. Nothing is overwritten.")
        os.ftruncate(self._handle, 0)
        os.fchmod(self._handle, 0o600)
        self._remove_beside()

    def finish(self) -> None:
        """Give it its name, durably. SQLite has left it."""
        self._remove_beside()
        os.fsync(self._handle)
        refuse_existing(self.name)
        self.path.rename(self.name)
        folder = os.open(self.name.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def remove(self) -> None:
        """Leave nothing of it."""
        self._remove_beside()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let others have it."""
        os.close(self._handle)

    def _remove_beside(self) -> None:
        for suffix in _LEFT:
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)


@contextmanager
def making(name: Path) -> Iterator[Part]:
    """A file in the making: ``finish`` names it, an exception removes it, else it stays a part.

    Raises ``SchemaMismatch`` where something has the name already, and ``StoreUnavailable``.
    """
    try:
        refuse_existing(name)
        part = Part(name)
        try:
            part.begin()
            try:
                yield part
            except BaseException:
                part.remove()
                raise
        finally:
            part.close()
    except OSError as error:
        place = error.filename or name
        raise StoreUnavailable(f"The file {place} cannot be made: {error.strerror}.") from error


def refuse_existing(name: Path) -> None:
    """Raise ``SchemaMismatch`` where a file by that name would be mixed with one that is there."""
    for suffix in ("", "-journal", *BESIDE):
        found = Path(f"{name}{suffix}")
        if found.exists() or found.is_symlink():
            raise SchemaMismatch(f"{found} is there already. Nothing is overwritten.")
