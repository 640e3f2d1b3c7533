"""Load by wrk: 64 keep-alive connections that ask as fast as they are answered."""

import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from bench.ledgers import PASSWORD, USER_NAME, Shape

SCRIPT = Path(__file__).with_name("load.lua")
ABSENT = "wrk is not installed, and the bench needs it. On Debian: apt-get install wrk"

_numbers = itertools.count(1)


class LoadFailed(Exception):
    """wrk did not do its work. ``str()`` says why."""


class Load(NamedTuple):
    """What is sent, and for how long."""

    shape: Shape
    seconds: float
    lines: int = 3
    clients: int = 64
    hot: bool = False


class Thread(NamedTuple):
    """What one thread of wrk saw: how many requests it made, and which got no answer."""

    issued: int
    answered: int
    refused: int
    refusal: str
    outstanding: list[int]


class Burst(NamedTuple):
    """What came of a load. ``tag`` begins every reference that was sent."""

    tag: str
    seconds: float
    p50_ms: float
    p99_ms: float
    errors: int
    threads: list[Thread]

    @property
    def answered(self) -> int:
        """How many requests were answered 200 with success."""
        return sum(thread.answered for thread in self.threads)

    @property
    def rate(self) -> float:
        """Those a second."""
        return self.answered / self.seconds

    @property
    def complaint(self) -> str | None:
        """What went wrong, if anything did: a bench is of requests that succeed."""
        for thread in self.threads:
            if thread.refused:
                return f"{thread.refused} requests were not accepted: {thread.refusal}"
        return f"{self.errors} connections failed" if self.errors else None


def reference(tag: str, thread_number: int, number: int) -> str:
    """The reference of a request, as ``load.lua`` makes it."""
    return f"{tag}-{thread_number}-{number}"


def amount(number: int, line_no: int) -> int:
    """The minor units that a line pays, as ``load.lua`` has it."""
    return 1 + (number * 7 + line_no) % 97


def has_wrk() -> bool:
    """Whether there is a wrk to run."""
    return shutil.which("wrk") is not None


def run(base_url: str, load: Load) -> Burst:
    """Send the load, and tell what came of it."""
    number = next(_numbers)
    tag = f"b{os.getpid()}.{number}"
    told = {
        "tag": tag,
        "seed": number,
        "contacts": load.shape.contact_count,
        "per_contact": load.shape.per_contact,
        "customers": load.shape.customer_count,
        "lines": load.lines,
        "hot": "yes" if load.hot else "no",
        "user_name": USER_NAME,
        "password": PASSWORD,
    }
    command = [
        *("wrk", "--threads", "1", "--connections", str(load.clients)),
        *("--duration", f"{max(1, round(load.seconds))}s", "--timeout", "30s"),
        *("--script", str(SCRIPT), base_url, "--"),
        *(f"{name}={value}" for name, value in told.items()),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=load.seconds + 60, check=False
    )
    _, found, last = done.stdout.partition("\nBENCH ")
    if done.returncode or not found:
        raise LoadFailed(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    return read_burst(tag, last)


def read_burst(tag: str, text: str) -> Burst:
    """What ``load.lua`` printed."""
    said = json.loads(text)
    threads = [Thread(**thread) for thread in said.pop("threads")]
    return Burst(tag=tag, threads=threads, **said)
