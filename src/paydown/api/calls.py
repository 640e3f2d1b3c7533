"""The two calls, from headers to answer, with no framework in between.

Law of this file: what is wrong is answered in the order that ``docs/reference/wire.md`` gives, and
once a command is queued its course no longer depends on the client.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

from starlette.types import Receive

from paydown.access import Authenticator, Denial, Reason
from paydown.api import answers, headers
from paydown.api.answers import Answer, Header
from paydown.domain.model import Caller, Command, Request
from paydown.domain.outcomes import KeyConflict, KeyReplayed, Outcome
from paydown.openapi.document import OPERATIONS, Operation
from paydown.service import Service
from paydown.storage.jobs import Failed, Job, Unavailable
from paydown.telemetry import Exchange
from paydown.wire import messages
from paydown.wire.faults import Fault, Faults, gather
from paydown.wire.formats import read_guid
from paydown.wire.headers import Handling, Media, read_handling, read_idempotency_key, read_media

STAFF_USER_MAX = 255
"""The most characters kept of who acted, as ``LegendUserName`` says."""

FAULTS_LOGGED_MAX = 5

DECODED_AT_ONCE_BYTES_MAX = 65_536
"""The largest body that is read on the event loop, in a millisecond or two. A larger one would hold
up the others, so a thread reads it."""

_REPLAYED: Header = (b"idempotent-replayed", b"true")
_PREFERENCES: dict[bool, Header] = {
    True: (b"preference-applied", b"handling=strict"),
    False: (b"preference-applied", b"handling=lenient"),
}
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
        authenticator: Authenticator,
        verifiers: Executor,
        *,
        body_bytes_max: int,
        lines_max: int,
    ) -> None:
        self._service = service
        self._authenticator = authenticator
        self._verifiers = verifiers
        self._body_bytes_max = body_bytes_max
        self._lines_max = lines_max
        self.at_once_bytes_max = min(body_bytes_max, DECODED_AT_ONCE_BYTES_MAX)

    async def answer(self, asked: Asked, receive: Receive) -> Answer | None:
        """The answer, or None where the client went away before its request was whole."""
        admitted = self.admit(asked)
        if admitted is None:
            admitted = await self._verify(asked)
        if isinstance(admitted, Answer):
            return admitted
        body = await self._read_body(receive)
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
        _, values, exchange = asked
        if exchange.method != "POST":
            return answers.method_not_allowed("POST")
        if headers.declared_bytes(values) > self._body_bytes_max:
            return answers.too_large(self._body_bytes_max)
        exchange.customer_guid = read_guid(headers.read_text(values[headers.CUSTOMER_GUID]))
        verdict = self._authenticator.recall(**headers.read_credentials(values, exchange.address))
        return None if verdict is None else _admit(asked, verdict)

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
            told = (*_replay_headers(result), *_preference_headers(asked, job.command))
            return Answer(HTTPStatus.OK, body, told)
        if isinstance(result, KeyReplayed):
            exchange.replayed, exchange.replayed_by_key = len(request.lines), True
            told = (_REPLAYED, *_preference_headers(asked, job.command))
            return Answer(HTTPStatus.OK, result.body, told)
        if isinstance(result, KeyConflict):
            return answers.KEY_CONFLICT
        if isinstance(result, Unavailable):
            return answers.store_unavailable(result.sentence)
        assert result is Failed.FAILED, "the writer gives every job a result"
        return answers.FAILURE

    async def _verify(self, asked: Asked) -> Admitted | Answer:
        credentials = headers.read_credentials(asked.values, asked.exchange.address)
        verify = partial(self._authenticator.verify, **credentials)
        verdict = await asyncio.get_running_loop().run_in_executor(self._verifiers, verify)
        return _admit(asked, verdict)

    async def _read_body(self, receive: Receive) -> bytes | Answer | None:
        """The body, the answer to one that is too large, or None when the client went away."""
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message["body"]
            if len(body) > self._body_bytes_max:
                return answers.too_large(self._body_bytes_max)
            more = message["more_body"]
        return bytes(body)

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
            return _invalid(gather(request, key), exchange)
        handling = read_handling(values[headers.PREFER])
        command = Command(
            request=request,
            caller=caller,
            strict=caller.strict if handling is None else handling is Handling.STRICT,
            key=key,
            staff_user=_read_staff_user(values[headers.STAFF_USER], exchange),
            request_id=exchange.request_id,
            address=exchange.address,
        )
        job = Job(command, wake)
        return job if self._service.submit(job) else answers.BUSY


def _set_done(done: "asyncio.Future[None]", _: Job) -> None:
    """Wake the task that waits, unless it was cut off."""
    if not done.done():
        done.set_result(None)


def _admit(asked: Asked, verdict: Caller | Denial) -> Admitted | Answer:
    """The caller that the credentials prove, if it may make this call and its body can be read."""
    operation, values, exchange = asked
    if isinstance(verdict, Denial):
        return _deny(verdict, exchange)
    exchange.user_name = verdict.user_name
    if operation.bundle not in verdict.bundles:
        exchange.login_refused = "bundle"
        return answers.bundle_missing(operation.bundle)
    media = read_media(headers.only(values[headers.CONTENT_TYPE]))
    return answers.UNSUPPORTED_MEDIA if media is None else Admitted(verdict, media)


def _deny(denial: Denial, exchange: Exchange) -> Answer:
    if denial.reason is Reason.UNAVAILABLE:
        return answers.store_unavailable(denial.sentence or "")
    exchange.login_refused = denial.reason.name.lower()
    if denial.reason is Reason.THROTTLED:
        return answers.throttled(denial.retry_seconds or 1)
    if denial.reason is Reason.FORBIDDEN:
        return answers.CUSTOMER_FORBIDDEN
    return answers.UNAUTHENTICATED


def _invalid(faults: Faults | None, exchange: Exchange) -> Answer:
    assert faults is not None, "a fault was read"
    exchange.faults = [fault.key for fault in faults.faults[:FAULTS_LOGGED_MAX]]
    return Answer(HTTPStatus.BAD_REQUEST, messages.invalid(faults), (), "The request is invalid.")


def _preference_headers(asked: Asked, command: Command) -> tuple[Header, ...]:
    """How the request was handled, where the client or its login asked for a handling."""
    asked_for = read_handling(asked.values[headers.PREFER]) is not None
    return (_PREFERENCES[command.strict],) if asked_for or command.caller.strict else ()


def _replay_headers(outcome: Outcome) -> tuple[Header, ...]:
    count = len(outcome.replays)
    if count == 0:
        return ()
    if count == len(outcome.lines):
        return (_REPLAYED,)
    return ((b"paydown-replayed-lines", str(count).encode()),)


def _read_staff_user(values: list[bytes], exchange: Exchange) -> str | None:
    """Who acted, or None: a payment is not refused for a name that cannot be kept."""
    if not values:
        return None
    name = headers.read_text(values)
    if name and len(name) <= STAFF_USER_MAX and name.isprintable():
        return name
    exchange.staff_user_ignored = True
    return None
