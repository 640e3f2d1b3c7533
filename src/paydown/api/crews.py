"""Threads for work that blocks, kept few so that what it takes of the database is bounded."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")


class Full:
    """The type of ``FULL``."""


FULL: Final = Full()
"""Too much waits already, or what it waited behind took too long: nothing was done."""

WAITING_SECONDS = 10
"""How long a piece of work may wait for a thread. Behind a ledger that is held, each before it may
take some seconds."""


class Crew:
    """So many threads, and so many pieces of work that may wait for one of them."""

    def __init__(self, name: str, *, threads_count: int, waiting_max: int) -> None:
        self._threads = ThreadPoolExecutor(threads_count, f"paydown-{name}")
        self._room = threading.Semaphore(threads_count + waiting_max)

    async def do(self, work: Callable[[], T]) -> T | Full:
        """What the work returns. Once begun it is done, even if nobody waits for it any more."""
        if not self._room.acquire(blocking=False):
            return FULL
        loop = asyncio.get_running_loop()
        latest = time.monotonic() + WAITING_SECONDS
        return await asyncio.shield(loop.run_in_executor(self._threads, self._do, work, latest))

    def _do(self, work: Callable[[], T], latest: float) -> T | Full:
        try:
            return FULL if time.monotonic() > latest else work()
        finally:
            self._room.release()

    def close(self) -> None:
        """Wait for what was begun. What still waits is dropped: nobody is left to be answered."""
        self._threads.shutdown(cancel_futures=True)
