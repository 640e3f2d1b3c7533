"""What is believed, or has its name, is on the disk: by the real calls, not a simulation's."""

import os
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pytest

from paydown.storage import sqlite
from paydown.storage.parts import making


class Sync(NamedTuple):
    """A sync: of what, when that was last written, and whether the new name was there already."""

    path: Path
    written_ns: int
    named: bool


@pytest.fixture
def name(tmp_path: Path) -> Path:
    """A file's name."""
    return tmp_path / "backup.db"


@pytest.fixture
def syncs(name: Path, monkeypatch: pytest.MonkeyPatch) -> list[Sync]:
    """All that are made in the test, in order."""
    made: list[Sync] = []
    fsync = os.fsync

    def note(handle: "int | BinaryIO") -> None:
        fsync(handle)
        status = os.fstat(handle if isinstance(handle, int) else handle.fileno())
        path = next(each for each in (*name.parent.iterdir(), name.parent) if is_at(each, status))
        made.append(Sync(path, status.st_mtime_ns, name.exists()))

    monkeypatch.setattr(os, "fsync", note)
    return made


def is_at(path: Path, status: os.stat_result) -> bool:
    """Whether it is that file or folder."""
    return os.path.samestat(path.stat(), status)


def test_a_log_that_is_written_anew_is_on_the_disk(name: Path, syncs: list[Sync]) -> None:
    """Its bytes are as they were, but written once more, and then synced."""
    log = name.with_suffix(".db-wal")
    content = bytes(range(256)) * 10_000
    log.write_bytes(content)
    os.utime(log, (0, 0))
    sqlite.write_anew(log)
    assert log.read_bytes() == content
    assert [each.path for each in syncs] == [log]
    assert syncs[0].written_ns > 0


def test_a_backups_bytes_are_on_the_disk_before_its_name_and_then_that(
    name: Path, syncs: list[Sync]
) -> None:
    """The file first, and the folder once the name is in it."""
    with making(name) as part:
        part.path.write_bytes(b"a ledger")
        part.finish()
    assert [(each.path, each.named) for each in syncs] == [
        (part.path, False),
        (name.parent, True),
    ]
