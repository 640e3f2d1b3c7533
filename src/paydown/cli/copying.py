"""``paydown copy``: a ledger into another database."""

from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from paydown.cli.output import Document, JsonOption, Output, answering, make_table
from paydown.copying import Copied, copy_ledger
from paydown.storage.database import Database
from paydown.storage.engine import find_database
from paydown.storage.faults import StoreUnavailable
from paydown.storage.opening import open_store

_GO_ON = "Run the same command again: it goes on from there."


def copy(
    source: Annotated[
        str, typer.Option("--from", metavar="URL", help="The ledger, which stays as it is.")
    ],
    target: Annotated[
        str, typer.Option("--to", metavar="URL", help="The empty place that it is copied to.")
    ],
    *,
    as_json: JsonOption = False,
) -> None:
    """Copy a whole ledger from SQLite to PostgreSQL, back, or to another place of its kind.

    Stop the servers first: while it runs, nothing is recorded in either. Every row and every
    invariant is checked at the end, and until then the copy is no ledger. Run again after an
    interruption, it goes on from where it ended.
    """
    with answering(as_json=as_json) as output:
        output.interrupted = "Interrupted: nothing was copied."
        opened, place = open_store(source), find_database(target)
        with Bar(output, finished="the copy was finished.") as bar:
            try:
                copied = copy_ledger(opened, place, bar)
            except StoreUnavailable as fault:
                bar.stop()
                output.fail(str(fault), *bar.advice)
        document = _describe(copied, opened, place)
        if not copied.finished:
            output.fail(_say_why_not(copied, opened, place), document=document)
        output.show(document, *_say(copied, place))


class Bar(Progress):
    """How far a command is that copies a ledger, on a terminal."""

    def __init__(self, output: Output, *, finished: str) -> None:
        console = output.stderr
        self._finished = finished
        self.advice: tuple[str, ...] = ()
        self._output = output
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._step = self.add_task("", total=None)

    def on_step(self, words: str, total: int | None) -> None:
        """Begin the bar anew."""
        self.reset(self._step, description=words, total=total)

    def on_progress(self, count: int) -> None:
        """Move the bar."""
        self.advance(self._step, count)

    def on_begun(self) -> None:
        """What is copied stays."""
        self.advice = (_GO_ON,)
        self._output.interrupted = f"Interrupted. {_GO_ON}"

    def on_finished(self) -> None:
        """Nothing is left to go on with."""
        self._output.interrupted = f"Interrupted: {self._finished}"


def _describe(copied: Copied, source: Database, target: Database) -> Document:
    return {
        "from": source.shown_url,
        "to": target.shown_url,
        "finished": copied.finished,
        "continued": copied.continued,
        "tables": [table._asdict() for table in copied.tables],
        "differing": list(copied.differing),
        "invariants": copied.invariants,
        "broken": list(copied.broken),
    }


def _say_why_not(copied: Copied, source: Database, target: Database) -> str:
    if copied.differing:
        return (
            f"{target.place} does not hold what was copied there; these tables differ: "
            f"{', '.join(copied.differing)}. Copy into another empty place."
        )
    return (
        f"All was copied, but invariants are broken: {', '.join(copied.broken)}. "
        f"Prove the source with: paydown verify --database {source.shown_url}"
    )


def _say(copied: Copied, target: Database) -> tuple[Table, str]:
    rows = [(each.table, f"{each.rows:,}", _say_amounts(each.amounts)) for each in copied.tables]
    total = sum(each.rows for each in copied.tables)
    words = (
        f"Copied {total:,} rows to {target.shown_url}: every row and sum is equal on both sides, "
        f"and all {copied.invariants} invariants hold."
    )
    return make_table(["Table", "Rows", "Sums in minor units"], rows), words


def _say_amounts(amounts: dict[str, int]) -> str:
    return ", ".join(f"{name} {amount:,}" for name, amount in amounts.items())
