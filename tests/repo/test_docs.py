"""The documents agree with the code."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import references
import typer

import paydown
from paydown import audit
from paydown.api import answers
from paydown.api.v1 import problems
from paydown.cli import app
from paydown.domain.outcomes import Refusal
from paydown.openapi.document import document
from paydown.storage.database import Database
from paydown.storage.schema import metadata

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md", *DOCS.rglob("*.md")]
)
INDEX = DOCS / "decisions" / "README.md"
DECISIONS = sorted((DOCS / "decisions").glob("0*.md"))
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "Held by"]


def table_rows(path: Path) -> list[list[str]]:
    """The cells of every row of every table of a page, without back-ticks."""
    rows = [line for line in path.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows]


def every_test() -> set[str]:
    """The names of all test functions."""
    files = (ROOT / "tests").rglob("test_*.py")
    return {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())}


def typed_commands(page: Path) -> Iterator[list[str]]:
    """The words behind each ``paydown`` that begins a line of a shell block."""
    for block in re.findall(r"^ *```sh\n(.*?)```", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in re.findall(r"(?:^ *|\| )(?:\.venv/bin/)?paydown (.*)$", block, re.MULTILINE):
            yield shlex.split(re.split(r" [>|&]", line)[0])


def test_each_refusal_is_documented_in_order() -> None:
    """Name, level and sentence of every refusal stand in the reference, in precedence."""
    rows = table_rows(DOCS / "reference" / "refusals.md")
    names = {refusal.name for refusal in Refusal}
    told = [(row[0], row[1], row[2]) for row in rows if row[0] in names]

    assert told == [(r.name, r.level.value, r.sentence) for r in Refusal]


def test_each_invariant_is_documented_in_order(database: Database) -> None:
    """What ``paydown verify`` proves is said in the ledger's reference."""
    findings = [[finding.invariant, finding.promise] for finding in audit.verify(database)]
    rows = table_rows(DOCS / "reference" / "ledger.md")
    names = {name for name, _ in findings}

    assert findings == [row for row in rows if row[0] in names and len(row) == 2]


def test_each_column_is_documented() -> None:
    """Every table has a section in the ledger's reference that names its columns in order."""
    page = DOCS / "reference" / "ledger.md"
    sections = page.read_text().partition("## Tables")[2].split("\n### ")[1:]
    told = {
        section.partition("\n")[0]: re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
        for section in sections
    }

    assert told == {name: list(table.columns.keys()) for name, table in metadata.tables.items()}


@pytest.mark.parametrize("name", references.PAGES)
def test_what_the_code_can_tell_is_told_as_it_is(name: str) -> None:
    """Settings, commands, metrics and bundles stand in the documents as the code has them."""
    assert (references.DOCS / name).read_text() == references.render_page(name)


def test_every_dependency_has_its_reason() -> None:
    """Each package that is asked for by name is in the table of parts, and no other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
        *project["build-system"]["requires"],
    ]
    rows = table_rows(DOCS / "decisions" / "0001-parts.md")

    asked = [name.partition("[")[0] for name in asked]
    assert sorted(asked) == sorted(row[0] for row in rows if row[0] not in {"name", "---"})


def test_the_parts_are_as_pinned() -> None:
    """The table of parts names the versions that are installed."""
    constraints = (ROOT / "constraints.txt").read_text()
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", constraints, re.MULTILINE))
    rows = table_rows(DOCS / "decisions" / "0001-parts.md")
    told = {row[0]: row[5].partition(",")[0] for row in rows if row[0] in pins}

    assert told == {name: pins[name] for name in told}


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name)
def test_a_decision_is_one_screen_and_names_the_tests_that_hold_it(page: Path) -> None:
    """Each has the five sections, is in the index under its title, and names tests that exist."""
    text = page.read_text()
    title = text.partition("\n")[0].removeprefix(f"# {page.name[:4]} ")
    tests = re.findall(r"`(test_\w+)`", text.partition("## Held by")[2])

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert f"| {page.name[:4]} | [{title}]({page.name}) |" in INDEX.read_text()
    assert text.count("\n") <= 66
    assert tests
    assert [name for name in tests if name not in every_test()] == []


def test_the_readme_names_the_two_commands() -> None:
    """Both are targets of the Makefile."""
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    told = re.findall(r"^make ([a-z]+)$", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert told == ["demo", "test"]
    assert set(told) <= set(targets)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_in_a_page_can_be_typed(page: Path) -> None:
    """Each ``paydown`` in a shell block is a command of ours, with options that it has."""
    for typed in typed_commands(page):
        command: Any = typer.main.get_command(app)
        words = iter(typed)
        for word in words:
            if word in getattr(command, "commands", {}):
                command = command.commands[word]
            elif word.startswith("-"):
                known = {name for each in command.params for name in each.opts} | {"--help"}
                assert word in known, typed
        assert not hasattr(command, "commands") or typed[-1].startswith("--"), typed


def test_the_proxys_locations_pass_every_call_and_no_page() -> None:
    """Each call has a location of the nginx example, and what asks for no login has none."""
    page = (DOCS / "how-to" / "deploy.md").read_text()
    passing = re.findall(r"location (~\* )?(\S+) \{[^}]*proxy_pass http://paydown;", page)
    patterns = [
        re.compile(path, re.IGNORECASE) if is_regex else re.compile(re.escape(path))
        for is_regex, path in passing
    ]
    described = document(answers.SAMPLES, problems.SAMPLES)["paths"]
    passed = {path: any(each.match(path) for each in patterns) for path in described}

    assert passed == {
        path: all("security" in operation for operation in operations.values())
        for path, operations in described.items()
    }


def test_the_changelog_tells_of_this_version() -> None:
    """The newest heading of the changelog is the version that the package has."""
    headings = re.findall(r"^## \[?([0-9.]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert headings[0] == paydown.__version__


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Each relative link names a file that is there, and each anchor a heading in it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, target


def slug(heading: str) -> str:
    """A heading's anchor, as code hosts make it."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")
