"""``paydown backup`` and ``paydown restore``: a ledger into one file, and back."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from paydown import backups
from paydown.backups import Moved
from paydown.cli.copying import Bar
from paydown.cli.output import DatabaseOption, JsonOption, Output, answering
from paydown.storage.database import Database
from paydown.storage.engine import find_database
from paydown.storage.faults import StoreUnavailable


def backup(
    database: DatabaseOption,
    *,
    to: Annotated[
        Path, typer.Option("--to", metavar="FILE", help="The new file that holds the backup.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Put the ledger away in one file, as it is at one moment, while servers go on.

    Every invariant is proved in the backup. Only then has the file its name: an interrupted or a
    failed run leaves none.
    """
    with answering(as_json=as_json) as output:
        output.interrupted = "Interrupted: no backup was made."
        source = find_database(database)
        moved = _watch(
            output, "the backup was finished.", lambda bar: backups.back_up(source, to, bar)
        )
        shown = source.shown_url
        document = {"database": shown, "file": str(to), **_describe(moved)}
        if not moved.finished:
            output.fail(_say_why_no_backup(moved, to, shown), document=document)
        output.show(document, f"Backed up {shown} into {to}. {_say_proof(moved)}")


def restore(
    file: Annotated[Path, typer.Option("--from", metavar="FILE", help="The backup.")],
    target: Annotated[
        str, typer.Option("--to", metavar="URL", help="The empty place for the ledger.")
    ],
    *,
    as_json: JsonOption = False,
) -> None:
    """Make a ledger of a backup, in a place where none is, and prove it."""
    with answering(as_json=as_json) as output:
        output.interrupted = "Interrupted: nothing was restored."
        place = find_database(target)
        moved = _watch(
            output, "the ledger was restored.", lambda bar: backups.restore(file, place, bar)
        )
        document = {"file": str(file), "database": place.shown_url, **_describe(moved)}
        if not moved.finished:
            output.fail(_say_why_no_ledger(moved, file, place), document=document)
        words = [f"Restored {file} to {place.shown_url}. {_say_proof(moved)}"]
        if not moved.current:
            words.append(f"Bring it up to date: paydown migrate --database {place.shown_url}")
        output.show(document, *words)


def _watch(output: Output, finished: str, run: Callable[[Bar], Moved]) -> Moved:
    with Bar(output, finished=finished) as bar:
        try:
            return run(bar)
        except StoreUnavailable as fault:
            bar.stop()
            output.fail(str(fault), *bar.advice)


def _describe(moved: Moved) -> dict[str, object]:
    return {"finished": moved.finished, **moved._asdict()}


def _say_proof(moved: Moved) -> str:
    if moved.current:
        return f"All {moved.invariants} invariants hold."
    return "It is of an older Paydown, so only the file itself was proved: it is sound."


def _say_why_no_backup(moved: Moved, file: Path, shown: str) -> str:
    if moved.differing:
        return (
            f"{file}.part does not hold what the ledger does; these tables differ: "
            f"{', '.join(moved.differing)}. Run the same command again."
        )
    return (
        f"All was copied into {file}.part, but invariants are broken: {', '.join(moved.broken)}. "
        f"See what with: paydown verify --database {shown}"
    )


def _say_why_no_ledger(moved: Moved, file: Path, place: Database) -> str:
    if moved.differing:
        return (
            f"{place.place} does not hold what was copied there; these tables differ: "
            f"{', '.join(moved.differing)}. Restore into another empty place."
        )
    broken = ", ".join(moved.broken)
    where = "" if place.file is None else f" All that it holds is in {place.file}.part."
    return f"Invariants are broken in {file}, so no ledger was made of it: {broken}.{where}"
