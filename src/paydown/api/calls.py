"""The two calls, from headers to answer, with no framework in between.

Law of this file: what is wrong is answered in the order that ``docs/reference/wire.md`` gives, and
once a command is queued its course no longer depends on the client.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

from starlette.types import Receive, Scope

from paydown.access import Authenticator, Denial, Reason
from paydown.api import answers, headers
from paydown.api.answers import Answer, Header
from paydown.domain.model import Caller, Command, Request
from paydown.domain.outcomes import KeyConflict, KeyReplayed, Outcome
from paydown.openapi.document import OPERATIONS, Operation
from paydown.service import Service
from paydown.storage.writer import Failed, Job, Unavailable
from paydown.telemetry import Exchange
from paydown.wire import messages
from paydown.wire.faults import Fault, Faults, gather
from paydown.wire.formats import read_guid
from paydown.wire.headers import Handling, read_handling, read_idempotency_key, read_media

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


def resolve(jobs: Sequence[Job]) -> None:
    """Wake whoever waits for each job, on the event loop. Some may have been cancelled."""
    for job in jobs:
        if not job.waiter.done():
            job.waiter.set_result(None)


class Asked(NamedTuple):
    """A request for one of the two calls: its headers, and what is told of it."""

    operation: Operation
    values: headers.Values
    exchange: Exchange


class Calls:
    """Answers the two calls."""

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

    async def answer(self, asked: Asked, scope: Scope, receive: Receive) -> Answer | None:
        """The answer, or None where the client went away before its request was whole."""
        if scope["method"] != "POST":
            return answers.method_not_allowed("POST")
        if headers.declared_bytes(asked.values) > self._body_bytes_max:
            return answers.too_large(self._body_bytes_max)
        caller = await self._admit(asked)
        if isinstance(caller, Answer):
            return caller
        media = read_media(headers.only(asked.values[headers.CONTENT_TYPE]))
        if media is None:
            return answers.UNSUPPORTED_MEDIA
        body = await self._read_body(receive)
        if not isinstance(body, bytes):
            return body
        kind, lines_max = asked.operation.kind, self._lines_max
        decode = partial(messages.decode, kind, body, media, caller.time_zone, lines_max=lines_max)
        small = len(body) <= DECODED_AT_ONCE_BYTES_MAX
        request = decode() if small else await asyncio.to_thread(decode)
        return await self._take(asked, caller, request)

    async def _admit(self, asked: Asked) -> Caller | Answer:
        """The caller that the credentials prove, if it may make this call."""
        operation, values, exchange = asked
        exchange.customer_guid = read_guid(headers.read_text(values[headers.CUSTOMER_GUID]))
        credentials = headers.read_credentials(values, exchange.address)
        verdict = self._authenticator.recall(**credentials)
        if verdict is None:
            verify = partial(self._authenticator.verify, **credentials)
            verdict = await asyncio.get_running_loop().run_in_executor(self._verifiers, verify)
        if isinstance(verdict, Denial):
            return _deny(verdict, exchange)
        exchange.user_name = verdict.user_name
        if operation.bundle not in verdict.bundles:
            exchange.login_refused = "bundle"
            return answers.bundle_missing(operation.bundle)
        return verdict

    async def _take(self, asked: Asked, caller: Caller, request: Request | Faults) -> Answer:
        """Take the request as the headers want it handled, if both are well formed."""
        _, values, exchange = asked
        key = read_idempotency_key(values[headers.IDEMPOTENCY_KEY])
        if isinstance(request, Faults) or isinstance(key, Fault):
            return _invalid(gather(request, key), exchange)
        handling = read_handling(values[headers.PREFER])
        strict = caller.strict if handling is None else handling is Handling.STRICT
        command = Command(
            request=request,
            caller=caller,
            strict=strict,
            key=key,
            staff_user=_read_staff_user(values[headers.STAFF_USER], exchange),
            request_id=exchange.request_id,
            address=exchange.address,
        )
        answer = await self._record(command, exchange)
        if answer.status == HTTPStatus.OK and (handling is not None or caller.strict):
            return answer._replace(headers=(*answer.headers, _PREFERENCES[strict]))
        return answer

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

    async def _record(self, command: Command, exchange: Exchange) -> Answer:
        """Hand the command in, wait for what comes of it, and say it."""
        job = Job(command, asyncio.get_running_loop().create_future())
        if not self._service.submit(job):
            return answers.BUSY
        await job.waiter
        request, result = command.request, job.result
        if isinstance(result, Outcome):
            exchange.note(request.kind, result)
            digits = command.caller.minor_digits
            body = job.answer or messages.encode(request, result, digits)
            return Answer(HTTPStatus.OK, body, _replay_headers(result))
        if isinstance(result, KeyReplayed):
            exchange.replayed, exchange.replayed_by_key = len(request.lines), True
            return Answer(HTTPStatus.OK, result.body, (_REPLAYED,))
        if isinstance(result, KeyConflict):
            return answers.KEY_CONFLICT
        if isinstance(result, Unavailable):
            return answers.store_unavailable(result.sentence)
        assert result is Failed.FAILED, "the writer gives every job a result"
        return answers.FAILURE


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
