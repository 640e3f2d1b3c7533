"""``python -m mutants``: plant each fault in a copy, run the tests, and print who survived.

Law of this file: a test that fails without the fault too has found nothing. So the copy has all
that the tests need, that each fault stands in its place is not asked of a copy with one, and what
is to find faults is run on a copy without one first.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).parents[1]
COPIED = ("src", "tests", "simulation", "mutants", "bench", "cluster", "docs")
FILES = (
    *("pyproject.toml", "constraints.txt", "Makefile", "README.md", "CHANGELOG.md", "LICENSE"),
    "SECURITY.md",
)
ALL = "tests --ignore=tests/repo/test_mutants.py"
IGNORED = shutil.ignore_patterns("__pycache__", ".*")
SECONDS_MAX = 1800


def main() -> int:
    """The status to end with: 1 where a fault was not found."""
    reader = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    reader.add_argument("--only", default="", help="those whose reason or file holds this")
    reader.add_argument("--skip", type=int, default=0, help="leave out so many of the first")
    reader.add_argument("--named", action="store_true", help="run no more than the named tests")
    chosen = reader.parse_args()
    wanted = [each for each in MUTANTS if chosen.only in each.why + each.file][chosen.skip :]
    started = time.monotonic()
    selections = dict.fromkeys(each.tests for each in wanted)
    if failing := [tests for tests in selections if not finds_nothing(tests)]:
        tell("The table is worth nothing: without a fault these fail already.", *failing)
        return 1
    survivors = [each for each in wanted if not kill(each, named_only=chosen.named)]
    minutes = (time.monotonic() - started) / 60
    found = len(wanted) - len(survivors)
    tell(f"{len(wanted)} faults planted, {found} found, in {minutes:.0f} minutes")
    return 1 if survivors else 0


@cache
def finds_nothing(tests: str) -> bool:
    """Whether all of the tests pass on a copy without a fault, as they must to find one."""
    with copying() as copy:
        test = find_failure(copy, tests)
    if test is not None:
        tell(f"{'FAILS':9} without a fault", f"{'':9} {test}")
    return test is None


def kill(mutant: Mutant, *, named_only: bool) -> bool:
    """Whether the tests find the fault: those named, else all."""
    with copying() as copy:
        plant(copy, mutant)
        test = find_failure(copy, mutant.tests)
        if test is None and not named_only and finds_nothing(ALL):
            test = find_failure(copy, ALL)
    tell(f"{'found' if test else 'SURVIVED':9} {mutant.why}", f"{'':9} {test or mutant.file}")
    return test is not None


@contextmanager
def copying() -> Iterator[Path]:
    """A copy of the product, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="paydown-mutant-") as made:
        copy = Path(made)
        for name in COPIED:
            shutil.copytree(ROOT / name, copy / name, ignore=IGNORED)
        for name in FILES:
            shutil.copy(ROOT / name, copy / name)
        yield copy


def plant(copy: Path, mutant: Mutant) -> None:
    """Put the fault in its place."""
    file = copy / mutant.file
    text = file.read_text()
    assert text.count(mutant.old) == 1, f"{mutant.file} no longer holds: {mutant.old}"
    file.write_text(text.replace(mutant.old, mutant.new))


def find_failure(copy: Path, tests: str) -> str | None:
    """The first test that fails on the copy, or None where none does."""
    path = os.pathsep.join(str(copy / name) for name in ("src", ".", "tests"))
    options = ["-x", "-q", "-p", "no:cacheprovider", "--tb=no", "-rfE"]
    # Whoever measures what the tests of the product cover does not mean those of a copy.
    kept = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *shlex.split(tests)],
        cwd=copy,
        env={**kept, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    if ran.returncode == 0:
        return None
    # Where a file of tests cannot even be read, no test of it has found anything.
    named = [line for line in ran.stdout.splitlines() if "::" in line]
    failed = [line for line in named if line.startswith(("FAILED", "ERROR"))]
    if not failed:
        raise SystemExit(f"The tests could not be run:\n{ran.stdout}\n{ran.stderr}")
    return failed[0].split(" - ")[0]


def tell(*lines: str) -> None:
    """Print."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
