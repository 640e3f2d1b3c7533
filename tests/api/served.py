"""The real server over a ledger, on a port of loopback, for callers that speak HTTP."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from doors import TILL, Answer, make_door
from raw_peer import serving

from paydown.storage.database import Database
from paydown.telemetry import Metrics


@contextmanager
def served(database: Database) -> Iterator[str]:
    """The address of a server over the ledger, until the block ends."""
    with serving(app=make_door(database, Metrics())) as running:
        host, port = running.connect().socket.getpeername()
        yield f"http://{host}:{port}"


def ask(method: str, url: str, body: Any = None, **headers: str) -> Answer:
    """Ask as the till, over HTTP."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, raw, {**TILL, **named}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return _read(answer.status, answer)
    except urllib.error.HTTPError as error:
        with error:
            return _read(error.code, error)


def _read(status: int, answer: Any) -> Answer:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(status, headers, answer.read())
