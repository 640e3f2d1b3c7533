"""Charts as SVG, drawn by hand: a few shapes need no library.

Law of this file: it is pure, and draws the same for the same figures.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import NamedTuple

from bench.rows import Result

INK, FAINT, GOOD, BAD, SECOND = "#1f2933", "#cbd2d9", "#2f6f4f", "#b3261e", "#b7791f"
FONT = "font-family='system-ui, sans-serif'"

_BAR_HEIGHT = 34
_LEFT, _RIGHT, _TOP = 330, 150, 64
_SCALE = (0.25, 0.5, 1, 2, 4)
_PANEL_WIDTH, _PANEL_HEIGHT, _COLUMNS = 360, 230, 2


def draw_rows(results: Sequence[Result]) -> str:
    """How far each row is past its bound, on a logarithmic scale, with a dot for each round."""
    width, height = 960, _TOP + _BAR_HEIGHT * len(results) + 46
    plot = width - _LEFT - _RIGHT

    def place(margin: float) -> float:
        low, high = math.log(_SCALE[0]), math.log(_SCALE[-1])
        part = (math.log(margin) - low) / (high - low)
        return _LEFT + plot * min(1.0, max(0.0, part))

    def shapes() -> Iterator[str]:
        yield _text(16, 26, "How far past its bound each figure is", size=17, bold=True)
        yield _text(16, 46, "1 is the bound; right of it is better. A dot is a round.", size=12)
        bottom = _TOP + _BAR_HEIGHT * len(results) + 4
        for mark in _SCALE:
            colour = INK if mark == 1 else FAINT
            yield _line((place(mark), _TOP - 6), (place(mark), bottom), colour)
            yield _text(place(mark), bottom + 18, f"{mark:g}", anchor="middle", size=12)
        for number, result in enumerate(results):
            yield from _bar(result, _TOP + number * _BAR_HEIGHT, place)

    return _document(width, height, shapes())


def _bar(result: Result, top: float, place: Callable[[float], float]) -> Iterator[str]:
    row, colour = result.row, GOOD if result.holds else BAD
    start, end = place(1), place(result.margin)
    middle = top + _BAR_HEIGHT / 2
    yield _text(16, middle - 2, f"{row.id} {_shorten(row.figure, 40)}", size=12, bold=True)
    if row.against:
        yield _text(16, middle + 12, f"÷ {_shorten(row.against, 46)}", size=11)
    yield (
        f"<rect x='{min(start, end):.1f}' y='{middle - 8:.1f}' width='{abs(end - start):.1f}' "
        f"height='16' fill='{colour}' opacity='0.75'/>"
    )
    for ratio in result.ratios:
        x = place(result.margin_of(ratio))
        yield f"<circle cx='{x:.1f}' cy='{middle:.1f}' r='2.5' fill='{INK}'/>"
    sign = "≥" if row.at_least else "≤"
    said = f"{result.median:.3g}  ({sign} {row.bound:g})"
    yield _text(960 - _RIGHT + 12, middle + 4, said, size=13, bold=True)


class Point(NamedTuple):
    """One size of a series, with the medians found there."""

    size: float
    rate: float
    p99_ms: float


class Series(NamedTuple):
    """How cost grows with one thing. ``unit`` is what the rate counts a second."""

    title: str
    unit: str
    points: list[Point]


def draw_growth(series: Sequence[Series]) -> str:
    """A panel for each series: the rate and the 99th percentile against the size."""
    rows = -(-len(series) // _COLUMNS)
    width, height = _COLUMNS * (_PANEL_WIDTH + 100) + 20, rows * (_PANEL_HEIGHT + 70) + 70

    def shapes() -> Iterator[str]:
        yield _text(16, 26, "How cost grows", size=17, bold=True)
        yield _text(16, 46, "left scale, green: a second", size=12, colour=GOOD)
        yield _text(190, 46, "right scale, ochre: 99th percentile, ms", size=12, colour=SECOND)
        for number, each in enumerate(series):
            row, column = divmod(number, _COLUMNS)
            left = 60 + column * (_PANEL_WIDTH + 100)
            yield from _panel(each, left, 90 + row * (_PANEL_HEIGHT + 70))

    return _document(width, height, shapes())


def _panel(series: Series, left: float, top: float) -> Iterator[str]:
    bottom = top + _PANEL_HEIGHT
    points = series.points
    rate_top = _round_up(max(point.rate for point in points))
    time_top = _round_up(max(point.p99_ms for point in points))

    def across(number: int) -> float:
        return left + _PANEL_WIDTH * (number + 0.5) / len(points)

    def up(value: float, most: float) -> float:
        return bottom - _PANEL_HEIGHT * value / most

    yield _text(left, top - 10, f"{series.unit} by {series.title}", size=13, bold=True)
    for part in (0, 0.5, 1):
        y = bottom - _PANEL_HEIGHT * part
        yield _line((left, y), (left + _PANEL_WIDTH, y), FAINT)
        yield _text(left - 6, y + 4, _short(rate_top * part), anchor="end", colour=GOOD)
        yield _text(left + _PANEL_WIDTH + 6, y + 4, _short(time_top * part), colour=SECOND)
    for number, point in enumerate(points):
        yield _text(across(number), bottom + 18, _short(point.size), anchor="middle")
    rates = [(across(n), up(point.rate, rate_top)) for n, point in enumerate(points)]
    times = [(across(n), up(point.p99_ms, time_top)) for n, point in enumerate(points)]
    yield from _path(rates, GOOD)
    yield from _path(times, SECOND)


def _path(places: Sequence[tuple[float, float]], colour: str) -> Iterator[str]:
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f"<polyline points='{joined}' fill='none' stroke='{colour}' stroke-width='2'/>"
    for x, y in places:
        yield f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.5' fill='{colour}'/>"


def _round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 …"""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def _short(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g} {letter}"
    return f"{value:g}"


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _document(width: int, height: int, shapes: Iterator[str]) -> str:
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}'>"
    ground = f"<rect width='{width}' height='{height}' fill='#ffffff'/>"
    return "\n".join([head, ground, *shapes, "</svg>", ""])


def _line(start: tuple[float, float], end: tuple[float, float], colour: str) -> str:
    (x1, y1), (x2, y2) = start, end
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}'/>"


def _text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 11,
    bold: bool = False,
    anchor: str = "start",
    colour: str = INK,
) -> str:
    weight = " font-weight='600'" if bold else ""
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' {FONT} font-size='{size}'{weight} "
        f"text-anchor='{anchor}' fill='{colour}'>{escape(words)}</text>"
    )
