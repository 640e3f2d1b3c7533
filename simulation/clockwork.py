"""An event loop without clock, thread or socket: time passes when nothing else is left to do.

Law of this file: what runs, and when, follows from what was scheduled alone. Two runs that schedule
the same see the same.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from simulation.strands import Strands

WRITERS = "paydown-writer"
"""The name of the threads whose work is put aside: what they do takes several statements."""

SECONDS_MAX = 600
"""How long a run may take, by its own time."""


class Stuck(AssertionError):
    """Somebody waits, and nothing is left that could wake him."""


class Clockwork(asyncio.BaseEventLoop):
    """A loop whose waits take no time. What other threads would do is done in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = self
        self._clock_resolution = 1e-6
        self.strands = Strands(self)
        self.after_work: Callable[[], None] = lambda: None
        """Done in a strand when its work is, before anybody hears of it."""
        self.handed: dict[asyncio.Handle, Callable[[], None]] = {}
        """What a thread handed to the loop and the loop did not get to yet."""

    def time(self) -> float:
        """Seconds since the run began."""
        return self._now

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass in the middle of whatever runs."""
        self._now += seconds

    def select(self, timeout: float | None) -> list[Any]:
        """Where the loop would sleep."""
        if timeout is None:
            raise Stuck("nothing is left to happen")
        self._now += timeout
        if timeout and self._now > SECONDS_MAX:
            raise Stuck(f"it is not over after {SECONDS_MAX} seconds")
        return []

    def close(self) -> None:
        """End the loop: it has nothing to let go of."""
        self._selector = None
        super().close()

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> asyncio.Handle:
        """Do it soon; until then it can be found in ``handed``."""

        def run() -> None:
            self.handed.pop(handle, None)
            callback(*args)

        handle = self.call_soon(run, context=context)
        self.handed[handle] = run
        return handle

    def run_in_executor(
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        """What a writing crew's thread would do is a strand; all else runs whole, on the loop."""
        if getattr(executor, "_thread_name_prefix", "") == WRITERS:
            return self.strands.start(lambda: self._finish(func(*args)))
        done = self.create_future()

        def work() -> None:
            if done.done():
                return
            try:
                done.set_result(func(*args))
            except BaseException as error:
                done.set_exception(error)

        self.call_soon(work)
        return done

    def _finish(self, result: Any) -> Any:
        self.after_work()
        return result

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none: no socket is watched."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""
