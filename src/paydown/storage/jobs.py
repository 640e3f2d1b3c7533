"""What a writer is handed, and what it hands back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from paydown.domain.model import Command, Stamp
from paydown.domain.outcomes import Decision


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The store could not take the command: nothing recorded, or exactly once. Answer 503."""

    sentence: str


class Failed(Enum):
    """Deciding or saving this command raised: our bug. It was rolled back. Answer 500."""

    FAILED = "failed"


Result = Decision | Unavailable | Failed


@dataclass(slots=True, eq=False)
class Job:
    """A command on its way through the writer, and then its result.

    ``waiter`` is the submitter's own (an asyncio Future, say): it is handed back untouched.
    ``answer`` is set where the body had to be made before COMMIT (a keyed command).
    ``stamp`` is the writer's: chosen once, however often the command is tried.
    """

    command: Command
    waiter: Any = None
    stamp: Stamp | None = None
    result: Result | None = None
    answer: bytes | None = None


class Observer(Protocol):
    """Who is told of each commit."""

    def batch_committed(self, *, commands: int, commit_ns: int) -> None:
        """``commands`` of one batch became durable in a commit that took ``commit_ns``."""


Deliver = Callable[[Sequence[Job]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much may wait, how much is taken together, and whether of one customer only."""

    queue_max: int = 1024
    queue_lines_max: int = 200_000
    batch_max: int = 64
    by_customer: bool = False
