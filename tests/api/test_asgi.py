"""What an application may say in ASGI, and what becomes of it when it says something else."""

from collections.abc import Iterator
from typing import Any

import pytest
from raw_peer import HEAD, Peer, Serving, TinyApp, dropped, refusal, serving

FAILED = (500, "An error has occurred.")
START = "http.response.start"
BODY = "http.response.body"
TWO_BYTES = [(b"Content-Length", b"2")]

SCRIPTS: dict[str, list[dict[str, Any]]] = {
    "/whole": [{"type": START, "status": 200, "headers": TWO_BYTES}, {"type": BODY, "body": b"ab"}],
    "/chunks": [
        {"type": START, "status": 200},
        {"type": BODY, "body": b"ab", "more_body": True},
        {"type": BODY, "more_body": True},
        {"type": BODY, "body": b"cde"},
    ],
    "/nothing": [{"type": START, "status": 204}, {"type": BODY}],
    "/last": [
        {"type": START, "status": 200, "headers": [*TWO_BYTES, (b"Connection", b"close")]},
        {"type": BODY, "body": b"ab"},
    ],
    "/silent": [],
    "/body-first": [{"type": BODY, "body": b"ab"}],
    "/two-heads": [{"type": START, "status": 200}, {"type": START, "status": 200}],
    "/bad-name": [{"type": START, "status": 200, "headers": [(b"a b", b"c")]}, {"type": BODY}],
    "/bad-value": [
        {"type": START, "status": 200, "headers": [(b"a", b"b\r\nc: d")]},
        {"type": BODY},
    ],
    "/half": [
        {"type": START, "status": 200, "headers": TWO_BYTES},
        {"type": BODY, "body": b"a", "more_body": True},
    ],
    "/short": [
        {"type": START, "status": 200, "headers": TWO_BYTES},
        {"type": BODY, "body": b"a", "more_body": True},
        {"type": BODY},
    ],
}


class Actor(TinyApp):
    """Says what its script for the path has."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The application."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        for message in SCRIPTS[scope["path"]]:
            await send(message)


@pytest.fixture(scope="module")
def shared() -> Iterator[Serving]:
    """A server over an application that says what stands in a script."""
    with serving(app=Actor()) as running:
        yield running


def ask(shared: Serving, path: str, method: str = "GET") -> Peer:
    """A peer that has sent the request."""
    peer = shared.connect()
    peer.send(f"{method} {path} HTTP/1.1\r\n".encode(), HEAD, b"\r\n")
    return peer


def test_a_body_of_unknown_length_comes_in_chunks(shared: Serving) -> None:
    """Each as it is said, an empty one left out, and then the end."""
    peer = ask(shared, "/chunks")
    answer = peer.answer()
    assert (answer.headers["transfer-encoding"], answer.body) == ("chunked", b"")
    assert peer.reader.read(20) == b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"


def test_the_answer_to_head_has_no_body(shared: Serving) -> None:
    """Its head is that of the answer to GET, and the connection goes on."""
    peer = ask(shared, "/whole", "HEAD")
    assert peer.reader.readline() == b"HTTP/1.1 200 OK\r\n"
    lines = [peer.reader.readline() for _ in range(3)]
    assert lines[1:] == [b"content-length: 2\r\n", b"\r\n"]
    peer.send(b"GET /nothing HTTP/1.1\r\n", HEAD, b"\r\n")
    assert peer.answer().status == 204


def test_an_answer_without_a_body_has_no_frame(shared: Serving) -> None:
    """A 204 has neither length nor chunks."""
    headers = ask(shared, "/nothing").answer().headers
    assert list(headers) == ["date"]


def test_an_application_may_end_the_connection(shared: Serving) -> None:
    """With the header that says so."""
    peer = ask(shared, "/last")
    answer = peer.answer()
    assert (answer.headers["connection"], answer.body) == ("close", b"ab")
    assert peer.ended()


@pytest.mark.parametrize(
    "path", ["/silent", "/body-first", "/two-heads", "/bad-name", "/bad-value"]
)
def test_what_is_no_answer_is_a_500(shared: Serving, path: str) -> None:
    """Nothing of it had left, so the peer can be told."""
    assert refusal(ask(shared, path)) == FAILED


@pytest.mark.parametrize("path", ["/half", "/short"])
def test_an_answer_that_breaks_off_ends_the_connection(shared: Serving, path: str) -> None:
    """The peer sees that it is not whole."""
    peer = ask(shared, path)
    peer.reader.readline()
    while peer.reader.readline().strip():
        pass
    assert peer.reader.read(1) == b"a"
    assert dropped(peer)
