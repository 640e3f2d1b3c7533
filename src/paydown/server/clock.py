"""A deadline that is set anew for every request and costs a timer only now and then."""

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls ``expire`` once the time last set has passed. Setting a later time keeps the timer."""

    __slots__ = ("_at", "_expire", "_loop", "_timer", "_timer_at", "set_at")

    def __init__(self, loop: asyncio.AbstractEventLoop, expire: Callable[[], None]) -> None:
        self._loop = loop
        self._expire = expire
        self._at: float | None = None
        self.set_at = loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def set(self, seconds: float | None) -> None:
        """Expire that many seconds from now; None: not at all."""
        if seconds is None:
            self._at = None
            return
        self.set_at = self._loop.time()
        self._at = self.set_at + seconds
        if self._timer is None or self._timer_at > self._at:
            self.cancel()
            self._arm(self._at)

    def cancel(self) -> None:
        """Let go of the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, at: float) -> None:
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._at > self._loop.time():
            self._arm(self._at)
        else:
            self._at = None
            self._expire()
