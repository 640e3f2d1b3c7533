"""Two ledgers side by side, the pins of time and chance, and a quiet log."""

import io
import os
import sys
from collections.abc import Iterator

import pytest
from api_log import logging_to
from tenant_books import Pins, Say, Tenants

from makers import Maker
from paydown.storage import engine


@pytest.fixture(autouse=True)
def log() -> Iterator[io.BytesIO]:
    """All that is logged is kept to itself."""
    with logging_to(io.BytesIO()) as written:
        yield written


@pytest.fixture
def pins(monkeypatch: pytest.MonkeyPatch) -> Pins:
    """The pins, which every entry's id is made by from now on."""
    made = Pins()
    monkeypatch.setattr(engine, "_random_bits", made.bits)
    return made


@pytest.fixture
def tenants(maker: Maker, pins: Pins, their_item_count: int) -> Iterator[Tenants]:
    """The two ledgers, and a server on each."""
    made = Tenants(maker, pins, item_count=their_item_count)
    yield made
    made.close()


@pytest.fixture
def their_item_count(request: pytest.FixtureRequest) -> int:
    """How many items the other customer has of one contact."""
    return int(getattr(request, "param", 40))


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Says it where PAYDOWN_TENANT_ROUNDS is set."""

    def tell(words: str) -> None:
        if "PAYDOWN_TENANT_ROUNDS" in os.environ:
            with capsys.disabled():
                sys.stdout.write(f"\n{words}\n")

    return tell
