"""A request that comes whole may be answered without ASGI: nobody must be able to tell."""

import io
import json
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest
from doors import PASSWORD, PAYMENTS, count, line, make_door, payment
from raw_peer import HEAD, Answer, Peer, Serving, TinyApp, quick, refusal, serving, soon

import ledgers
from paydown.api import answers
from paydown.storage.database import Database
from paydown.telemetry import Metrics

CREDENTIALS = {"userName": ledgers.TILL, "password": PASSWORD, "customerGuid": ledgers.CLUB}


class Taker(TinyApp):
    """Takes what comes whole, and answers it when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Any] = []
        self.fault: Exception | None = None

    def take(self, whole: answers.Whole) -> bool:
        """Take it, except what is at a path of its own."""
        if whole.path == "/not-mine":
            return False
        self.taken.append(whole)
        if self.fault is not None:
            raise self.fault
        return True

    def say(self, number: int, word: str) -> None:
        """Answer one of those that were taken, on the server's loop."""
        whole = self.taken[number]
        whole.host.loop.call_soon_threadsafe(self._answer, whole, word)

    def _answer(self, whole: answers.Whole, word: str) -> None:
        whole.answer(answers.Answer(200, word.encode()), request_id=word)
        self.finished.append(word)


@pytest.fixture
def running() -> Iterator[Serving]:
    """A server over an application that takes whole requests."""
    with serving(app=Taker()) as server:
        yield server


@pytest.fixture
def calls(ledger: Database, log: io.BytesIO) -> Iterator[Serving]:
    """The real application over a ledger, served; what it logs is kept."""
    with serving(app=make_door(ledger, Metrics())) as server:
        yield server


def head(body: bytes, **changes: str) -> bytes:
    """The head of a payment."""
    values = {"Content-Type": "application/json", **CREDENTIALS, **changes}
    lines = [f"{name}: {value}\r\n" for name, value in values.items()]
    start = f"POST {PAYMENTS} HTTP/1.1\r\nContent-Length: {len(body)}\r\n"
    return start.encode() + HEAD + "".join(lines).encode() + b"\r\n"


def told(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """An answer without what differs each time."""
    varying = {"date", "x-request-id"}
    headers = {name: value for name, value in answer.headers.items() if name not in varying}
    return answer.status, headers, answer.body


def reset(peer: Peer) -> None:
    """Go away without a good-bye."""
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def ask(peer: Peer, body: bytes, *, whole: bool, **changes: str) -> tuple[int, Any, bytes]:
    """Send a payment, whole or its body behind its head, and take the answer."""
    if whole:
        peer.send(head(body, **changes), body)
    else:
        peer.send(head(body, **changes))
        time.sleep(0.02)
        peer.send(body)
    return told(peer.answer())


@pytest.mark.parametrize(
    ("body", "changes", "status"),
    [
        pytest.param(payment(line(98), line(2, 0)), {}, 200, id="refused lines"),
        pytest.param(payment(line(98)), {"Prefer": "handling=strict"}, 200, id="preference"),
        pytest.param(payment(line(1)), {"Idempotency-Key": "k"}, 200, id="replayed by key"),
        pytest.param(payment(line(1, ThirdPartyReference="A")), {}, 200, id="replayed"),
        pytest.param(payment(line("x")), {}, 400, id="faults"),
        pytest.param(payment(line(1)), {"Idempotency-Key": ""}, 400, id="no key"),
        pytest.param(payment(line(1)), {"customerGuid": "x"}, 403, id="wrong customer"),
        pytest.param(payment(line(1)), {"Content-Type": "text/plain"}, 415, id="media"),
        pytest.param(payment(line(1, 0), Comment="x" * 70_000), {}, 200, id="large"),
    ],
)
def test_whole_or_in_pieces_the_answer_is_the_same(
    calls: Serving, body: object, changes: dict[str, str], status: int
) -> None:
    """To the byte, for what is recorded and for every kind of refusal."""
    peer = calls.connect()
    sent = json.dumps(body).encode()
    first = ask(peer, sent, whole=False, **changes)
    whole = ask(peer, sent, whole=True, **changes)
    in_pieces = ask(peer, sent, whole=False, **changes)
    assert first[0] == whole[0] == status
    assert whole == in_pieces


def test_whole_or_in_pieces_it_is_recorded_counted_and_logged(
    calls: Serving, ledger: Database, log: io.BytesIO
) -> None:
    """Three payments are three entries, three lines in the log, and three in the metrics."""
    peer = calls.connect()
    for number, whole in ((1, True), (2, True), (3, False)):
        sent = json.dumps(payment(line(number))).encode()
        assert ask(peer, sent, whole=whole, LegendUserName="eve")[0] == 200
    peer.send(b"GET /metrics HTTP/1.1\r\n", HEAD, b"\r\n")
    shown = peer.answer().body.decode()
    assert f'paydown_requests_total{{route="{PAYMENTS}",status="200"}} 3.0' in shown
    assert 'paydown_lines_recorded_total{kind="payment"} 3.0' in shown
    assert count(ledger, "entry WHERE staff_user = 'eve' AND address = '127.0.0.1'") == 3
    lines = [json.loads(each) for each in log.getvalue().splitlines()]
    requests = [each for each in lines if each["event"] == "request"]
    assert [each["recorded"] for each in requests] == [1, 1, 1]
    assert list(requests[0]) == list(requests[1]) == list(requests[2])


def test_what_does_not_come_whole_is_not_offered(running: Serving) -> None:
    """A body in pieces, one to be asked for, another method, a path that was declined."""
    peer = running.connect()
    for parts in (
        [b"POST /pieces HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\n\r\n", b"ab"],
        [b"GET /get HTTP/1.1\r\n" + HEAD + b"\r\n"],
        [b"POST /not-mine HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\n\r\nab"],
    ):
        for part in parts:
            peer.send(part)
            time.sleep(0.02)
        assert peer.answer().status == 200
    peer.post("/asked-for", b"ab", extra=b"Expect: 100-continue\r\n")
    assert [peer.answer().status for _ in range(2)] == [100, 200]
    assert running.app.calls == ["/pieces", "/get", "/not-mine", "/asked-for"]
    assert running.app.taken == []


def test_whole_requests_are_answered_in_order(running: Serving) -> None:
    """One at a time: what is pipelined behind the first waits until that is answered."""
    peer = running.connect()
    for number in range(3):
        peer.post(f"/{number}", b"ab")
    for number in range(3):
        assert soon(lambda number=number: len(running.app.taken) == number + 1)
        running.app.say(number, f"word-{number}")
        answer = peer.answer()
        assert (answer.body.decode(), answer.headers["x-request-id"]) == (f"word-{number}",) * 2
    assert [bytes(whole.body) for whole in running.app.taken] == [b"ab"] * 3


def test_no_clock_of_the_peers_runs_while_its_request_is_taken() -> None:
    """The commit may take its time."""
    with serving(quick(body_seconds=0.2, keep_alive_seconds=0.2), app=Taker()) as running:
        peer = running.connect()
        peer.post("/slow")
        time.sleep(0.5)
        running.app.say(0, "done")
        assert peer.answer().body == b"done"


def test_a_taken_request_goes_on_without_its_peer(running: Serving) -> None:
    """Its answer is dropped, and the next peer is served."""
    gone, next_one = running.connect(), running.connect()
    gone.post("/gone")
    assert soon(lambda: len(running.app.taken) == 1)
    reset(gone)
    assert soon(lambda: running.app.taken[0].disconnected)
    running.app.say(0, "unheard")
    assert soon(lambda: running.app.finished == ["unheard"])
    next_one.post("/next")
    assert soon(lambda: len(running.app.taken) == 2)
    running.app.say(1, "heard")
    assert next_one.answer().body == b"heard"


def test_a_drain_waits_for_what_was_taken(running: Serving) -> None:
    """Its answer says that it is the last."""
    peer = running.connect()
    peer.post("/last")
    assert soon(lambda: len(running.app.taken) == 1)
    running.stop()
    time.sleep(0.3)
    running.app.say(0, "done")
    answer = peer.answer()
    assert (answer.body, answer.headers["connection"]) == (b"done", "close")
    running.thread.join(30)
    assert running.app.ended_in_order


def test_a_drain_waits_for_what_was_taken_from_a_peer_that_has_gone(running: Serving) -> None:
    """What was taken is finished before the application is told to stop."""
    peer = running.connect()
    peer.post("/gone")
    assert soon(lambda: len(running.app.taken) == 1)
    reset(peer)
    assert soon(lambda: running.app.taken[0].disconnected)
    running.stop()
    time.sleep(0.5)
    assert running.thread.is_alive()
    running.app.say(0, "done")
    running.thread.join(30)
    assert not running.thread.is_alive()


def test_what_was_taken_is_cut_off_when_the_drain_is_over() -> None:
    """With a 503, and an answer that comes later changes nothing."""
    with serving(app=Taker(), drain_seconds=1) as running:
        peer = running.connect()
        peer.post("/never", extra=b"X-Request-Id: till-7/417\r\n")
        assert soon(lambda: len(running.app.taken) == 1)
        running.stop()
        answer = peer.answer()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert answer.headers["x-request-id"] == "till-7/417"
        assert answer.told == {"Message": "The server is stopping. Try again shortly."}
        assert running.app.taken[0].response_complete
        assert peer.ended()


def test_an_application_that_raises_as_it_takes_is_a_500(running: Serving) -> None:
    """It is not asked a second time, for who knows how far it had come."""
    running.app.fault = RuntimeError("a secret of the application's")
    peer = running.connect()
    peer.post("/raise")
    assert refusal(peer) == (500, "An error has occurred.")
    assert (len(running.app.taken), running.app.calls) == (1, [])
