"""Taking figures: many things measured in turn, round by round, their books checked each time."""

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import bulk, ledgers, load, paced, pgbench, postgres, servers
from bench.books import Books, Mark
from bench.ledgers import LARGE, SMALL, SPREAD, WIDE, Shape
from bench.load import Burst, Load
from bench.servers import Server

LINES = 3
MEGABYTE = 1_000_000
READ_BYTES = 1 << 20
SQLITE = "sqlite:///"
WATCH_SECONDS = 0.2


class Plan(NamedTuple):
    """How long it all takes, and how large the large ledger is."""

    rounds: int
    seconds: float
    large: Shape
    quick: bool = False


FULL = Plan(rounds=7, seconds=3, large=LARGE)
QUICK = Plan(rounds=3, seconds=1, large=Shape(payment_count=300_000), quick=True)

Measure = Callable[[], None]


class Taken:
    """The figures by name, one a round, and what was wrong with any of them."""

    def __init__(self) -> None:
        self.figures: dict[str, list[float]] = defaultdict(list)
        self.complaints: list[str] = []

    def note(self, name: str, value: float) -> None:
        """One more round's figure."""
        self.figures[name].append(value)

    def complain(self, name: str, complaints: Sequence[str]) -> None:
        """What was found wrong: a figure whose books do not add up is worth nothing."""
        self.complaints += [f"{name}: {complaint}" for complaint in complaints]

    def check(self, server: Server, mark: Mark, burst: Burst, lines: int) -> None:
        """Compare the server's books with what the load was told."""
        if burst.complaint:
            self.complain(server.name, [burst.complaint])
        if server.database:
            self.complain(server.name, Books(server.database).check(mark, burst, lines))

    def burst(self, server: Server, asked: Load) -> Burst:
        """Put the load on the server, then check its books."""
        recall(server)
        mark = mark_books(server)
        burst = load.run(server.base_url, asked)
        self.check(server, mark, burst, asked.lines)
        return burst


def mark_books(server: Server) -> Mark:
    """Where the books of the server are; nowhere, where it has none."""
    return Books(server.database).mark() if server.database else Mark(b"", 0)


def recall(server: Server) -> None:
    """Read a SQLite ledger through, so that all of it is in memory again.

    A virtual machine's host takes memory back from it between two rounds, and most from the largest
    ledger: that would be measured instead of what a larger ledger costs.
    """
    if server.database.startswith(SQLITE):
        with Path(server.database.removeprefix(SQLITE)).open("rb") as file:
            while file.read(READ_BYTES):
                pass


def warm(taken: Taken, server: Server, shape: Shape) -> None:
    """One client first: a login that 64 prove at the same moment is not what is measured."""
    for clients in (1, 64):
        taken.burst(server, Load(shape, 1, clients=clients))


def interleave(measures: Sequence[Measure], rounds: int, say: Callable[[str], None]) -> None:
    """Every measure once a round, forth and back, so that a drift of the machine evens out."""
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        for measure in measures if number % 2 == 0 else reversed(measures):
            measure()


def on_sqlite(taken: Taken, plan: Plan, say: Callable[[str], None]) -> None:
    """B1, B2 and B5 to B9."""
    with ExitStack() as stack:
        opened = stack.enter_context

        def serve(shape: Shape, name: str) -> Server:
            say(f"starting {name}")
            return opened(servers.paydown(_url(opened(ledgers.copied(shape))), name=name))

        spread, small = serve(SPREAD, "spread"), serve(SMALL, "small")
        large = serve(plan.large, "large")
        wide = serve(WIDE, "wide")
        bare = opened(closing(bulk.open_bare(opened(ledgers.copied(WIDE)))))
        ledger = _url(opened(ledgers.copied(SPREAD)))
        naive = opened(servers.peer("fastapi_naive", ledger, name="naive"))
        no_store = opened(servers.peer("no_store", "", name="no_store"))
        shapes = {large: plan.large, small: SMALL}
        for server in (spread, small, large, naive, no_store):
            warm(taken, server, shapes.get(server, SPREAD))
        measures = [
            lambda: _spread(taken, spread, plan),
            *(
                _rate(taken, server, Load(shapes.get(server, SPREAD), plan.seconds))
                for server in (naive, no_store)
            ),
            lambda: taken.note(
                "hot", taken.burst(spread, Load(SPREAD, plan.seconds, hot=True)).rate
            ),
            _rate(taken, small, Load(SMALL, plan.seconds)),
            _rate(taken, large, Load(plan.large, plan.seconds)),
            lambda: _bulk(taken, wide, bare),
            lambda: _paced(taken, spread, plan),
        ]
        interleave(measures, plan.rounds, say)


def on_postgres(taken: Taken, plan: Plan, say: Callable[[str], None]) -> None:
    """B3 and B4."""
    say("starting PostgreSQL")
    with ExitStack() as stack:
        opened = stack.enter_context
        cluster = opened(postgres.running())
        urls = [opened(cluster.copied(SPREAD, f"run_{n}")) for n in range(3)]
        one = opened(servers.paydown(urls[0], name="postgres_1"))
        two = opened(servers.paydown(urls[1], "--workers", "2", name="postgres_2"))
        for server in (one, two):
            warm(taken, server, SPREAD)
        pgbench.run(urls[2], SPREAD, 1)
        measures = [
            _rate(taken, one, Load(SPREAD, plan.seconds)),
            lambda: _pgbench(taken, urls[2], plan),
            _rate(taken, two, Load(SPREAD, plan.seconds)),
        ]
        interleave(measures, plan.rounds, say)


def _url(ledger: Path) -> str:
    return f"{SQLITE}{ledger}"


def _rate(taken: Taken, server: Server, asked: Load) -> Measure:
    return lambda: taken.note(server.name, taken.burst(server, asked).rate)


def _spread(taken: Taken, server: Server, plan: Plan) -> None:
    """B1's load, and the memory held under it."""
    with _watched(server) as resident:
        burst = taken.burst(server, Load(SPREAD, plan.seconds))
    taken.note("spread", burst.rate)
    taken.note("resident", max(resident) / MEGABYTE)


def _paced(taken: Taken, server: Server, plan: Plan) -> None:
    """At half of what the server was seen to do in this run."""
    rate = median(taken.figures["spread"]) / 2
    recall(server)
    mark = mark_books(server)
    burst = paced.run(server.base_url, SPREAD, rate=rate, seconds=plan.seconds)
    taken.check(server, mark, burst, LINES)
    taken.note("paced_rate", rate)
    taken.note("paced_p50", burst.p50_ms)
    taken.note("paced_p99", burst.p99_ms)


def _bulk(taken: Taken, server: Server, bare: sqlite3.Connection) -> None:
    """10,000 lines through the server, then the same rows without it."""
    mark = mark_books(server)
    burst = bulk.send(server.base_url)
    taken.check(server, mark, burst, bulk.LINES)
    recorded_in = Path(server.database.removeprefix(SQLITE))
    seconds = bulk.write_bare(bare, recorded_in, burst.tag)
    taken.note("bulk", bulk.LINES * burst.rate)
    taken.note("bare", bulk.LINES / seconds)


def _pgbench(taken: Taken, url: str, plan: Plan) -> None:
    """Its books too: every transaction that it counts is an entry."""
    books = Books(url)
    mark = books.mark()
    run = pgbench.run(url, SPREAD, plan.seconds)
    recorded = books.count(mark)
    if recorded != run.transactions:
        taken.complain("pgbench", [f"{run.transactions} transactions, {recorded} entries"])
    taken.note("pgbench", run.rate)


@contextmanager
def _watched(server: Server) -> Iterator[list[int]]:
    """The server's resident memory, looked at again and again while the block runs."""
    resident = [server.resident_bytes()]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(WATCH_SECONDS):
            resident.append(server.resident_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield resident
    finally:
        ended.set()
        watcher.join()
