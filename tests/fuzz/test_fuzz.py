"""Every decoder, the door and the port under inputs that nobody meant.

What is in ``corpus`` is given to its target each time. From it, and from what Hypothesis builds,
others are made: a few here, and as many as there is time for with ``make fuzz SECONDS=60 SEED=1``.
An input that breaks a promise is written into the corpus, where it stays once it is mended.
"""

import hashlib
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import doors
import pytest
import raw_peer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import mutate
from targets import Targets, list_names, make_targets

import ledgers
from figures import assert_told
from paydown import audit
from paydown.storage.database import Database
from paydown.storage.opening import open_store
from paydown.telemetry import Metrics

CORPUS = Path(__file__).parent / "corpus"
SEED = int(os.environ.get("PAYDOWN_FUZZ_SEED", "1"))
SECONDS = int(os.environ.get("PAYDOWN_FUZZ_SECONDS", "0"))
INPUTS = 150
"""How many are made for each target where no time is given."""

NAMES = sorted(each.name for each in CORPUS.iterdir() if each.is_dir())


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A ledger that takes what comes."""
    path = tmp_path_factory.mktemp("fuzz") / "ledger.db"
    ledgers.make_ledger(f"sqlite:///{path}", password_hash=doors.PASSWORD_HASH)
    return open_store(f"sqlite:///{path}")


@pytest.fixture(scope="module")
def targets(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Targets]:
    """All targets, on the ledger and on another beside it; the books hold at the end."""
    beside = ledgers.copy_ledger(database.file, tmp_path_factory.mktemp("beside") / "ledger.db")
    door = doors.open_door(database)
    limits = raw_peer.quick(linger_seconds=0.05)
    with raw_peer.serving(limits, app=doors.make_door(beside, Metrics())) as served:
        yield make_targets(database, door, served)
    door.close()
    for each in (database, beside):
        assert [finding for finding in audit.verify(each) if not finding.ok] == []


def read_corpus(name: str) -> dict[str, bytes]:
    """The target's inputs by file."""
    return {file.name: file.read_bytes() for file in sorted((CORPUS / name).iterdir())}


def test_every_target_has_a_corpus(targets: Targets) -> None:
    """And every corpus a target."""
    assert list_names(targets) == NAMES
    assert all(len(read_corpus(name)) >= 3 for name in NAMES)


def test_the_page_on_reliability_counts_the_corpus() -> None:
    """What is found is kept, and told."""
    assert_told(f"{sum(len(read_corpus(name)) for name in NAMES)} inputs in `tests/fuzz/corpus`")


@pytest.mark.parametrize("name", NAMES)
def test_what_was_once_found_stays_mended(targets: Targets, name: str) -> None:
    """The corpus, as it is."""
    for file, data in read_corpus(name).items():
        hit(targets, name, data, said=file)


@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.parametrize("name", NAMES)
def test_no_mutation_of_the_corpus_breaks_a_promise(
    targets: Targets, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As many inputs as there is time for, each from the seed."""
    chance = random.Random(f"{SEED} {name}")
    corpus = list(read_corpus(name).values())
    everything = [data for each in NAMES for data in read_corpus(each).values()]
    began, count = time.monotonic(), 0
    while time.monotonic() - began < SECONDS / len(NAMES) if SECONDS else count < INPUTS:
        others = corpus if chance.random() < 0.8 else everything
        hit(targets, name, mutate(chance, chance.choice(corpus), others), said=f"seed {SEED}")
        count += 1
    if SECONDS:
        with capsys.disabled():
            sys.stdout.write(f"\n{name:>8}: {count:,} inputs, seed {SEED}")


def hit(targets: Targets, name: str, data: bytes, *, said: str) -> None:
    """Give the target the input; keep one that breaks a promise."""
    try:
        targets.hit(name, data)
    except Exception as broken:
        file = CORPUS / name / f"found-{hashlib.sha256(data).hexdigest()[:12]}"
        file.write_bytes(data)
        raise AssertionError(f"{said} breaks a promise of {name}; it is kept as {file}") from broken


NAMED = st.sampled_from(
    [
        *("ContactId", "contactid", "PaymentDate", "WriteDownDate", "TenderTypeId", "Notes"),
        *("BillingPayments", "BillingWriteDowns", "BillingId", "Amount", "GLAccountId", "x"),
        *("ThirdPartyReference", "AuthorizationCode", ""),
        *("PayerId", "BillingTypeId", "TotalAmount", "AgreementId", "EffectiveDate"),
        *("contact_id", "billing_type_id", "total_amount", "description", "name", "items", "lines"),
        *("billing_id", "amount", "value_at", "reason", "active", "tender_type_id", "code"),
    ]
)
LITERALS = st.sampled_from(
    [
        *(f'"{ledgers.ANNA}"', '"2026-02-05"', '"2026-02-30T10:00:00.1234567Z"', "1", "28", "0"),
        *("1e400", "-0.0", "2147483648", '"1"', '"1.5"', "NaN", "null", '"\\ud800"', '"\\u0000"'),
        *("0.01", "00", "1.", "999999999999999999999999999999", "tru", '"é\\n"', ""),
    ]
)
TREES = st.recursive(
    LITERALS | st.text(max_size=20).map(lambda text: f'"{text}"'),
    lambda below: (
        st.lists(below, max_size=4).map(lambda items: f"[{','.join(items)}]")
        | st.lists(st.tuples(NAMED, below), max_size=7).map(
            lambda members: "{" + ",".join(f'"{name}":{value}' for name, value in members) + "}"
        )
    ),
    max_leaves=25,
)


@pytest.mark.parametrize("name", ["json", "form", "call", "order", "billing"])
def test_no_tree_that_hypothesis_builds_breaks_a_promise(targets: Targets, name: str) -> None:
    """Objects of the wire's own names, in every wrong place."""

    @settings(
        max_examples=2_000 if SECONDS else 60,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(TREES)
    def try_one(tree: str) -> None:
        targets.hit(name, tree.encode())

    try_one()
