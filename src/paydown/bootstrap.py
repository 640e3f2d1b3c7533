"""Where the parts are put together: the one place that knows them all."""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from starlette.types import ASGIApp

from paydown.access import Authenticator, FindLogin
from paydown.api.app import Around, make_app
from paydown.config import BatchBy, Settings
from paydown.desk import Desk
from paydown.domain.model import Command, Login
from paydown.enquiries import Enquiries
from paydown.server import (
    HttpLimits,
    Listening,
    Place,
    ServeError,
    Supervisor,
    WorkerMetrics,
    listen_together,
    make_config,
    read_certificate,
    read_proxies,
    serve,
    serve_on,
    shared_stderr,
)
from paydown.service import Clock, Service
from paydown.storage.contact_details import read_details
from paydown.storage.database import Database, Patience
from paydown.storage.faults import StoreUnavailable
from paydown.storage.jobs import Job, Pace, Result, Unavailable
from paydown.storage.opening import open_store
from paydown.telemetry import Metrics, configure_logging

LOOKUPS_MAX = 4
"""How many logins are read from the ledger at once, each over a connection of its own."""

ENQUIRY_SECONDS = 60
"""How long a server waits for a statement beside the two calls, and longer where for a lock."""

TURN_SECONDS_LEAST = 1
"""How long a write of the desk waits for its turn at least: the payments beside it have theirs."""

Record = Callable[[Command], Result]

logger = structlog.get_logger()


def run_server(settings: Settings, *, on_listening: Listening) -> None:
    """Serve until SIGTERM or SIGINT, then answer what was accepted and return.

    Raises ``StoreUnavailable`` or ``ServeError``, each a sentence, where it cannot begin.
    """
    if settings.workers > 1:
        _run_workers(settings, on_listening=on_listening)
        return
    configure_logging(settings.log_level)
    with _application(settings, Metrics()) as app:
        serve(
            app,
            host=settings.host,
            port=settings.port,
            on_listening=on_listening,
            limits=_limits(settings),
            trusted_proxies=settings.trusted_proxy,
            drain_seconds=settings.drain_seconds,
            certificate=read_certificate(settings.tls_cert, settings.tls_key),
        )


def _run_workers(settings: Settings, *, on_listening: Listening) -> None:
    """The same with several processes. What they would trip over is looked at first."""
    _look_ahead(settings)
    with TemporaryDirectory(prefix="paydown-") as made:
        folder = Path(made)
        configure_logging(settings.log_level, shared_stderr(folder))
        listeners = listen_together(settings.host, settings.port, settings.workers)
        host, port = listeners[0].getsockname()[:2]
        Supervisor(
            partial(run_worker, settings, folder),
            listeners,
            on_ready=lambda: on_listening(host, port),
        ).run()


def run_worker(settings: Settings, folder: Path, place: Place) -> None:
    """Be one of several processes of a server. They share the folder, which their parent made."""
    configure_logging(settings.log_level, shared_stderr(folder))
    try:
        with _application(settings, WorkerMetrics(folder, place.number)) as app:
            config = make_config(
                app,
                _limits(settings),
                read_proxies(settings.trusted_proxy),
                drain_seconds=settings.drain_seconds,
                certificate=read_certificate(settings.tls_cert, settings.tls_key),
            )
            serve_on(place.listener, config, on_ready=place.on_ready)
    except (StoreUnavailable, ServeError) as fault:
        logger.error("a worker could not start", worker=place.number, reason=str(fault))
        sys.exit(1)


def _look_ahead(settings: Settings) -> None:
    """Raise ``StoreUnavailable`` or ``ServeError`` where workers could not begin."""
    read_proxies(settings.trusted_proxy)
    read_certificate(settings.tls_cert, settings.tls_key)
    database = _open(settings)
    most = database.workers_max
    if most is not None and settings.workers > most:
        raise ServeError(
            f"{database.place} takes {most} server process, not {settings.workers}. "
            "Leave --workers out, or move the ledger to PostgreSQL."
        )
    service = make_service(database, settings, Metrics())
    try:
        service.claim()
    finally:
        service.stop()


@contextmanager
def _application(settings: Settings, metrics: Metrics) -> Iterator[ASGIApp]:
    """The application on the settings' ledger, claimed. Raises ``StoreUnavailable``."""
    database = _open(settings)
    service = make_service(database, settings, metrics)
    try:
        service.claim()
        authenticator = Authenticator(_few_at_once(service.find_login))
        around = make_around(database, service.clock)
        yield make_app(service, authenticator, metrics, settings, around=around)
    finally:
        service.stop()


def _few_at_once(find_login: FindLogin) -> FindLogin:
    """The same, in turns: callers who come all at once must not take the database's connections."""
    room = threading.Semaphore(LOOKUPS_MAX)

    def find_in_turn(user_name: str, customer_guid: str | None) -> Login | None:
        with room:
            return find_login(user_name, customer_guid)

    return find_in_turn


def _open(settings: Settings) -> Database:
    """The settings' ledger. Raises ``StoreUnavailable``."""
    lock_seconds = settings.lock_wait_seconds
    patience = Patience(
        lock_seconds,
        turn_seconds=max(lock_seconds, TURN_SECONDS_LEAST),
        answer_seconds=lock_seconds + ENQUIRY_SECONDS,
    )
    return open_store(settings.database, patience)


def make_around(database: Database, clock: Clock) -> Around:
    """What answers for all that is around the two calls, on the ledger."""
    return Around(
        Desk(database, clock=clock),
        Enquiries(database, clock=clock),
        partial(read_details, database),
    )


def make_service(database: Database, settings: Settings, metrics: Metrics) -> Service:
    """The service on the ledger, not yet started."""
    service = Service(
        database,
        pace=Pace(
            queue_max=settings.queue_max,
            queue_lines_max=settings.queue_lines_max,
            batch_max=settings.batch_max,
            by_customer=settings.batch_by is BatchBy.CUSTOMER,
        ),
        observer=metrics,
        writers=settings.writers or _choose_writers(settings.workers),
    )
    metrics.watch_queue(lambda: service.waiting_count)
    return service


def _choose_writers(workers: int) -> int:
    """One process decides while it waits. Of several another one does, and batches stay larger."""
    return 2 if workers == 1 else 1


@contextmanager
def recording(database: str) -> Iterator[Record]:
    """A way to record in this process, without HTTP: call it, and it returns when it is durable."""
    settings = Settings(database=database)
    service = make_service(_open(settings), settings, Metrics())

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
