"""The table of planted faults is fit to be used."""

from pathlib import Path

import pytest

from figures import assert_told
from mutants import __main__ as planting
from mutants.__main__ import ALL, copying, find_failure, plant
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


def test_a_fault_that_hurts_nothing_survives() -> None:
    """No test fails for being run on a copy, or every fault would seem to be found."""
    harmless = Mutant(MONEY, "minor = int(scaled)", "minor = 0 + int(scaled)", "nothing", "tests")
    chosen = f"{ALL.removeprefix('tests ')} tests/repo -k 'test_docs or test_tidy or test_mutants'"
    with copying() as copy:
        plant(copy, harmless)
        assert find_failure(copy, chosen) is None


PRODUCT = "ONE = 1\n"
TESTS = """
from product import ONE

def test_that_passes():
    assert ONE == 1

def test_that_fails():
    assert ONE == 2
"""


@pytest.mark.parametrize(
    ("chosen", "status", "said"),
    [
        ("passes", 0, "1 faults planted, 1 found"),
        ("fails", 1, "The table is worth nothing: without a fault these fail already."),
    ],
)
def test_what_fails_without_a_fault_finds_none(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    chosen: str,
    status: int,
    said: str,
) -> None:
    """It would seem to find every one: so none is planted, and that is said."""
    (tmp_path / "product.py").write_text(PRODUCT)
    (tmp_path / "test_product.py").write_text(TESTS)
    fault = Mutant("product.py", "1", "3", "one is three", f"test_product.py -k {chosen}")
    for name, value in (
        ("ROOT", tmp_path),
        ("COPIED", ()),
        ("FILES", ("product.py", "test_product.py")),
        ("MUTANTS", (fault,)),
    ):
        monkeypatch.setattr(planting, name, value)
    monkeypatch.setattr("sys.argv", ["mutants", "--named"])

    assert planting.main() == status
    told = capsys.readouterr().out
    assert said in told
    assert ("planted" in told) == (status == 0)
