"""The cluster's trial can fail, and its page says how it is made."""

import re
from pathlib import Path

import pytest

from cluster.callers import Acknowledged, Payment
from cluster.nodes import RULES
from cluster.parts import INSTALL, REQUIREMENTS
from cluster.servers import TOTAL
from cluster.trial import differences

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "failover.md"
TOLD = [
    Acknowledged(Payment("a-1", {1: 3, 2: 5}), server=0, at=0.0, sent_count=1, replayed=False),
    Acknowledged(Payment("a-2", {1: 4}), server=1, at=1.0, sent_count=2, replayed=True),
]
BOOKS = [("a-1", 1, 3), ("a-1", 2, 5), ("a-2", 1, 4)]
OWED = {1: TOTAL - 7, 2: TOTAL - 5, 3: TOTAL}


def test_books_that_say_what_the_callers_were_told_pass() -> None:
    """Each line once, and each balance less by just what was paid."""
    assert differences(TOLD, BOOKS, OWED) == []


@pytest.mark.parametrize(
    ("books", "owed", "found"),
    [
        (BOOKS[1:], OWED, "lost: ('a-1', 1, 3)"),
        ([*BOOKS, BOOKS[0]], OWED, "too many: ('a-1', 1, 3)"),
        ([*BOOKS, ("b-9", 3, 1)], OWED, "too many: ('b-9', 3, 1)"),
        (BOOKS, {**OWED, 3: TOTAL - 1}, f"item 3 owes {TOTAL - 1}"),
    ],
    ids=["lost", "twice", "never told", "balance"],
)
def test_each_way_to_go_wrong_is_found(
    books: list[tuple[str, int, int]], owed: dict[int, int], found: str
) -> None:
    """A line that is lost, doubled or unheard of, or a penny too little, fails the trial."""
    assert differences(TOLD, books, owed) == [found]


def test_the_page_names_the_packages_and_every_rule() -> None:
    """The one command that installs what is needed, and each setting with its value."""
    page = PAGE.read_text()

    assert f"\n{INSTALL}\n" in page
    assert "synchronous_mode_strict" in RULES
    for name in [*RULES, "use_pg_rewind"]:
        if name != "postgresql":
            assert f"`{name}`" in page, name


def test_patroni_is_pinned_with_all_that_it_needs() -> None:
    """A trial is the same tomorrow."""
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]

    assert len(lines) > 10
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
