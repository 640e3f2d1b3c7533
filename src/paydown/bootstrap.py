"""Where the parts are put together: the one place that knows them all."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

from paydown.access import Authenticator
from paydown.api.app import make_app
from paydown.config import Settings
from paydown.domain.model import Command
from paydown.server import HttpLimits, serve
from paydown.service import Service
from paydown.storage.opening import open_store
from paydown.storage.writer import Job, Pace, Result, Unavailable
from paydown.telemetry import Metrics, configure_logging

Record = Callable[[Command], Result]


def run_server(settings: Settings, *, on_listening: Callable[[str, int], None]) -> None:
    """Serve until SIGTERM or SIGINT, then answer what was accepted and return.

    Raises ``StoreUnavailable`` or ``ServeError``, each a sentence, where it cannot begin.
    """
    configure_logging(settings.log_level)
    metrics = Metrics()
    service = make_service(settings, metrics)
    service.claim()
    try:
        serve(
            make_app(service, Authenticator(service.find_login), metrics, settings),
            host=settings.host,
            port=settings.port,
            on_listening=on_listening,
            limits=_limits(settings),
            trusted_proxies=settings.trusted_proxy,
            drain_seconds=settings.drain_seconds,
        )
    finally:
        service.stop()


def make_service(settings: Settings, metrics: Metrics) -> Service:
    """The service on the settings' ledger, not yet started. Raises ``StoreUnavailable``."""
    service = Service(
        open_store(settings.database, lock_wait_seconds=settings.lock_wait_seconds),
        pace=Pace(
            queue_max=settings.queue_max,
            queue_lines_max=settings.queue_lines_max,
            batch_max=settings.batch_max,
        ),
        observer=metrics,
    )
    metrics.watch_queue(lambda: service.waiting_count)
    return service


@contextmanager
def recording(database: str) -> Iterator[Record]:
    """A way to record in this process, without HTTP: call it, and it returns when it is durable."""
    service = make_service(Settings(database=database), Metrics())

    def record(command: Command) -> Result:
        waiter: Future[Result] = Future()
        if service.submit(Job(command, waiter)):
            return waiter.result()
        return Unavailable("Too many commands wait to be recorded.")

    service.start(_answer)
    try:
        yield record
    finally:
        service.stop()


def _answer(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job.waiter.set_result(job.result)


def _limits(settings: Settings) -> HttpLimits:
    return HttpLimits(
        connections_max=settings.connections_max,
        header_count_max=settings.header_count_max,
        header_bytes_max=settings.header_bytes_max,
        url_bytes_max=settings.url_bytes_max,
        header_seconds=settings.header_seconds,
        body_seconds=settings.body_seconds,
        keep_alive_seconds=settings.keep_alive_seconds,
        answer_seconds=settings.answer_seconds,
    )
