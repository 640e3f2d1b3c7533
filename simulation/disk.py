"""A disk that remembers what was synced, under SQLite: it fails, tears and forgets on command.

The files are real, so that SQLite's own locks and shared memory work as ever. Beside each stands
what the disk would hold if the power went now, and what was written since.

Law of this file: only a sync that succeeded makes a write last. After one that failed, what was to
be synced is read back as if all were well, and no later sync brings it to the disk: so do kernels.
"""

import errno
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
"""What reaches the disk whole or not at all."""

Write = tuple[int, bytes | None]
"""Where, and what; without bytes it is where the file was cut off."""


class Crash(BaseException):
    """The process is gone. No ``except Exception`` of its own outlives that."""


@dataclass(slots=True)
class File:
    """What a file would be after a loss of power, and what was done to it since its last sync."""

    durable: bytearray
    named: bool
    """Whether its name would be found after a loss of power."""
    unsynced: list[Write] = field(default_factory=list)

    def sync(self) -> None:
        """All that was written lasts."""
        for write in self.unsynced:
            apply(self.durable, *write)
        self.forget()
        self.named = True

    def forget(self) -> None:
        """What was not synced never will be."""
        self.unsynced.clear()

    def keep_some(self, chance: random.Random, share: float) -> None:
        """Of what was not synced each sector lasts or does not, whatever the order of writing."""
        for offset, data in self.unsynced:
            if data is None:
                if chance.random() < share:
                    apply(self.durable, offset, None)
                continue
            for first, part in sectors(offset, data):
                if chance.random() < share:
                    apply(self.durable, first, part)
        self.forget()


def apply(content: bytearray, offset: int, data: bytes | None) -> None:
    """Do a write to a file's bytes."""
    if data is None:
        del content[offset:]
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def sectors(offset: int, data: bytes) -> list[tuple[int, bytes]]:
    """A write, cut where the disk's sectors begin."""
    parts = []
    first = 0
    while first < len(data):
        last = min(len(data), first + SECTOR - (offset + first) % SECTOR)
        parts.append((offset + first, data[first:last]))
        first = last
    return parts


FAULTS = {
    "write": apsw.SQLITE_IOERR_WRITE,
    "sync": apsw.SQLITE_IOERR_FSYNC,
    "read": apsw.SQLITE_IOERR_READ,
    "truncate": apsw.SQLITE_IOERR_TRUNCATE,
    "delete": apsw.SQLITE_IOERR_DELETE,
    "open": apsw.SQLITE_CANTOPEN,
    "full": apsw.SQLITE_FULL,
}
"""What can fail, and as what SQLite is told of it. ``full`` is a write without room."""


class Disk(apsw.VFS):  # type: ignore[misc]
    """The files of a run, by their paths. Set ``rates`` and ``crash_after`` to make it fail."""

    def __init__(self, name: str, chance: random.Random, tell: Callable[[str], None]) -> None:
        self.name = name
        self.chance = chance
        self.tell = tell
        self.files: dict[str, File] = {}
        self.deleted: dict[str, File] = {}
        self.rates: dict[str, float] = {}
        self.counts: Counter[str] = Counter()
        self.crash_after: int | None = None
        self.dead = False
        self.on_crash: Callable[[], None] = lambda: None
        self.sleep: Callable[[float], None] = lambda _: None
        super().__init__(name, "unix")

    def xOpen(self, name: Any, flags: list[int]) -> "OpenFile":  # noqa: N802
        """Open a file, and remember what it held at first."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is not None:
            self.step("open", path)
            if path not in self.files:
                there = Path(path).exists()
                held = bytearray(Path(path).read_bytes()) if there else bytearray()
                self.files[path] = File(held, named=there)
                self.deleted.pop(path, None)
        return OpenFile(self, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        """Remove a file; unless the folder is synced too, a loss of power may bring it back."""
        self.step("delete", filename)
        super().xDelete(filename, syncdir)
        gone = self.files.pop(filename, None)
        if gone is not None and gone.named and not syncdir:
            self.deleted[filename] = gone

    def xSleep(self, microseconds: int) -> int:  # noqa: N802
        """Wait for a lock."""
        self.sleep(microseconds / 1_000_000)
        return microseconds

    def write_anew(self, path: Path) -> None:
        """As ``paydown.storage.sqlite.write_anew``: what was not on the disk is written again."""
        file, content = self.files[str(path)], path.read_bytes()
        try:
            if self.step("write", str(path), "anew"):
                self.crash()
            file.unsynced.append((0, content))
            self.step("sync", str(path))
        except apsw.Error as error:
            file.keep_some(self.chance, 0.5)
            raise OSError(errno.EIO, "Input/output error") from error
        file.sync()

    def step(self, what: str, path: str, detail: str = "") -> bool:
        """Before anything is done: it may be the last, or fail. True where it is the last."""
        if self.dead:
            raise Crash
        self.tell(f"disk {what} {path[path.rfind('ledger') :]} {detail}")
        if self.crash_after is not None:
            self.crash_after -= 1
            if self.crash_after < 0:
                if what == "write":
                    return True
                self.crash()
        self.fail(what)
        if what == "write":
            self.fail("full")
        return False

    def fail(self, what: str) -> None:
        """Fail, if it so happens."""
        if self.chance.random() < self.rates.get(what, 0.0):
            self.counts[what] += 1
            self.tell(f"disk fault {what}")
            raise apsw.exception_for(FAULTS[what])

    def crash(self) -> None:
        """The process ends here: nothing that it does from now on reaches anything."""
        self.on_crash()
        self.crash_after = None
        self.dead = True
        raise Crash

    def lose_power(self, share: float) -> None:
        """Leave of each file what was synced, and of the rest what had been written by chance."""
        for path, file in list(self.files.items()):
            fresh = not file.named and bool(file.unsynced)
            file.keep_some(self.chance, share)
            if not file.named and (not fresh or self.chance.random() < 0.5):
                Path(path).unlink(missing_ok=True)
                del self.files[path]
            elif Path(path).exists():
                Path(path).write_bytes(file.durable)
        for path, file in self.deleted.items():
            if self.chance.random() < 0.5:
                Path(path).write_bytes(file.durable)
        self.deleted.clear()
        self.files.clear()


class OpenFile(apsw.VFSFile):  # type: ignore[misc]
    """A file as SQLite uses it. A nameless one is SQLite's own and outlives nothing."""

    def __init__(self, disk: Disk, path: str | None, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._path = path
        super().__init__("unix", name, flags)

    def _step(self, what: str, detail: str = "") -> bool:
        return self._path is not None and self._disk.step(what, self._path, detail)

    @property
    def _file(self) -> File:
        assert self._path is not None, "a nameless file is not kept"
        return self._disk.files[self._path]

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        """Read, from the cache as it were: what was not synced is seen too."""
        if self._path is not None and not self._disk.dead:
            self._disk.fail("read")
        read: bytes = super().xRead(amount, offset)
        return read

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        """Write; where it fails or is the last thing done, a part of it was written."""
        try:
            last = self._step("write", f"{len(data)} at {offset}")
        except apsw.Error:
            self._write(data[: self._disk.chance.randrange(len(data) + 1)], offset)
            raise
        if last:
            self._write(data[: self._disk.chance.randrange(len(data) + 1)], offset)
            self._disk.crash()
        self._write(data, offset)

    def _write(self, data: bytes, offset: int) -> None:
        if data:
            super().xWrite(data, offset)
            if self._path is not None:
                self._file.unsynced.append((offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        """Cut the file off."""
        self._step("truncate", str(newsize))
        super().xTruncate(newsize)
        if self._path is not None:
            self._file.unsynced.append((newsize, None))

    def xSync(self, _: int) -> None:  # noqa: N802
        """Make what was written last; where that fails, some of it does, the rest never will."""
        try:
            self._step("sync")
        except apsw.Error:
            self._file.keep_some(self._disk.chance, 0.5)
            raise
        if self._path is not None:
            self._file.sync()
