"""One HTTP/1.1 connection: what comes in, in which order it is answered, and when it ends.

It stands in for uvicorn's, which has no limits on headers and time, and plain errors. With the
cycle of our own it also halves what a request costs (``asgi`` says how).

Law of this file: whatever a peer sends, it takes a bounded amount of memory for a bounded time; the
requests that were taken are answered in order; and no byte after a fault is read as a new request.
"""

import asyncio
import socket
from collections import deque
from typing import Any, NoReturn

import httptools
import uvicorn
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from paydown.api.answers import Header
from paydown.server.asgi import Runner
from paydown.server.clock import Deadline
from paydown.server.crowd import make_room
from paydown.server.cycle import Address, Cycle
from paydown.server.head import read_head, refuse_method, write_plain_head
from paydown.server.limits import HttpLimits, HttpRefusal, refuse
from paydown.server.proxies import Network, forwarded_address, is_trusted, read_address
from paydown.server.reading import BODY, HEAD, IDLE, NOTHING, StopReading

TURNED_AWAY_MAX = 64
REST_BYTES_MAX = 65_536
GRACE_SECONDS = 0.1


class Connection(asyncio.Protocol):
    """A connection. ``running`` is the request being answered, ``waiting`` are those pipelined.

    ``cycle`` is the newest request: the only one whose body may still come. ``runner``, ``limits``,
    ``trusted_proxies`` and ``turned_away`` are the server's own, set in a subclass.
    """

    runner: Runner
    limits: HttpLimits
    trusted_proxies: tuple[Network, ...]
    turned_away: "set[Connection]"
    transport: asyncio.Transport
    flow: FlowControl
    cycle: Cycle

    def __init__(
        self,
        config: uvicorn.Config,  # noqa: ARG002 - as uvicorn calls it
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.loop = _loop or asyncio.get_running_loop()
        self.app_state = app_state
        self.server_state = server_state
        self.connections: set[Any] = server_state.connections
        self.server: tuple[str, int | None] | None = None
        self.client: Address | None = None
        self.address = ""
        self.parser = httptools.HttpRequestParser(self)
        self.url = b""
        self.headers: list[Header] = []
        self.running: Cycle | None = None
        self.waiting: deque[Cycle] = deque()
        self._unstarted: Cycle | None = None
        self._reading = IDLE
        self._fault: HttpRefusal | None = None
        self._behind_proxy = False
        self._draining = False
        self._closing = False
        self._turned = False
        self._chunk_bytes = 0
        self._head_bytes_most = 0
        self._stalled_bytes = 0
        self._discarded_bytes = 0
        self._body_left: int | None = 0
        self._deadline = Deadline(self.loop, self._expire)

    # The connection. asyncio types the override with less than it is given.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.connections.add(self)
        self.transport = transport
        self.flow = FlowControl(transport)
        self.server, self.client = get_local_addr(transport), get_remote_addr(transport)
        if self.client:
            self.address = str(read_address(self.client[0]))
            self.client = (self.address, self.client[1])
            self._behind_proxy = is_trusted(self.client[0], self.trusted_proxies)
        is_full = len(self.connections) > self.limits.connections_max
        if is_full and not make_room(self.connections - {self}):
            self._turn_away()
        else:
            self._deadline.set(self.limits.header_seconds)

    def connection_lost(self, _: Exception | None) -> None:
        self.connections.discard(self)
        self.flow.resume_writing()
        self._deadline.cancel()
        self._reading = NOTHING
        self.turned_away.discard(self)
        self.waiting.clear()
        if self.running is not None:
            self.running.abandon()

    def data_received(self, data: bytes) -> None:
        if self._reading is NOTHING:
            self._discard(data)
            return
        self._chunk_bytes = len(data)
        self._head_bytes_most += len(data)
        self._stalled_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade()
            self.data_received(data[upgrade.args[0] :])
        except httptools.HttpParserInvalidMethodError:
            self._refuse(refuse_method(data))
        except httptools.HttpParserError:
            self._refuse(self._fault or HttpRefusal.bad_http)
        else:
            if self._stalled_bytes > self.limits.header_bytes_max:
                self._refuse(HttpRefusal.headers_too_large)
        if self._unstarted is not None:
            cycle, self._unstarted = self._unstarted, None
            self.runner.start(cycle)
        if self._turned:
            self._turned = False
            self._watch()

    def eof_received(self) -> bool:
        """Keep our half open while a request that came in whole is being answered."""
        if self._reading is BODY and self.waiting:
            self.waiting.pop()
        self._reading = NOTHING
        if self._closing or self.running is None or self.running.more_body:
            return False
        self._newest_owed().keep_alive = False
        return self.transport.can_write_eof()

    def pause_writing(self) -> None:
        self.flow.pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        self.flow.resume_writing()
        self._watch()

    def shutdown(self) -> None:
        """Answer what was begun, tell the peer that it is the last, and close; called to drain."""
        self._draining = True
        if self._reading is HEAD:
            return
        if self.running is None:
            self._watch()
            return
        self.cycle.keep_alive = False
        if self._reading is IDLE:
            self._reading = NOTHING

    # The parser's calls

    def on_message_begin(self) -> None:
        if self._reading is NOTHING:
            raise StopReading
        if len(self.waiting) >= self.limits.pipelined_max:
            self.cycle.keep_alive = False
            self._reading = NOTHING
            raise StopReading
        self.url, self.headers = b"", []
        self._reading = HEAD
        self._turned = True
        self._head_bytes_most = self._chunk_bytes

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > self.limits.url_bytes_max:
            self._stop(HttpRefusal.url_too_long)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header. A trailer is dropped: the application has seen the headers."""
        if self._reading is not HEAD:
            return
        self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self._stop(HttpRefusal.bad_http)
            return
        cycle = self._read_head()
        self.cycle = cycle
        self._stalled_bytes = 0
        self._reading = BODY
        self._turned = True
        if self.running is None:
            self.running = self._unstarted = cycle
        else:
            self.flow.pause_reading()
            self.waiting.append(cycle)

    def on_body(self, body: bytes) -> None:
        self._stalled_bytes = 0
        if self._body_left is not None:
            self._body_left -= len(body)
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.add(body)
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._stalled_bytes = 0
        self.headers = []
        cycle = self.cycle
        cycle.end()
        self._reading = IDLE if cycle.keep_alive else NOTHING
        self._turned = True

    # The application's answers

    def on_response_complete(self) -> None:
        done, self.running = self.running, None
        self.server_state.total_requests += 1
        if self.transport.is_closing() or done is None:
            return
        if not done.keep_alive:
            more_may_come = done.more_body or self.flow.read_paused or self._discarded_bytes > 0
            self._close(lingering=more_may_come)
        elif self.waiting:
            self.running = self.waiting.popleft()
            self.loop.call_soon(self._start_next, self.running)
            self._watch()
        elif self._fault is not None:
            self._say(self._fault)
        else:
            self.flow.resume_reading()
            self._watch()

    def _start_next(self, cycle: Cycle) -> None:
        """A turn after the answer before it, unless by then the peer was seen to have gone."""
        if self.transport.is_closing():
            return
        peer = self.transport.get_extra_info("socket")
        if peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.transport.abort()
        else:
            self.runner.start(cycle)

    def _newest_owed(self) -> Cycle:
        assert self.running is not None, "an answer is owed"
        return self.waiting[-1] if self.waiting else self.running

    def rest_is_short(self) -> bool:
        """Whether to read the rest of the newest body costs less than to close the connection."""
        if self.cycle.expects_continue or self._body_left is None:
            return False
        return self._body_left <= REST_BYTES_MAX

    # The head of a request

    def _read_head(self) -> Cycle:
        """The request that has this head. Stops at a head that cannot be accepted."""
        version = self.parser.get_http_version()
        bytes_most = self._head_bytes_most
        head = read_head(self.url, self.headers, version, self.limits, bytes_most=bytes_most)
        if isinstance(head, HttpRefusal):
            self._stop(head)
        cycle = Cycle(
            self,
            self.parser.get_method().decode("ascii"),
            head.target,
            version=version,
            headers=self.headers,
            client=(self._address(), 0) if self._behind_proxy else self.client,
        )
        self._body_left, cycle.expects_continue = head.framing
        lasts = version == "1.1" and self.parser.should_keep_alive()
        cycle.keep_alive = lasts and not self._draining
        return cycle

    def _address(self) -> str:
        """Whose the request is: the peer's, or whose the peer says where it is a proxy of ours."""
        forwarded = forwarded_address(self.headers) if self._behind_proxy else None
        return forwarded or self.address

    def _decline_upgrade(self) -> None:
        """Read the request again as if it had not asked for another protocol, as HTTP allows."""
        method, version = self.parser.get_method(), self.parser.get_http_version()
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(write_plain_head(method, self.url, version, self.headers))

    # Refusing and closing

    def _stop(self, refusal: HttpRefusal) -> NoReturn:
        self._fault = refusal
        raise StopReading

    def _refuse(self, refusal: HttpRefusal) -> None:
        """Answer what cannot be read further, once the requests before it have their answers."""
        if self._reading is NOTHING:
            return
        in_body = self._reading is BODY
        self._reading = NOTHING
        self._fault = refusal
        if in_body and self.cycle.response_started:
            self._close(lingering=self.cycle.response_complete)
            return
        if in_body:
            self.cycle.abandon()
            if self.waiting:
                self.waiting.pop()
            else:
                self.running = None
        if self.running is None:
            self._say(refusal)

    def _say(self, refusal: HttpRefusal) -> None:
        headers = refuse(refusal, self.headers, address=self._address())
        self.transport.write(refusal.answer([*self.server_state.default_headers, *headers]))
        self._close(lingering=True)

    @property
    def waiting_since(self) -> float | None:
        """Since when the peer is silent, owed nothing, or reads no answer."""
        may_go = self.running is None or self._closing or self.flow.write_paused
        return self._deadline.set_at if may_go else None

    def give_way(self) -> None:
        """End at once: whatever is left unread or unsaid goes with it."""
        self.connections.discard(self)
        self.transport.abort()

    def _turn_away(self) -> None:
        self.connections.discard(self)
        if len(self.turned_away) >= TURNED_AWAY_MAX:
            self.transport.abort()
            return
        self.turned_away.add(self)
        self._say(HttpRefusal.too_many_connections)

    def _close(self, *, lingering: bool) -> None:
        """Close. On a peer that still sends, close our half and read on a little.

        To close on unread bytes resets the connection, and the peer loses the answer.
        """
        self._reading, self._closing = NOTHING, True
        self._deadline.set(self.limits.linger_seconds)
        if not lingering:
            self.transport.close()
            return
        self.flow.resume_reading()
        if self.transport.can_write_eof():  # TLS has no half to close
            self.transport.write_eof()

    def _discard(self, data: bytes) -> None:
        self._discarded_bytes += len(data)
        if not self._closing:
            self.flow.pause_reading()
        elif self._discarded_bytes > self.limits.linger_bytes_max:
            self.transport.abort()

    # Time

    def _watch(self) -> None:
        """Begin the time that the peer has for what it does now; there is none while we work."""
        if not self._closing:
            self._deadline.set(self._seconds_allowed())

    def _seconds_allowed(self) -> float | None:
        limits = self.limits
        if self.flow.write_paused:
            return limits.answer_seconds
        if self.running is not None:
            return limits.body_seconds if self.running.more_body else None
        if self._reading is HEAD:
            return limits.header_seconds
        if self._reading is BODY:
            return limits.body_seconds
        return GRACE_SECONDS if self._draining else limits.keep_alive_seconds

    def _expire(self) -> None:
        if self._closing or self.transport.get_write_buffer_size():
            self.transport.abort()
        elif self._reading is IDLE:
            self._close(lingering=False)
        elif self.flow.read_paused:
            self._watch()
        else:
            self._refuse(HttpRefusal.too_slow)
