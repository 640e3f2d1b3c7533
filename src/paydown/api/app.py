"""The HTTP door as one ASGI application: two plain callables in front of Starlette.

Law of this file: nothing leaves without a request id, a count and, if it failed, a log line; and no
exception leaves at all.
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paydown.access import AccessSettings, Authenticator
from paydown.api import answers
from paydown.api.answers import send_answer, usual_headers
from paydown.api.calls import Asked, Calls, find_operation, resolve
from paydown.api.headers import Values, read_headers, read_request_id, read_secrets
from paydown.api.pages import make_pages
from paydown.config import Settings
from paydown.service import Service
from paydown.storage.faults import StoreUnavailable
from paydown.storage.writer import Job
from paydown.telemetry import Exchange, Metrics, RequestLog

PATH_LENGTH_MAX = 200
"""How much of a path is logged."""

UNMATCHED = "unmatched"
"""The route, in logs and metrics, of a path that is none of ours."""

_PROCESS_ID = secrets.token_hex(8)
_counter = itertools.count(1)


def make_app(
    service: Service, authenticator: Authenticator, metrics: Metrics, settings: Settings
) -> ASGIApp:
    """The application. Its lifespan starts the service, and drains and stops it."""
    calls = Calls(
        service,
        authenticator,
        ThreadPoolExecutor(AccessSettings().threads_count, "paydown-verifier"),
        body_bytes_max=settings.body_bytes_max,
        lines_max=settings.lines_max,
    )
    log = RequestLog(metrics, one_in=settings.log_successes)
    return Door(service, calls, make_pages(service, metrics), log)


class Door:
    """Tells the calls from the pages, and answers for whatever goes wrong in either."""

    def __init__(self, service: Service, calls: Calls, pages: ASGIApp, log: RequestLog) -> None:
        self._service = service
        self._calls = calls
        self._pages = pages
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        values = read_headers(scope["headers"])
        exchange = _begin(scope, values)
        operation = find_operation(scope["path"])
        if operation is None:
            await self._serve_page(exchange, scope, receive, send)
            return
        exchange.route = operation.path
        try:
            answer = await self._calls.answer(Asked(operation, values, exchange), scope, receive)
        except Exception:
            self._log.failed(exchange, secrets=read_secrets(values))
            answer = answers.FAILURE
        if answer is None:
            self._log.abandoned(exchange)
            return
        exchange.status, exchange.reason = answer.status, answer.reason
        self._log.answered(exchange)
        await send_answer(send, answer, request_id=exchange.request_id)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start the service, and when told to stop drain it. Its results come in on this loop."""
        loop = asyncio.get_running_loop()
        await receive()
        try:
            self._service.start(lambda jobs: _hand_over(loop, jobs))
        except StoreUnavailable as fault:
            await send({"type": "lifespan.startup.failed", "message": str(fault)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self._service.stop)
        await send({"type": "lifespan.shutdown.complete"})

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


def _hand_over(loop: asyncio.AbstractEventLoop, jobs: Sequence[Job]) -> None:
    """From the writer's thread to the loop: one call for a whole batch."""
    loop.call_soon_threadsafe(resolve, jobs)


def _make_id() -> str:
    """An id that no other request has, here or in another process: random once, then counted."""
    return f"{_PROCESS_ID}{next(_counter):016x}"


def _begin(scope: Scope, values: Values) -> Exchange:
    client = scope.get("client")
    return Exchange(
        route=UNMATCHED,
        method=scope["method"],
        path=scope["raw_path"][:PATH_LENGTH_MAX].decode("ascii", "backslashreplace"),
        request_id=read_request_id(values) or _make_id(),
        address=client[0] if client else "",
        started_ns=time.monotonic_ns(),
    )
