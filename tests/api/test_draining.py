"""Starting and stopping: the port, the signals, the drain and the status of the process."""

import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from raw_peer import HEAD, Peer, TinyApp, quick, serving

from paydown.server import ServeError, serve

PROGRAM = textwrap.dedent(
    """
    import asyncio, sys
    from paydown.server import serve

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            print("ended", flush=True)
            await send({"type": "lifespan.shutdown.complete"})
            return
        print("taken", flush=True)
        await asyncio.sleep(float(scope["path"][1:]))
        await send({"type": "http.response.start", "status": 200,
                    "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    serve(app, host="127.0.0.1", port=0, drain_seconds=2,
          on_listening=lambda host, port: print(port, flush=True))
    print("returned", flush=True)
    """
)


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """A server in a process of its own."""
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def line(process: subprocess.Popen[str]) -> str:
    """The next line that the process prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_the_status_is_0(
    process: subprocess.Popen[str], stop: signal.Signals
) -> None:
    """The request under way is answered and told to be the last; then the process ends in order."""
    peer = Peer(int(line(process)))
    peer.post("/0.5")
    assert line(process) == "taken"
    process.send_signal(stop)
    answer = peer.answer()
    assert (answer.status, answer.body, answer.headers["connection"]) == (200, b"ok", "close")
    assert peer.ended()
    peer.close()
    assert [line(process), line(process)] == ["ended", "returned"]
    assert process.wait(30) == 0


def test_a_drain_ends_when_its_time_is_over(process: subprocess.Popen[str]) -> None:
    """A request that outlasts the drain is cut off with a 503 that says when to try again."""
    peer = Peer(int(line(process)))
    peer.post("/60", extra=b"X-Request-Id: till-7/417\r\n")
    assert line(process) == "taken"
    process.send_signal(signal.SIGTERM)
    answer = peer.answer()
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["x-request-id"] == "till-7/417"
    assert answer.told == {"Message": "The server is stopping. Try again shortly."}
    peer.close()
    assert process.wait(30) == 0


def test_a_request_half_sent_when_the_drain_begins_is_still_answered() -> None:
    """Its head or its body may come to an end; new connections are refused meanwhile."""
    with serving() as running:
        head, body, idle = (running.connect() for _ in range(3))
        head.send(b"POST / HTTP/1.1\r\nHo")
        body.send(b"POST / HTTP/1.1\r\n", HEAD, b"Content-Length: 6\r\n\r\nabc")
        idle.post("/")
        assert idle.answer().status == 200
        running.stop()
        assert idle.ended()
        with pytest.raises(ConnectionRefusedError):
            running.connect()
        head.send(b"st: here\r\nContent-Length: 0\r\n\r\n")
        body.send(b"def")
        for peer, length in ((head, 0), (body, 6)):
            answer = peer.answer()
            assert (answer.told["length"], answer.headers["connection"]) == (length, "close")
            assert peer.ended()
        running.thread.join(30)
        assert running.app.ended_in_order


def test_every_request_pipelined_before_the_drain_is_answered() -> None:
    """The last of them says that the connection closes."""
    with serving() as running:
        peer = running.connect()
        paths = ("/wait", "/second", "/third")
        peer.send(*(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for path in paths))
        time.sleep(0.1)
        running.stop()
        time.sleep(0.3)
        running.app.gate.set()
        answers = [peer.answer() for _ in paths]
        assert tuple(answer.told["path"] for answer in answers) == paths
        assert [answer.headers.get("connection") for answer in answers] == [None, None, "close"]


def test_no_request_that_was_taken_goes_unanswered_under_load() -> None:
    """Eight clients send without pause while the server stops: taken and answered are the same."""
    with serving() as running:
        answered = []

        def hammer() -> None:
            peer = running.connect()
            try:
                while True:
                    peer.post("/load")
                    answered.append(peer.answer().status)
            except (OSError, IndexError):
                return

        clients = [threading.Thread(target=hammer) for _ in range(8)]
        for client in clients:
            client.start()
        time.sleep(0.3)
        running.stop()
        for client in clients:
            client.join(30)
        assert set(answered) == {200}
        assert len(running.app.calls) == len(answered) > 8


def test_a_half_sent_request_cannot_hold_the_drain_for_ever() -> None:
    """The limits on slow clients go on while the server stops."""
    with serving(quick(header_seconds=0.3), drain_seconds=30) as running:
        peer = running.connect()
        peer.send(b"POST / HTTP/1.1\r\nHo")
        time.sleep(0.05)
        running.stop()
        assert peer.answer().status == 408
        running.thread.join(30)
        assert not running.thread.is_alive()


def test_a_port_in_use_is_one_sentence() -> None:
    """It names the address, the reason and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServeError) as caught:
            serve(TinyApp(), host="127.0.0.1", port=port, on_listening=lambda *_: None)
    assert str(caught.value) == (
        f"Cannot listen on 127.0.0.1 port {port}: Address already in use. "
        "Choose another with --port or PAYDOWN_PORT."
    )


@pytest.mark.parametrize(
    ("host", "port"), [("no.such.host.invalid", 80), ("127.0.0.1", 70_000), ("192.0.2.1", 80)]
)
def test_an_address_that_is_not_ours_is_one_sentence(host: str, port: int) -> None:
    """An unknown name, a number that is no port, an address of another machine."""
    with pytest.raises(ServeError, match=f"^Cannot listen on {host} port {port}: .+[.]$"):
        serve(TinyApp(), host=host, port=port, on_listening=lambda *_: None)


@pytest.mark.parametrize("proxy", ["*", "foo", "10.0.0.1/8"])
def test_a_trusted_proxy_that_is_no_address_is_one_sentence(proxy: str) -> None:
    """A typing mistake must not become trust in nobody, or in everybody."""
    with pytest.raises(ServeError) as caught:
        serve(
            TinyApp(),
            host="127.0.0.1",
            port=0,
            trusted_proxies=[proxy],
            on_listening=lambda *_: None,
        )
    assert str(caught.value) == (
        f"The trusted proxy {proxy!r} is neither an address, such as 10.0.0.1, "
        "nor a network, such as 10.0.0.0/8."
    )


def test_an_application_that_cannot_start_is_one_sentence(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """The log has the reason."""

    async def app(scope: object, receive: object, send: object) -> None:
        raise OSError("the reason")

    with pytest.raises(ServeError, match=r"^The application could not start; the log says why\.$"):
        serve(app, host="127.0.0.1", port=0, on_listening=lambda *_: None)
    assert "the reason" in caplog.text
