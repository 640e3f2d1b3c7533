"""``python -m bench``: the table of rows; ``growth`` and ``profile`` show what lies behind it."""

import argparse
import sys

from rich.console import Console

from bench import growth, ledgers, load, machine, measuring, profiling, report, rows
from bench.load import LoadFailed
from bench.measuring import FULL, QUICK, Taken
from bench.pgbench import PgbenchFailed
from bench.postgres import PostgresFailed
from bench.servers import ServerFailed

FAILURES = (LoadFailed, PgbenchFailed, PostgresFailed, ServerFailed)


def main() -> int:
    """Run what is asked for. The status is 0 where every row holds and all books add up."""
    arguments = _read_arguments()
    console = Console(width=None if sys.stdout.isatty() else 160)
    if not load.has_wrk():
        console.print(load.ABSENT)
        return 2
    ledgers.prepare_cache()
    if arguments.what == "growth":
        return growth.run(console, quick=arguments.quick)
    if arguments.what == "profile":
        return profiling.run(console)
    return _run_rows(console, quick=arguments.quick, only=arguments.only)


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["rows", "growth", "profile"], default="rows")
    parser.add_argument("--quick", action="store_true", help="two minutes: fewer, shorter rounds")
    parser.add_argument("--only", choices=["sqlite", "postgres"], help="the rows of one database")
    return parser.parse_args()


def _run_rows(console: Console, *, quick: bool, only: str | None) -> int:
    plan, taken = QUICK if quick else FULL, Taken()
    if quick:
        console.print(
            f"Quick: {plan.rounds} rounds of {plan.seconds:g} s claim nothing, and B6 has "
            f"{plan.large.item_count:,} items and {plan.large.payment_count:,} payments."
        )
    run = machine.describe()
    for name, measure in (("sqlite", measuring.on_sqlite), ("postgres", measuring.on_postgres)):
        if only in (None, name):
            try:
                measure(taken, plan, console.print)
            except FAILURES as failure:
                taken.complain(name, [str(failure)])
    results = rows.judge(taken.figures)
    report.print_rows(console, results)
    for complaint in taken.complaints:
        console.print(complaint, style="red", markup=False, highlight=False)
    if lacking := rows.missing(results):
        console.print(f"Not measured: {', '.join(lacking)}.")
    document = report.make_document(run, plan, taken, results)
    if quick or lacking:
        report.write(ledgers.CACHE / "quick.json", document)
    else:
        report.write(report.RESULTS / "latest.json", document)
        report.publish_rows(results, run)
    return int(bool(taken.complaints) or not all(result.holds for result in results))


if __name__ == "__main__":
    sys.exit(main())
