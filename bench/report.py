"""What a run has shown: as a table, as a document for programs, and in the docs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import chart
from bench.machine import ROOT
from bench.measuring import Plan, Taken
from bench.rows import Result

RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "explanation" / "performance.md"


def print_rows(console: Console, results: Sequence[Result]) -> None:
    """The rows with what became of them."""
    table = Table("", "our figure", "÷", "median", "lowest to highest", "bound", "")
    for result in results:
        row = result.row
        table.add_row(
            row.id,
            f"{row.figure}\n[dim]{say_value(result.over, row.unit)}[/dim]",
            f"{row.against}\n[dim]{say_value(result.under, row.unit)}[/dim]",
            f"{result.median:.3g}",
            f"{min(result.ratios):.3g} to {max(result.ratios):.3g}",
            say_bound(result),
            "[green]holds[/green]" if result.holds else "[bold red]FALLS SHORT[/bold red]",
        )
    console.print(table)


def say_value(value: float | None, unit: str) -> str:
    """A figure in round numbers with its unit; nothing for none."""
    if value is None:
        return ""
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def say_bound(result: Result) -> str:
    """The bound with its sign."""
    return f"{'≥' if result.row.at_least else '≤'} {result.row.bound:g}"


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document for programs."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def make_document(
    run: Mapping[str, Any], plan: Plan, taken: Taken, results: Sequence[Result]
) -> dict[str, Any]:
    """A whole run for programs."""
    figures = {name: [round(v, 3) for v in values] for name, values in taken.figures.items()}
    return {
        **run,
        "rounds": plan.rounds,
        "seconds_a_round": plan.seconds,
        "rows": _document_rows(results),
        "figures": figures,
        "complaints": taken.complaints,
    }


def _document_rows(results: Sequence[Result]) -> list[dict[str, Any]]:
    return [
        {
            **result.row._asdict(),
            "median": round(result.median, 3),
            "lowest": round(min(result.ratios), 3),
            "highest": round(max(result.ratios), 3),
            "holds": result.holds,
            "ratios": [round(ratio, 3) for ratio in result.ratios],
            "over_median": round(result.over, 3),
            "under_median": None if result.under is None else round(result.under, 3),
        }
        for result in results
    ]


def publish_rows(results: Sequence[Result], run: Mapping[str, Any]) -> None:
    """Renew the table and the chart in the docs."""
    lines = [
        "| id | our figure | divided by | median | lowest to highest | bound | |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        row = result.row
        over, under = say_value(result.over, row.unit), say_value(result.under, row.unit)
        lines.append(
            f"| {row.id} | {row.figure} ({over}) | {f'{row.against} ({under})' if under else ''} "
            f"| {result.median:.3g} | {min(result.ratios):.3g} to {max(result.ratios):.3g} "
            f"| {say_bound(result)} | {'holds' if result.holds else '**falls short**'} |"
        )
    replace_block("rows", [*lines, "", say_run(run)])
    PAGE.with_suffix(".svg").write_text(chart.draw_rows(results))


def say_run(run: Mapping[str, Any]) -> str:
    """Where and with what, in a sentence."""
    machine, versions = run["machine"], run["versions"]
    return (
        f"Taken at {run['at']} on {machine['cores']} cores ({machine['processor']}, "
        f"{machine['memory_gb']} GB) with Python {versions['python']}, SQLite "
        f"{versions['sqlite']}, PostgreSQL {versions['postgresql']} and wrk {versions['wrk']}, "
        f"commit {run['commit'][:10]}{', changed since' if run['changed_since'] else ''}."
    )


def replace_block(name: str, lines: Sequence[str]) -> None:
    """Put the lines where the page says that the bench writes them."""
    text = PAGE.read_text()
    begin, end = f"<!-- by bench {name}: begin -->", f"<!-- by bench {name}: end -->"
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    PAGE.write_text(f"{head}{begin}\n\n" + "\n".join(lines) + f"\n\n{end}{tail}")
