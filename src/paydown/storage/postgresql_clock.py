"""Whether the clock of this server agrees with its database's.

Law of this file: what servers record beside each other is ordered by their clocks, so one that
disagrees records nothing. The database's clock is the one that all of them can see.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg

from paydown.storage.faults import StoreUnavailable

APART_SECONDS_MAX = 5
"""How far the two may be apart."""

EVERY_SECONDS = 5
"""How often they are compared, at most, while a connection stands."""

_SECOND_NS = 1_000_000_000
_ASK = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"


class ClockWatch:
    """Compares the two clocks every so often, on the connection that is there anyway."""

    def __init__(self, place: str, *, clock: Callable[[], int] = time.time_ns) -> None:
        """``clock`` says the time in nanoseconds since 1970, UTC."""
        self._place = place
        self._clock = clock
        self._compared_ns = 0

    def check(self, connection: psycopg.Connection, *, is_new: bool) -> None:
        """Raise ``StoreUnavailable`` where the clocks are too far apart, if it is time to look."""
        now_ns = time.monotonic_ns()
        if not is_new and now_ns - self._compared_ns < EVERY_SECONDS * _SECOND_NS:
            return
        before_ns = self._clock()
        row = connection.execute(_ASK).fetchone()
        after_ns = self._clock()
        assert row is not None, "it asks for one row"
        theirs_ns = row[0] * 1000
        # The database answered at a moment between the two: a slow answer is no wrong clock.
        apart_ns = max(theirs_ns - after_ns, before_ns - theirs_ns)
        if apart_ns > APART_SECONDS_MAX * _SECOND_NS:
            raise StoreUnavailable(
                f"{self._place} says that it is {_write(theirs_ns)}, this server's clock "
                f"{_write(after_ns)}. More than {APART_SECONDS_MAX} seconds apart nothing is "
                "recorded. Set both machines' clocks by a time server."
            )
        self._compared_ns = now_ns


def _write(ns: int) -> str:
    return datetime.fromtimestamp(ns // _SECOND_NS, UTC).isoformat()
