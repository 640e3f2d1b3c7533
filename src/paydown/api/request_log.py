"""The log of requests: a line and a count for each, as it was answered.

Plain successes are written together, batch by batch, and past structlog: that buys a sixth of what
a request costs. Whatever else is logged goes out at its moment.
"""

import logging
import time
import traceback
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec
import structlog

from paydown.telemetry import MASK, Exchange, Metrics, encode_line


class _Line(msgspec.Struct, omit_defaults=True):
    """A request's line in the log, as it is written: what is known, without what is not."""

    request_id: str = ""
    route: str = ""
    status: int = 0
    duration_us: int = 0
    reason: str | None = None
    method: str = ""
    path: str = ""
    address: str = ""
    customer_guid: str | None = None
    user_name: str | None = None
    recorded: int = 0
    refused: int = 0
    replayed: int = 0
    replayed_by_key: bool = False
    refusals: Sequence[str] = ()
    faults: Sequence[str] = ()
    staff_user_ignored: bool = False
    dry_run: bool = False
    one_in: int = 0
    event: str = ""
    level: str = ""
    at: str = ""


class RequestLog:
    """One count and one line a request. The levels:

    ``error``: an answer of 500 or above. ``warning``: all else that must not go unseen: every other
    failure, every refused line, every line recognised without a key. ``info``: a plain success, of
    which one in ``one_in`` is written, and says so. ``debug``: a page or a probe that went well.
    """

    def __init__(self, metrics: Metrics, *, one_in: int = 1) -> None:
        self._metrics = metrics
        self._one_in = one_in
        self._successes = 0
        self._unwritten: list[tuple[Exchange, int]] = []
        self._log = structlog.get_logger()

    def answered(self, exchange: Exchange, *, page: bool = False) -> None:
        """Count a request that got an answer, and log it; a plain success with the next flush."""
        duration_ns = time.monotonic_ns() - exchange.started_ns
        self._metrics.answered(exchange, duration_ns)
        if exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._write([(exchange, duration_ns)], logging.ERROR)
        elif exchange.status >= HTTPStatus.BAD_REQUEST or _worth_a_look(exchange):
            self._write([(exchange, duration_ns)], logging.WARNING)
        elif page:
            self._log.debug("request", **_fields(exchange, duration_ns))
        else:
            self._successes += 1
            if self._successes % self._one_in == 0:
                self._unwritten.append((exchange, duration_ns))

    def flush(self) -> None:
        """Write the plain successes that wait, together."""
        answered, self._unwritten = self._unwritten, []
        if answered:
            self._write(answered, logging.INFO, one_in=self._one_in)

    def _write(
        self, answered: Sequence[tuple[Exchange, int]], level: int, *, one_in: int = 0
    ) -> None:
        """Write lines without structlog's processors: a flood of refusals costs enough as it is."""
        if not self._log.bind().is_enabled_for(level):
            return
        at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        lines = [_describe(*each) for each in answered]
        for line in lines:
            line.one_in, line.event, line.at = one_in, "request", at
            line.level = logging.getLevelName(level).lower()
        text = b"\n".join(map(encode_line, lines))
        structlog.get_config()["logger_factory"]().msg(text)

    def abandoned(self, exchange: Exchange) -> None:
        """Log a request whose client went away before it was whole: nothing came of it."""
        self._log.info("request abandoned by its client", request_id=exchange.request_id)

    def failed(self, exchange: Exchange, *, secrets: Iterable[str] = ()) -> None:
        """Log the exception being handled, a bug of ours, with none of ``secrets`` in its trace."""
        trace = traceback.format_exc()
        for secret in secrets:
            trace = trace.replace(secret, MASK)
        self._log.error("unhandled exception", request_id=exchange.request_id, exception=trace)


def _worth_a_look(exchange: Exchange) -> bool:
    return bool(exchange.refusals) or (exchange.replayed > 0 and not exchange.replayed_by_key)


def _fields(exchange: Exchange, duration_ns: int) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(_describe(exchange, duration_ns))
    return fields


def _describe(exchange: Exchange, duration_ns: int) -> _Line:
    return _Line(
        request_id=exchange.request_id,
        route=exchange.route,
        status=exchange.status,
        duration_us=duration_ns // 1000,
        reason=exchange.reason,
        method=exchange.method,
        path=exchange.path,
        address=exchange.address,
        customer_guid=exchange.customer_guid,
        user_name=exchange.user_name,
        recorded=exchange.recorded,
        refused=len(exchange.refusals),
        replayed=exchange.replayed,
        replayed_by_key=exchange.replayed_by_key,
        refusals=tuple(sorted(set(exchange.refusals))),
        faults=tuple(exchange.faults),
        staff_user_ignored=exchange.staff_user_ignored,
        dry_run=exchange.dry_run,
    )
