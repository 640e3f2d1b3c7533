"""One HTTP/1.1 connection: uvicorn's protocol, with the limits and the JSON errors it lacks.

Law of this file: whatever a peer sends, it takes a bounded amount of memory for a bounded time; the
requests that were taken are answered in order; and no byte after a fault is read as a new request.
"""

import asyncio
from collections import deque
from enum import Enum, auto
from typing import Any, NoReturn

import httptools
import uvicorn
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from paydown.server.clock import Deadline
from paydown.server.cycle import Cycle
from paydown.server.head import Framing, is_too_large, read_framing, read_target, refuse_method
from paydown.server.limits import HttpLimits, HttpRefusal, refuse
from paydown.server.proxies import Network, forwarded_address, is_trusted, read_address

TURNED_AWAY_MAX = 64
REST_BYTES_MAX = 65_536
GRACE_SECONDS = 0.1


class Reading(Enum):
    """What the parser is in the middle of. After NOTHING, bytes are thrown away unread."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    NOTHING = auto()


IDLE, HEAD, BODY, NOTHING = Reading


class StopReading(Exception):
    """Raised in a call of the parser's to make it stop where it is."""


class Connection(HttpToolsProtocol):
    """A connection. ``running`` is the request being answered, ``waiting`` are those pipelined.

    ``cycle``, as uvicorn calls it, is the newest request: the only one whose body may still come.
    ``limits``, ``trusted_proxies`` and ``turned_away`` are the server's own, set in a subclass.
    """

    limits: HttpLimits
    trusted_proxies: tuple[Network, ...]
    turned_away: "set[Connection]"
    cycle: Cycle

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.parser = httptools.HttpRequestParser(self)
        self.headers = []
        self.running: Cycle | None = None
        self.waiting: deque[Cycle] = deque()
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

    # The connection. uvicorn and asyncio type the two overrides with less than they are given.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client:
            self.client = (str(read_address(self.client[0])), self.client[1])
            self._behind_proxy = is_trusted(self.client[0], self.trusted_proxies)
        if len(self.connections) > self.limits.connections_max:
            self._turn_away()
        else:
            self._deadline.set(self.limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
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
        if self._turned:
            self._turned = False
            self._watch()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep our half open while a request that came in whole is being answered."""
        if self._reading is BODY and self.waiting:
            self.waiting.pop()
        self._reading = NOTHING
        if self._closing or self.running is None or self.running.more_body:
            return False
        self._newest_owed().keep_alive = False
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
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
        super().on_message_begin()
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
        version = self.parser.get_http_version()
        framing = self._read_head(version)
        self._body_left = framing.body_bytes
        self._stalled_bytes = 0
        self._reading = BODY
        self._turned = True
        cycle = self.cycle = self._make_cycle(version, expects_continue=framing.expects_continue)
        if self.running is None:
            self._run(cycle)
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
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._stalled_bytes = 0
        self.headers = []
        cycle = self.cycle
        cycle.more_body = False
        if not cycle.response_complete:
            cycle.message_event.set()
        self._reading = IDLE if cycle.keep_alive else NOTHING
        self._turned = True

    # The application's answers

    def on_response_complete(self) -> None:
        done, self.running = self.running, None
        self.server_state.total_requests += 1
        if self.transport.is_closing() or done is None:
            return
        if done.closes:
            more_may_come = done.more_body or self.flow.read_paused or self._discarded_bytes > 0
            self._close(lingering=more_may_come)
        elif self.waiting:
            self._run(self.waiting.popleft())
            self._watch()
        elif self._fault is not None:
            self._say(self._fault)
        else:
            self.flow.resume_reading()
            self._watch()

    def _run(self, cycle: Cycle) -> None:
        self.running = cycle
        self._start_asgi_task(cycle, self.app)

    def _newest_owed(self) -> Cycle:
        assert self.running is not None, "an answer is owed"
        return self.waiting[-1] if self.waiting else self.running

    def _make_cycle(self, version: str, *, expects_continue: bool) -> Cycle:
        lasts = version == "1.1" and self.parser.should_keep_alive() and not self._draining
        cycle = Cycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=expects_continue,
            keep_alive=lasts,
            on_response=self.on_response_complete,
        )
        cycle.rest_is_short = self._rest_is_short
        return cycle

    def _rest_is_short(self) -> bool:
        """Whether to read the rest of the newest body costs less than to close the connection."""
        if self.cycle.waiting_for_100_continue or self._body_left is None:
            return False
        return self._body_left <= REST_BYTES_MAX

    # The head of a request

    def _read_head(self, version: str) -> Framing:
        """Complete the scope. Stops at a head that cannot be accepted."""
        if len(self.headers) > self.limits.header_count_max:
            self._stop(HttpRefusal.headers_too_large)
        if self._head_bytes_most > self.limits.header_bytes_max and is_too_large(
            self.url, self.headers, self.limits
        ):
            self._stop(HttpRefusal.headers_too_large)
        framing = read_framing(self.headers, version)
        if isinstance(framing, HttpRefusal):
            self._stop(framing)
        target = read_target(self.url)
        if isinstance(target, HttpRefusal):
            self._stop(target)
        scope = self.scope
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = version
        scope["path"], scope["raw_path"], scope["query_string"] = target
        if self._behind_proxy:
            scope["client"] = (self._address(), 0)
        return framing

    def _address(self) -> str:
        """Whose the request is: the peer's, or whose the peer says where it is a proxy of ours."""
        forwarded = forwarded_address(self.headers) if self._behind_proxy else None
        return forwarded or (self.client[0] if self.client else "")

    def _decline_upgrade(self) -> None:
        """Read the request again as if it had not asked for another protocol, as HTTP allows."""
        version = self.parser.get_http_version().encode()
        head = [self.parser.get_method() + b" " + self.url + b" HTTP/" + version]
        head += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join([*head, b"", b""]))

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
        self._reading = NOTHING
        self._closing = True
        if lingering:
            self.transport.write_eof()
            self.flow.resume_reading()
        else:
            self.transport.close()
        self._deadline.set(self.limits.linger_seconds)

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
