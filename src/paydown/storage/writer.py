"""The queue and the batch loop: many waiting commands, one transaction, one sync.

Law of this file: one thread, one session. It takes one command, then all that wait, up to a bound,
and never sleeps to fill a batch. No result leaves before the commit that it speaks of returned.
If deciding or saving raises, which is our bug, the batch is halved until the offender fails alone.
What another server's transaction undid, or a lost connection, is tried again for a bounded time,
loaded and decided anew. Once a commit was attempted nothing is saved again before the books were
asked what came of it, and a command's entry id, chosen once, could not enter them twice.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from paydown.domain.model import Stamp
from paydown.domain.outcomes import Outcome
from paydown.storage.database import Session
from paydown.storage.engine import new_entry_id
from paydown.storage.faults import StoreContested, StoreUnavailable
from paydown.storage.jobs import Deliver, Failed, Job, Observer, Pace, Result, Unavailable
from paydown.storage.retrying import Tries
from paydown.storage.store import Batch, Encode, Recorded, Store

PROBE_SECONDS = 1
"""How often a store that failed is tried again while nobody asks."""

SILENT_SECONDS = 5
"""How long a batch may take before the store counts as not ready."""

LINES_MAX = 10_000
"""A batch takes no further command once it holds this many lines."""

HELD_UP_LINES_MAX = 500
"""How large a batch may be for the results of the one before it to wait until its commit."""

_log = logging.getLogger(__name__)


Clock = Callable[[], int]


class Writer:
    """Takes jobs from any thread; hands each batch back, decided and durable, in one call."""

    def __init__(
        self,
        session: Session,
        encode: Encode,
        *,
        pace: Pace,
        observer: Observer,
        clock: Clock,
        write_instant: Callable[[int, str], str],
    ) -> None:
        self._session = session
        session.before_waiting = self._hand_back_finished
        self._store = Store(session, encode)
        self._pace = pace
        self._observer = observer
        self._clock = clock
        self._write_instant = write_instant
        self._recorded_at = 0
        self._busy_since_ns = 0
        self._fault: StoreUnavailable | None = None
        self._waiting: deque[Job] = deque()
        self._waiting_lines = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._deliver: Deliver = _nobody
        self._finished: Sequence[Job] = ()
        self._thread = threading.Thread(target=self._run, name="paydown-writer", daemon=True)

    def start(self, deliver: Deliver) -> None:
        """Start the thread. ``deliver`` is called on it, once a batch, and must not block."""
        self._deliver = deliver
        self._thread.start()

    def submit(self, job: Job) -> bool:
        """Queue the job; False when the queue is full or the writer is stopping."""
        lines = _line_count(job)
        with self._changed:
            if self._stopping or self._is_full(lines):
                return False
            self._waiting.append(job)
            self._waiting_lines += lines
            self._changed.notify()
        return True

    def _is_full(self, lines: int) -> bool:
        """A request with more lines than may wait is taken when nothing else waits."""
        if len(self._waiting) >= self._pace.queue_max:
            return True
        return bool(self._waiting) and self._waiting_lines + lines > self._pace.queue_lines_max

    def stop(self) -> None:
        """Take no more, finish all that was taken, and close the store."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.ident is None:
            self._session.close()
        else:
            self._thread.join()

    @property
    def waiting_count(self) -> int:
        """How many jobs wait now."""
        return len(self._waiting)

    @property
    def is_busy(self) -> bool:
        """Whether a batch is under way."""
        return self._busy_since_ns > 0

    @property
    def is_broken(self) -> bool:
        """Whether the last that it knows of the store is a fault."""
        return self._fault is not None

    @property
    def fault(self) -> str | None:
        """Why the store cannot be written, or None when it can, as far as is known."""
        if self._fault is None:
            try:
                self._session.check()
            except StoreUnavailable as fault:
                return str(fault)
        since_ns = self._busy_since_ns
        if since_ns and time.monotonic_ns() - since_ns > SILENT_SECONDS * 1_000_000_000:
            return f"The store has not answered for more than {SILENT_SECONDS} seconds."
        return str(self._fault) if self._fault else None

    def _run(self) -> None:
        try:
            while (jobs := self._take()) is not None:
                self._turn(jobs)
        except BaseException:
            _log.exception("the writer ended")
            self._fault = StoreUnavailable("The writer ended. Restart the server.", passing=False)
        finally:
            self._end()

    def _turn(self, jobs: Sequence[Job]) -> None:
        """Serve what was taken; where nothing was, see how the store is."""
        if jobs:
            self._serve(jobs)
        elif self._fault is None:
            self._look()
        else:
            self._probe()

    def _serve(self, jobs: Sequence[Job]) -> None:
        """Serve a batch. Where the next one waits, it goes out when that one waits for the disk.

        The loop then answers it while this thread needs the interpreter least; at any other moment
        the two would stand in each other's way. It buys a fifth of SQLite's throughput.
        """
        if sum(map(_line_count, jobs)) > HELD_UP_LINES_MAX:
            self._hand_back_finished()
        self._busy_since_ns = time.monotonic_ns()
        try:
            self._process(jobs)
        finally:
            self._busy_since_ns = 0
            self._hand_back_finished()
            self._finished = jobs
        if not self._waiting:
            self._hand_back_finished()

    def _end(self) -> None:
        """Whoever still waits, which is nobody unless the loop broke, is answered."""
        with self._changed:
            self._stopping = True
            left = list(self._waiting)
            self._waiting.clear()
        self._hand_back_finished()
        self._hand_back(left)
        self._session.close()

    def _hand_back_finished(self) -> None:
        finished, self._finished = self._finished, ()
        if finished:
            self._hand_back(finished)

    def _hand_back(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if job.result is None:
                job.result = Unavailable("The writer has ended.")
        try:
            self._deliver(jobs)
        except Exception:
            _log.exception("delivering a batch failed")

    def _take(self) -> list[Job] | None:
        """One job and all that wait, up to the bounds; none after a fault's pause; None to end."""
        with self._changed:
            while not self._waiting:
                if self._stopping:
                    return None
                hopeless = self._fault is not None and not self._fault.passing
                if not self._changed.wait(None if hopeless else PROBE_SECONDS):
                    return []
            return self._take_together()

    def _take_together(self) -> list[Job]:
        jobs: list[Job] = []
        others: list[Job] = []
        lines = 0
        customer_id = self._waiting[0].command.caller.customer_id
        while self._waiting and len(jobs) < self._pace.batch_max and lines < LINES_MAX:
            job = self._waiting.popleft()
            if self._pace.by_customer and job.command.caller.customer_id != customer_id:
                others.append(job)
                continue
            lines += _line_count(job)
            jobs.append(job)
        self._waiting.extendleft(reversed(others))
        self._waiting_lines -= lines
        return jobs

    def _process(self, jobs: Sequence[Job]) -> None:
        """Give every job its result, trying again where that may help."""
        commands = [job.command for job in jobs]
        tries = Tries(hopeful=self._fault is None)
        while True:
            try:
                self._refuse_if_broken()
                stamps = [self._stamp(job) for job in jobs]
                batch = Batch(commands, stamps)
                recorded = self._store.save(batch)
                self._commit(batch, recorded)
            except StoreUnavailable as fault:
                if self._may_try_again(fault, tries):
                    continue
                self._give_up(jobs, fault)
            except Exception:
                self._isolate(jobs)
            else:
                _give_results(jobs, recorded)
            return

    def _may_try_again(self, fault: StoreUnavailable, tries: Tries) -> bool:
        """Wait a little, where there is a further try for a batch of which nothing is recorded."""
        wait_ms = None if self._stopping and not fault.connected else tries.next_wait(fault)
        if wait_ms is None:
            return False
        if not fault.connected:
            self._note(fault)
        self._hand_back_finished()
        time.sleep(wait_ms / 1000)
        return True

    def _give_up(self, jobs: Sequence[Job], fault: StoreUnavailable) -> None:
        """No further try: others' transactions are met by smaller batches, a fault by none."""
        if isinstance(fault, StoreContested):
            self._isolate(jobs, Unavailable(str(fault)))
        else:
            self._refuse(jobs, fault)

    def _isolate(self, jobs: Sequence[Job], result: Result = Failed.FAILED) -> None:
        """Nothing of the batch was recorded; its halves are tried by themselves."""
        if len(jobs) > 1:
            middle = len(jobs) // 2
            self._process(jobs[:middle])
            self._process(jobs[middle:])
            return
        if result is Failed.FAILED:
            _log.exception("recording failed", extra={"request_id": jobs[0].command.request_id})
        jobs[0].result = result

    def _commit(self, batch: Batch, recorded: Sequence[Recorded]) -> None:
        """Make the batch durable, or raise ``StoreUnavailable``. On any doubt the books are asked.

        What it raises is retryable only where nothing of the batch is recorded for certain.
        """
        started = time.perf_counter_ns()
        try:
            self._store.commit()
        except Exception as error:
            fault = _as_fault(error)
            found = self._ask_books(fault, batch, recorded)
            if found is None:
                raise StoreUnavailable(str(fault), passing=fault.passing) from error
            if not found:
                raise fault from error
        commit_ns = time.perf_counter_ns() - started
        if any(map(_has_written, recorded)):
            self._fault = None
        try:
            self._observer.batch_committed(commands=len(recorded), commit_ns=commit_ns)
        except Exception:
            _log.exception("observing a commit failed")

    def _ask_books(
        self, fault: StoreUnavailable, batch: Batch, recorded: Sequence[Recorded]
    ) -> bool | None:
        """Whether a commit that failed happened all the same; None where nobody can tell."""
        if not fault.outcome_unknown:
            return False
        if not fault.passing:
            return None
        _log.warning("the outcome of a commit is unknown; opening the ledger anew")
        tries = Tries(hopeful=True)
        while True:
            try:
                return self._store.found(batch, recorded)
            except Exception as error:
                doubt = _as_fault(error)
                if not self._may_try_again(doubt, tries):
                    _log.exception("the outcome of a commit stays unknown")
                    return None

    def _refuse_if_broken(self) -> None:
        """A fault that will not pass, or has not by the end, is answered without trying again."""
        fault = self._fault
        if fault is not None and (self._stopping or not fault.passing):
            raise StoreUnavailable(str(fault), passing=fault.passing)

    def _stamp(self, job: Job) -> Stamp:
        """Never twice the same record time, and never an earlier one, whatever the clock does."""
        if job.stamp is None:
            self._recorded_at = max(self._clock(), self._recorded_at + 1)
            written = self._write_instant(self._recorded_at, job.command.caller.time_zone)
            job.stamp = Stamp(new_entry_id(self._recorded_at), self._recorded_at, written)
        return job.stamp

    def _refuse(self, jobs: Sequence[Job], fault: StoreUnavailable) -> None:
        """Remember the fault, and give it to each job as its result."""
        self._note(fault)
        for job in jobs:
            job.result = Unavailable(str(fault))

    def _note(self, fault: StoreUnavailable) -> None:
        if self._fault is None or str(self._fault) != str(fault):
            _log.error("the store is unavailable: %s", fault)
        self._fault = fault
        # While it is connected the files beside the ledger are watched, and nobody removes them.
        if not fault.connected:
            self._session.disconnect()

    def _look(self) -> None:
        """While nobody pays: see that the store is still there, so that readiness is true."""
        try:
            self._session.look()
        except Exception as error:
            self._note(_as_fault(error))

    def _probe(self) -> None:
        try:
            self._session.probe()
        except Exception as error:
            self._note(_as_fault(error))
        else:
            _log.warning("the store is available again")
            self._fault = None


def _give_results(jobs: Sequence[Job], recorded: Sequence[Recorded]) -> None:
    for job, (decision, answer) in zip(jobs, recorded, strict=True):
        job.result = decision
        job.answer = answer


def _as_fault(error: Exception) -> StoreUnavailable:
    """What a commit or a probe raised, as a fault; what has no name is an unknown outcome."""
    if isinstance(error, StoreUnavailable):
        return error
    _log.error("the store failed in an unknown way", exc_info=error)
    return StoreUnavailable("The store failed in an unknown way.", outcome_unknown=True)


def _has_written(recorded: Recorded) -> bool:
    """Whether its commit proves that the store can be written: one of nothing does not."""
    decision = recorded.decision
    return isinstance(decision, Outcome) and bool(decision.entry or decision.replays)


def _line_count(job: Job) -> int:
    return len(job.command.request.lines)


def _nobody(_: Sequence[Job]) -> None:
    raise AssertionError("start comes first")
