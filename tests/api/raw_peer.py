"""A server on a thread over a tiny application, and a peer that speaks to it byte by byte."""

import asyncio
import contextlib
import dataclasses
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from paydown.server.certificates import Certificate
from paydown.server.limits import HttpLimits
from paydown.server.proxies import read_networks
from paydown.server.run import Server, listen, make_config

HEAD = b"Host: here\r\n"

PATIENCE_SECONDS = 30
"""How long a test waits for what must come; how soon it comes on a busy machine, nobody knows."""


class Answer(NamedTuple):
    """An answer as it came: status, headers by lower-case name, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        """The body as JSON."""
        value: dict[str, Any] = json.loads(self.body)
        return value


class Peer:
    """One connection to the server."""

    def __init__(
        self, port: int, trusting: ssl.SSLContext | None = None, *, address: str = ""
    ) -> None:
        self.socket = socket.create_connection(
            ("127.0.0.1", port), timeout=PATIENCE_SECONDS, source_address=(address, 0)
        )
        if trusting is not None:
            self.socket = trusting.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.reader = self.socket.makefile("rb")

    def send(self, *parts: bytes) -> None:
        """Send the parts as they stand."""
        self.socket.sendall(b"".join(parts))

    def post(self, path: str, body: bytes = b"", *, extra: bytes = b"") -> None:
        """Send a whole POST."""
        length = f"Content-Length: {len(body)}\r\n".encode()
        self.send(f"POST {path} HTTP/1.1\r\n".encode(), HEAD, length, extra, b"\r\n", body)

    def answer(self) -> Answer:
        """The next answer."""
        status = int(self.reader.readline().split()[1])
        headers = {}
        while line := self.reader.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name] = value
        return Answer(status, headers, self.reader.read(int(headers.get("content-length", 0))))

    def ended(self) -> bool:
        """Whether the server has closed its half, with nothing more said."""
        return self.reader.read(1) == b""

    def close(self) -> None:
        """Hang up."""
        self.reader.close()
        self.socket.close()


class TinyApp:
    """Answers what it was asked, in the way that the path names."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.calls: list[str] = []
        self.finished: list[str] = []
        self.ended_in_order = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The application."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        self.calls.append(scope["path"])
        if scope["path"] == "/raise":
            raise RuntimeError("a secret of the application's")
        if scope["path"] == "/unread":
            await _say(send, 401, {"Message": "no"})
        elif scope["path"] == "/busy":
            await _say(send, 503, {"Message": "later"})
        elif scope["path"] == "/streamed":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            await receive()
        elif scope["path"] == "/large":
            await _say(send, 200, {"text": "x" * 8_000_000})
        else:
            if scope["path"] == "/later":
                await asyncio.to_thread(self.gate.wait, PATIENCE_SECONDS)
            await self._echo(scope, receive, send)
        self.finished.append(scope["path"])

    async def _echo(self, scope: Any, receive: Any, send: Any) -> None:
        length = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.calls.append("gone")
                return
            length += len(message["body"])
            if not message["more_body"]:
                break
        if scope["path"] == "/wait":
            await asyncio.to_thread(self.gate.wait, PATIENCE_SECONDS)
        told = {
            "path": scope["path"],
            "length": length,
            "client": scope["client"][0],
            "scheme": scope["scheme"],
            "headers": {name.decode(): value.decode() for name, value in scope["headers"]},
        }
        await _say(send, 200, told)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.ended_in_order = True
        await send({"type": "lifespan.shutdown.complete"})


async def _say(send: Any, status: int, told: dict[str, Any]) -> None:
    body = json.dumps(told).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Serving(NamedTuple):
    """A running server: the application, how to connect, and how to tell it to stop."""

    app: Any
    server: Server
    connect: Callable[..., Peer]
    thread: threading.Thread

    def stop(self) -> None:
        """Begin the drain, as a signal would."""
        self.server.should_exit = True


@contextlib.contextmanager
def serving(
    limits: HttpLimits | None = None,
    *,
    app: Any = None,
    drain_seconds: int = 5,
    trusted_proxy: str | None = None,
    certificate: Certificate | None = None,
) -> Iterator[Serving]:
    """The application served on a free port of 127.0.0.1, until the block ends."""
    app, listening, peers = app or TinyApp(), threading.Event(), []
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    networks = read_networks([trusted_proxy] if trusted_proxy else [])
    config = make_config(
        app,
        limits or quick(),
        networks,
        drain_seconds=drain_seconds,
        certificate=certificate,
    )
    server = Server(config, listening.set)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()

    def connect(trusting: ssl.SSLContext | None = None, *, address: str = "") -> Peer:
        peers.append(Peer(port, trusting, address=address))
        return peers[-1]

    try:
        assert listening.wait(PATIENCE_SECONDS)
        yield Serving(app, server, connect, thread)
    finally:
        if isinstance(app, TinyApp):
            app.gate.set()
        for peer in peers:
            peer.close()
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
        listener.close()


def quick(**changes: Any) -> HttpLimits:
    """Limits under which nothing in a test takes long."""
    return dataclasses.replace(HttpLimits(linger_seconds=1), **changes)


def refusal(peer: Peer) -> tuple[int, str]:
    """The status and message of an answer in our one form for errors, after which the end comes."""
    answer = peer.answer()
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"]
    assert list(answer.told) == ["Message"]
    assert peer.ended()
    return answer.status, answer.told["Message"]


def soon(is_so: Callable[[], bool]) -> bool:
    """Whether it comes to be so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.01)
    return is_so()


def dropped(peer: Peer) -> bool:
    """Whether the connection ended without an answer."""
    try:
        return peer.ended()
    except ConnectionResetError:
        return True


def send_much(peer: Peer, count: int) -> None:
    """Send that many bytes, as fast as they are taken."""
    for _ in range(count // 65_536):
        peer.send(b"x" * 65_536)
