"""Figures of a page's: what tests measure is said when they end, what is counted is held to it.

Law of this file: a figure is one that a test or a target prints, or it stands on no page. Whatever
number a test gives to ``record_property`` is said, beside those of the same name.
"""

import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "reliability.md"


def assert_told(words: str) -> None:
    """The page on reliability says so, in these words."""
    told = " ".join(PAGE.read_text().split())
    assert words in told, f"{PAGE.name} does not say: {words}"


def describe(reports: Iterable[pytest.TestReport]) -> Iterator[str]:
    """A line for each thing that was measured."""
    measured: dict[str, list[float]] = {}
    for report in reports:
        for name, value in report.user_properties:
            if isinstance(value, int | float):
                measured.setdefault(name, []).append(value)
    for name, values in sorted(measured.items()):
        half, most = statistics.median(values), max(values)
        times = f"{len(values)} times, median {half:,.3f}, " if len(values) > 1 else ""
        yield f"Measured: {name}: {times}at most {most:,.3f}."
