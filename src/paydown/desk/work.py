"""One write: a transaction, the key's first answer, and either all of it or nothing.

Law of this file: what others can change meanwhile is read after the locks were had, and the record
date is taken after them too. A refusal and a dry run leave no trace, and a refusal leaves its key
free.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import msgspec

from paydown.desk.instructions import Instruction, Refused, Result, Told
from paydown.domain.journal import Said
from paydown.domain.model import Entry, Kind, Posting
from paydown.domain.outcomes import KeyConflict
from paydown.storage import desk_answers, moves, reference
from paydown.storage.database import Database
from paydown.storage.desk_answers import DeskAnswer, KeyScope
from paydown.storage.engine import new_entry_id
from paydown.storage.faults import StoreContested
from paydown.storage.reference import Customer, StoreConnection
from paydown.storage.retrying import Tries
from paydown.wire.encoding import encode_document
from paydown.wire.formats import write_instant

Clock = Callable[[], int]
"""Says now in ticks, never the same time twice nor an earlier one."""

Meaning = TypeVar("Meaning")


class Answer(NamedTuple):
    """What is told of a write that was done. Where it ``recorded`` nothing, it is not kept."""

    status: int
    body: bytes
    recorded: bool = True


def answer(status: int, document: msgspec.Struct, *, recorded: bool = True) -> Answer:
    """Tell a document."""
    return Answer(status, encode_document(document), recorded)


class Draft(NamedTuple):
    """What an entry says of itself, and of the items it creates; the rest is the write's."""

    kind: Kind
    value: tuple[int, str]
    postings: tuple[Posting, ...]
    contact_id: str | None = None
    tender_type_id: int | None = None
    notes: str | None = None
    items: tuple[Said, ...] = ()


class Work:
    """A write under way: its transaction, whose books they are, and who wants it."""

    def __init__(
        self,
        database: Database,
        connection: StoreConnection,
        instruction: Instruction,
        clock: Clock,
    ) -> None:
        self.database = database
        self.connection = connection
        self.instruction = instruction
        self.customer: Customer = reference.get_customer(connection, instruction.caller.customer_id)
        self._clock = clock
        self._recorded_at: int | None = None

    @property
    def customer_id(self) -> int:
        """Whose books they are."""
        return self.customer.customer_id

    def hold(self, billing_ids: Sequence[int]) -> None:
        """Let nobody else move the items until the end. Once, before anything is dated."""
        assert self._recorded_at is None, "the locks come before the record date"
        self.database.hold_items(self.connection, self.customer_id, billing_ids)

    @property
    def recorded_at(self) -> int:
        """The record date, in ticks: the first time that it is asked for."""
        if self._recorded_at is None:
            self._recorded_at = self._clock()
        return self._recorded_at

    @property
    def now(self) -> tuple[int, str]:
        """The record date, and as an answer writes it."""
        return self.recorded_at, write_instant(self.recorded_at, self.customer.time_zone)

    def save(self, draft: Draft) -> Entry:
        """Make the entry, and save it with its postings."""
        instruction = self.instruction
        recorded_at, recorded_written = self.now
        value_at, value_written = draft.value
        entry = Entry(
            customer_id=self.customer_id,
            entry_id=new_entry_id(recorded_at),
            kind=draft.kind,
            contact_id=draft.contact_id,
            tender_type_id=draft.tender_type_id,
            login_id=instruction.caller.login_id,
            idempotency_key=instruction.key,
            staff_user=instruction.staff_user,
            request_id=instruction.request_id,
            address=instruction.address,
            value_at=value_at,
            value_written=value_written,
            recorded_at=recorded_at,
            recorded_written=recorded_written,
            notes=draft.notes,
            postings=draft.postings,
        )
        moves.save_entry(self.connection, entry, draft.items)
        return entry


class _Undone(Exception):
    """Ends a transaction that is to leave no trace, and carries what is told all the same."""

    def __init__(self, result: Result) -> None:
        self.result = result


class Writing:
    """Carries out writes on one ledger, each once. Thread-safe."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def carry_out(
        self,
        instruction: Instruction,
        meaning: Meaning | Refused,
        act: Callable[[Work, Meaning], Answer | Refused],
    ) -> Result:
        """Do it once. Raises ``StoreUnavailable``; a retry with the key then finds what it did."""
        if isinstance(meaning, Refused):
            return meaning
        fingerprint = _fingerprint(instruction.target, meaning)
        tries = Tries(hopeful=True)
        while True:
            try:
                return self._try(instruction, fingerprint, lambda work: act(work, meaning))
            except StoreContested as fault:
                wait_ms = tries.next_wait(fault)
                if wait_ms is None:
                    raise
                time.sleep(wait_ms / 1000)

    def _try(
        self,
        instruction: Instruction,
        fingerprint: bytes,
        act: Callable[[Work], Answer | Refused],
    ) -> Result:
        try:
            with (
                self._database.connect() as connection,
                self._database.begin_write(connection),
            ):
                work = Work(self._database, connection, instruction, self._clock)
                return _do_once(work, fingerprint, act)
        except _Undone as undone:
            return undone.result


def _do_once(work: Work, fingerprint: bytes, act: Callable[[Work], Answer | Refused]) -> Told:
    """What is told once the transaction has ended well. Raises ``_Undone`` where it must not."""
    scope = _scope(work.instruction)
    kept = desk_answers.find(work.connection, scope) if scope else None
    if kept is not None:
        same = kept.fingerprint == fingerprint
        raise _Undone(Told(kept.status, kept.body, replayed=True) if same else KeyConflict())
    done = act(work)
    if isinstance(done, Refused):
        raise _Undone(done)
    told = Told(done.status, done.body)
    if work.instruction.dry_run or not done.recorded:
        raise _Undone(told)
    if scope is not None:
        kept = DeskAnswer(fingerprint, told.status, told.body)
        desk_answers.add(work.connection, scope, kept, answered_at=work.recorded_at)
    return told


def _scope(instruction: Instruction) -> KeyScope | None:
    caller = instruction.caller
    if instruction.key is None:
        return None
    assert caller.login_id is not None, "an operator has no key"
    return KeyScope(caller.customer_id, caller.login_id, instruction.call, instruction.key)


def _fingerprint(target: str, meaning: Any) -> bytes:
    """SHA-256 of what is asked for: parsed values, not bytes.

    The values stand in the order of their types' fields, so that a field may only be added behind.
    """
    return hashlib.sha256(json.dumps([target, meaning], default=_plain).encode()).digest()


def _plain(value: Decimal | msgspec.Struct) -> Any:
    """An amount by its value; what could not be read, as it was sent."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else msgspec.to_builtins(value)
