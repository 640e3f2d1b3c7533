"""An authenticator over two logins, with a clock and a hasher that the test holds."""

import threading
from collections.abc import Callable
from typing import Any

from argon2 import PasswordHasher

from paydown.access import (
    AccessSettings,
    Authenticator,
    Denial,
    Reason,
)
from paydown.domain.model import Caller, Login

GUID = "0a1b2c3d-0000-4000-8000-00000000000a"
OTHER_GUID = "0a1b2c3d-0000-4000-8000-00000000000b"
PASSWORD = "right-horse-né"
UNAUTHENTICATED = Denial(Reason.UNAUTHENTICATED)
FORBIDDEN = Denial(Reason.FORBIDDEN)
BUSY = Denial(Reason.THROTTLED, retry_seconds=1)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class CountingHasher(PasswordHasher):
    """Cheap, counts what it is asked, and waits at the gate where a test closed it."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.asked: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.at_once = 0
        self.at_once_most = 0
        self.lock = threading.Lock()

    # A002: argon2-cffi's own parameter has that name.
    def verify(self, hash: str | bytes, password: str | bytes) -> Any:  # noqa: A002
        """As argon2 does, counted."""
        with self.lock:
            self.asked.append(str(hash))
            self.at_once += 1
            self.at_once_most = max(self.at_once, self.at_once_most)
        try:
            assert self.gate.wait(10)
            return super().verify(hash, password)
        finally:
            with self.lock:
                self.at_once -= 1


class Door:
    """An authenticator over two logins and a clock that the test turns."""

    def __init__(self, **settings: Any) -> None:
        self.now = 1_000.0
        self.read: list[tuple[str, str | None]] = []
        self.fault: Exception | None = None
        self.hasher = CountingHasher()
        self.logins = {
            "café": (CHEAP.hash(PASSWORD), False, {GUID: caller(1)}),
            "disabled": (CHEAP.hash(PASSWORD), True, {GUID: caller(2)}),
        }
        self.authenticator = Authenticator(
            self.find_login,
            settings=AccessSettings(**settings),
            clock=lambda: self.now,
            hasher=self.hasher,
        )

    def find_login(self, user_name: str, customer_guid: str | None) -> Login | None:
        """The store's part."""
        self.read.append((user_name, customer_guid))
        if self.fault:
            raise self.fault
        if user_name not in self.logins:
            return None
        password_hash, disabled, callers = self.logins[user_name]
        return Login(1, password_hash, disabled, callers.get(customer_guid or ""))

    def ask(
        self,
        user_name: str | bytes = "café",
        password: str | bytes = PASSWORD,
        customer_guid: str = GUID,
        *,
        address: str = "192.0.2.1",
    ) -> Caller | Denial:
        """What a request with these headers gets: recalled if it can be, else verified."""
        said: dict[str, Any] = {
            "user_name": user_name.encode() if isinstance(user_name, str) else user_name,
            "password": password.encode() if isinstance(password, str) else password,
            "customer_guid": customer_guid.encode(),
            "address": address,
        }
        return self.authenticator.recall(**said) or self.authenticator.verify(**said)

    def change(self, user_name: str, **parts: Any) -> None:
        """Change a login in the store, as another process would."""
        password_hash, disabled, callers = self.logins[user_name]
        self.logins[user_name] = (
            parts.get("password_hash", password_hash),
            parts.get("disabled", disabled),
            parts.get("callers", callers),
        )


def caller(customer_id: int, *bundles: str) -> Caller:
    """A caller for a customer."""
    return Caller(customer_id, 1, "café", 2, "Europe/London", frozenset(bundles))


def until(is_so: Callable[[], bool]) -> None:
    """Wait until it is so."""
    for _ in range(1_000):
        if is_so():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it did not come to be so")
