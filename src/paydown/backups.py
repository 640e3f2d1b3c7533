"""A ledger put away in one file while it is in use, and brought back.

Law of this file: a backup has its name, and a restored ledger its place, only once all of it is
there, synced and proved. Nothing that is there already is ever written over.
"""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from paydown import audit, copying
from paydown.audit import Finding
from paydown.copying import Watcher
from paydown.storage import opening, sqlite_pages
from paydown.storage.database import Database
from paydown.storage.engine import find_file
from paydown.storage.faults import SchemaMismatch
from paydown.storage.parts import Part, making


class Moved(NamedTuple):
    """What came of a backup or a restoring.

    ``current`` is False for a ledger of an older version: only its file could be proved.
    """

    current: bool
    differing: tuple[str, ...]
    invariants: int
    broken: tuple[str, ...]

    @property
    def finished(self) -> bool:
        """Whether it is there now, under its name."""
        return not self.differing and not self.broken


class _Steps:
    """Hears only of steps: a file in the making is nothing to go on with."""

    def __init__(self, watcher: Watcher) -> None:
        self.on_step = watcher.on_step
        self.on_progress = watcher.on_progress

    def on_begun(self) -> None:
        """Nothing."""

    def on_finished(self) -> None:
        """Nothing: it has no name yet."""


def back_up(source: Database, file: Path, watcher: Watcher) -> Moved:
    """Put the ledger, as it is now, into a new file. Raises ``StoreUnavailable``.

    Of a broken ledger all is there, but stays in the file's part.
    """
    return _fill(source, file, watcher)


def restore(file: Path, target: Database, watcher: Watcher) -> Moved:
    """Make a ledger at the target of what was put away. Raises ``StoreUnavailable``."""
    source = find_file(file)
    if target.file is not None:
        return _fill(source, target.file, watcher)
    if not opening.is_current(source):
        raise SchemaMismatch(
            f"{file} holds a ledger of an older Paydown, which PostgreSQL cannot take. Restore it "
            "to SQLite, migrate it there, and move it with: paydown copy"
        )
    return _copy_rows(source, target, watcher)


def _fill(source: Database, file: Path, watcher: Watcher) -> Moved:
    """Make the ledger's file, part by part: pages where there are pages, rows where not."""
    current = opening.is_current(source)
    with making(file.resolve()) as part:
        if source.file is not None:
            moved = _copy_pages(source.file, part, watcher, current=current)
        else:
            moved = _copy_rows(source, find_file(part.path), _Steps(watcher))
            sqlite_pages.seal(part.path)
        if moved.finished:
            part.finish()
            watcher.on_finished()
    return moved


def _copy_pages(source: Path, part: Part, watcher: Watcher, *, current: bool) -> Moved:
    done = 0

    def watch(left: int, total: int) -> None:
        nonlocal done
        if done == 0:
            watcher.on_step("Copying pages", total)
        watcher.on_progress(total - left - done)
        done = total - left

    sqlite_pages.copy_pages(source, part.path, watch)
    sqlite_pages.seal(part.path)
    watcher.on_step("Proving every invariant", None)
    # The first finding is about the file as such; the others know the tables of this version.
    findings = islice(audit.verify(find_file(part.path)), None if current else 1)
    return _judge(findings, watcher, current=current)


def _judge(findings: Iterable[Finding], watcher: Watcher, *, current: bool) -> Moved:
    count, broken = 0, []
    for finding in findings:
        count += 1
        if not finding.ok:
            broken.append(finding.invariant)
        watcher.on_progress(1)
    return Moved(current, (), count, tuple(broken))


def _copy_rows(source: Database, target: Database, watcher: Watcher) -> Moved:
    copied = copying.copy_ledger(source, target, watcher, moment=True)
    return Moved(True, copied.differing, copied.invariants, copied.broken)
