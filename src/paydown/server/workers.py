"""Several server processes on one address: started, watched, replaced, drained.

Law of this file: the parent answers nobody. It and each worker hold the two ends of a channel, and
whoever ends, in whatever way, lets go of his: a worker that died is replaced, and a worker whose
parent is gone drains and ends. Each has a listening socket of its own, which the parent keeps open
too: a connection that waits for a worker that died is taken by the one that replaces it.
"""

import os
import pickle
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from paydown.server.faults import ServeError

CALM_SECONDS = 5.0
"""A worker that did not live for so long is replaced after a pause, else at once."""

PAUSE_SECONDS = 1.0


class Place(NamedTuple):
    """What a worker is given: its number, from 0, the socket, and whom to tell that it serves."""

    number: int
    listener: socket.socket
    on_ready: Callable[[], None]


Target = Callable[[Place], None]
"""What a worker does, until a SIGTERM has drained it. It is pickled."""

_STOP = (signal.SIGTERM, signal.SIGINT)
_READY = b"."
_PROGRAM = "from paydown.server.workers import work; work()"

logger = structlog.get_logger()


@dataclass(slots=True, eq=False)
class _Worker:
    number: int
    process: subprocess.Popen[bytes]
    channel: socket.socket
    started_at: float
    ready: bool = False


class Supervisor:
    """The parent of the workers. Use it once: ``run``."""

    def __init__(
        self,
        target: Target,
        listeners: Sequence[socket.socket],
        *,
        on_ready: Callable[[], None],
    ) -> None:
        self._target = target
        self._listeners = listeners
        self._on_ready = on_ready
        self._selector = selectors.DefaultSelector()
        self._workers: dict[int, _Worker] = {}
        self._due: dict[int, float] = {}
        self._serving = False
        self._stopping = False

    def run(self) -> None:
        """Keep a worker for each socket until SIGTERM or SIGINT; return when all have drained.

        Raises ServeError where one ends before all were ready. Only for a process's main thread.
        """
        self._due = dict.fromkeys(range(len(self._listeners)), time.monotonic())
        with _heard_signals() as signals, self._selector:
            self._selector.register(signals, selectors.EVENT_READ)
            try:
                while self._due or self._workers:
                    self._start_due()
                    self._wait(signals)
            finally:
                self._stop(signal.SIGTERM)
                for worker in self._workers.values():
                    worker.process.wait()
                    worker.channel.close()

    def _start_due(self) -> None:
        now = time.monotonic()
        for number in [number for number, due_at in self._due.items() if due_at <= now]:
            del self._due[number]
            try:
                self._start(number)
            except OSError as fault:
                if not self._serving:
                    raise ServeError(f"A worker could not start: {fault.strerror}.") from None
                self._due[number] = now + PAUSE_SECONDS
                logger.error("a worker could not start", worker=number, reason=fault.strerror)

    def _start(self, number: int) -> None:
        """Raises OSError where the system has no room for another process."""
        ours, theirs = socket.socketpair()
        inherited = (self._listeners[number].fileno(), theirs.fileno())
        with theirs:
            try:
                process = subprocess.Popen(  # noqa: S603 - it is this interpreter
                    [sys.executable, "-P", "-c", _PROGRAM, *map(str, inherited)],
                    stdin=subprocess.DEVNULL,
                    pass_fds=inherited,
                    # A terminal's Ctrl-C reaches the parent alone, which passes it on.
                    process_group=0,
                )
            except OSError:
                ours.close()
                raise
        self._workers[number] = _Worker(number, process, ours, time.monotonic())
        self._selector.register(ours, selectors.EVENT_READ, self._workers[number])
        try:
            ours.sendall(pickle.dumps((self._target, number)))
        except OSError:
            logger.warning("a worker ended before it began", worker=number, pid=process.pid)

    def _wait(self, signals: socket.socket) -> None:
        """Take what comes, or what was to be started by now."""
        due_at = min(self._due.values(), default=None)
        pause = None if due_at is None else max(0.0, due_at - time.monotonic())
        for key, _ in self._selector.select(pause):
            if key.fileobj is signals:
                for number in signals.recv(64):
                    self._stop(number)
            else:
                self._hear(key.data)

    def _hear(self, worker: _Worker) -> None:
        try:
            said = worker.channel.recv(1)
        except ConnectionResetError:
            said = b""
        if not said:
            self._bury(worker)
            return
        worker.ready = True
        if not self._serving and all(each.ready for each in self._workers.values()):
            self._serving = True
            self._on_ready()

    def _bury(self, worker: _Worker) -> None:
        """See it off, and have another take its place."""
        self._selector.unregister(worker.channel)
        worker.channel.close()
        status = worker.process.wait()
        del self._workers[worker.number]
        known = {"worker": worker.number, "pid": worker.process.pid, "status": status}
        if self._stopping:
            if status:
                logger.error("a worker ended out of order", **known)
            return
        if not self._serving:
            raise ServeError("A worker could not start; the log says why.")
        now = time.monotonic()
        pause = 0.0 if now - worker.started_at >= CALM_SECONDS else PAUSE_SECONDS
        self._due[worker.number] = now + pause
        logger.error("a worker ended and is replaced", **known)

    def _stop(self, number: int) -> None:
        """Drain. A second SIGINT has the workers cut off what still runs."""
        passed_on = number if self._stopping else signal.SIGTERM
        self._stopping = True
        self._due.clear()
        for listener in self._listeners:
            listener.close()
        for worker in self._workers.values():
            worker.process.send_signal(passed_on)


@contextmanager
def _heard_signals() -> Iterator[socket.socket]:
    """A socket from which the number of each SIGTERM and SIGINT can be read."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        wakened = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        handlers = [signal.signal(each, lambda *_: None) for each in _STOP]
        try:
            yield ours
        finally:
            for each, handler in zip(_STOP, handlers, strict=True):
                signal.signal(each, handler)
            signal.set_wakeup_fd(wakened)


def work() -> None:
    """The life of a worker: what its process runs."""
    listener, channel = (socket.socket(fileno=int(each)) for each in sys.argv[1:])
    with listener, channel:
        with channel.makefile("rb") as sent:
            target, number = pickle.load(sent)  # noqa: S301 - its parent sent it
        threading.Thread(target=_end_with_parent, args=[channel], daemon=True).start()
        target(Place(number, listener, lambda: channel.sendall(_READY)))


def _end_with_parent(channel: socket.socket) -> None:
    """Nothing more is said; this returns when the parent has gone."""
    channel.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)
