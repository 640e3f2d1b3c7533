"""What the server answers by itself: the words, the request's id and the log line of a refusal."""

import io
import json
import re
import time
from collections.abc import Iterator

import pytest
from raw_peer import Serving, refusal, serving

NO_METHOD = (501, "The method is not understood. Methods are written in capitals: POST.")
MADE_ID = re.compile("[0-9a-f]{32}")


@pytest.fixture(scope="module")
def shared() -> Iterator[Serving]:
    """A server with the default limits, for the tests that leave it as it was."""
    with serving() as running:
        yield running


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n"], id="unknown"),
        pytest.param([b"post / HTTP/1.1\r\nHost: a\r\n\r\n"], id="small letters"),
        pytest.param([b"POSTS / HTTP/1.1\r\nHost: a\r\n\r\n"], id="a letter too many"),
        pytest.param([b"\r\nFOO / HTTP/1.1\r\nHost: a\r\n\r\n"], id="behind an empty line"),
        pytest.param([b"po", b"st / HTTP/1.1\r\nHost: a\r\n\r\n"], id="in pieces"),
    ],
)
def test_a_method_that_nobody_knows_is_a_501(shared: Serving, parts: list[bytes]) -> None:
    """It is well-formed HTTP, so the answer says what is wrong with it."""
    peer = shared.connect()
    for part in parts:
        peer.send(part)
        time.sleep(0.02)
    assert refusal(peer) == NO_METHOD


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(b"Host: a\r\nBroken\r\n\r\n", 400, id="head"),
        pytest.param(b"Host: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501, id="framing"),
        pytest.param(b"Host: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, id="body"),
    ],
)
def test_a_refusal_carries_the_id_that_was_sent(
    shared: Serving, request_bytes: bytes, status: int
) -> None:
    """Where the connection came to read it before it refused the request."""
    peer = shared.connect()
    peer.send(b"POST / HTTP/1.1\r\nX-Request-Id: till-7/417\r\n", request_bytes)
    answer = peer.answer()
    assert (answer.status, answer.headers["x-request-id"]) == (status, "till-7/417")


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"HELLO\r\n\r\n", id="no headers"),
        pytest.param(b"GET / HTTP/1.1\r\nX-Request-Id: a b\r\n\r\n", id="a blank"),
        pytest.param(b"GET / HTTP/1.1\r\nX-Request-Id: a\r\nX-Request-Id: b\r\n\r\n", id="two"),
        pytest.param(b"GET / HTTP/1.1\r\nX-Request-Id: " + b"a" * 129 + b"\r\n\r\n", id="long"),
    ],
)
def test_a_refusal_without_an_id_is_given_one(shared: Serving, request_bytes: bytes) -> None:
    """By the same rule as every other answer."""
    peer = shared.connect()
    peer.send(request_bytes)
    assert MADE_ID.fullmatch(peer.answer().headers["x-request-id"])


def test_a_refusal_does_not_carry_the_id_of_the_request_before_it(shared: Serving) -> None:
    """What breaks between two requests belongs to neither."""
    peer = shared.connect()
    peer.post("/", extra=b"X-Request-Id: first\r\n")
    assert peer.answer().status == 200
    peer.send(b"\r\n" * 20_000)
    answer = peer.answer()
    assert answer.status == 431
    assert MADE_ID.fullmatch(answer.headers["x-request-id"])


def test_an_application_that_raises_is_a_500_with_the_id_that_was_sent(shared: Serving) -> None:
    """The server answers for it by the same rule."""
    peer = shared.connect()
    peer.post("/raise", extra=b"X-Request-Id: till-7/417\r\n")
    assert peer.answer().headers["x-request-id"] == "till-7/417"


@pytest.mark.parametrize(
    ("request_bytes", "status", "name"),
    [
        pytest.param(b"Broken\r\n\r\n", 400, "bad_http", id="the connection"),
        pytest.param(b"Host: a\r\n\r\n", 500, "failed", id="for the application"),
    ],
)
def test_a_refusal_is_logged_without_what_was_sent(
    log: io.BytesIO, request_bytes: bytes, status: int, name: str
) -> None:
    """The operator sees who was refused and why; a secret in a broken request stays out of it."""
    with serving(trusted_proxy="127.0.0.1") as running:
        peer = running.connect()
        peer.send(b"GET /raise HTTP/1.1\r\nX-Forwarded-For: 203.0.113.9\r\n")
        peer.send(b"X-Request-Id: till-7/417\r\nPassword: hunter2\r\n", request_bytes)
        assert refusal(peer)[0] == status
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (told,) = (line for line in lines if line["event"] == "refused")
    del told["at"]
    assert told == {
        "event": "refused",
        "level": "warning",
        "request_id": "till-7/417",
        "status": status,
        "name": name,
        "address": "203.0.113.9",
    }
    assert b"hunter2" not in log.getvalue()


def test_the_one_form_of_errors_is_compact(shared: Serving) -> None:
    """The bytes are those of every other error of ours."""
    peer = shared.connect()
    peer.send(b"BAD\r\n\r\n")
    body = peer.answer().body
    assert body == json.dumps(json.loads(body), separators=(",", ":")).encode()
