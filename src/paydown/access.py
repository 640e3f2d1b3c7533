"""Headers to Caller: who is asking, proved once and remembered for a moment.

Law of this file: a password is neither kept nor said. What is remembered of one is a keyed hash,
and the key lives and dies with the process. A refusal tells an unknown user, a disabled login and
a wrong password apart neither by its words nor by its time.
"""

import hashlib
import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import IPv6Address, ip_address
from typing import Any, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from paydown.domain.model import Caller, Login
from paydown.storage.faults import StoreUnavailable
from paydown.wire.formats import read_guid

FindLogin = Callable[[str, str | None], Login | None]
"""The login of a user name, with its caller for the customer of a guid. Raises StoreUnavailable."""

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

LEGIBLE = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"
GENERATED_LENGTH = 24


def hash_password(password: str) -> str:
    """The argon2id hash to store, salted."""
    return HASHER.hash(password)


def generate_password() -> str:
    """A password of 139 random bits, without characters that are mistaken for one another."""
    return "".join(secrets.choice(LEGIBLE) for _ in range(GENERATED_LENGTH))


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """How much is verified at once, how long it is believed, and how many may go wrong.

    What was changed elsewhere is in force after ``fresh_seconds`` and one reading; a password is
    proved anew after ``proved_seconds`` without use. ``waiting_per_address_max`` counts those under
    way too. Half of ``waiting_max`` is kept for logins from where none failed lately.
    """

    verifications_max: int = 2
    waiting_max: int = 30
    waiting_per_address_max: int = 16
    answers_max: int = 10_000
    proofs_max: int = 10_000
    fresh_seconds: float = 20.0
    proved_seconds: float = 300.0
    failures_per_login_max: int = 10
    failures_per_address_max: int = 100
    failures_tracked_max: int = 10_000
    failure_seconds: float = 300.0

    @property
    def threads_count(self) -> int:
        """How many threads ``verify`` needs: all that may wait, and some for who need not."""
        return self.verifications_max + self.waiting_max + 8


class Reason(Enum):
    """Why nobody was recognised, in the order in which the reasons are looked at."""

    THROTTLED = auto()
    UNAVAILABLE = auto()
    UNAUTHENTICATED = auto()
    FORBIDDEN = auto()


class Denial(NamedTuple):
    """No caller. THROTTLED comes with ``retry_seconds``, UNAVAILABLE with the store's ``sentence``.

    FORBIDDEN: the login is right, and its customer malformed, unknown or not enabled.
    """

    reason: Reason
    retry_seconds: int | None = None
    sentence: str | None = None


UNAUTHENTICATED = Denial(Reason.UNAUTHENTICATED)
FORBIDDEN = Denial(Reason.FORBIDDEN)
BUSY = Denial(Reason.THROTTLED, retry_seconds=1)


class Failures:
    """Failed proofs in the current period, by key, in a bounded table. Not thread-safe by itself.

    The oldest entry makes room for a new one. One address can add at most as many entries as it has
    failures left, so pushing its own out costs an attacker about what waiting for it to pass does.
    """

    def __init__(self, failures_max: int, settings: AccessSettings) -> None:
        self._failures_max = failures_max
        self._seconds = settings.failure_seconds
        self._tracked_max = settings.failures_tracked_max
        self._table: dict[bytes, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._table)

    def seconds_left(self, key: bytes, now: float) -> float:
        """How long the key stays throttled; zero or less when it may try."""
        count, ends_at = self._table.get(key, (0, now))
        return ends_at - now if count >= self._failures_max else 0.0

    def has_any(self, key: bytes, now: float) -> bool:
        """Whether the key has failed in the current period."""
        _, ends_at = self._table.get(key, (0, now))
        return ends_at > now

    def note(self, key: bytes, now: float) -> None:
        """Count one more."""
        count, ends_at = self._table.get(key, (0, 0.0))
        if ends_at <= now:
            self._table.pop(key, None)
            count, ends_at = 0, now + self._seconds
        self._table[key] = (count + 1, ends_at)
        _drop_oldest(self._table, self._tracked_max)


@dataclass(frozen=True, slots=True, repr=False)
class _Credentials:
    """What the three headers said, and from where. Never printed."""

    user_name: bytes
    password: bytes
    customer_guid: bytes
    address: str

    @property
    def complete(self) -> bool:
        return bool(self.user_name and self.password and self.customer_guid)


@dataclass(frozen=True, slots=True, repr=False)
class _Claim:
    """That a password is the one behind a hash, and who says so, as keys. Never printed."""

    pair: bytes
    password: bytes
    password_hash: str
    place: bytes
    login_at_place: bytes

    @property
    def key(self) -> tuple[bytes, str]:
        return self.pair, self.password_hash


class _Known(NamedTuple):
    """An answer given lately, and until when it may be given again without reading the store."""

    answer: Caller | Denial
    fresh_until: float


class Authenticator:
    """Recognises callers. Thread-safe: ``recall`` on the event loop, ``verify`` in worker threads.

    Give the workers ``AccessSettings.threads_count`` threads: what waits for its turn blocks one.
    """

    def __init__(
        self,
        find_login: FindLogin,
        *,
        settings: AccessSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
        hasher: PasswordHasher = HASHER,
    ) -> None:
        self._find_login = find_login
        self._settings = settings = settings or AccessSettings()
        self._clock = clock
        self._hasher = hasher
        self._decoy = hasher.hash(secrets.token_bytes())
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(settings.verifications_max)
        self._answers: dict[bytes, _Known] = {}
        self._proofs = OrderedDict[bytes, tuple[str, float]]()
        self._flights: dict[tuple[bytes, str], tuple[bytes, Future[bool]]] = {}
        self._by_place = Failures(settings.failures_per_address_max, settings)
        self._by_login = Failures(settings.failures_per_login_max, settings)

    def recall(
        self, *, user_name: bytes, password: bytes, customer_guid: bytes, address: str
    ) -> Caller | Denial | None:
        """The answer, where it can be had without waiting; None where ``verify`` must find it."""
        now = self._clock()
        known = self._answers.get(self._digest(user_name, password, customer_guid))
        if known is not None and now < known.fresh_until:
            return known.answer
        return self._turn_away(_Credentials(user_name, password, customer_guid, address), now)

    def verify(
        self, *, user_name: bytes, password: bytes, customer_guid: bytes, address: str
    ) -> Caller | Denial:
        """The answer, from the store and by argon2 where need be. Blocks."""
        credentials = _Credentials(user_name, password, customer_guid, address)
        now = self._clock()
        if denial := self._turn_away(credentials, now):
            return denial
        try:
            login = self._read(credentials)
        except StoreUnavailable as fault:
            return Denial(Reason.UNAVAILABLE, sentence=str(fault))
        if denial := self._prove(self._make_claim(credentials, login)):
            return denial
        assert login is not None, "nothing proves the decoy"
        answer = login.caller or FORBIDDEN
        known = _Known(answer, now + self._settings.fresh_seconds)
        self._remember(self._digest(user_name, password, customer_guid), known)
        return answer

    # Refusing to look

    def _turn_away(self, credentials: _Credentials, now: float) -> Denial | None:
        """The denial of who failed too often or said too little. The lately proved are heard."""
        _, proved_until = self._proofs.get(
            self._digest(credentials.user_name, credentials.password), ("", now)
        )
        if proved_until <= now:
            place = read_place(credentials.address)
            wait = max(
                self._by_place.seconds_left(place, now),
                self._by_login.seconds_left(self._digest(credentials.user_name, place), now),
            )
            if wait > 0:
                return Denial(Reason.THROTTLED, retry_seconds=math.ceil(wait))
        return None if credentials.complete else UNAUTHENTICATED

    # Reading and proving

    def _read(self, credentials: _Credentials) -> Login | None:
        """The login, if there is one that may be used."""
        try:
            user_name = credentials.user_name.decode()
        except UnicodeDecodeError:
            return None
        guid = read_guid(credentials.customer_guid.decode("ascii", errors="replace"))
        login = self._find_login(user_name, guid)
        return None if login is None or login.disabled else login

    def _make_claim(self, credentials: _Credentials, login: Login | None) -> _Claim:
        """The claim to prove. Without a login it is on a decoy, which costs the same and fails."""
        place = read_place(credentials.address)
        return _Claim(
            pair=self._digest(credentials.user_name, credentials.password),
            password=credentials.password,
            password_hash=login.password_hash if login else self._decoy,
            place=place,
            login_at_place=self._digest(credentials.user_name, place),
        )

    def _prove(self, claim: _Claim) -> Denial | None:
        """None where the claim is true. Of identical claims at one time one is checked."""
        with self._lock:
            if self._is_proved(claim):
                self._keep_proof(claim)
                return None
            _, flight = self._flights.get(claim.key, (b"", None))
            joined = flight is not None
            if flight is None:
                if not self._has_room(claim):
                    return BUSY
                flight = Future[bool]()
                self._flights[claim.key] = (claim.place, flight)
        if not joined:
            self._check(claim, flight)
        return None if flight.result() else UNAUTHENTICATED

    def _is_proved(self, claim: _Claim) -> bool:
        password_hash, proved_until = self._proofs.get(claim.pair, ("", 0.0))
        return password_hash == claim.password_hash and self._clock() < proved_until

    def _has_room(self, claim: _Claim) -> bool:
        """Whether the claim may wait: some room is left to those from where none failed lately."""
        settings, now = self._settings, self._clock()
        has_failed = self._by_place.has_any(claim.place, now) or self._by_login.has_any(
            claim.login_at_place, now
        )
        waiting_max = settings.waiting_max // 2 if has_failed else settings.waiting_max
        if len(self._flights) >= settings.verifications_max + waiting_max:
            return False
        here = sum(other == claim.place for other, _ in self._flights.values())
        return here < settings.waiting_per_address_max

    def _check(self, claim: _Claim, flight: "Future[bool]") -> None:
        """Let argon2 say whether the claim is true, in its turn, and tell all who wait."""
        try:
            with self._slots:
                matches = self._matches(claim)
        except BaseException as fault:
            with self._lock:
                del self._flights[claim.key]
            flight.set_exception(fault)
            return
        with self._lock:
            self._note(claim, matches=matches)
            del self._flights[claim.key]
        flight.set_result(matches)

    def _matches(self, claim: _Claim) -> bool:
        try:
            return self._hasher.verify(claim.password_hash, claim.password)
        except VerifyMismatchError:
            return False

    # Remembering

    def _note(self, claim: _Claim, *, matches: bool) -> None:
        if matches:
            self._keep_proof(claim)
        else:
            now = self._clock()
            self._proofs.pop(claim.pair, None)
            self._by_place.note(claim.place, now)
            self._by_login.note(claim.login_at_place, now)

    def _keep_proof(self, claim: _Claim) -> None:
        """Believe the claim for a while from now on, so that what is in use is not proved again.

        It is never away between: ``recall`` reads it without the lock.
        """
        proved_until = self._clock() + self._settings.proved_seconds
        self._proofs[claim.pair] = (claim.password_hash, proved_until)
        self._proofs.move_to_end(claim.pair)
        _drop_oldest(self._proofs, self._settings.proofs_max)

    def _remember(self, key: bytes, known: _Known) -> None:
        """Keep the answer, as the latest."""
        with self._lock:
            self._answers.pop(key, None)
            self._answers[key] = known
            _drop_oldest(self._answers, self._settings.answers_max)

    def _digest(self, *parts: bytes) -> bytes:
        """A keyed hash that stands for the parts, each behind its length so that none runs on."""
        text = b"".join([b"%d:%b" % (len(part), part) for part in parts])
        return hashlib.blake2b(text, key=self._key, digest_size=16).digest()


def read_place(address: str) -> bytes:
    """What failures at an address are counted under: an IPv6 client commands its whole /64."""
    try:
        place = ip_address(address)
    except ValueError:
        return address.encode()
    return place.packed[:8] if isinstance(place, IPv6Address) else place.packed


def _drop_oldest(table: dict[bytes, Any], entries_max: int) -> None:
    if len(table) > entries_max:
        del table[next(iter(table))]
