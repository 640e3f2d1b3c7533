"""Threads for what blocks: who waits too long for one is told so, and nothing is done for him."""

import asyncio
import threading
import time

import pytest

from paydown.api.crews import FULL, Crew


def test_who_waited_too_long_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """All who wait behind slow work are answered soon after the bound, whoever came first."""
    monkeypatch.setattr("paydown.api.crews.WAITING_SECONDS", 0.5)
    crew = Crew("test", threads_count=1, waiting_max=20)
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        time.sleep(0.4)
        return number

    async def ask() -> list[object]:
        return list(await asyncio.gather(*(crew.do(lambda n=n: work(n)) for n in range(20))))

    told = asyncio.run(ask())
    crew.close()

    assert told[0] == 0
    assert told.count(FULL) >= 10
    assert [each for each in told if each is not FULL] == begun
    assert told[-1] is FULL


def test_there_is_room_again_after_who_waited_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal holds no place."""
    monkeypatch.setattr("paydown.api.crews.WAITING_SECONDS", 0.05)
    crew = Crew("test", threads_count=1, waiting_max=1)
    going_on = threading.Event()

    async def ask() -> tuple[object, object]:
        first = asyncio.ensure_future(crew.do(lambda: going_on.wait(30)))
        second = asyncio.ensure_future(crew.do(lambda: "late"))
        await asyncio.sleep(0.2)
        refused = await crew.do(lambda: "no room")
        going_on.set()
        await asyncio.gather(first, second)
        return refused, await crew.do(lambda: "served")

    assert asyncio.run(ask()) == (FULL, "served")
    crew.close()
