"""What is claimed: each row a ratio of two figures taken in the same round, and its bound.

Law of this file: it is pure. A row's ratio is taken round by round; its median is what counts, and
its lowest and highest are shown.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

Figures = Mapping[str, Sequence[float]]
"""By name, one value a round."""


class Row(NamedTuple):
    """A claim. ``over`` and ``under`` name the figures; without ``under`` it is the figure."""

    id: str
    figure: str
    against: str
    over: str
    under: str | None
    bound: float
    at_least: bool
    unit: str = "requests/s"


ROWS = (
    Row(
        "B1",
        "SQLite, end to end, requests/s",
        "FastAPI + SQLAlchemy, one transaction a request",
        "spread",
        "naive",
        8,
        at_least=True,
    ),
    Row(
        "B2",
        "SQLite, end to end, requests/s",
        "our own HTTP layer with no store",
        "spread",
        "no_store",
        0.25,
        at_least=True,
    ),
    Row(
        "B3",
        "PostgreSQL, 1 server process, requests/s",
        "pgbench: the same statements, one transaction a request, 16 clients",
        "postgres_1",
        "pgbench",
        1.8,
        at_least=True,
    ),
    Row(
        "B4",
        "PostgreSQL, 2 server processes, requests/s",
        "pgbench: the same statements, one transaction a request, 16 clients",
        "postgres_2",
        "pgbench",
        2.5,
        at_least=True,
    ),
    Row(
        "B5",
        "one request of 10,000 lines, lines/s",
        "sqlite3 executemany of the same rows, one commit",
        "bulk",
        "bare",
        0.4,
        at_least=True,
        unit="lines/s",
    ),
    Row(
        "B6",
        "SQLite, 3,000,000 items and 10,000,000 postings, requests/s",
        "30,000 items and no payments",
        "large",
        "small",
        0.8,
        at_least=True,
    ),
    Row(
        "B7",
        "99 in 100 requests answered within, at half of the greatest throughput",
        "the median there",
        "paced_p99",
        "paced_p50",
        6,
        at_least=False,
        unit="ms",
    ),
    Row(
        "B8",
        "resident memory under B1's load",
        "",
        "resident",
        None,
        160,
        at_least=False,
        unit="MB",
    ),
    Row(
        "B9",
        "SQLite, all clients paying one item, requests/s",
        "the same spread over 300,000 items",
        "hot",
        "spread",
        0.5,
        at_least=True,
    ),
)


class Result(NamedTuple):
    """What became of a row. ``over`` and ``under`` are the medians of its two figures."""

    row: Row
    ratios: list[float]
    over: float
    under: float | None

    @property
    def median(self) -> float:
        """What counts."""
        return median(self.ratios)

    @property
    def holds(self) -> bool:
        """Whether the median is at or past the bound."""
        bound = self.row.bound
        return self.median >= bound if self.row.at_least else self.median <= bound

    @property
    def margin(self) -> float:
        """How many times better than the bound: 1 is just there."""
        return self.margin_of(self.median)

    def margin_of(self, ratio: float) -> float:
        """The same of one round."""
        return ratio / self.row.bound if self.row.at_least else self.row.bound / ratio


def judge(figures: Figures) -> list[Result]:
    """The rows whose figures were taken, in order."""
    results = []
    for row in ROWS:
        over = figures.get(row.over)
        under = figures.get(row.under) if row.under else None
        if not over or (row.under and not under):
            continue
        ratios = [a / b for a, b in zip(over, under, strict=True)] if under else list(over)
        results.append(Result(row, ratios, median(over), median(under) if under else None))
    return results


def missing(results: Sequence[Result]) -> list[str]:
    """The rows that no figure was taken for."""
    there = {result.row.id for result in results}
    return [row.id for row in ROWS if row.id not in there]
