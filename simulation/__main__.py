"""``python -m simulation``: run many seeds and count, or one and show all that happened."""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from simulation.runs import Runs


def main() -> int:
    """The status to end with: 1 where a promise was broken."""
    reader = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    reader.add_argument("--seed", type=int, help="run this one and show its trace")
    reader.add_argument("--seeds", type=int, default=300, help="how many to run")
    reader.add_argument("--first", type=int, default=0, help="the first of them")
    chosen = reader.parse_args()
    with tempfile.TemporaryDirectory(prefix="paydown-simulation-") as folder:
        runs = Runs(Path(folder))
        if chosen.seed is not None:
            return show(runs, chosen.seed)
        return count(runs, range(chosen.first, chosen.first + chosen.seeds))


def show(runs: Runs, seed: int) -> int:
    """One run, all that happened in it, and what was wrong."""
    report = runs.run(seed)
    tell(*report.trace, f"trace {report.digest}", *(f"WRONG: {line}" for line in report.wrong))
    return 1 if report.wrong else 0


def count(runs: Runs, seeds: range) -> int:
    """Many runs, how often each thing happened, and which seeds went wrong."""
    started = time.perf_counter()
    counts: Counter[str] = Counter()
    failed = []
    for seed in seeds:
        report = runs.run(seed)
        counts += report.counts
        if report.wrong:
            failed.append(seed)
            tell(f"seed {seed}: {report.wrong[0]}", f"  again: make simulate SEED={seed}")
    for name, number in sorted(counts.items()):
        tell(f"{name:40}{number:>10,}")
    seconds = time.perf_counter() - started
    tell(f"{len(seeds)} seeds in {seconds:.0f} s, {len(failed)} of them wrong")
    return 1 if failed else 0


def tell(*lines: str) -> None:
    """Print."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
