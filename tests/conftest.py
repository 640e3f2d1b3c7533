"""What all tests share: a template ledger, a copy of it, and a running service on the copy."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import figures
import ledgers
import postgres
import secrets_kept
from makers import Maker, SQLiteMaker
from paydown.storage import sqlite
from paydown.storage.database import Database
from secrets_kept import WATCH, Findings
from simulation.driver import Driver

settings.register_profile("paydown", deadline=None, max_examples=60, print_blob=True)
settings.load_profile("paydown")

# A script's job in the background begins with Ctrl-C ignored, and many tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
secrets_kept.begin()
FOUND = pytest.StashKey[Findings]()
FOUND_ELSEWHERE = pytest.StashKey[list[Findings]]()
WHOLE_TESTS_MIN = 3_000
"""A session of so many tests is one of the whole suite, or nearly: there are servers in it."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: object) -> Iterator[None]:
    """Where ``PAYDOWN_TEST_NO_SKIPS`` is set, a test that was skipped has failed."""
    report = yield
    if report.skipped and os.environ.get("PAYDOWN_TEST_NO_SKIPS"):
        report.outcome = "failed"
    return report


@pytest.fixture(autouse=True)
def _unwatched(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test marked ``no_cover`` starts is not measured either."""
    if request.node.get_closest_marker("no_cover"):
        for name in [each for each in os.environ if each.startswith("COVERAGE_")]:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger file that tests copy and never change."""
    path = tmp_path_factory.mktemp("template") / "ledger.db"
    ledgers.make_ledger(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The URL of the PostgreSQL server that tests share."""
    with postgres.provided() as url:
        yield url


@pytest.fixture(scope="session")
def every_database(server_url: str) -> Iterator[postgres.Databases]:
    """Databases on that server, with a ledger in the first that tests copy and never change."""
    databases = postgres.Databases(server_url)
    yield databases
    databases.drop(keep=0)


@pytest.fixture
def databases(every_database: postgres.Databases) -> Iterator[postgres.Databases]:
    """Databases of the test's own."""
    before = len(every_database)
    yield every_database
    every_database.drop(keep=before)


@pytest.fixture
def maker(request: pytest.FixtureRequest, tmp_path: Path) -> Maker:
    """Makes ledgers of the kind that the test is run on: of SQLite, unless it says otherwise."""
    kind = getattr(request, "param", "sqlite")
    if kind == "apsw":
        patch = request.getfixturevalue("monkeypatch")
        patch.setattr(sqlite, "open_driver", Driver().connect)
    if kind in ("sqlite", "apsw"):
        return SQLiteMaker(request.getfixturevalue("template"), tmp_path)
    query = postgres.SERIALIZABLE if kind == "serializable" else ""
    return postgres.PostgreSQLMaker(request.getfixturevalue("databases"), query)


@pytest.fixture
def database(maker: Maker) -> Database:
    """A ledger of the test's own."""
    return maker.copy()


@pytest.fixture
def books(database: Database) -> Iterator[ledgers.Books]:
    """A running service on a ledger of the test's own."""
    with ledgers.Books(database) as running:
        yield running


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """All that a test put out, and pytest caught, is looked at in the end."""
    for _, text in report.sections:
        WATCH.look_at(report.nodeid, text)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A secret that was put out fails the session, and so does a look at nothing."""
    config = session.config
    found = WATCH.look(0 if config.option.keyword else session.testscollected)
    if hasattr(config, "workeroutput"):
        config.workeroutput["secrets"] = list(found)
        return
    found = secrets_kept.add_up([found, *config.stash.get(FOUND_ELSEWHERE, [])])
    is_whole = found.test_count >= WHOLE_TESTS_MIN
    if is_whole and not (found.secret_count and found.log_count and found.length > 100_000):
        found.leaks.append("nothing was looked at: the watch for secrets is broken")
    config.stash[FOUND] = found
    if found.leaks and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What one of the processes found that share the tests."""
    told = getattr(node, "workeroutput", {}).get("secrets")
    found = Findings(*told) if told else Findings(0, 0, 0, 0, 0, ["a process did not end in order"])
    node.config.stash.setdefault(FOUND_ELSEWHERE, []).append(found)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was measured, and what was looked for and where; name what was found."""
    for line in figures.describe(terminalreporter.getreports("passed")):
        terminalreporter.write_line(line)
    found = terminalreporter.config.stash.get(FOUND, None)
    if found is None:
        terminalreporter.write_line("Secrets: the session did not end in order.", red=True)
        return
    terminalreporter.write_line(
        f"Secrets: {found.secret_count} looked for in {found.length / 1e6:.1f} MB of "
        f"{found.output_count} outputs, {found.log_count} of them servers' logs: "
        f"{len(found.leaks)} found."
    )
    for leak in found.leaks:
        terminalreporter.write_line(f"LEAK: {leak}", red=True)
