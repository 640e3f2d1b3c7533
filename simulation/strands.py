"""Threads that take turns: work that blocks can be put aside before any statement of its own.

Law of this file: one thread runs at a time, and which one hangs on the loop alone. The loop's own
thread waits while a strand runs; a strand runs when the loop comes to it.
"""

import asyncio
import random
import threading
from collections.abc import Callable
from typing import Any

from simulation.disk import Crash

WAITS = 0.1
"""How often a strand waits before a statement."""

WAIT_SECONDS = 0.002


class Strand:
    """A piece of work in a thread of its own."""

    def __init__(self, work: Callable[[], Any], done: "asyncio.Future[Any]") -> None:
        self.began = False
        """Whether it is a write that has begun: from there on it holds no lock of Python's."""
        self.wrote = False
        """Whether it has committed anything yet."""
        self._work = work
        self._done = done
        self._killed = False
        self._go = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def go_on(self) -> None:
        """Run until it is put aside, or over."""
        self._go.release()
        self._back.acquire()

    def put_aside(self) -> None:
        """Let the loop go on; to be called by the strand itself."""
        self._back.release()
        self._go.acquire()
        if self._killed:
            raise Crash

    def kill(self) -> None:
        """Let it end where it was put aside, as its process does."""
        self._killed = True
        self.go_on()

    def _run(self) -> None:
        self._go.acquire()
        try:
            result = None if self._killed else self._work()
        except BaseException as error:
            if not self._done.done():
                self._done.set_exception(error)
        else:
            if not self._done.done():
                self._done.set_result(result)
        self._back.release()


class Strands:
    """The strands of a process. What waits goes on when its time has come."""

    def __init__(self, loop: asyncio.BaseEventLoop) -> None:
        self.current: Strand | None = None
        self._loop = loop
        self._waiting: dict[Strand, asyncio.TimerHandle] = {}

    def start(self, work: Callable[[], Any]) -> "asyncio.Future[Any]":
        """Do the work beside all else, beginning soon; the future has what came of it."""
        done = self._loop.create_future()
        self._wait(Strand(work, done), 0.0)
        return done

    def pause(self, seconds: float) -> None:
        """Put the strand that runs now aside for so long."""
        strand = self.current
        assert strand is not None, "a strand pauses itself"
        self._wait(strand, seconds)
        strand.put_aside()

    def meet(self, statement: str, chance: random.Random) -> Strand | None:
        """Before a statement: the strand whose it is, which may wait here for its turn."""
        strand = self.current
        if strand is not None:
            strand.began = strand.began or statement == "BEGIN IMMEDIATE"
            if strand.began and chance.random() < WAITS:
                self.pause(chance.expovariate(1 / WAIT_SECONDS))
            strand.wrote = strand.wrote or statement == "COMMITTED"
        return strand

    def run_due(self) -> None:
        """Let go on whose time has come, also while the loop's own thread is in the middle of it.

        The writer's thread and those of the crews are several: one waits, the others need not.
        """
        if self.current is None:
            for strand, handle in list(self._waiting.items()):
                if handle.when() <= self._loop.time() and strand in self._waiting:
                    handle.cancel()
                    self._go_on(strand)

    def kill_all(self) -> None:
        """End all that are put aside."""
        while self._waiting:
            strand, handle = self._waiting.popitem()
            handle.cancel()
            strand.kill()

    def _wait(self, strand: Strand, seconds: float) -> None:
        self._waiting[strand] = self._loop.call_later(seconds, self._go_on, strand)

    def _go_on(self, strand: Strand) -> None:
        del self._waiting[strand]
        self.current = strand
        strand.go_on()
        self.current = None
