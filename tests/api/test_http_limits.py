"""How much a peer may send, and how slowly, before it is told so."""

import select
import socket
import time
from collections.abc import Iterator

import pytest
from raw_peer import HEAD, Serving, dropped, quick, refusal, send_much, serving, soon

from paydown.server.crowd import make_room


@pytest.fixture(scope="module")
def shared() -> Iterator[Serving]:
    """A server with the default limits, for the tests that leave it as it was."""
    with serving() as running:
        yield running


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, id="version 2"),
        pytest.param(b"GET /\r\n\r\n", 505, id="version 0.9"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            501,
            id="compressed transfer",
        ),
        pytest.param(b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n", 414, id="long URL"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"a" * 40_000 + b"\r\n\r\n", 431, id="long header"
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"a" * 40_000, 431, id="header without an end"
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431, id="too many headers"
        ),
        pytest.param(b"\r\n" * 20_000, 431, id="empty lines without an end"),
    ],
)
def test_what_is_over_a_limit_has_its_own_status(
    shared: Serving, request_bytes: bytes, status: int
) -> None:
    """Limits on the URL and the headers, and what HTTP allows but we do not do."""
    peer = shared.connect()
    peer.send(request_bytes)
    assert refusal(peer)[0] == status


@pytest.mark.parametrize(
    "before", [b"A: ", b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: "], ids=["head", "trailer"]
)
def test_a_header_that_grows_for_ever_is_cut_off(shared: Serving, before: bytes) -> None:
    """A header sent in pieces counts as much as one sent at once, and so does a trailer."""
    peer = shared.connect()
    peer.send(b"POST / HTTP/1.1\r\n", HEAD, before)
    for _ in range(6):
        peer.send(b"a" * 8_000)
        time.sleep(0.02)
    assert refusal(peer)[0] == 431


def test_a_request_at_the_limits_is_served(shared: Serving) -> None:
    """The limits are what is still allowed: 100 headers, and a URL of 8,192 bytes."""
    peer = shared.connect()
    path = b"/" + b"a" * 8_191
    peer.send(b"GET ", path, b" HTTP/1.1\r\n", HEAD, b"A: b\r\n" * 99, b"\r\n")
    assert peer.answer().told["path"] == path.decode()


def test_a_slow_head_is_a_408() -> None:
    """Dripping does not buy time: the clock runs from the first byte to the end of the headers."""
    with serving(quick(header_seconds=0.5)) as running:
        peer = running.connect()
        began = time.monotonic()
        peer.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
        for _ in range(90):
            if select.select([peer.socket], [], [], 0.1)[0]:
                break
            peer.send(b"A: b\r\n")
        assert 0.45 < time.monotonic() - began < 5
        assert refusal(peer) == (408, "The request took too long to arrive.")


def test_a_slow_body_is_a_408_and_the_application_is_told() -> None:
    """The body has its own time, and an application that waits for the rest hears that it ended."""
    with serving(quick(body_seconds=0.2)) as running:
        peer = running.connect()
        peer.send(b"POST / HTTP/1.1\r\n", HEAD, b"Content-Length: 9\r\n\r\nabc")
        assert refusal(peer)[0] == 408
        assert soon(lambda: running.app.calls == ["/", "gone"])


@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_an_idle_connection_is_closed_without_a_word(first: bytes) -> None:
    """Who asks nothing, at first or after an answer, gets no answer to a request never made."""
    with serving(quick(header_seconds=1, keep_alive_seconds=1)) as running:
        peer = running.connect()
        peer.send(first)
        if first:
            assert peer.answer().status == 200
        assert peer.ended()


def test_our_own_slowness_is_not_the_peers_fault() -> None:
    """No clock of the peer's runs while the application works."""
    with serving(quick(header_seconds=1, body_seconds=1, keep_alive_seconds=1)) as running:
        peer = running.connect()
        peer.post("/wait")
        time.sleep(1.6)
        running.app.gate.set()
        assert peer.answer().status == 200


def test_a_body_that_we_are_slow_to_read_is_not_late() -> None:
    """A peer that we hold back by not reading keeps its time."""
    with serving(quick(body_seconds=1)) as running:
        peer = running.connect()
        peer.send(b"POST /later HTTP/1.1\r\n", HEAD, b"Content-Length: 200000\r\n\r\n")
        peer.send(b"x" * 199_999)
        time.sleep(1.5)
        peer.send(b"x")
        running.app.gate.set()
        assert peer.answer().told["length"] == 200_000


def test_a_large_answer_arrives_whole(shared: Serving) -> None:
    """However slowly it is fetched."""
    peer = shared.connect()
    for _ in range(2):
        peer.post("/large")
    time.sleep(0.1)
    assert [len(peer.answer().told["text"]) for _ in range(2)] == [8_000_000, 8_000_000]


def test_a_peer_that_does_not_read_is_cut_off() -> None:
    """An answer that nobody fetches holds the connection for a bounded time."""
    with serving(quick(keep_alive_seconds=0.2, answer_seconds=0.2)) as running:
        peer = running.connect()
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.post("/large")
        state = running.server.server_state
        assert soon(lambda: state.total_requests == 1)
        assert soon(lambda: not state.connections)


def test_one_connection_too_many_is_turned_away_with_a_503() -> None:
    """Where all are owed an answer it is told when to come again, and heard once one has gone."""
    with serving(quick(connections_max=1)) as running:
        first = running.connect()
        first.post("/wait")
        assert soon(lambda: "/wait" in running.app.calls)
        second = running.connect()
        answer = second.answer()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert len(answer.headers["x-request-id"]) == 32
        assert answer.told == {"Message": "The server has too many connections. Try again shortly."}
        assert second.ended()
        running.app.gate.set()
        assert first.answer().status == 200
        first.close()
        assert soon(lambda: not running.server.server_state.connections)
        third = running.connect()
        third.post("/")
        assert third.answer().status == 200


def test_a_crowd_beyond_the_limit_is_dropped() -> None:
    """So that turning away costs a bounded number of connections too."""
    with serving(quick(connections_max=1)) as running:
        first = running.connect()
        first.post("/wait")
        assert soon(lambda: "/wait" in running.app.calls)
        crowd = [running.connect() for _ in range(80)]
        assert dropped(crowd[-1])
        running.app.gate.set()
        assert first.answer().status == 200


@pytest.mark.parametrize("said", [b"", b"POST / HTTP/1.1\r\n", b"\r\n"])
def test_the_silent_give_way_to_who_speaks(said: bytes) -> None:
    """The one that has been silent for longest, in whatever part of its head; nobody else."""
    with serving(quick(connections_max=3)) as running:
        busy = running.connect()
        busy.post("/wait")
        assert soon(lambda: "/wait" in running.app.calls)
        silent = []
        for count in (2, 3):
            silent.append(running.connect())
            held = running.server.server_state.connections
            assert soon(lambda held=held, count=count: len(held) == count)
            silent[-1].send(said)
            time.sleep(0.1)
        newcomer = running.connect()
        newcomer.post("/new")
        assert newcomer.answer().status == 200
        assert silent[0].ended()
        silent[1].send(b"" if said.startswith(b"POST") else b"POST / HTTP/1.1\r\n", HEAD, b"\r\n")
        assert silent[1].answer().status == 200
        running.app.gate.set()
        assert busy.answer().status == 200


def test_who_opens_many_crowds_out_himself() -> None:
    """A caller of another address keeps his idle connection, though he has had it for longest."""
    with serving(quick(connections_max=20)) as running:
        kept = running.connect(address="127.0.0.2")
        kept.post("/")
        assert kept.answer().status == 200
        crowd = [running.connect() for _ in range(60)]
        assert soon(lambda: len(running.server.server_state.connections) == 20)
        kept.post("/again")
        assert kept.answer().status == 200
        assert crowd[0].ended()


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"nonsense\r\n\r\n", id="refused, and does not go"),
        pytest.param(
            b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\nx",
            id="answered, and still sends",
        ),
        pytest.param(
            b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx",
            id="answered, and has a little left to send",
        ),
        pytest.param(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n" * 3, id="reads no answer"),
    ],
)
def test_who_is_owed_nothing_that_he_takes_gives_way(said: bytes) -> None:
    """Without a login nobody can hold all places: by staying after his answer, or not reading."""
    with serving(quick(connections_max=5, linger_seconds=20)) as running:
        kept = running.connect(address="127.0.0.2")
        kept.post("/")
        assert kept.answer().status == 200
        crowd = [running.connect() for _ in range(4)]
        for peer in crowd:
            peer.send(said)
            assert peer.socket.recv(1) == b"H"
        time.sleep(0.1)
        newcomer = running.connect()
        newcomer.post("/new")
        assert newcomer.answer().status == 200
        kept.post("/again")
        assert kept.answer().status == 200


def test_all_addresses_of_one_client_are_one_place() -> None:
    """Whoever commands a network of IPv6 crowds out himself too, and not a till with two."""
    gone: list[str] = []
    crowd = [Idle(f"2001:db8::{number:x}", gone) for number in range(1, 5)]
    till = [Idle("192.0.2.7", gone, waiting_since=0.0) for _ in range(2)]
    assert make_room([*till, *crowd])
    assert gone == ["2001:db8::1"]


class Idle:
    """A place that waits for its peer to speak."""

    def __init__(self, address: str, gone: list[str], waiting_since: float = 1.0) -> None:
        self.address = address
        self.waiting_since = waiting_since
        self._gone = gone

    def give_way(self) -> None:
        """Say so."""
        self._gone.append(self.address)


def test_a_long_pipeline_is_cut_after_the_limit() -> None:
    """The last that is answered says that the connection closes; the rest was never taken."""
    with serving(quick(pipelined_max=3)) as running:
        peer = running.connect()
        peer.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
        answers = [peer.answer() for _ in range(4)]
        assert [answer.headers.get("connection") for answer in answers] == [None] * 3 + ["close"]
        assert peer.ended()
        assert len(running.app.calls) == 4


def test_lingering_ends(shared: Serving) -> None:
    """A peer that sends for ever after its answer is cut off, by bytes or by the clock."""
    peer = shared.connect()
    peer.send(b"POST /unread HTTP/1.1\r\n", HEAD, b"Content-Length: 900000000\r\n\r\n")
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        send_much(peer, 900_000_000)


def test_a_body_that_is_not_read_stays_with_the_peer() -> None:
    """Memory is bounded by backpressure: a pipelined body waits in the network, not in us."""
    with serving() as running:
        peer = running.connect()
        peer.post("/wait")
        peer.send(b"POST /next HTTP/1.1\r\n", HEAD, b"Content-Length: 100000000\r\n\r\n")
        time.sleep(0.1)
        peer.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            send_much(peer, 30_000_000)


def test_who_was_refused_is_heard_again_a_little_later() -> None:
    """What he sends meanwhile waits, and is answered then; others are answered at once."""
    with serving(quick(refused_seconds=1.5)) as running:
        refused, other = running.connect(), running.connect()
        for path in ("/busy", "/second", "/third"):
            refused.post(path)
        assert refused.answer().status == 503
        for _ in range(5):  # in the time of one, what he sent may not have come yet
            other.post("/other")
            assert other.answer().status == 200
        assert running.app.calls == ["/busy", *["/other"] * 5]
        assert [refused.answer().told["path"] for _ in range(2)] == ["/second", "/third"]


def test_a_refused_peer_that_closes_its_half_is_owed_what_it_had_asked() -> None:
    """And a drain waits no longer for it than that."""
    with serving(quick(refused_seconds=0.3)) as running:
        halved, drained = running.connect(), running.connect()
        for peer in (halved, drained):
            peer.post("/busy")
            assert peer.answer().status == 503
        halved.post("/next")
        halved.socket.shutdown(socket.SHUT_WR)
        running.stop()
        assert halved.answer().told["path"] == "/next"
        assert halved.ended()
        assert drained.ended()
        running.thread.join(30)
        assert running.app.ended_in_order
