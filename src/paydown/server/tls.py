"""A connection until its TLS handshake is done; then ``Connection`` takes its place.

Law of this file: a peer that has not shaken hands counts as a connection, and has the time that
others have for their headers. Nothing can be said to it, so it is closed without a word.
"""

import asyncio
import os
import socket
import ssl
from typing import Any

import structlog
import uvicorn
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.server import ServerState

from paydown.server.certificates import Certificate
from paydown.server.connection import Connection
from paydown.server.crowd import make_room

logger = structlog.get_logger()


class Handshake(asyncio.Protocol):
    """It is told of two transports: of the socket's own at first, then of the encrypted one.

    ``connection_class`` and ``certificate`` are the server's own, set in a subclass.
    """

    connection_class: type[Connection]
    certificate: Certificate

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.loop = _loop or asyncio.get_running_loop()
        self.connections: set[Any] = server_state.connections
        self._successor = self.connection_class(config, server_state, app_state, self.loop)
        self._task: asyncio.Task[None] | None = None
        self.address = ""
        self.waiting_since = self.loop.time()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to shake hands, if there is room for one more; or, when that is done, step aside.

        Nothing was read yet. The loop would read before it can be asked for TLS on this transport:
        so the socket goes on under another one.
        """
        if self._task is not None:
            self.connections.discard(self)
            transport.set_protocol(self._successor)
            self._successor.connection_made(transport)
            return
        is_full = len(self.connections) >= self.connection_class.limits.connections_max
        if not is_full or make_room(self.connections):
            self.address = (get_remote_addr(transport) or ("", 0))[0]
            self._begin(transport.get_extra_info("socket").fileno())
        transport.abort()

    def _begin(self, handle: int) -> None:
        """Take a place and begin, unless the process has no other handle left."""
        try:
            peer = socket.socket(fileno=os.dup(handle))
        except OSError as fault:
            self._log(fault)
            return
        self.connections.add(self)
        self._task = self.loop.create_task(self._shake_hands(peer))

    def shutdown(self) -> None:
        """Called to drain: nothing was begun."""
        assert self._task is not None, "it counts as a connection since"
        self._task.cancel()

    def give_way(self) -> None:
        """Called for another connection: this one is owed nothing."""
        self.connections.discard(self)
        self.shutdown()

    async def _shake_hands(self, peer: socket.socket) -> None:
        limits = self.connection_class.limits
        try:
            await self.loop.connect_accepted_socket(
                lambda: self,
                peer,
                ssl=self.certificate.context(),
                ssl_handshake_timeout=limits.header_seconds,
                ssl_shutdown_timeout=limits.linger_seconds,
            )
        except OSError as fault:
            self._log(fault)
        finally:
            self.connections.discard(self)

    def _log(self, fault: OSError) -> None:
        """A client that cannot agree with us must be found by somebody."""
        reason = fault.reason if isinstance(fault, ssl.SSLError) else str(fault)
        logger.warning("a TLS handshake failed", address=self.address, reason=reason)
