"""How cost grows: one thing made larger at a time, the others left as they are."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from bench import chart, ledgers, machine, measuring, report, servers
from bench.chart import Point, Series
from bench.ledgers import SPREAD, WIDE, Shape
from bench.load import Load
from bench.measuring import Taken

ROUNDS, SECONDS = 3, 3
CHART = report.PAGE.with_name("growth.svg")

Say = Callable[[str], None]


class Size(NamedTuple):
    """One point of a series: how large it is, what is measured there, and what counts."""

    size: int
    shape: Shape
    load: Load
    per_request: int = 1


class Growing(NamedTuple):
    """A series to be taken."""

    title: str
    unit: str
    sizes: list[Size]


def plan(*, quick: bool) -> list[Growing]:
    """The series. Quick leaves out what takes minutes to make."""
    many = SPREAD if quick else Shape(item_count=3_000_000)
    items = [30_000, 300_000] if quick else [30_000, 300_000, 3_000_000]
    past = [0, 300_000] if quick else [0, 1_000_000, 10_000_000]
    customers = [1, 10, 100] if quick else [1, 10, 100, 1_000]

    def at(size: int, shape: Shape, clients: int = 64) -> Size:
        return Size(size, shape, Load(shape, SECONDS, clients=clients))

    return [
        Growing("items", "requests", [at(n, Shape(item_count=n)) for n in items]),
        Growing(
            "payments there before",
            "requests",
            [at(n, many._replace(payment_count=n)) for n in past],
        ),
        Growing(
            "lines in a request",
            "lines",
            [
                Size(lines, WIDE, Load(WIDE, SECONDS, lines, clients), lines)
                for lines, clients in ((1, 64), (10, 64), (100, 64), (1_000, 8), (10_000, 1))
            ],
        ),
        Growing(
            "clients", "requests", [at(n, SPREAD, clients=n) for n in (1, 4, 16, 64, 256, 512)]
        ),
        Growing(
            "customers",
            "requests",
            [at(n, Shape(customer_count=n, payment_count=0)) for n in customers],
        ),
    ]


def run(console: Console, *, quick: bool) -> int:
    """Take every series, print them, and draw the chart. The status tells if the books held."""
    taken, series = Taken(), []
    for growing in plan(quick=quick):
        console.print(f"growing: {growing.title}")
        series.append(_take(taken, growing, console.print))
        _print(console, series[-1])
    for complaint in taken.complaints:
        console.print(f"[red]{complaint}[/red]", highlight=False)
    folder = ledgers.CACHE if quick else report.RESULTS
    document = {
        **machine.describe(),
        "rounds": ROUNDS,
        "seconds_a_round": SECONDS,
        "series": [
            {**each._asdict(), "points": [point._asdict() for point in each.points]}
            for each in series
        ],
        "complaints": taken.complaints,
    }
    report.write(folder / "growth.json", document)
    if not quick:
        CHART.write_text(chart.draw_growth(series))
        report.replace_block("growth", _tabulate(series))
    return int(bool(taken.complaints))


def _take(taken: Taken, growing: Growing, say: Say) -> Series:
    """All sizes of a series in turn, round by round, each shape on a server of its own."""
    rates: dict[int, list[float]] = {size.size: [] for size in growing.sizes}
    times: dict[int, list[float]] = {size.size: [] for size in growing.sizes}
    with ExitStack() as stack:
        serving: dict[Shape, servers.Server] = {}
        for size in growing.sizes:
            if size.shape not in serving:
                ledger = stack.enter_context(ledgers.copied(size.shape))
                server = servers.paydown(f"sqlite:///{ledger}", name=f"ledger-{size.shape.name}")
                serving[size.shape] = stack.enter_context(server)
                measuring.warm(taken, serving[size.shape], size.shape)

        def measure(size: Size) -> None:
            burst = taken.burst(serving[size.shape], size.load)
            rates[size.size].append(burst.rate * size.per_request)
            times[size.size].append(burst.p99_ms)

        measures = [lambda size=size: measure(size) for size in growing.sizes]
        measuring.interleave(measures, ROUNDS, say)
    points = [Point(size, median(rates[size]), median(times[size])) for size in rates]
    return Series(growing.title, growing.unit, points)


def _print(console: Console, series: Series) -> None:
    table = Table(series.title, f"{series.unit} a second", "of the first", "p99, ms")
    for point in series.points:
        share = f"{_share(series, point):.2f}"
        table.add_row(f"{point.size:,}", f"{point.rate:,.0f}", share, f"{point.p99_ms:.1f}")
    console.print(table)


def _tabulate(series: Sequence[Series]) -> list[str]:
    lines = ["| grows | to | a second | of the first | p99, ms |", "|---|---|---|---|---|"]
    for each in series:
        for point in each.points:
            lines.append(
                f"| {each.title} | {point.size:,.0f} | {point.rate:,.0f} {each.unit} "
                f"| {_share(each, point):.2f} | {point.p99_ms:.1f} |"
            )
    return lines


def _share(series: Series, point: Point) -> float:
    """The point's rate as a part of the first one's; none where nothing was answered at all."""
    first = series.points[0].rate
    return point.rate / first if first else 0.0
