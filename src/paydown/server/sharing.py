"""What the processes of one server share beside the socket: their numbers, and standard error.

Both are kept in a folder that their parent made for them.
"""

import fcntl
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from prometheus_client import CollectorRegistry, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

from paydown.telemetry import Exchange, Metrics


class WorkerMetrics(Metrics):
    """Every measurement of one of several processes; it shows the sums of all.

    Who takes a dead one's number counts on from where that one stopped. Of the processes
    themselves it shows nothing.
    """

    def __init__(self, folder: Path, number: int) -> None:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]
        super().__init__()
        self._sums = CollectorRegistry()
        MultiProcessCollector(self._sums, str(folder))  # type: ignore[no-untyped-call]
        self._depth: Callable[[], float] = lambda: 0.0
        self._note_queue()

    def watch_queue(self, depth: Callable[[], float]) -> None:
        """Note the queue's depth at each answer: another process may be asked for it."""
        self._depth = depth

    def answered(self, exchange: Exchange, duration_ns: int) -> None:
        super().answered(exchange, duration_ns)
        self._note_queue()

    def exposition(self) -> bytes:
        self._note_queue()
        return generate_latest(self._sums)

    def _note_queue(self) -> None:
        self._queue.set(self._depth())


class _Turns(io.RawIOBase):
    """Standard error, on which several processes write in turns."""

    def __init__(self, lock: Path) -> None:
        self._lock = lock.open("wb")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """Write all of it before another process's turn."""
        rest = memoryview(data)
        written = len(rest)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            while rest:
                rest = rest[os.write(sys.stderr.fileno(), rest) :]
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)
        return written

    def close(self) -> None:
        self._lock.close()
        super().close()


def shared_stderr(folder: Path) -> TextIO:
    """Standard error for a log: no line is broken by another process that shares the folder."""
    return io.TextIOWrapper(io.BufferedWriter(_Turns(folder / "log.lock")), encoding="utf-8")
