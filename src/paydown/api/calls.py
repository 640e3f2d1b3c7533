"""The two calls, from headers to answer, with no framework in between.

Law of this file: what is wrong is answered in the order that ``docs/reference/wire.md`` gives, and
once a command is queued its course no longer depends on the client.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

from starlette.types import Receive

from paydown.api import answers, headers
from paydown.api.admission import Gate, check_bundle, read_staff_user, refuse_faults
from paydown.api.answers import Answer, Header
from paydown.domain.model import Caller, Command, Request
from paydown.domain.outcomes import KeyConflict, KeyReplayed, Outcome
from paydown.openapi.document import OPERATIONS, Operation
from paydown.service import Service
from paydown.storage.jobs import Failed, Job, Unavailable
from paydown.telemetry import Exchange
from paydown.wire import messages
from paydown.wire.faults import Fault, Faults, gather
from paydown.wire.headers import (
    Handling,
    Media,
    read_dry_run,
    read_handling,
    read_idempotency_key,
    read_media,
)

DECODED_AT_ONCE_BYTES_MAX = 65_536
"""The largest body that is read on the event loop, in a millisecond or two. A larger one would hold
up the others, so a thread reads it."""

_HANDLINGS = {True: "handling=strict", False: "handling=lenient", None: ""}
_APPLIED = {
    (strict, dry_run): answers.preferences_applied(handling, "dry-run" if dry_run else "")
    for strict, handling in _HANDLINGS.items()
    for dry_run in (True, False)
}
"""What of ``Prefer`` was followed, by the handling, where that is told, and by the dry run."""

_BY_PATH = {operation.path.lower(): operation for operation in OPERATIONS}


def find_operation(path: str) -> Operation | None:
    """The call at the path, whose letters may be of any case and which may end in a slash."""
    return _BY_PATH.get(path.lower().removesuffix("/"))


Wake = Callable[[Job], None]
"""Called on the event loop with a job that has its result; it raises nothing."""


class Asked(NamedTuple):
    """A request for one of the two calls: its headers, and what is told of it."""

    operation: Operation
    values: headers.Values
    exchange: Exchange


class Admitted(NamedTuple):
    """Who makes the call, and how its body is written."""

    caller: Caller
    media: Media


class Calls:
    """Answers the two calls, in steps: ``admit`` by the head, ``submit`` the body, ``tell``.

    ``answer`` takes them one after the other, and waits between them for whatever must be waited
    for. Who has the whole request may take them without it.
    """

    def __init__(
        self,
        service: Service,
        gate: Gate,
        *,
        lines_max: int,
    ) -> None:
        self._service = service
        self._gate = gate
        self._lines_max = lines_max
        self.at_once_bytes_max = min(gate.body_bytes_max, DECODED_AT_ONCE_BYTES_MAX)

    async def answer(self, asked: Asked, receive: Receive) -> Answer | None:
        """The answer, or None where the client went away before its request was whole."""
        admitted = self.admit(asked)
        if admitted is None:
            verified = await self._gate.verify(asked.values, asked.exchange)
            admitted = _admit(asked, verified)
        if isinstance(admitted, Answer):
            return admitted
        body = await self._gate.read_body(receive)
        if not isinstance(body, bytes):
            return body
        if len(body) <= self.at_once_bytes_max:
            request = self._decode(asked, admitted, body)
        else:
            request = await asyncio.to_thread(self._decode, asked, admitted, body)
        done = asyncio.get_running_loop().create_future()
        job = self._take(asked, admitted.caller, request, partial(_set_done, done))
        if isinstance(job, Answer):
            return job
        await done
        return self.tell(asked, job)

    def admit(self, asked: Asked) -> Admitted | Answer | None:
        """What the head comes to; None where that cannot be told without reading the store."""
        if asked.exchange.method != "POST":
            return answers.method_not_allowed("POST")
        recalled = self._gate.recall(asked.values, asked.exchange)
        return None if recalled is None else _admit(asked, recalled)

    def submit(self, asked: Asked, admitted: Admitted, body: bytes, wake: Wake) -> Job | Answer:
        """Queue what the body asks for: ``tell`` says what came of the job that ``wake`` gets.

        An answer is there already where there is nothing to wait for. The body is not longer than
        ``at_once_bytes_max``.
        """
        request = self._decode(asked, admitted, body)
        return self._take(asked, admitted.caller, request, wake)

    def tell(self, asked: Asked, job: Job) -> Answer:
        """What came of a job that has its result."""
        request, result, exchange = job.command.request, job.result, asked.exchange
        if isinstance(result, Outcome):
            exchange.note(request.kind, result)
            digits = job.command.caller.minor_digits
            body = job.answer or messages.encode(request, result, digits)
            told = (
                *_replay_headers(result, dry_run=exchange.dry_run),
                *_preference_headers(asked, job.command),
            )
            return Answer(HTTPStatus.OK, body, told)
        if isinstance(result, KeyReplayed):
            if not exchange.dry_run:
                exchange.replayed, exchange.replayed_by_key = len(request.lines), True
            told = (answers.REPLAYED, *_preference_headers(asked, job.command))
            return Answer(HTTPStatus.OK, result.body, told)
        if isinstance(result, KeyConflict):
            return answers.KEY_CONFLICT
        if isinstance(result, Unavailable):
            return answers.store_unavailable(result.sentence)
        assert result is Failed.FAILED, "the writer gives every job a result"
        return answers.FAILURE

    def _decode(self, asked: Asked, admitted: Admitted, body: bytes) -> Request | Faults:
        time_zone = admitted.caller.time_zone
        return messages.decode(
            asked.operation.kind, body, admitted.media, time_zone, lines_max=self._lines_max
        )

    def _take(
        self, asked: Asked, caller: Caller, request: Request | Faults, wake: Wake
    ) -> Job | Answer:
        """Queue the request as the headers want it handled, if both are well formed."""
        _, values, exchange = asked
        key = read_idempotency_key(values[headers.IDEMPOTENCY_KEY])
        if isinstance(request, Faults) or isinstance(key, Fault):
            return refuse_faults(gather(request, key), exchange)
        handling = read_handling(values[headers.PREFER])
        exchange.dry_run = read_dry_run(values[headers.PREFER])
        command = Command(
            request=request,
            caller=caller,
            strict=caller.strict if handling is None else handling is Handling.STRICT,
            key=key,
            staff_user=read_staff_user(values, exchange),
            request_id=exchange.request_id,
            address=exchange.address,
            dry_run=exchange.dry_run,
        )
        job = Job(command, wake)
        return job if self._service.submit(job) else answers.BUSY


def _set_done(done: "asyncio.Future[None]", _: Job) -> None:
    """Wake the task that waits, unless it was cut off."""
    if not done.done():
        done.set_result(None)


def _admit(asked: Asked, proven: Caller | Answer) -> Admitted | Answer:
    """The caller, if it may make this call and its body can be read."""
    operation, values, exchange = asked
    if isinstance(proven, Answer):
        return proven
    if refused := check_bundle(proven, operation.bundle, exchange):
        return refused
    media = read_media(headers.only(values[headers.CONTENT_TYPE]))
    return answers.UNSUPPORTED_MEDIA if media is None else Admitted(proven, media)


def _preference_headers(asked: Asked, command: Command) -> tuple[Header, ...]:
    """How the request was handled, where the client asked for a preference, or its login did."""
    asked_for = read_handling(asked.values[headers.PREFER]) is not None
    strict = command.strict if asked_for or command.caller.strict else None
    return _APPLIED[strict, command.dry_run]


def _replay_headers(outcome: Outcome, *, dry_run: bool) -> tuple[Header, ...]:
    """How many lines are replays. A dry run has none to save, so its lines are asked."""
    count = sum(line.replayed for line in outcome.lines) if dry_run else len(outcome.replays)
    if count == 0:
        return ()
    if count == len(outcome.lines):
        return (answers.REPLAYED,)
    return ((b"paydown-replayed-lines", str(count).encode()),)
