"""One request and its answer, whoever serves it.

Law of this file: an answer is begun once and ended once; when it has ended, the connection goes on.
"""

import asyncio
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Protocol

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.server import ServerState

from paydown.api.answers import Answer, Header, answer_headers
from paydown.server.head import Target
from paydown.server.limits import HttpLimits, HttpRefusal, refuse

Address = tuple[str, int]

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


class Host(Protocol):
    """What its connection is to a request."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    flow: FlowControl
    server_state: ServerState
    limits: HttpLimits
    server: tuple[str, int | None] | None
    app_state: dict[str, Any]

    def rest_is_short(self) -> bool:
        """Whether to read the rest of the newest body costs less than to close the connection."""

    def on_response_complete(self) -> None:
        """Go on to the next request, or close."""


class Cycle:
    """A request, as far as it has come, and its answer, as far as it was given.

    ``event`` is set whenever there is news for an application that waits. ``status`` is the
    answer's, 0 before it.
    """

    __slots__ = (
        *("host", "method", "path", "raw_path", "query", "version", "headers"),
        *("client", "address", "body", "more_body", "expects_continue", "event", "disconnected"),
        *("status", "keep_alive", "response_started", "response_complete"),
    )

    def __init__(
        self,
        host: Host,
        method: str,
        target: Target,
        *,
        version: str,
        headers: Sequence[Header],
        client: Address | None,
    ) -> None:
        self.host = host
        self.method = method
        self.path, self.raw_path, self.query = target
        self.version = version
        self.headers = headers
        self.client = client
        self.address = client[0] if client else ""
        self.body = bytearray()
        self.more_body = True
        self.expects_continue = False
        self.event: asyncio.Event | None = None
        self.disconnected = False
        self.status = 0
        self.keep_alive = True
        self.response_started = False
        self.response_complete = False

    @property
    def is_simple(self) -> bool:
        """Whether all is there, and all can go, so that nothing need be said but the answer."""
        return not (
            self.more_body
            or self.disconnected
            or self.expects_continue
            or self.host.flow.write_paused
            or self.method != "POST"
        )

    # The request

    def add(self, part: bytes) -> None:
        """Take a part of the body."""
        self.body += part
        self.notify()

    def end(self) -> None:
        """The body is whole."""
        self.more_body = False
        self.notify()

    def abandon(self) -> None:
        """Tell the application that nobody waits for its answer any more."""
        self.disconnected = True
        self.notify()

    def notify(self) -> None:
        """Wake the application if it waits for news."""
        if self.event is not None:
            self.event.set()

    # The answer

    def answer(self, answer: Answer, *, request_id: str) -> None:
        """Send the answer of a request that was taken whole."""
        self.host.server_state.tasks.discard(self)
        self.say(answer.status, answer_headers(answer, request_id), answer.body)

    def cancel(self, msg: object = None) -> None:  # noqa: ARG002 - as uvicorn calls it
        """Cut off a request that was taken whole: the drain ran out."""
        self.host.loop.call_soon(self.refuse, HttpRefusal.stopping)

    def refuse(self, refusal: HttpRefusal) -> None:
        """Answer for an application that raised, or that was cut off when the drain ran out."""
        if self.response_complete:
            return
        self.keep_alive = False
        headers = refuse(refusal, self.headers, address=self.address)
        self.say(refusal.status, headers, refusal.body)

    def say(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        """Send a whole answer in one write, if somebody still waits for one."""
        if self.disconnected or self.response_complete:
            return
        head = self.begin(status, headers)
        self.host.transport.write(head if self.method == "HEAD" else head + body)
        self.complete()

    def begin(self, status: int, headers: Iterable[Header]) -> bytes:
        """The head of the answer. One that overtakes a long body says that it closes."""
        if self.more_body and not self.host.rest_is_short():
            self.keep_alive = False
        self.expects_continue = False
        self.response_started = True
        self.status = status
        lines = [_STATUS_LINES[status]]
        for name, value in (*self.host.server_state.default_headers, *headers):
            lines.append(b"%b: %b\r\n" % (name, value))
        lines.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        return b"".join(lines)

    def complete(self) -> None:
        """The answer is whole. Who was refused for want of room is heard again a little later."""
        self.response_complete = True
        self.notify()
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE and self.keep_alive:
            go_on = self.host.on_response_complete
            self.host.loop.call_later(self.host.limits.refused_seconds, go_on)
        else:
            self.host.on_response_complete()
