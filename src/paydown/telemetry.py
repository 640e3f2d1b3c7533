"""What an operator sees of a running server: metrics for Prometheus, and a log in JSON lines.

Law of this file: no password and no credential header reaches a log. Request headers are never
logged, traces carry no local variables, and ``redact`` masks what other people's texts let slip.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

import msgspec
import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from paydown.domain.escaping import escape_json
from paydown.domain.model import CALL_KINDS, Kind
from paydown.domain.outcomes import Outcome, Refusal

METRICS_MEDIA_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_COMMANDS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_CREDENTIALS = frozenset({"password", "authorization", "proxy-authorization", "cookie"})
_CREDENTIAL = re.compile(
    rf"""((?:{"|".join(sorted(_CREDENTIALS))})["']?\s*[:=,]\s*)"""
    r"""(b?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|[^\r\n]+)""",
    re.IGNORECASE,
)
MASK = "[redacted]"
"""What stands for a credential in the log."""


class Metrics:
    """Every measurement of one server, in a registry of its own.

    It is the writer's observer too: ``batch_committed`` is called on the writer's thread.
    """

    def __init__(self) -> None:
        # A second series for each, with the time of its first use, that nobody asks for.
        # The library leaves this one function untyped.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._answers: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._define_requests()
        self._define_recording()
        self._define_writing()
        ProcessCollector(registry=self.registry)

    def _define_requests(self) -> None:
        self._requests = self._counter(
            "requests", "Requests answered, by route and HTTP status.", "route", "status"
        )
        self._request_seconds = self._histogram(
            "request_seconds",
            "From the request's headers to its answer, by route.",
            "route",
            buckets=_SECONDS,
        )
        self._logins_refused = self._counter(
            "logins_refused", "Requests refused for their login, by reason.", "reason"
        )

    def _define_recording(self) -> None:
        self._lines = self._counter(
            "lines_recorded", "Lines recorded in the books, by kind.", "kind"
        )
        self._refusals = self._counter(
            "refusals", "Refusals answered, of lines and of whole requests, by name.", "refusal"
        )
        self._replays = self._counter(
            "replays",
            "Lines answered as the first time, by what they were recognised by: their request's "
            "Idempotency-Key, or the line itself.",
            "recognised_by",
        )
        self._lines_of = {kind: self._lines.labels(kind.value) for kind in CALL_KINDS}
        for refusal in Refusal:
            self._refusals.labels(refusal.name)
        for recognised_by in ("key", "line"):
            self._replays.labels(recognised_by)

    def _define_writing(self) -> None:
        self._batch = self._histogram(
            "batch_commands", "Commands that shared one commit.", buckets=_COMMANDS
        )
        self._commit_seconds = self._histogram(
            "commit_seconds", "One commit, its sync to disk included.", buckets=_SECONDS
        )
        self._queue = Gauge(
            "paydown_queue_depth",
            "Commands that wait for the writer.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(f"paydown_{name}", words, labels, registry=self.registry)

    def _histogram(
        self, name: str, words: str, *labels: str, buckets: tuple[float, ...]
    ) -> Histogram:
        return Histogram(f"paydown_{name}", words, labels, registry=self.registry, buckets=buckets)

    def answered(self, exchange: "Exchange", duration_ns: int) -> None:
        """Count an answer and what it says was done. All labels are from bounded sets."""
        route, status = exchange.route, exchange.status
        counts = self._answers.get((route, status))
        if counts is None:
            counts = self._requests.labels(route, status), self._request_seconds.labels(route)
            self._answers[route, status] = counts
        requests, seconds = counts
        requests.inc()
        seconds.observe(duration_ns / 1e9)
        if exchange.login_refused:
            self._logins_refused.labels(exchange.login_refused).inc()
        if exchange.recorded and exchange.kind:
            self._lines_of[exchange.kind].inc(exchange.recorded)
        if exchange.replayed:
            recognised_by = "key" if exchange.replayed_by_key else "line"
            self._replays.labels(recognised_by).inc(exchange.replayed)
        for refusal in exchange.refusals:
            self._refusals.labels(refusal).inc()

    def batch_committed(self, *, commands: int, commit_ns: int) -> None:
        """Count a committed batch: how many commands shared it, and how long its commit took."""
        self._batch.observe(commands)
        self._commit_seconds.observe(commit_ns / 1e9)

    def watch_queue(self, depth: Callable[[], float]) -> None:
        """Read the queue's depth from ``depth`` whenever the metrics are scraped."""
        self._queue.set_function(depth)

    def exposition(self) -> bytes:
        """The metrics as Prometheus reads them, in ``METRICS_MEDIA_TYPE``."""
        return generate_latest(self.registry)


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request and what came of it, filled in as the door learns it: what a log line says.

    ``path`` is as sent, still percent-encoded, without its query. ``user_name`` is set once its
    password was right: an unverified one may be a password that went into the wrong header.
    ``reason`` is the sentence of an answer that is a failure. Of a dry run nothing counts as
    recorded or replayed.
    """

    route: str
    method: str
    path: str
    request_id: str
    address: str
    started_ns: int
    status: int = 0
    reason: str | None = None
    customer_guid: str | None = None
    user_name: str | None = None
    login_refused: str | None = None
    kind: Kind | None = None
    recorded: int = 0
    replayed: int = 0
    replayed_by_key: bool = False
    refusals: Sequence[str] = ()
    faults: Sequence[str] = ()
    staff_user_ignored: bool = False
    dry_run: bool = False

    def note(self, kind: Kind, outcome: Outcome) -> None:
        """Note what came of the request's command, once it was committed."""
        self.kind = kind
        self.recorded = len(outcome.entry.postings) if outcome.entry else 0
        self.replayed = len(outcome.replays)
        refusals = [outcome.refusal, *[line.refusal for line in outcome.lines]]
        self.refusals = [refusal.name for refusal in refusals if refusal]


def configure_logging(level: str = "info", stream: TextIO | None = None) -> None:
    """Send all that is logged, ours and the libraries', to ``stream`` (stderr) as JSON lines.

    ``level`` is debug, info or warning: a higher one would hide failed requests. Start uvicorn
    with ``log_config=None``, or it takes its own log back. Its ``trace`` level, which writes the
    headers of requests, cannot be reached from here.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    stream = stream or sys.stderr
    shared: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, _render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(stream.buffer),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(["request_id"]),
                *shared,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render_text],
        )
    )
    _take_over_stdlib(handler, number)


def _take_over_stdlib(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
        logger.setLevel(level)
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It warns of each batch that another server's came before; the writer says what matters.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    logging.captureWarnings(True)


def redact(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Mask what a credential's name introduces: fields, and values in texts that others wrote."""
    for key in _CREDENTIALS & event.keys():
        event[key] = MASK
    for key in ("event", "exception", "stack_info"):
        text = event.get(key)
        if isinstance(text, str):
            event[key] = mask_credentials(text)
    return event


def mask_credentials(text: str) -> str:
    """The text with every value that follows a credential's name masked."""
    return _CREDENTIAL.sub(rf"\g<1>{MASK}", text)


def _render(_logger: object, _method: str, event: Mapping[str, Any]) -> bytes:
    return encode_line(event)


def encode_line(event: object) -> bytes:
    """One line of JSON: what cannot be printed leaves escaped, and no value is refused."""
    try:
        line = _ENCODER.encode(event)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(event, enc_hook=repr)).encode()
    return escape_json(line)


def _render_text(logger: object, method: str, event: Mapping[str, Any]) -> str:
    return _render(logger, method, event).decode()


_ENCODER = msgspec.json.Encoder(enc_hook=repr)
