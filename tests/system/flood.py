"""Callers who send at a rate, whatever comes of it: run as a program of its own.

Law of this file: a request is due at its moment, and its time runs from then. One line of JSON on
stdout tells what came of all.
"""

import json
import re
import selectors
import socket
import sys
import time
from collections import Counter, deque
from pathlib import Path

CONNECTIONS, ANSWERED_CONNECTIONS = 400, 128
"""At a rate there are more than may wait at the server; else no more than may."""

OUTSTANDING_MAX = 4
"""On one connection, where the server answers one request after the other."""

_ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) .*?\r\n\r\n", re.DOTALL)
_LENGTH = re.compile(rb"content-length: (\d+)")


class Caller:
    """A connection with requests under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due: deque[float] = deque()
        self._heard = b""

    def send(self, message: bytes, due_at: float) -> None:
        """Send one more request."""
        self.socket.sendall(message)
        self.due.append(due_at)

    def hear(self) -> list[tuple[bytes, float, bytes]]:
        """The status, the time in seconds and the head of each answer that came."""
        said = self.socket.recv(1_000_000)
        if not said:
            raise ConnectionError(f"the server closed a connection: {self._heard!r}")
        self._heard += said
        answers, place, now = [], 0, time.monotonic()
        while head := _ANSWER.match(self._heard, place):
            length = _LENGTH.search(head[0])
            end = head.end() + int(length[1] if length else 0)
            if end > len(self._heard):
                break
            answers.append((head[1], now - self.due.popleft(), head[0]))
            place = end
        self._heard = self._heard[place:]
        return answers


class Flood:
    """All callers, and the score."""

    def __init__(self, port: int, template: bytes, tag: str, *, count: int) -> None:
        self._template = template
        self._tag = tag
        self._count = 0
        self._selector = selectors.DefaultSelector()
        self._callers = [Caller(port) for _ in range(count)]
        for caller in self._callers:
            self._selector.register(caller.socket, selectors.EVENT_READ, caller)
        self.statuses: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.without_retry_after = 0

    def run(self, rate: float | None, seconds: float) -> None:
        """At the rate, or (None) as fast as each caller is answered, one at a time."""
        begin = time.monotonic()
        ends_at, sent = begin + seconds, 0
        if rate is None:
            for caller in self._callers:
                self._send(caller, begin)
        while (now := time.monotonic()) < ends_at:
            if rate is not None:
                sent += self._send_due(begin, sent, rate, now)
            self._listen(0.002, again=rate is None)
        while any(caller.due for caller in self._callers):
            self._listen(20, again=False)

    def _send_due(self, begin: float, sent: int, rate: float, now: float) -> int:
        """Send what is due by now; what finds every caller busy is not sent, and not made up."""
        due = int((now - begin) * rate) - sent
        for number in range(sent, sent + due):
            caller = self._callers[number % len(self._callers)]
            if len(caller.due) < OUTSTANDING_MAX:
                self._send(caller, begin + number / rate)
            else:
                self.statuses["unsent"] += 1
        return due

    def _send(self, caller: Caller, due_at: float) -> None:
        self._count += 1
        reference = f"{self._tag}-{self._count:08}".encode()
        caller.send(self._template.replace(b"REFERENCE", reference), due_at)

    def _listen(self, seconds: float, *, again: bool) -> None:
        for key, _ in self._selector.select(seconds):
            for status, took, head in key.data.hear():
                self.statuses[status.decode()] += 1
                if status == b"200":
                    self.seconds.append(took)
                self.without_retry_after += status == b"503" and b"\r\nretry-after: " not in head
                if again:
                    self._send(key.data, time.monotonic())


def main(port: int, template: bytes, *, tag: str, rate: float, seconds: float) -> None:
    """Flood, and tell."""
    flood = Flood(port, template, tag, count=CONNECTIONS if rate else ANSWERED_CONNECTIONS)
    began = time.monotonic()
    flood.run(rate or None, seconds)
    took = time.monotonic() - began
    times = sorted(flood.seconds) or [0.0]
    told = {
        "statuses": flood.statuses,
        "rate": flood.statuses["200"] / took,
        "median": times[len(times) // 2],
        "p99": times[len(times) * 99 // 100],
        "most": times[-1],
        "without_retry_after": flood.without_retry_after,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    port, template, tag, rate, seconds = sys.argv[1:]
    main(int(port), Path(template).read_bytes(), tag=tag, rate=float(rate), seconds=float(seconds))
