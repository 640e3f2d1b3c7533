"""The two calls, for any door: what records commands, and finds who may send them.

Synchronous and thread-safe. A command's result comes back through ``deliver``, one call a batch.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

from paydown.domain.model import Command, Login
from paydown.domain.outcomes import Outcome
from paydown.storage import logins
from paydown.storage.database import Database
from paydown.storage.faults import StoreLocked, StoreUnavailable
from paydown.storage.jobs import Deliver, Job, Observer, Pace
from paydown.storage.writer import Writer
from paydown.wire import messages
from paydown.wire.formats import write_instant

_log = logging.getLogger(__name__)

Clock = Callable[[], int]


def read_clock() -> int:
    """Now, in ticks."""
    return time.time_ns() // 100


class RisingClock:
    """A clock for several threads that never says the same time twice, nor an earlier one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0
        self._lock = threading.Lock()

    def __call__(self) -> int:
        """Now, in ticks, or a tick later than the last time said."""
        with self._lock:
            self._last = max(self._clock(), self._last + 1)
            return self._last


class Service:
    """One ledger, open for recording. Use it once: start, submit, stop.

    Where the ledger takes several transactions at once, ``writers`` of them are under way: while
    one waits for the database, another decides. ``clock`` is for whoever else records in the
    same process: no two record times are the same.
    """

    def __init__(
        self,
        database: Database,
        *,
        pace: Pace,
        observer: Observer,
        writers: int = 1,
        clock: Clock = read_clock,
    ) -> None:
        self._database = database
        self._claim = ExitStack()
        self._claimed = False
        self.clock = RisingClock(clock)
        self._sessions = [
            database.session() for _ in range(min(writers, database.sessions_max or writers))
        ]
        self._writers = [
            Writer(
                session,
                encode_outcome,
                pace=pace,
                observer=observer,
                clock=self.clock,
                write_instant=write_instant,
            )
            for session in self._sessions
        ]

    def claim(self) -> None:
        """Hold the ledger for this service, and see that it can be written.

        Raises ``StoreUnavailable``. A lock that another process holds for now is no reason to.
        """
        if self._claimed:
            return
        first = self._sessions[0]
        with ExitStack() as claim:
            claim.enter_context(self._database.claim())
            claim.callback(first.disconnect)
            with suppress(StoreLocked):
                first.probe()
            self._claim = claim.pop_all()
        self._claimed = True

    def start(self, deliver: Deliver) -> None:
        """Claim the ledger, where that was not done, and begin to record."""
        self.claim()
        for writer in self._writers:
            writer.start(deliver)

    def submit(self, job: Job) -> bool:
        """Queue the job; False when the queue is full or the service is stopping."""
        return min(self._writers, key=_load).submit(job)

    def stop(self) -> None:
        """Answer all that was taken, then let go of the ledger."""
        for writer in self._writers:
            writer.stop()
        self._claim.close()

    def readiness(self) -> str | None:
        """None when payments can be recorded, else a sentence that says why not."""
        return next((writer.fault for writer in self._writers if writer.fault), None)

    @property
    def waiting_count(self) -> int:
        """How many commands wait in the queue."""
        return sum(writer.waiting_count for writer in self._writers)

    def find_login(self, user_name: str, customer_guid: str | None) -> Login | None:
        """The login and whom it may act for, read now. Raises ``StoreUnavailable``."""
        try:
            with self._database.read() as connection:
                return logins.find_login(
                    connection, user_name=user_name, customer_guid=customer_guid
                )
        except StoreUnavailable as fault:
            # The writer's connection may be as good as ever, and readiness green.
            _log.error("a login cannot be looked up: %s", fault)
            raise


def _load(writer: Writer) -> tuple[bool, int, bool]:
    """How long a job would wait: behind those that wait, and then behind the batch under way.

    A writer whose connection is broken is quick to refuse, and chosen last.
    """
    return writer.is_broken, writer.waiting_count, writer.is_busy


def encode_outcome(command: Command, outcome: Outcome) -> bytes:
    """The body that answers the command with this outcome."""
    return messages.encode(command.request, outcome, command.caller.minor_digits)
