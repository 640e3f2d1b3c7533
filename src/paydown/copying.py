"""A whole ledger from one database to another, of whatever kind each is.

Law of this file: a copy is of one state of its source, which nobody changes meanwhile unless the
copy is a backup. Until all of it is there and proved, the target is marked as unfinished, and
nothing takes it for a ledger. The mark says what it is a copy of: run again on the same source, a
copy goes on from where it ended.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple, Protocol

from paydown import audit
from paydown.audit import Finding
from paydown.storage import copying, opening
from paydown.storage.copying import TABLES, Tally
from paydown.storage.database import Database
from paydown.storage.faults import SchemaMismatch
from paydown.storage.reference import StoreConnection

Tallies = Mapping[str, Tally]


class CopiedTable(NamedTuple):
    """What came of a table: its rows, those of them added now, and its sums in minor units."""

    table: str
    rows: int
    added: int
    amounts: dict[str, int]


class Copied(NamedTuple):
    """What came of a copy. It is finished where no table differs and no invariant is broken.

    ``continued`` says that an earlier run had begun it.
    """

    continued: bool
    tables: tuple[CopiedTable, ...]
    differing: tuple[str, ...]
    invariants: int
    broken: tuple[str, ...]

    @property
    def finished(self) -> bool:
        """Whether the target is a ledger now."""
        return not self.differing and not self.broken


class Watcher(Protocol):
    """Whoever waits for a copy to end."""

    def on_step(self, words: str, total: int | None) -> None:
        """A step begins: so many rows or questions are ahead, where that is known."""

    def on_progress(self, count: int) -> None:
        """So many more of them are done."""

    def on_begun(self) -> None:
        """The target is marked: from now on running the copy again goes on from where it ended."""

    def on_finished(self) -> None:
        """The target is a ledger."""


def copy_ledger(
    source: Database, target: Database, watcher: Watcher, *, moment: bool = False
) -> Copied:
    """Copy the source's ledger into the target and prove it there. Raises ``StoreUnavailable``.

    ``moment``: as it is now, while it goes on. The copy is then to be put away, not to be served.
    """
    if source.url == target.url:
        raise SchemaMismatch(f"{source.place} cannot be copied onto itself.")
    opening.check_target(target)
    with source.read() if moment else source.freeze() as connection:
        watcher.on_step("Reading the source", None)
        wanted = _tally(connection, watcher)
        mark = _make_mark(wanted)
        target.make()
        with target.claim():
            continued = not opening.begin_copy(target, mark)
            watcher.on_begun()
            added = _add_missing(connection, target, wanted, watcher)
            differing = _compare(target, wanted, watcher)
            findings = [] if differing else _prove(target, watcher)
            broken = tuple(finding.invariant for finding in findings if not finding.ok)
            if not differing and not broken:
                opening.end_copy(target)
                watcher.on_finished()
    tables = tuple(
        CopiedTable(name, tally.rows, added[name], tally.amounts) for name, tally in wanted.items()
    )
    return Copied(continued, tables, differing, len(findings), broken)


def _tally(connection: StoreConnection, watcher: Watcher) -> Tallies:
    return {table.name: copying.tally(connection, table, watcher.on_progress) for table in TABLES}


def _make_mark(wanted: Tallies) -> str:
    """What tells this state of this ledger from every other."""
    digest = sha256(b"".join(tally.digest for tally in wanted.values()))
    return opening.make_mark(digest.hexdigest())


def _add_missing(
    source: StoreConnection, target: Database, wanted: Tallies, watcher: Watcher
) -> dict[str, int]:
    """Add to each table what it lacks; how many rows those were."""
    watcher.on_step("Copying", sum(tally.rows for tally in wanted.values()))
    session = target.session()
    added = {}
    try:
        for table in TABLES:
            with target.read() as connection:
                last = copying.find_last_key(connection, table)
            count = 0
            with copying.reading(source, table, after=last) as chunks:
                for rows in chunks:
                    copying.add_rows(session, table, rows)
                    count += len(rows)
                    watcher.on_progress(len(rows))
            watcher.on_progress(wanted[table.name].rows - count)
            added[table.name] = count
    finally:
        session.close()
    return added


def _compare(target: Database, wanted: Tallies, watcher: Watcher) -> tuple[str, ...]:
    """The tables in which the target does not hold what the source does."""
    watcher.on_step("Comparing", sum(tally.rows for tally in wanted.values()))
    with target.read() as connection:
        found = _tally(connection, watcher)
    return tuple(name for name, tally in wanted.items() if found[name] != tally)


def _prove(target: Database, watcher: Watcher) -> list[Finding]:
    watcher.on_step("Proving every invariant", None)
    findings = []
    for finding in audit.verify(target):
        findings.append(finding)
        watcher.on_progress(1)
    return findings
