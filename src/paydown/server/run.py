"""Listening, serving until told to stop, and ending in good order."""

import asyncio
import contextlib
import errno
import gc
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import uvicorn

from paydown.server.asgi import Runner
from paydown.server.certificates import Certificate
from paydown.server.connection import Connection
from paydown.server.faults import ServeError
from paydown.server.limits import HttpLimits
from paydown.server.proxies import Network, read_networks
from paydown.server.tls import Handshake

Application = Callable[..., Any]
Listening = Callable[[str, int], None]
BACKLOG = 2048
PORT_MAX = 65_535

COLLECTOR_THRESHOLD = 50_000
"""How many more objects than before there must be, for Python to look for circular garbage."""

SWITCH_SECONDS = 0.0001
"""How long a thread keeps the interpreter while another waits for it."""


class Server(uvicorn.Server):
    """uvicorn's server, which says when it listens and ends without raising its signal again."""

    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self.on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:
            raise ServeError("The application could not start; the log says why.") from None
        self.on_listening()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT. To be told to stop is no failure: the status stays 0."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def serve(
    app: Application,
    *,
    host: str,
    port: int,
    on_listening: Listening,
    limits: HttpLimits | None = None,
    trusted_proxies: Sequence[str] = (),
    drain_seconds: int = 30,
    certificate: Certificate | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then answer what was accepted and return.

    Port 0 takes a free one; ``on_listening`` is told which. ``trusted_proxies`` are addresses or
    networks. After ``drain_seconds`` what still runs is cut off. With a certificate only TLS is
    spoken. Raises ServeError.
    """
    networks = read_proxies(trusted_proxies)
    with contextlib.closing(listen(host, port)) as listener:
        bound_host, bound_port = listener.getsockname()[:2]
        config = make_config(
            app,
            limits or HttpLimits(),
            networks,
            drain_seconds=drain_seconds,
            certificate=certificate,
        )
        serve_on(listener, config, on_ready=lambda: on_listening(bound_host, bound_port))


def serve_on(
    listener: socket.socket, config: uvicorn.Config, *, on_ready: Callable[[], None]
) -> None:
    """Serve on a socket that listens, until SIGTERM or SIGINT. Raises ServeError."""
    _spare_collector()
    _share_interpreter()
    Server(config, on_ready).run(sockets=[listener])


def read_proxies(addresses: Sequence[str]) -> tuple[Network, ...]:
    """The networks whose word is believed. Raises ServeError."""
    try:
        return read_networks(addresses)
    except ValueError as fault:
        raise ServeError(str(fault)) from None


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket. Raises ServeError with the reason when it cannot be had.

    A shared one lets further shared ones, of whatever server, listen on the same address.
    """
    if not 0 <= port <= PORT_MAX:
        raise ServeError(f"Cannot listen on {host} port {port}: a port is 0 to {PORT_MAX}.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as fault:
        words = f"Cannot listen on {host} port {port}: {fault.strerror}."
        if fault.errno in (errno.EADDRINUSE, errno.EACCES):
            words += " Choose another with --port or PAYDOWN_PORT."
        raise ServeError(words) from None
    return listener


def write_authority(host: str, port: int) -> str:
    """The address as it stands in a URL, where one of IPv6 is in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def listen_together(host: str, port: int, count: int) -> list[socket.socket]:
    """So many sockets on one address, of which each connection comes to one. Raises ServeError."""
    with contextlib.closing(listen(host, port)) as alone:  # Refused where another server listens.
        port = alone.getsockname()[1]
    return [listen(host, port, shared=True) for _ in range(count)]


def _spare_collector() -> None:
    """Look for circular garbage seldom, and not among what was there before the first request.

    What a request makes is freed by its reference counts. Looking every 700 objects, as Python
    does by itself, took a third of the time of a request of 10,000 lines.
    """
    gc.freeze()
    gc.set_threshold(COLLECTOR_THRESHOLD, 20, 50)


def _share_interpreter() -> None:
    """Let the loop and the writers take turns quickly, where Python would let one wait for 5 ms.

    The writer asks for the interpreter after each statement, and could do much in that time.
    """
    sys.setswitchinterval(SWITCH_SECONDS)


def make_config(
    app: Application,
    limits: HttpLimits,
    trusted_proxies: tuple[Network, ...] = (),
    *,
    drain_seconds: int,
    certificate: Certificate | None = None,
) -> uvicorn.Config:
    """What uvicorn is told: all that it would do by itself is off, save the Date header."""
    protocol: type[asyncio.Protocol]
    protocol = connection_class = type(
        "ServerConnection",
        (Connection,),
        {
            "runner": Runner(app),
            "limits": limits,
            "trusted_proxies": trusted_proxies,
            "turned_away": set(),
        },
    )
    if certificate is not None:
        own = {"connection_class": connection_class, "certificate": certificate}
        protocol = type("ServerHandshake", (Handshake,), own)
    return uvicorn.Config(
        app,
        interface="asgi3",
        loop="uvloop",
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=drain_seconds,
    )
