"""What Paydown does, for any door: the one object that the api, the console and tests talk to.

Synchronous and thread-safe. A command's result comes back through ``deliver``, one call a batch.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

from paydown.domain.model import Command, Login
from paydown.domain.outcomes import Outcome
from paydown.storage import reference
from paydown.storage.engine import Database
from paydown.storage.faults import StoreLocked
from paydown.storage.writer import Deliver, Job, Observer, Pace, Writer
from paydown.wire import messages
from paydown.wire.formats import write_instant

Clock = Callable[[], int]


def read_clock() -> int:
    """Now, in ticks."""
    return time.time_ns() // 100


class Service:
    """One ledger, open for recording. Use it once: start, submit, stop."""

    def __init__(
        self, database: Database, *, pace: Pace, observer: Observer, clock: Clock = read_clock
    ) -> None:
        self._database = database
        self._claim = ExitStack()
        self._claimed = False
        self._session = database.session()
        self._writer = Writer(
            self._session,
            encode_outcome,
            pace=pace,
            observer=observer,
            clock=clock,
            write_instant=write_instant,
        )

    def claim(self) -> None:
        """Hold the ledger for this service, and see that it can be written.

        Raises ``StoreUnavailable``. A lock that another process holds for now is no reason to.
        """
        if self._claimed:
            return
        with ExitStack() as claim:
            claim.enter_context(self._database.claim())
            claim.callback(self._session.disconnect)
            with suppress(StoreLocked):
                self._session.probe()
            self._claim = claim.pop_all()
        self._claimed = True

    def start(self, deliver: Deliver) -> None:
        """Claim the ledger, where that was not done, and begin to record."""
        self.claim()
        self._writer.start(deliver)

    def submit(self, job: Job) -> bool:
        """Queue the job; False when the queue is full or the service is stopping."""
        return self._writer.submit(job)

    def stop(self) -> None:
        """Answer all that was taken, then let go of the ledger."""
        self._writer.stop()
        self._claim.close()

    def readiness(self) -> str | None:
        """None when payments can be recorded, else a sentence that says why not."""
        return self._writer.fault

    @property
    def waiting_count(self) -> int:
        """How many commands wait in the queue."""
        return self._writer.waiting_count

    def find_login(self, user_name: str, customer_guid: str | None) -> Login | None:
        """The login and whom it may act for, read now. Raises ``StoreUnavailable``."""
        with self._database.read() as connection:
            return reference.find_login(
                connection, user_name=user_name, customer_guid=customer_guid
            )


def encode_outcome(command: Command, outcome: Outcome) -> bytes:
    """The body that answers the command with this outcome."""
    return messages.encode(command.request, outcome, command.caller.minor_digits)
