"""What a peer meets on the connection itself: faults, framing, order, endings and the last hop."""

import socket
import time
from collections.abc import Iterator

import pytest
from raw_peer import HEAD, Serving, dropped, refusal, serving, soon


@pytest.fixture(scope="module")
def shared() -> Iterator[Serving]:
    """A server with the default limits, for the tests that leave it as it was."""
    with serving() as running:
        yield running


BAD_HTTP = (400, "The request is not valid HTTP.")


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", id="TLS"),
        pytest.param(b"HELLO\r\n\r\n", id="no HTTP"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
        pytest.param(b"CONNECT here:80 HTTP/1.1\r\nHost: here\r\n\r\n", id="CONNECT"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="no Host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", id="two Hosts"),
        pytest.param(b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", id="non-ASCII URL"),
        pytest.param(b"GET http://a:99999/ HTTP/1.1\r\nHost: a\r\n\r\n", id="no such port"),
        pytest.param(b"GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n", id="no URL"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n", id="folded header"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n", id="space before colon"),
        pytest.param(b"GET / HTTP/1.1\nHost: a\n\n", id="bare LF"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\n"
            b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            id="length and chunked",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\n"
            b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            id="chunked and length",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
            id="two lengths",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na", id="list of lengths"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na", id="signed length"
        ),
        pytest.param(
            b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="chunked in 1.0"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            id="bad chunk size",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
            id="chunk longer than its size",
        ),
    ],
)
def test_bad_http_is_answered_in_json_and_ends_the_connection(
    shared: Serving, request_bytes: bytes
) -> None:
    """Whatever is not HTTP, or frames its body in two ways, is a 400 in our form for errors."""
    peer = shared.connect()
    peer.send(request_bytes)
    assert refusal(peer) == BAD_HTTP


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/a%20b", "/a b"),
        ("/%C3%A9", "/é"),
        ("/%zz%", "/%zz%"),
        ("/%ff", "/\ufffd"),
        ("http://here:8080/a?b", "/a"),
        ("http://here", "/"),
        ("*", "*"),
    ],
)
def test_every_form_of_url_has_a_path(shared: Serving, target: str, path: str) -> None:
    """Escapes that are wrong are left or replaced, and the absolute form is read as HTTP asks."""
    peer = shared.connect()
    peer.post(target)
    assert peer.answer().told["path"] == path


def test_blanks_around_a_header_are_not_part_of_it(shared: Serving) -> None:
    """A password with a blank behind it on the wire is the password without it."""
    peer = shared.connect()
    peer.post("/", extra=b"Password:  secret \t\r\n")
    assert peer.answer().told["headers"]["password"] == "secret"


def test_a_trailer_is_not_a_header(shared: Serving) -> None:
    """What comes after the body changes nothing that the application was told."""
    peer = shared.connect()
    peer.send(b"POST / HTTP/1.1\r\n", HEAD, b"Transfer-Encoding: chunked\r\n\r\n")
    peer.send(b"3\r\nabc\r\n0\r\nPassword: other\r\n\r\n")
    told = peer.answer().told
    assert told["length"] == 3
    assert "password" not in told["headers"]


def test_an_application_that_raises_is_a_500_in_json(shared: Serving) -> None:
    """What it raised is for the log alone."""
    peer = shared.connect()
    peer.post("/raise")
    assert refusal(peer) == (500, "An error has occurred.")


def test_a_fault_after_an_early_answer_ends_the_connection(shared: Serving) -> None:
    """One request has one answer: what breaks in the rest of its body gets no second one."""
    peer = shared.connect()
    peer.send(b"POST /streamed HTTP/1.1\r\n", HEAD, b"Transfer-Encoding: chunked\r\n\r\n")
    assert peer.answer().status == 200
    peer.send(b"zz\r\n")
    assert dropped(peer)


def test_pipelined_requests_are_answered_in_order(shared: Serving) -> None:
    """Three requests in one write are three answers, the bodies kept apart."""
    peer = shared.connect()
    parts = [
        f"POST /{n} HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n\r\n".encode() + b"x" * n
        for n in (1, 2, 3)
    ]
    peer.send(*parts)
    told = [peer.answer().told for _ in parts]
    assert [(each["path"], each["length"]) for each in told] == [("/1", 1), ("/2", 2), ("/3", 3)]


def test_a_fault_behind_a_good_request_waits_its_turn(shared: Serving) -> None:
    """The good request is answered first, then the fault, then the end."""
    peer = shared.connect()
    peer.send(b"GET /good HTTP/1.1\r\nHost: a\r\n\r\nGET bad HTTP/1.1\r\nHost: a\r\n\r\n")
    assert peer.answer().told["path"] == "/good"
    assert refusal(peer) == BAD_HTTP


def test_a_fault_in_a_waiting_body_drops_that_request_alone() -> None:
    """The one before it is answered; the application never hears of the bad one."""
    with serving() as running:
        peer = running.connect()
        peer.post("/wait")
        peer.send(b"POST /bad HTTP/1.1\r\n", HEAD, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
        time.sleep(0.1)
        running.app.gate.set()
        assert peer.answer().status == 200
        assert refusal(peer) == BAD_HTTP
        assert running.app.calls == ["/wait"]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close",
        b"GET /a HTTP/1.0",
        b"GET /a HTTP/1.0\r\nConnection: keep-alive",
    ],
)
def test_nothing_after_the_last_request_is_read_as_another(shared: Serving, head: bytes) -> None:
    """`Connection: close` and HTTP/1.0 mean one answer, whatever else was sent."""
    peer = shared.connect()
    peer.send(head, b"\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = peer.answer()
    assert (answer.told["path"], answer.headers["connection"]) == ("/a", "close")
    assert peer.ended()


def test_an_early_answer_to_a_short_body_keeps_the_connection(shared: Serving) -> None:
    """The rest of a short body is read and dropped, and the next request is the next request."""
    peer = shared.connect()
    peer.send(b"POST /unread HTTP/1.1\r\n", HEAD, b"Content-Length: 30\r\n\r\n")
    assert "connection" not in peer.answer().headers
    peer.send(b"GET /smuggled HTTP/1.1\r\n1234\r\n")
    peer.post("/next")
    assert peer.answer().told["path"] == "/next"


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 9000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nffffff\r\n"],
)
def test_an_early_answer_to_a_long_body_arrives_and_closes(shared: Serving, head: bytes) -> None:
    """The peer may send on and read the answer, and nothing of the body is a request."""
    calls = len(shared.app.calls)
    peer = shared.connect()
    peer.send(b"POST /unread HTTP/1.1\r\n", HEAD, head)
    for _ in range(20):
        peer.send(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)
    answer = peer.answer()
    assert (answer.status, answer.headers["connection"]) == (401, "close")
    assert peer.ended()
    assert shared.app.calls[calls:] == ["/unread"]


def test_continue_is_said_only_when_the_body_is_wanted(shared: Serving) -> None:
    """A refused request gets its answer alone, and a served one is asked for its body."""
    expect = b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    wanted = shared.connect()
    wanted.send(b"POST / HTTP/1.1\r\n", HEAD, expect)
    assert wanted.answer().status == 100
    wanted.send(b"abc")
    assert wanted.answer().told["length"] == 3

    refused = shared.connect()
    refused.send(b"POST /unread HTTP/1.1\r\n", HEAD, expect)
    answer = refused.answer()
    assert (answer.status, answer.headers["connection"]) == (401, "close")


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
def test_another_protocol_is_declined_and_the_request_served(
    shared: Serving, protocol: bytes
) -> None:
    """With its body, and with the next request behind it read as the next request."""
    peer = shared.connect()
    upgrade = b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\n"
    peer.post("/first", b"abc", extra=upgrade)
    assert (told := peer.answer().told)["path"] == "/first"
    assert (told["length"], "upgrade" in told["headers"]) == (3, False)
    peer.post("/second", b"abcd", extra=upgrade)
    assert peer.answer().told["length"] == 4


def test_a_peer_that_closes_its_half_still_gets_its_answer() -> None:
    """`printf … | nc` closes its sending half at once; the request was whole, so it is answered."""
    with serving() as running:
        peer = running.connect()
        peer.post("/wait")
        peer.socket.shutdown(socket.SHUT_WR)
        time.sleep(0.1)
        running.app.gate.set()
        assert peer.answer().told["path"] == "/wait"
        assert peer.ended()


def test_a_peer_that_closes_its_half_in_a_waiting_body_gets_what_it_is_owed() -> None:
    """The whole request before it is answered, and the broken one never reaches the application."""
    with serving() as running:
        peer = running.connect()
        peer.send(
            b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
        )
        peer.socket.shutdown(socket.SHUT_WR)
        time.sleep(0.1)
        running.app.gate.set()
        assert peer.answer().headers["connection"] == "close"
        assert peer.ended()
        assert running.app.calls == ["/wait"]


def test_what_comes_after_the_last_request_is_thrown_away() -> None:
    """A peer that sends on behind `Connection: close` still gets its answer."""
    with serving() as running:
        peer = running.connect()
        peer.post("/wait", extra=b"Connection: close\r\n")
        time.sleep(0.05)
        peer.send(b"x" * 1_000_000)
        running.app.gate.set()
        assert peer.answer().status == 200
        assert peer.ended()


def test_a_peer_that_closes_its_half_in_a_body_is_let_go() -> None:
    """The rest can never come; the application hears that the peer is gone."""
    with serving() as running:
        peer = running.connect()
        peer.send(b"POST / HTTP/1.1\r\n", HEAD, b"Content-Length: 9\r\n\r\nabc")
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.ended()
        assert soon(lambda: running.app.calls == ["/", "gone"])


def test_a_peer_that_goes_away_stops_nothing() -> None:
    """What was taken is finished, though nobody hears the answer; what waited behind it is not."""
    with serving() as running:
        peer = running.connect()
        peer.post("/wait")
        peer.post("/never")
        time.sleep(0.05)
        peer.close()
        time.sleep(0.05)
        running.app.gate.set()
        assert soon(lambda: "/wait" in running.app.finished)
        assert running.app.calls == ["/wait"]


def test_the_date_is_sent_and_the_server_is_not_named(shared: Serving) -> None:
    """No software or version in any answer."""
    peer = shared.connect()
    peer.post("/")
    headers = peer.answer().headers
    assert ("date" in headers, "server" in headers) == (True, False)


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (b"", "127.0.0.1"),
        (b"X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\n", "203.0.113.9"),
        (b"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.9:4711\r\n", "203.0.113.9"),
        (b"X-Forwarded-For: [2001:db8::1]:4711\r\n", "2001:db8::1"),
        (b"X-Forwarded-For: ::ffff:203.0.113.9\r\n", "203.0.113.9"),
        (b"X-Forwarded-For: unknown\r\n", "127.0.0.1"),
    ],
)
def test_a_named_proxys_last_hop_is_the_client(forwarded: bytes, client: str) -> None:
    """Only what the proxy itself wrote counts, and only when it is an address."""
    with serving(trusted_proxy="127.0.0.0/8") as running:
        peer = running.connect()
        peer.post("/", extra=forwarded)
        assert peer.answer().told["client"] == client


def test_nobody_is_believed_without_a_named_proxy(shared: Serving) -> None:
    """X-Forwarded-For from a peer that was not named is a header like any other."""
    peer = shared.connect()
    peer.post("/", extra=b"X-Forwarded-For: 6.6.6.6\r\n")
    assert peer.answer().told["client"] == "127.0.0.1"
