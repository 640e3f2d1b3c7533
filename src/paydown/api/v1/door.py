"""The door of ``/v1``: from the head of a request to its answer, for every route of the table.

Law of this file: what is wrong is answered in this order: path, method, declared size, credentials,
bundle, media type, key, If-Match, what the path names, query, body, and then what the books say.
"""

from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

from starlette.routing import compile_path
from starlette.types import Receive

from paydown.api import answers, headers
from paydown.api.admission import Gate, check_bundle, read_staff_user
from paydown.api.answers import Answer, Header
from paydown.api.crews import Crew, Full
from paydown.api.v1 import problems
from paydown.api.v1.paths import read_target
from paydown.api.v1.problems import Code
from paydown.api.v1.reading import Question, Reads
from paydown.api.v1.writing import Order, Writes
from paydown.desk import Desk, Instruction
from paydown.domain.model import Caller
from paydown.enquiries import Enquiries
from paydown.openapi.routes import ROUTES, Route
from paydown.telemetry import Exchange
from paydown.wire.etags import read_if_match, write_etag
from paydown.wire.faults import Fault
from paydown.wire.headers import Media, read_dry_run, read_idempotency_key, read_media
from paydown.wire.v1.reading import Misread, read_query

ROOT = "/v1"

_REVALIDATE: Header = (b"cache-control", b"private, no-cache")


class Asked(NamedTuple):
    """A request for a path under ``/v1``: its head, and what is told of it.

    ``raw_path`` is the path as it was sent, still percent-encoded.
    """

    path: str
    raw_path: bytes
    query: bytes
    values: headers.Values
    exchange: Exchange


class Terms(NamedTuple):
    """On what terms a write is done: under which key, and with which tags of what it replaces."""

    key: str | None = None
    if_match: frozenset[bytes] | None = None


def is_ours(path: str) -> bool:
    """Whether the path is one of ``/v1``, known or not."""
    return path == ROOT or path.startswith(f"{ROOT}/")


class V1:
    """Answers every request under ``/v1``."""

    def __init__(
        self, gate: Gate, desk: Desk, enquiries: Enquiries, *, readers: Crew, writers: Crew
    ) -> None:
        self._gate = gate
        self._reads = Reads(enquiries)
        self._writes = Writes(desk)
        self._readers = readers
        self._writers = writers
        paths: dict[str, dict[str, Route]] = {}
        for route in ROUTES:
            methods = ("GET", "HEAD") if route.method == "GET" else (route.method,)
            paths.setdefault(route.path, {}).update(dict.fromkeys(methods, route))
        self._paths = [(compile_path(path)[0].fullmatch, paths[path]) for path in paths]

    async def answer(self, asked: Asked, receive: Receive) -> Answer | None:
        """The answer, or None where the client went away before its request was whole."""
        found = self._find(asked)
        if found is None:
            return problems.NOT_FOUND
        routes, sent = found
        asked.exchange.route = next(iter(routes.values())).path
        route = routes.get(asked.exchange.method)
        if route is None:
            return problems.retell(answers.method_not_allowed(", ".join(sorted(routes))))
        caller = await self._admit(asked, route)
        if isinstance(caller, Answer):
            return caller
        terms = _read_terms(asked.values, route)
        if isinstance(terms, Answer):
            return terms
        target = read_target(route, sent)
        if isinstance(target, Answer):
            return target
        query = read_query(asked.query, route.query)
        if isinstance(query, Misread):
            return problems.refuse_misread(Code.INVALID_QUERY, query)
        if route.is_write:
            instruction = _instruct(asked, route, caller, target, terms=terms)
            order = Order(route, target, instruction, asked.exchange)
            return await self._write(order, receive)
        accept = b",".join(asked.values[headers.ACCEPT])
        return await self._read(asked, Question(route, target, caller, query, accept))

    def _find(self, asked: Asked) -> tuple[dict[str, Route], dict[str, str]] | None:
        """The routes at the path by method, and the values in it as they were sent.

        A slash that was sent escaped is part of a value, and no value has one.
        """
        if b"%2f" in asked.raw_path.lower():
            return None
        for match, routes in self._paths:
            if found := match(asked.path):
                return routes, found.groupdict()
        return None

    async def _admit(self, asked: Asked, route: Route) -> Caller | Answer:
        """Who asks, if it may."""
        if not headers.adopt_basic(asked.values):
            return problems.CREDENTIALS_TWICE
        caller = self._gate.recall(asked.values, asked.exchange)
        if caller is None:
            caller = await self._gate.verify(asked.values, asked.exchange)
        if isinstance(caller, Answer):
            return problems.retell(caller)
        refused = check_bundle(caller, route.bundle, asked.exchange)
        return problems.retell(refused) if refused else caller

    async def _write(self, order: Order, receive: Receive) -> Answer | None:
        body = await self._gate.read_body(receive)
        if isinstance(body, Answer):
            return problems.retell(body)
        if body is None:
            return None
        answer = await self._writers.do(partial(self._writes.answer, order, body))
        return problems.BUSY if isinstance(answer, Full) else answer

    async def _read(self, asked: Asked, question: Question) -> Answer:
        answer = await self._readers.do(partial(self._reads.answer, question))
        if isinstance(answer, Full):
            return problems.BUSY
        if answer.status != HTTPStatus.OK:
            return answer
        if question.is_of_now:
            return answer._replace(headers=(*answer.headers, _REVALIDATE))
        return _name_version(answer, asked.values)


def _read_terms(values: headers.Values, route: Route) -> Terms | Answer:
    """What the head says of a write; a read has no terms."""
    if not route.is_write:
        return Terms()
    key = _read_key(values)
    if isinstance(key, Answer):
        return key
    if not route.is_conditional:
        return Terms(key)
    tags = read_if_match(values[headers.IF_MATCH])
    if isinstance(tags, Fault):
        return problems.refuse_header(Code.IF_MATCH_MALFORMED, tags)
    return Terms(key, tags)


def _read_key(values: headers.Values) -> str | Answer:
    """The key of a write whose body can be read."""
    if read_media(headers.only(values[headers.CONTENT_TYPE])) is not Media.JSON:
        return problems.UNSUPPORTED_MEDIA
    key = read_idempotency_key(values[headers.IDEMPOTENCY_KEY])
    if isinstance(key, Fault):
        return problems.refuse_header(Code.IDEMPOTENCY_KEY_MALFORMED, key)
    return key or problems.KEY_MISSING


def _instruct(
    asked: Asked, route: Route, caller: Caller, target: tuple[Any, ...], *, terms: Terms
) -> Instruction:
    asked.exchange.dry_run = read_dry_run(asked.values[headers.PREFER])
    return Instruction(
        caller=caller,
        call=f"{route.method} {route.path}",
        target=",".join(map(str, target)),
        key=terms.key,
        staff_user=read_staff_user(asked.values, asked.exchange),
        request_id=asked.exchange.request_id,
        address=asked.exchange.address,
        dry_run=asked.exchange.dry_run,
        if_match=terms.if_match,
    )


def _name_version(answer: Answer, values: headers.Values) -> Answer:
    """The answer under a name that changes with it, and without its body to who has that one."""
    tag = write_etag(answer.body)
    told = (*answer.headers, (b"etag", tag), _REVALIDATE)
    known = {each.strip(b" \t").removeprefix(b"W/") for each in _listed(values)}
    if tag in known or b"*" in known:
        return Answer(HTTPStatus.NOT_MODIFIED, b"", told)
    return answer._replace(headers=told)


def _listed(values: headers.Values) -> list[bytes]:
    return b",".join(values[headers.IF_NONE_MATCH]).split(b",")
