"""Where a request's time goes: processor time by thread, and by function of ours."""

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from bench import ledgers, load, measuring, postgres, report, servers
from bench.ledgers import CACHE, SPREAD
from bench.load import Load
from bench.measuring import Taken

SECONDS = 10
SHOWN = 14
SHARE_LEAST = 0.01
SERVED = ("--connections-max", "2000", "--port", "0")


class Spent(NamedTuple):
    """What one thread did during the load."""

    thread: str
    microseconds: float
    busy: float
    places: list[tuple[str, float]]


def run(console: Console) -> int:
    """Put B1's load on a sampled server, print where its time went, and tell it in the docs."""
    taken = Taken()
    samples = CACHE / "samples.json"
    with ledgers.copied(SPREAD) as ledger:
        url = f"sqlite:///{ledger}"
        command = [sys.executable, "-m", "bench.sampled", str(samples)]
        command += ["serve", "--database", url, *SERVED]
        with servers.running("sampled", command, url) as server:
            measuring.warm(taken, server, SPREAD)
            before = _read(samples)
            mark = measuring.mark_books(server)
            burst = load.run(server.base_url, Load(SPREAD, SECONDS))
            after = _read(samples)
            taken.check(server, mark, burst, measuring.LINES)
    samples.unlink()
    spent = compare(before, after, burst.answered)
    lines = [*_tabulate(spent, burst.rate), "", *_on_postgres(taken)]
    console.print("\n".join(lines))
    report.replace_block("profile", lines)
    for complaint in taken.complaints:
        console.print(complaint)
    return int(bool(taken.complaints))


def _read(samples: Path) -> dict[str, Any]:
    """What is written next, so that it tells of now."""
    time.sleep(0.5)
    said: dict[str, Any] = json.loads(samples.read_text())
    return said


def compare(before: Mapping[str, Any], after: Mapping[str, Any], request_count: int) -> list[Spent]:
    """What each thread did between two writings of the sampler, the busiest first."""
    elapsed = after["at"] - before["at"]
    spent = []
    for thread, seconds in after["seconds"].items():
        used = seconds - before["seconds"].get(thread, 0.0)
        found = Counter(after["found"].get(thread, {}))
        found.subtract(before["found"].get(thread, {}))
        total = sum(found.values()) or 1
        places = [(place, count / total) for place, count in found.most_common(SHOWN)]
        if used / elapsed >= SHARE_LEAST:
            spent.append(Spent(thread, used / request_count * 1e6, used / elapsed, places))
    return sorted(spent, key=lambda each: -each.microseconds)


def _on_postgres(taken: Taken) -> list[str]:
    """The processor's time of a request in the server and in PostgreSQL, by server processes."""
    lines = [
        "| on PostgreSQL | requests/s | server, processor µs a request | PostgreSQL | both busy |",
        "|---|---|---|---|---|",
    ]
    with ExitStack() as stack:
        cluster = stack.enter_context(postgres.running())
        for count in (1, 2):
            url = stack.enter_context(cluster.copied(SPREAD, f"profiled_{count}"))
            with servers.paydown(url, "--workers", str(count), name="profiled") as server:
                measuring.warm(taken, server, SPREAD)
                mark = measuring.mark_books(server)
                began, pids = time.monotonic(), (server.pid, cluster.pid)
                before = [sum(servers.thread_seconds(pid).values()) for pid in pids]
                burst = load.run(server.base_url, Load(SPREAD, SECONDS))
                after = [sum(servers.thread_seconds(pid).values()) for pid in pids]
                elapsed = time.monotonic() - began
                taken.check(server, mark, burst, measuring.LINES)
            spent = [late - early for early, late in zip(before, after, strict=True)]
            ours, theirs = (1e6 * seconds / burst.answered for seconds in spent)
            processes = f"{count} server process{'es' if count > 1 else ''}"
            figures = f"{burst.rate:,.0f} | {ours:.0f} | {theirs:.0f} | {sum(spent) / elapsed:.0%}"
            lines.append(f"| {processes} | {figures} |")
    return lines


def _tabulate(spent: list[Spent], rate: float) -> list[str]:
    lines = [
        f"At {rate:,.0f} requests/s with the sampler in the process:",
        "",
        "| thread | processor µs a request | busy |",
        "|---|---|---|",
        *(f"| {each.thread} | {each.microseconds:.0f} | {each.busy:.0%} |" for each in spent),
        "",
        "| thread | found in, with what it calls | of its time |",
        "|---|---|---|",
    ]
    for each in spent:
        lines += [
            f"| {each.thread} | `{place}` | {share:.0%} |"
            for place, share in each.places
            if share >= SHARE_LEAST
        ]
    return lines
