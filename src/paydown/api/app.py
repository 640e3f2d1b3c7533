"""The HTTP door as one ASGI application: the calls and ``/v1``, in front of Starlette's pages.

A server that has a request whole may offer it to ``Door.take`` first. That answers a call without
a task, a scope and messages, which is half of what a request costs; the steps are the same.

Law of this file: nothing leaves without a request id, a count and, if it failed, a log line; and no
exception leaves at all.
"""

import asyncio
import itertools
import logging
import secrets
import time
from collections.abc import Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paydown.access import AccessSettings, Authenticator
from paydown.api import answers, neighbours
from paydown.api.admission import Gate
from paydown.api.answers import Answer, Whole, send_answer, usual_headers
from paydown.api.calls import Admitted, Asked, Calls, find_operation
from paydown.api.crews import Crew
from paydown.api.headers import Values, read_headers, read_request_id, read_secrets
from paydown.api.neighbours import FindDetails, Neighbours, find_neighbour
from paydown.api.pages import make_pages
from paydown.api.request_log import RequestLog
from paydown.api.v1 import door, problems
from paydown.config import Settings
from paydown.desk import Desk
from paydown.enquiries import Enquiries
from paydown.service import Service
from paydown.storage.faults import StoreUnavailable
from paydown.storage.jobs import Deliver, Job
from paydown.telemetry import Exchange, Metrics

PATH_LENGTH_MAX = 200
"""How much of a path is logged."""

UNMATCHED = "unmatched"
"""The route, in logs and metrics, of a path that is none of ours."""

_log = logging.getLogger(__name__)
_PROCESS_ID = secrets.token_hex(8)
_counter = itertools.count(1)


READERS_COUNT = 4
READS_WAITING_MAX = 64
WRITERS_COUNT = 2
"""A ledger makes such writes one after the other: more threads would wait for each other."""

WRITES_WAITING_MAX = 128


class Around(NamedTuple):
    """What answers for all that is around the two calls. It blocks."""

    desk: Desk
    enquiries: Enquiries
    find_details: FindDetails


def make_app(
    service: Service,
    authenticator: Authenticator,
    metrics: Metrics,
    settings: Settings,
    *,
    around: Around,
) -> ASGIApp:
    """The application. Its lifespan starts the service, and drains and stops it."""
    verifiers = ThreadPoolExecutor(AccessSettings().threads_count, "paydown-verifier")
    gate = Gate(authenticator, verifiers, body_bytes_max=settings.body_bytes_max)
    crews = Crews(
        Crew("reader", threads_count=READERS_COUNT, waiting_max=READS_WAITING_MAX),
        Crew("writer", threads_count=WRITERS_COUNT, waiting_max=WRITES_WAITING_MAX),
    )
    desks = Desks(
        Calls(service, gate, lines_max=settings.lines_max),
        Neighbours(gate, around.desk.create_billing, around.find_details, **crews._asdict()),
        door.V1(gate, around.desk, around.enquiries, **crews._asdict()),
    )
    log = RequestLog(metrics, one_in=settings.log_successes)
    return Door(service, desks, make_pages(service, metrics), log, crews=crews)


class Crews(NamedTuple):
    """The threads for what blocks: reads and writes apart, so that neither starves the other."""

    readers: Crew
    writers: Crew


class Desks(NamedTuple):
    """Who answers what is no page."""

    calls: Calls
    neighbours: Neighbours
    v1: door.V1


class Door:
    """Tells the calls and ``/v1`` from the pages, and answers for whatever goes wrong in either."""

    def __init__(
        self, service: Service, desks: Desks, pages: ASGIApp, log: RequestLog, *, crews: Crews
    ) -> None:
        self._service = service
        self._desks = desks
        self._calls = desks.calls
        self._pages = pages
        self._log = log
        self._crews = crews

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        values = read_headers(scope["headers"])
        client = scope.get("client")
        exchange = _begin(scope["method"], scope["raw_path"], values, client[0] if client else "")
        answering = self._find(scope, values, exchange, receive)
        if answering is None:
            await self._serve_page(exchange, scope, receive, send)
            return
        try:
            answer = await answering
        except Exception:
            answer = self._fail(exchange, values)
            answer = problems.FAILURE if door.is_ours(scope["path"]) else answer
        if answer is None:
            self._log.abandoned(exchange)
            return
        self._note(exchange, answer)
        self._log.flush()
        await send_answer(send, answer, request_id=exchange.request_id)

    def _find(
        self, scope: Scope, values: Values, exchange: Exchange, receive: Receive
    ) -> Awaitable[Answer | None] | None:
        """Who answers at the path, about to; None where it is a page or nothing."""
        path = scope["path"]
        if operation := find_operation(path):
            exchange.route = operation.path
            return self._calls.answer(Asked(operation, values, exchange), receive)
        if found := find_neighbour(path):
            exchange.route = found[0].path
            asked = neighbours.Asked(*found, values, exchange)
            return self._desks.neighbours.answer(asked, receive)
        if door.is_ours(path):
            sent = scope["raw_path"], scope["query_string"]
            wanted = door.Asked(path, *sent, values, exchange)
            return self._desks.v1.answer(wanted, receive)
        return None

    def take(self, whole: Whole) -> bool:
        """Answer the request, now or once it is committed; False: nothing was done, serve it.

        It answers calls that must wait for no more than their commit.
        """
        operation = find_operation(whole.path)
        if operation is None or len(whole.body) > self._calls.at_once_bytes_max:
            return False
        values = read_headers(whole.headers)
        exchange = _begin(whole.method, whole.raw_path, values, whole.address)
        exchange.route = operation.path
        asked = Asked(operation, values, exchange)
        try:
            admitted = self._calls.admit(asked)
            if admitted is None:
                return False
            if isinstance(admitted, Admitted):
                wake = partial(self._finish, asked, whole)
                answer = self._calls.submit(asked, admitted, bytes(whole.body), wake)
            else:
                answer = admitted
        except Exception:
            answer = self._fail(exchange, values)
        if isinstance(answer, Answer):
            self._answer(whole, exchange, answer)
        return True

    def _finish(self, asked: Asked, whole: Whole, job: Job) -> None:
        """Answer a request that was taken whole, unless the server cut it off meanwhile."""
        if whole.response_complete:
            return
        try:
            answer = self._calls.tell(asked, job)
        except Exception:
            answer = self._fail(asked.exchange, asked.values)
        self._answer(whole, asked.exchange, answer)

    def _answer(self, whole: Whole, exchange: Exchange, answer: Answer) -> None:
        whole.answer(answer, request_id=exchange.request_id)
        self._note(exchange, answer)

    def _fail(self, exchange: Exchange, values: Values) -> Answer:
        """The answer to a bug of ours, whose exception is being handled."""
        self._log.failed(exchange, secrets=read_secrets(values))
        return answers.FAILURE

    def _note(self, exchange: Exchange, answer: Answer) -> None:
        exchange.status, exchange.reason = answer.status, answer.reason
        self._log.answered(exchange)

    def _resolve(self, jobs: Sequence[Job]) -> None:
        """Tell whoever waits for each job of a batch, on the event loop."""
        for job in jobs:
            try:
                job.waiter(job)
            except Exception:
                _log.exception("answering failed", extra={"request_id": job.command.request_id})
        self._log.flush()

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start the service, and when told to stop drain it. Its results come in on this loop."""
        loop = asyncio.get_running_loop()
        await receive()
        try:
            self._service.start(lambda jobs: _hand_over(loop, self._resolve, jobs))
        except StoreUnavailable as fault:
            await send({"type": "lifespan.startup.failed", "message": str(fault)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self._stop)
        await send({"type": "lifespan.shutdown.complete"})

    def _stop(self) -> None:
        for crew in self._crews:
            crew.close()
        self._service.stop()

    async def _serve_page(
        self, exchange: Exchange, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let Starlette answer, and add to its answer what every answer has."""

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = [*message["headers"], *usual_headers(exchange.request_id)]
            await send(message)

        try:
            await self._pages(scope, receive, send_on)
        except Exception:
            self._log.failed(exchange)
        route = scope.get("route")
        exchange.route = route.path if route else UNMATCHED
        self._log.answered(exchange, page=True)


def _hand_over(loop: asyncio.AbstractEventLoop, resolve: Deliver, jobs: Sequence[Job]) -> None:
    """From the writer's thread to the loop: one call for a whole batch."""
    loop.call_soon_threadsafe(resolve, jobs)


def _make_id() -> str:
    """An id that no other request has, here or in another process: random once, then counted."""
    return f"{_PROCESS_ID}{next(_counter):016x}"


def _begin(method: str, raw_path: bytes, values: Values, address: str) -> Exchange:
    return Exchange(
        route=UNMATCHED,
        method=method,
        path=raw_path[:PATH_LENGTH_MAX].decode("ascii", "backslashreplace"),
        request_id=read_request_id(values) or _make_id(),
        address=address,
        started_ns=time.monotonic_ns(),
    )
