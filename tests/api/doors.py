"""A caller at the HTTP door, in process: whole requests in, whole answers out, no socket."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from starlette.types import ASGIApp

import ledgers
from paydown.access import Authenticator, hash_password
from paydown.api.app import Around, make_app
from paydown.bootstrap import make_around
from paydown.config import Settings
from paydown.service import Service, read_clock
from paydown.storage.database import Database
from paydown.storage.jobs import Pace
from paydown.storage.sqlite_database import SQLiteDatabase
from paydown.telemetry import Metrics

PASSWORD = "correct horse battery staple"
PASSWORD_HASH = hash_password(PASSWORD)
PAYMENTS, WRITE_DOWNS = "/POS/BillingPayments", "/POS/BillingWriteDowns"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
STRICT_LOGIN = "auditor"
BAD_DEBT_ACCOUNT = 13
ADDRESS = "192.0.2.7"

Headers = dict[str, Any]
TILL: Headers = {
    "userName": ledgers.TILL,
    "password": PASSWORD,
    "customerGuid": ledgers.CLUB,
    "Content-Type": JSON,
    "Accept": "*/*",
}


class Answer(NamedTuple):
    """An answer as it was sent."""

    status: int
    headers: Headers
    body: bytes

    @property
    def told(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of a call's answer."""
        told = self.told
        lines: list[dict[str, Any]] = told.get("BillingPayments") or told["BillingWriteDowns"]
        return lines


class Peer:
    """One request under way: what the client sends, and what it has been sent."""

    def __init__(self, chunks: Sequence[bytes], *, leaves: bool) -> None:
        self.chunks = list(chunks) or [b""]
        self.leaves = leaves
        self.read = 0
        self.sent: list[Any] = []

    async def receive(self) -> Any:
        """The next part of the body; a client that leaves does so in place of the last part."""
        remaining = len(self.chunks) - self.read
        if self.leaves and remaining == 1:
            return {"type": "http.disconnect"}
        if remaining == 0:
            await asyncio.Event().wait()
        self.read += 1
        return {
            "type": "http.request",
            "body": self.chunks[self.read - 1],
            "more_body": remaining > 1,
        }

    async def send(self, message: Any) -> None:
        """Take a part of the answer."""
        self.sent.append(message)

    def answer(self) -> Answer | None:
        """The answer, if one was sent."""
        if not self.sent:
            return None
        start, *parts = self.sent
        headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        assert len(headers) == len(start["headers"]), "no header is sent twice"
        return Answer(start["status"], headers, b"".join(part.get("body", b"") for part in parts))


class Door:
    """An application and its event loop, both running until closed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.runner = asyncio.Runner()
        self.stopping = asyncio.Event()
        self.life: asyncio.Queue[Any] = asyncio.Queue()
        self.lifespan = self.runner.get_loop().create_task(self._live())
        self.is_open = self.runner.run(self.life.get()) == "lifespan.startup.complete"

    async def _live(self) -> None:
        messages = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> Any:
            message = next(messages)
            if message == "lifespan.shutdown":
                await self.stopping.wait()
            return {"type": message}

        async def send(message: Any) -> None:
            await self.life.put(message["type"])

        await self.app({"type": "lifespan", "state": {}}, receive, send)

    def close(self) -> None:
        """Stop the application, as a server does."""
        self.stopping.set()
        if self.is_open:
            assert self.runner.run(self.life.get()) == "lifespan.shutdown.complete"
        self.runner.close()

    async def _serve(self, scope: Any, peer: Peer) -> Answer | None:
        await self.app(scope, peer.receive, peer.send)
        return peer.answer()

    def ask(self, method: str, path: str, **more: Any) -> Answer:
        """Send a request whole and take its answer."""
        answer = self.runner.run(self._serve(*request(method, path, **more)))
        assert answer is not None, "no answer came"
        return answer

    def ask_together(self, requests: Iterable[tuple[Any, Peer]]) -> list[Answer | None]:
        """Send the requests at the same moment."""

        async def serve() -> list[Answer | None]:
            return list(await asyncio.gather(*(self._serve(*each) for each in requests)))

        return self.runner.run(serve())

    def get(self, path: str, **more: Any) -> Answer:
        """GET, without credentials."""
        return self.ask("GET", path, **{"headers": {}, **more})

    def post(self, path: str, body: object, headers: Headers | None = None, **more: Any) -> Answer:
        """POST as the till, with ``headers`` beside its own or instead of them."""
        return self.ask("POST", path, body=body, headers={**TILL, **(headers or {})}, **more)


def request(
    method: str,
    path: str,
    *,
    body: object = b"",
    headers: Headers | Sequence[tuple[str, str]] = TILL,
    chunks: Sequence[bytes] | None = None,
    leaves: bool = False,
    address: str = ADDRESS,
) -> tuple[Any, Peer]:
    """A request as a server hands it over. A body that is not bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    if chunks is None:
        pairs.append(("Content-Length", str(len(raw))))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path.partition("?")[0]),
        "raw_path": path.partition("?")[0].encode(),
        "query_string": path.partition("?")[2].encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), _raw(value)) for name, value in pairs],
        "client": (address, 50000),
        "server": ("127.0.0.1", 8080),
        "state": {},
    }
    return scope, Peer([raw] if chunks is None else chunks, leaves=leaves)


def _raw(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def no_ledger() -> Around:
    """What is around the two calls, of a server that has no ledger."""
    return make_around(SQLiteDatabase(Path("none.db")), read_clock)


def open_door(
    database: Database, metrics: Metrics | None = None, *, queue_max: int = 1024, **settings: Any
) -> Door:
    """The door of the real application over a ledger, running."""
    return Door(make_door(database, metrics or Metrics(), queue_max=queue_max, **settings))


def make_door(
    database: Database, metrics: Metrics, *, queue_max: int = 1024, **settings: Any
) -> ASGIApp:
    """The real application over a ledger."""
    service = Service(database, pace=Pace(queue_max=queue_max), observer=metrics)
    authenticator = Authenticator(service.find_login)
    return make_app(
        service,
        authenticator,
        metrics,
        Settings(database="sqlite:///ledger.db", **settings),
        around=make_around(database, service.clock),
    )


def payment(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The body of a payment of Anna's."""
    return {
        "ContactId": ledgers.ANNA,
        "PaymentDate": "2026-02-05T10:00:00+00:00",
        "TenderTypeId": ledgers.EXTERNAL,
        "BillingPayments": list(lines),
        **more,
    }


def line(billing_id: int, amount: object = 1.0, **more: Any) -> dict[str, Any]:
    """One line."""
    return {"BillingId": billing_id, "Amount": amount, **more}


def write_down(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The body of a write-down of Anna's."""
    return {
        "ContactId": ledgers.ANNA,
        "WriteDownDate": "2026-02-05T10:00:00+00:00",
        "TenderTypeId": ledgers.EXTERNAL,
        "BillingWriteDowns": [{**each, "GLAccountId": BAD_DEBT_ACCOUNT} for each in lines],
        **more,
    }


def count(database: Database, table: str) -> int:
    """How many rows the table has."""
    with database.read() as connection:
        counted: int = connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one()
        return counted
