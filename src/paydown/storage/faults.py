"""What can go wrong with a store, in words that cross its border. No driver error does."""


class StoreUnavailable(Exception):
    """The store cannot serve now. ``str()`` is a sentence for an operator, safe to show a caller.

    Nothing was recorded, or recorded exactly once: a recognisable retry finds it.
    ``passing`` says whether the cause can go away by itself or by an operator's hand while the
    server runs (a full disk, a lock); otherwise the server must be started again.
    ``outcome_unknown`` says that what was under way may have been recorded. ``connected`` says
    that the connection is as good as before; otherwise the ledger must be opened anew.
    ``retryable`` says that the same batch may well succeed when it is tried again soon.
    """

    connected = False
    retryable = False

    def __init__(
        self, sentence: str, *, passing: bool = True, outcome_unknown: bool = False
    ) -> None:
        super().__init__(sentence)
        self.passing = passing
        self.outcome_unknown = outcome_unknown


class StoreLocked(StoreUnavailable):
    """Another process holds the write lock for longer than was waited."""

    connected = True


class StoreFull(StoreUnavailable):
    """There is no room to write."""

    connected = True


class StoreContested(StoreUnavailable):
    """Another transaction came first, so this one was undone: no fault of the store's."""

    connected = True
    retryable = True


class StoreUnreachable(StoreUnavailable):
    """The database could not be reached, or was lost on the way."""

    retryable = True

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, outcome_unknown=True)


class SchemaMismatch(StoreUnavailable):
    """There is no ledger, or one of another version; the sentence names the command that helps."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, passing=False)
