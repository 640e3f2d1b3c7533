"""The rules of the code, checked."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FUNCTION_LINES_MAX = 40
FILE_LINES_MAX = 400
POSITIONAL_MAX = 4

# Longer on purpose: a list of tables.
LONG_FUNCTIONS = {"upgrade"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    """Every function of a file, however deep."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, Function):
            yield node


def line_count(function: Function) -> int:
    """Lines from ``def`` to the end."""
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def text_files() -> Iterator[Path]:
    """Every text file of the repository, without what tools made and others wrote."""
    others = {".git", ".venv", ".hypothesis", "__pycache__", "assets", "demo"}
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        made = any(part.endswith(("_cache", ".egg-info")) for part in parts)
        if path.is_file() and not made and not others & set(parts):
            yield path


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short_and_say_what_they_are(path: Path) -> None:
    """Each file has a docstring and at most 400 lines."""
    text = path.read_text()

    assert ast.get_docstring(ast.parse(text))
    assert text.count("\n") <= FILE_LINES_MAX


def test_functions_are_short() -> None:
    """95 % of functions have at most 40 lines; a longer one is on the list of exceptions."""
    counted = [(f.name, line_count(f)) for path in SOURCES for f in functions(path)]
    long = [name for name, lines in counted if lines > FUNCTION_LINES_MAX]

    assert len(long) <= len(counted) * 0.05
    assert set(long) <= LONG_FUNCTIONS


def test_few_positional_parameters() -> None:
    """At most four parameters of a function can be given by position."""
    crowded = [
        f"{path.name}: {f.name}"
        for path in SOURCES
        for f in functions(path)
        if len([a for a in f.args.posonlyargs + f.args.args if a.arg not in ("self", "cls")])
        > POSITIONAL_MAX
    ]

    assert crowded == []


def test_no_float_is_near_money() -> None:
    """Neither the domain, the wire nor the store turns anything into a float."""
    near = [p for p in SOURCES if {"domain", "wire", "storage"} & set(p.parts)]
    floats = [
        str(path.relative_to(ROOT))
        for path in near
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]

    assert len(near) > 10
    assert floats == []


def test_no_import_hides_in_a_function() -> None:
    """What a module needs stands at its head."""
    hidden = [
        f"{path.name}: {f.name}"
        for path in SOURCES
        for f in functions(path)
        for node in ast.walk(f)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert hidden == []


def test_nothing_is_left_unfinished() -> None:
    """No stub and no note to self is shipped."""
    marks = re.compile(r"NotImplementedError|\b(TODO|FIXME|XXX)\b")

    assert [p.name for p in SOURCES if marks.search(p.read_text())] == []


def test_every_test_says_what_it_shows() -> None:
    """Each test function has a sentence."""
    silent = [
        f"{path.name}: {f.name}"
        for path in TESTS
        for f in functions(path)
        if f.name.startswith("test_") and not ast.get_docstring(f)
    ]

    assert silent == []


def test_no_test_is_skipped() -> None:
    """A skip that hides is a defect: only where no PostgreSQL can be had is there one."""
    marks = re.compile(r"pytest\.(skip|mark\.(skip|xfail)|importorskip)" + r"\b")
    skipping = [p.name for p in TESTS if p != Path(__file__) and marks.search(p.read_text())]

    assert skipping == ["postgres.py"]


def test_no_package_index_and_no_machine_path_is_named() -> None:
    """The repository can be used anywhere: it names no index's address and no builder's folder."""
    # Each with one letter in brackets, so that this file does not name what it forbids.
    address = re.compile(
        r'index[-]url|--regist[r]y|"resolved": *"htt[p]|(?<![a-z])/(wor[k]|roo[t]|far[m])/'
    )
    named = [
        str(path.relative_to(ROOT))
        for path in text_files()
        if not path.name.startswith(".coverage")
        and address.search(path.read_text(errors="replace"))
    ]

    assert named == []


def test_the_import_contract_holds() -> None:
    """Each layer imports only from those below it, and every module has a layer."""
    checked = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout
