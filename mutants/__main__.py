"""``python -m mutants``: plant each fault in a copy, run the tests, and print who survived.

Law of this file: a test that fails without the fault too has found nothing. So the copy has all
that the tests need, and that each fault stands in its place is not asked of a copy with one.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).parents[1]
COPIED = ("src", "tests", "simulation", "mutants", "bench", "cluster", "docs")
FILES = (
    *("pyproject.toml", "constraints.txt", "Makefile", "README.md", "CHANGELOG.md", "LICENSE"),
    "SECURITY.md",
)
ALL = ["tests", "--ignore=tests/repo/test_mutants.py"]
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
    survivors = [each for each in wanted if not kill(each, named_only=chosen.named)]
    minutes = (time.monotonic() - started) / 60
    found = len(wanted) - len(survivors)
    tell(f"{len(wanted)} faults planted, {found} found, in {minutes:.0f} minutes")
    return 1 if survivors else 0


def kill(mutant: Mutant, *, named_only: bool) -> bool:
    """Whether the tests find the fault: those named, else all."""
    with tempfile.TemporaryDirectory(prefix="paydown-mutant-") as made:
        copy = Path(made)
        plant(copy, mutant)
        test = find_failure(copy, shlex.split(mutant.tests))
        if test is None and not named_only:
            test = find_failure(copy, ALL)
    tell(f"{'found' if test else 'SURVIVED':9} {mutant.why}", f"{'':9} {test or mutant.file}")
    return test is not None


def plant(copy: Path, mutant: Mutant) -> None:
    """A copy of the product with the fault."""
    for name in COPIED:
        shutil.copytree(ROOT / name, copy / name, ignore=IGNORED)
    for name in FILES:
        shutil.copy(ROOT / name, copy / name)
    file = copy / mutant.file
    text = file.read_text()
    assert text.count(mutant.old) == 1, f"{mutant.file} no longer holds: {mutant.old}"
    file.write_text(text.replace(mutant.old, mutant.new))


def find_failure(copy: Path, tests: list[str]) -> str | None:
    """The first test that fails on the copy, or None where none does."""
    path = os.pathsep.join(str(copy / name) for name in ("src", ".", "tests"))
    options = ["-x", "-q", "-p", "no:cacheprovider", "--tb=no", "-rfE"]
    # Whoever measures what the tests of the product cover does not mean those of a copy.
    kept = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=copy,
        env={**kept, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    failed = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if ran.returncode == 0:
        return None
    if not failed:
        raise SystemExit(f"The tests could not be run:\n{ran.stdout}\n{ran.stderr}")
    return failed[0].split(" - ")[0]


def tell(*lines: str) -> None:
    """Print."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
