"""Three hundred seeds of trouble break no promise, and each is found where one is broken."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from figures import assert_told
from paydown.domain import decide
from paydown.storage import desk_answers, moves, sqlite, store
from paydown.storage.sqlite_database import SQLiteDatabase, SQLiteSession
from paydown.storage.store import Store
from paydown.storage.writer import Writer
from paydown.wire import messages
from simulation.moments import DESK_MOMENTS, MOMENTS
from simulation.runs import Runs

pytestmark = pytest.mark.no_cover  # the same again and again, which being measured slows

ROOT = Path(__file__).parents[2]
SEEDS = 300
FIRST = {"believes_what_it_opens": 60}
"""Where to look first for a fault that only few seeds meet."""
TOLD = {
    *("kills", "power losses", "clock jump", "lock", "drain", "recovered", "starts"),
    *("reader", "moves"),
    *(f"crashes {moment}" for moment in (*MOMENTS, *DESK_MOMENTS)),
    *(f"desk {kind} done" for kind in ("receipt", "item", "allocate", "unallocate", "undo")),
    *(f"disk {kind} failed" for kind in ("write", "sync", "read", "open", "full")),
    *(f"message {kind}" for kind in ("lost", "doubled", "late", "slow", "leaves", "unread")),
}
"""What the seeds together must hold of each kind of trouble."""

Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Where seeds are run in this process."""
    return Runs(tmp_path_factory.mktemp("runs"))


def simulate(*options: str, **more: str) -> "subprocess.Popen[str]":
    """Runs in a process of their own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more}
    return subprocess.Popen(
        [sys.executable, "-m", "simulation", *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def ended(running: "subprocess.Popen[str]") -> str:
    """What it said, once it has ended well."""
    said, _ = running.communicate()
    assert running.returncode == 0, said
    return said


@pytest.mark.timeout(600)
def test_no_seed_breaks_a_promise() -> None:
    """Nothing acknowledged is lost, no retry counts twice, and every kind of trouble was there."""
    half = SEEDS // 2
    both = [simulate("--first", str(first), "--seeds", str(half)) for first in (0, half)]
    said = [each.communicate()[0] for each in both]

    assert [each.returncode for each in both] == [0, 0], said
    told = [set(re.findall(r"^(.+?)  +[\d,]+$", each, re.MULTILINE)) for each in said]
    assert set.union(*told) >= TOLD


def test_a_seed_can_be_had_again(runs: Runs) -> None:
    """All that happens is the same in another process, to the last write."""
    report = runs.run(25)
    said = ended(simulate("--seed", "25", PYTHONHASHSEED="7"))

    assert len(report.trace) > 100
    assert said.splitlines() == [*report.trace, f"trace {report.digest}"]


def with_synchronous(level: str) -> Plant:
    """Commits that are not synced."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        planted = tuple(each.replace("=FULL", f"={level}") for each in sqlite._PRAGMAS)
        patch.setattr(sqlite, "_PRAGMAS", planted)

    return plant


def answers_before_commit(patch: pytest.MonkeyPatch) -> None:
    """The results of a batch leave, and it is committed when the next one begins."""
    begin = SQLiteSession.begin

    def begin_late(session: SQLiteSession, *given: Any) -> Any:
        if session._connection is not None and session._connection.in_transaction:
            session._connection.execute("COMMIT")
        return begin(session, *given)

    patch.setattr(Store, "commit", lambda _: None)
    patch.setattr(SQLiteSession, "begin", begin_late)


def keeps_no_answer(patch: pytest.MonkeyPatch) -> None:
    """What a key recorded is forgotten."""
    add = SQLiteSession.add

    def add_others(session: SQLiteSession, statement: Any, rows: Any) -> None:
        if statement is not store._ADD_ANSWER:
            add(session, statement, rows)

    patch.setattr(SQLiteSession, "add", add_others)


def believes_what_it_opens(patch: pytest.MonkeyPatch) -> None:
    """What a failed sync left in memory alone is taken for recorded."""
    patch.setattr(SQLiteSession, "_come_to_rest", lambda _: None)


def takes_doubt_for_recorded(patch: pytest.MonkeyPatch) -> None:
    """A commit that failed is answered as if it had not."""
    patch.setattr(Writer, "_ask_books", lambda *_: True)


def recognises_no_retry(patch: pytest.MonkeyPatch) -> None:
    """A line that comes again without a key is taken for another."""
    patch.setattr(decide, "recognisable", lambda *_: False)


def with_answers(change: Callable[[bytes], bytes]) -> Plant:
    """Every answer tells something else than was decided, a repeated one too."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        encode = messages.encode
        patch.setattr(messages, "encode", lambda *given: change(encode(*given)))

    return plant


def tells_a_penny_more(body: bytes) -> bytes:
    """A balance that ends in a penny ends in two."""
    return re.sub(rb'("Balance":[0-9]+\.[0-9])1\b', rb"\g<1>2", body)


def tells_that_all_went_well(body: bytes) -> bytes:
    """Also where something was refused."""
    return body.replace(b'"Success":false', b'"Success":true')


def desk_keeps_no_answer(patch: pytest.MonkeyPatch) -> None:
    """What a key did at the desk is forgotten."""
    patch.setattr(desk_answers, "add", lambda *_, **__: None)


def desk_finds_no_answer(patch: pytest.MonkeyPatch) -> None:
    """What a key did at the desk is kept, and not looked for."""
    patch.setattr(desk_answers, "find", lambda *_: None)


def desk_undoes_again(patch: pytest.MonkeyPatch) -> None:
    """Nobody looks whether a posting is reversed already."""
    patch.setattr(moves, "find_reversed_lines", lambda *_: set())


def desk_takes_doubt_for_recorded(patch: pytest.MonkeyPatch) -> None:
    """A commit of the desk's that failed is answered as if it had not."""
    begin_write = SQLiteDatabase.begin_write

    @contextmanager
    def begin_boldly(database: SQLiteDatabase, connection: Connection) -> Iterator[None]:
        decided = False
        try:
            with begin_write(database, connection):
                yield
                decided = True
        except DBAPIError:
            if not decided:
                raise

    patch.setattr(SQLiteDatabase, "begin_write", begin_boldly)


def desk_does_not_sync(patch: pytest.MonkeyPatch) -> None:
    """What the desk commits is synced whenever somebody else syncs."""
    connect = SQLiteDatabase.connect

    @contextmanager
    def connect_lazily(database: SQLiteDatabase) -> Iterator[Connection]:
        with connect(database) as connection:
            connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
            yield connection

    patch.setattr(SQLiteDatabase, "connect", connect_lazily)


@pytest.fixture
def patch() -> Iterator[pytest.MonkeyPatch]:
    """A way to plant a fault, gone after the test."""
    with pytest.MonkeyPatch.context() as patching:
        yield patching


PLANTS = {
    "synchronous_normal": with_synchronous("NORMAL"),
    "synchronous_off": with_synchronous("OFF"),
    "tells_a_penny_more": with_answers(tells_a_penny_more),
    "tells_that_all_went_well": with_answers(tells_that_all_went_well),
    **{
        plant.__name__: plant
        for plant in (
            answers_before_commit,
            keeps_no_answer,
            believes_what_it_opens,
            takes_doubt_for_recorded,
            recognises_no_retry,
            desk_keeps_no_answer,
            desk_finds_no_answer,
            desk_undoes_again,
            desk_takes_doubt_for_recorded,
            desk_does_not_sync,
        )
    },
}


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_found(
    runs: Runs,
    patch: pytest.MonkeyPatch,
    name: str,
    record_property: Callable[[str, object], None],
) -> None:
    """One of the three hundred seeds breaks a promise, or the simulation proves nothing."""
    first = FIRST.get(name, 0)
    PLANTS[name](patch)
    found = next(
        (seed for seed in (*range(first, SEEDS), *range(first)) if runs.run(seed).wrong), None
    )

    assert found is not None
    record_property("a planted fault, the seed that finds it", found)


def test_the_page_on_reliability_counts_them() -> None:
    """The faults that are planted, and the seeds that look for them."""
    assert_told(f"{len(PLANTS)} faults are planted in the product in turn")
    assert_told(f"some seed of the {SEEDS} finds each")
