"""The table of planted faults is fit to be used."""

from pathlib import Path

import pytest

from figures import assert_told
from mutants.__main__ import ALL, find_failure, plant
from mutants.table import MONEY, MUTANTS, Mutant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.why)
def test_a_planted_fault_has_its_place(mutant: Mutant) -> None:
    """What it replaces stands in its file once, and what should find it is there."""
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1
    assert mutant.old != mutant.new
    named = mutant.tests.partition(" -k")[0].split(" ")
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_table_has_many_and_no_two_alike() -> None:
    """At least thirty, each for its own reason."""
    assert len({mutant.why for mutant in MUTANTS}) == len(MUTANTS) >= 30


def test_the_page_on_reliability_counts_the_faults() -> None:
    """Whatever is planted here is told of there."""
    assert_told(f"each of {len(MUTANTS)} faults")


def test_a_fault_that_hurts_nothing_survives(tmp_path: Path) -> None:
    """No test fails for being run on a copy, or every fault would seem to be found."""
    harmless = Mutant(MONEY, "minor = int(scaled)", "minor = 0 + int(scaled)", "nothing", "tests")
    plant(tmp_path, harmless)
    of_this_folder = [*ALL[1:], "tests/repo", "-k", "test_docs or test_tidy or test_mutants"]
    assert find_failure(tmp_path, of_this_folder) is None
