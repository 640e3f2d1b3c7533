"""Paydown's own HTTP layer with nothing behind it: every line is accepted, nothing is recorded.

What it answers has the same form and length as a real answer. It shows what HTTP alone allows.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.ledgers import PASSWORD
from paydown.access import Authenticator, hash_password
from paydown.api.app import make_app
from paydown.bootstrap import make_around
from paydown.config import Settings
from paydown.domain.model import Bundle, Caller, Login
from paydown.domain.outcomes import LineOutcome, Outcome
from paydown.server import HttpLimits, serve
from paydown.service import read_clock
from paydown.storage.jobs import Deliver, Job
from paydown.storage.sqlite_database import SQLiteDatabase
from paydown.telemetry import Metrics, configure_logging
from paydown.wire.formats import write_instant

BALANCE = 99_999_950


class NoStore:
    """Stands where the service stands, and hands every job back as accepted.

    Jobs that come in one turn of the loop go back in one call, as a batch would.
    """

    def __init__(self, password_hash: str) -> None:
        self._password_hash = password_hash
        self._jobs: list[Job] = []
        self._deliver: Deliver | None = None

    waiting_count = 0

    def claim(self) -> None:
        """There is nothing to claim."""

    def start(self, deliver: Deliver) -> None:
        """Remember where results go."""
        self._deliver = deliver

    def stop(self) -> None:
        """There is nothing to stop."""

    def readiness(self) -> str | None:
        """Always ready."""
        return None

    def submit(self, job: Job) -> bool:
        """Accept the job."""
        if not self._jobs:
            asyncio.get_running_loop().call_soon(self._hand_back)
        self._jobs.append(job)
        return True

    def find_login(self, user_name: str, customer_guid: str | None) -> Login:
        """Everybody is the one login there is."""
        del customer_guid
        bundles = frozenset(map(str, Bundle))
        caller = Caller(1, 1, user_name, 2, "Europe/London", bundles)
        return Login(1, self._password_hash, disabled=False, caller=caller)

    def _hand_back(self) -> None:
        jobs, self._jobs = self._jobs, []
        recorded_written = write_instant(read_clock(), "Europe/London")
        for job in jobs:
            job.result = _accept(job, recorded_written)
        assert self._deliver is not None, "start comes first"
        self._deliver(jobs)


def _accept(job: Job, recorded_written: str) -> Outcome:
    written = job.command.request.value_written
    lines = job.command.request.lines
    return Outcome(
        None,
        tuple(LineOutcome(line.billing_id, BALANCE, recorded_written, written) for line in lines),
    )


def main(arguments: Sequence[str]) -> None:
    """Serve on a free port."""
    configure_logging("info")
    service: Any = NoStore(hash_password(PASSWORD))
    metrics, settings = Metrics(), Settings(database=arguments[0])
    serve(
        make_app(
            service,
            Authenticator(service.find_login),
            metrics,
            settings,
            around=make_around(SQLiteDatabase(Path("none.db")), read_clock),
        ),
        host="127.0.0.1",
        port=0,
        on_listening=lambda host, port: print(  # noqa: T201 - the bench reads it
            f"listens on http://{host}:{port}", flush=True
        ),
        limits=HttpLimits(connections_max=2000),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
