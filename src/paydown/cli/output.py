"""What every command shares: its options, its answers for people and programs, and its errors."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from paydown.admin import Admin, Mistake
from paydown.config import ENVIRONMENT_PREFIX
from paydown.domain.wording import printable
from paydown.server import ServeError
from paydown.storage.faults import StoreUnavailable
from paydown.storage.opening import open_store

INTERRUPTED = 130
_PIPE_WIDTH = 200

T = TypeVar("T")
Document = dict[str, Any]

DatabaseOption = Annotated[
    str,
    typer.Option(
        "--database",
        envvar=f"{ENVIRONMENT_PREFIX}DATABASE",
        metavar="URL",
        help="The ledger, such as sqlite:///ledger.db.",
    ),
]
NO_VALUE = ""  # a flag's metavar: Typer shows <bool> without one
JsonOption = Annotated[
    bool, typer.Option("--json", metavar=NO_VALUE, help="Print one JSON document.")
]
CustomerOption = Annotated[
    str,
    typer.Option("--customer", metavar="GUID", help="The customer. See: paydown customer list."),
]


class Output:
    """Where a command's answer goes: a document for programs, words for people."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.interrupted = "Interrupted."
        self.stdout = Console(highlight=False, markup=False, emoji=False)
        if not self.stdout.is_terminal:
            self.stdout.width = _PIPE_WIDTH
        self.stderr = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

    def show(self, document: Document, *words: str | Table) -> None:
        """Print the document or the words."""
        if self.as_json:
            typer.echo(json.dumps(document, indent=2))
            return
        for word in words:
            self.say(word)

    def say(self, word: str | Table) -> None:
        """Print it for people: whatever it tells of, it moves no terminal's cursor."""
        if isinstance(word, str):
            self.stdout.print(printable(word), soft_wrap=True)
        else:
            self.stdout.print(word)

    def fail(self, sentence: str, *words: str, document: Document | None = None) -> NoReturn:
        """Say why nothing was done, and end with status 1."""
        if self.as_json:
            typer.echo(json.dumps({"error": sentence, **(document or {})}))
        else:
            for word in (sentence, *words):
                self.stderr.print(printable(word))
        raise typer.Exit(1)

    def settle(self, value: T | Mistake) -> T:
        """The value, unless it is a mistake."""
        if isinstance(value, Mistake):
            self.fail(value.for_operator)
        return value


@contextmanager
def answering(*, as_json: bool) -> Iterator[Output]:
    """An output, and every foreseeable fault said in a sentence."""
    output = Output(as_json=as_json)
    try:
        yield output
    except (StoreUnavailable, ServeError) as fault:
        output.fail(str(fault))
    except KeyboardInterrupt:
        output.stderr.print(output.interrupted)
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def administering(database: str, *, as_json: bool) -> Iterator[tuple[Admin, Output]]:
    """The operations on the ledger at the URL."""
    with answering(as_json=as_json) as output:
        yield Admin(open_store(database)), output


def make_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A plain table whose cells are never cut, and move no terminal's cursor."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for column in table.columns:
        column.overflow = "fold"
    for row in rows:
        table.add_row(*map(printable, row))
    return table


def say_state(*, active: bool) -> str:
    """The state of what can be disabled."""
    return "active" if active else "disabled"
