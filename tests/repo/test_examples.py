"""The bodies in the documents, sent to a demo as they stand: they do what the page says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from paydown import demo
from paydown.bootstrap import recording
from paydown.domain.model import Caller, Command
from paydown.domain.outcomes import Outcome
from paydown.storage import logins
from paydown.storage.opening import open_store
from paydown.wire import messages
from paydown.wire.faults import Faults
from paydown.wire.headers import Media
from paydown.wire.requests import CALLS

ROOT = Path(__file__).parents[2]
NOW = "2026-11-22T20:03:25Z"
BODY = re.compile(r" -d '(\{.*?\n *\})'|```json\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> demo.Demo:
    """A demo as ``make demo`` makes it."""
    prepared = demo.prepare(tmp_path_factory.mktemp("demo"))
    assert isinstance(prepared, demo.Demo)
    return prepared


@pytest.fixture(scope="module")
def caller(made: demo.Demo) -> Caller:
    """The demo's login."""
    with open_store(made.database).read() as connection:
        login = logins.find_login(
            connection, user_name="demo", customer_guid=made.document["customer_guid"]
        )
    assert login
    assert login.caller
    return login.caller


def exchanges(name: str) -> Iterator[tuple[str, str | None]]:
    """Each body of a request on the page, and the answer that the page shows for it, if any."""
    bodies = [
        (match[1] or match[2]).replace("'$n'", "1").replace("'$now'", NOW)
        for match in BODY.finditer((ROOT / name).read_text())
    ]
    for body, following in zip(bodies, [*bodies[1:], ""], strict=True):
        if "TenderTypeId" in body:
            yield body, None if "TenderTypeId" in following else following.strip() or None


@pytest.mark.parametrize("name", ["README.md", "docs/reference/wire.md"])
def test_the_examples_do_what_the_page_says(name: str, made: demo.Demo, caller: Caller) -> None:
    """Each is answered as shown but for its ProcessDate, and sent again records nothing."""
    sent = list(exchanges(name))
    assert len(sent) >= 3

    with recording(made.database) as record:
        for body, shown in sent:
            kind = next(kind for kind in CALLS if f'"{CALLS[kind].list_name}"' in body)
            request = messages.decode(kind, body.encode(), Media.JSON, caller.time_zone)
            if isinstance(request, Faults):
                assert shown == messages.invalid(request).decode()
                continue
            first, again = (record(Command(request, caller)) for _ in range(2))
            assert isinstance(first, Outcome)
            assert isinstance(again, Outcome)
            assert first.success
            assert again.entry is None
            assert len(again.replays) == len(request.lines)
            answer = messages.encode(request, first, caller.minor_digits)
            assert messages.encode(request, again, caller.minor_digits) == answer
            if shown is not None:
                assert undated(shown) == undated(answer.decode())


def undated(answer: str) -> str:
    """The answer without the moment of recording."""
    return re.sub(r'"ProcessDate":"[^"]+"', '"ProcessDate":"…"', answer)


def test_the_readme_shows_both_calls() -> None:
    """A stranger records a payment and a write-down."""
    bodies = "".join(body for body, _ in exchanges("README.md"))

    assert [call.list_name for call in CALLS.values() if call.list_name not in bodies] == []
