"""A request put to the application: whole, where it came whole and that is taken, or in ASGI.

An application that takes a request whole (``Take``) needs no task, scope, messages or event
for it. That buys a third of what a request costs here; the commit's batch wakes it directly.

Law of this file: what an application says wrongly, or leaves unsaid, is logged and ends its answer.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from paydown.api.answers import Header, Take
from paydown.server.cycle import Cycle
from paydown.server.limits import HttpRefusal

Application = Callable[..., Awaitable[None]]

_BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
_IS_NAME = re.compile(rb"[\w!#$%&'*+.^`|~-]+").fullmatch
_IS_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*").fullmatch

_log = logging.getLogger(__name__)


class Runner:
    """Puts requests to one application."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._take: Take | None = getattr(app, "take", None)

    def start(self, cycle: Cycle) -> None:
        """Let the application answer: without ASGI if it will, else in a task of its own."""
        if self._take is not None and cycle.is_simple and self._offer(cycle, self._take):
            return
        tasks = cycle.host.server_state.tasks
        task = cycle.host.loop.create_task(Conversation(cycle).run(self._app))
        task.add_done_callback(tasks.discard)
        tasks.add(task)

    def _offer(self, cycle: Cycle, take: Take) -> bool:
        """Whether the application takes the request. What raised was taken, and is not run again.

        To uvicorn it is a task until it is answered: one to wait for in a drain, and to cut off.
        """
        tasks: set[Any] = cycle.host.server_state.tasks
        tasks.add(cycle)
        try:
            if take(cycle):
                return True
        except Exception:
            _log.exception("the application raised")
            cycle.refuse(HttpRefusal.failed)
            tasks.discard(cycle)
            return True
        tasks.discard(cycle)
        return False


class Conversation:
    """What one request's application is told and says."""

    def __init__(self, cycle: Cycle) -> None:
        self._cycle = cycle
        self._event = cycle.event = asyncio.Event()
        self._status = 0
        self._headers: list[Header] = []
        self._body_left: int | None = None
        if cycle.body or cycle.disconnected or not cycle.more_body:
            self._event.set()

    async def run(self, app: Application) -> None:
        """Let the application answer, and answer for it where it does not."""
        cycle = self._cycle
        try:
            await app(self._scope(), self.receive, self.send)
        except asyncio.CancelledError:
            self._give_up(HttpRefusal.stopping)
        except BaseException:
            _log.exception("the application raised")
            self._give_up(HttpRefusal.failed)
        else:
            if not (cycle.response_complete or cycle.disconnected):
                _log.error("the application returned without a whole answer")
                self._give_up(HttpRefusal.failed)

    async def receive(self) -> dict[str, Any]:
        """As in ASGI: the next of the body, as soon as there is some."""
        cycle, host = self._cycle, self._cycle.host
        if cycle.expects_continue and not host.transport.is_closing():
            host.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            cycle.expects_continue = False
        if not (cycle.disconnected or cycle.response_complete):
            host.flow.resume_reading()
            await self._event.wait()
            self._event.clear()
        if cycle.disconnected or cycle.response_complete:
            return {"type": "http.disconnect"}
        body, cycle.body = bytes(cycle.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": cycle.more_body}

    async def send(self, message: dict[str, Any]) -> None:
        """As in ASGI. The head leaves with the first of the body, as ASGI asks."""
        cycle, flow = self._cycle, self._cycle.host.flow
        if flow.write_paused and not cycle.disconnected:
            await flow.drain()
        if cycle.disconnected:
            return
        expected = "http.response.body" if self._status else "http.response.start"
        if message["type"] != expected or cycle.response_complete:
            raise RuntimeError(f"unexpected ASGI message {message['type']!r}")
        if expected == "http.response.start":
            self._take_head(message)
        else:
            self._write(message.get("body", b""), more=message.get("more_body", False))

    def _scope(self) -> dict[str, Any]:
        cycle = self._cycle
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": cycle.version,
            "method": cycle.method,
            "scheme": "https" if cycle.host.transport.get_extra_info("sslcontext") else "http",
            "path": cycle.path,
            "raw_path": cycle.raw_path,
            "query_string": cycle.query,
            "root_path": "",
            "headers": cycle.headers,
            "client": cycle.client,
            "server": cycle.host.server,
            "state": cycle.host.app_state.copy(),
        }

    def _take_head(self, message: dict[str, Any]) -> None:
        """Keep the head; a body of unknown length goes in chunks."""
        for sent, value in message.get("headers", ()):
            if not (_IS_NAME(sent) and _IS_VALUE(value)):
                raise RuntimeError(f"invalid header {sent!r}")
            name = sent.lower()
            if name == b"connection":
                self._cycle.keep_alive &= value.lower() != b"close"
                continue
            if name == b"content-length":
                self._body_left = int(value)
            self._headers.append((name, value))
        self._status = message["status"]
        bodiless = self._cycle.method == "HEAD" or self._status in _BODILESS
        if self._body_left is None and not bodiless:
            self._headers.append((b"transfer-encoding", b"chunked"))

    def _write(self, body: bytes, *, more: bool) -> None:
        cycle = self._cycle
        head = b"" if cycle.response_started else cycle.begin(self._status, self._headers)
        if cycle.method == "HEAD" or self._status in _BODILESS:
            body = b""
        elif self._body_left is None:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            body = chunk if more else chunk + b"0\r\n\r\n"
        else:
            self._body_left -= len(body)
            if self._body_left < 0 or (self._body_left and not more):
                raise RuntimeError("the body is not as long as its Content-Length")
        if head or body:
            cycle.host.transport.write(head + body)
        if not more:
            cycle.complete()

    def _give_up(self, refusal: HttpRefusal) -> None:
        """The last words, where none were said yet; else the end of the connection is the word."""
        if self._cycle.response_started:
            self._cycle.host.transport.close()
        else:
            self._cycle.refuse(refusal)
