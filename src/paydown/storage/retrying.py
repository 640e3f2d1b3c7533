"""How often a batch that met another, or lost its way, is tried again, and after what waits."""

from paydown.storage.faults import StoreUnavailable

CONTESTED_MS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 400)
"""The waits before a batch is tried again that another server's transaction came before."""

UNREACHABLE_MS = (0, 100, 300, 600, 1000, 1000, 2000)
"""The waits before a batch is tried again whose connection was lost: long enough for a restart."""


class Tries:
    """The further tries that a batch has left. Those for contention and for loss count apart."""

    def __init__(self, *, hopeful: bool) -> None:
        """A store that is known to be down is not waited for: ``hopeful`` is False then."""
        self._contested = iter(CONTESTED_MS)
        self._unreachable = iter(UNREACHABLE_MS if hopeful else ())

    def next_wait(self, fault: StoreUnavailable) -> int | None:
        """The milliseconds to wait before the next try; None where there is none."""
        if not fault.retryable:
            return None
        return next(self._contested if fault.connected else self._unreachable, None)
