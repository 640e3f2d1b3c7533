"""Servers as processes of their own, each on a free port of loopback."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.ledgers import CACHE

ROOT = Path(__file__).parent.parent
PAYDOWN = Path(sys.executable).with_name("paydown")
START_SECONDS = 30
STOP_SECONDS = 60
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class ServerFailed(Exception):
    """A server did not start. ``str()`` says which and why."""


class Server(NamedTuple):
    """A running server, and the database that it writes to, if any."""

    name: str
    base_url: str
    pid: int
    database: str

    def resident_bytes(self) -> int:
        """The memory that the process and its children hold now."""
        return sum(map(_resident_bytes, _family(self.pid)))


@contextmanager
def paydown(database: str, *options: str, name: str = "paydown") -> Iterator[Server]:
    """``paydown serve`` with its defaults, but for the number of connections."""
    command = [str(PAYDOWN), "serve", "--database", database, "--connections-max", "2000"]
    with running(name, [*command, *options, "--port", "0"], database) as server:
        yield server


@contextmanager
def peer(module: str, database: str, *, name: str) -> Iterator[Server]:
    """A server of ``bench/peers``."""
    command = [sys.executable, "-m", f"bench.peers.{module}", database]
    with running(name, command, database) as server:
        yield server


@contextmanager
def running(name: str, command: Sequence[str], database: str) -> Iterator[Server]:
    """The server that the command starts, told by the address that it prints."""
    log = CACHE / f"{name}-{os.getpid()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    try:
        yield Server(name, _wait_for_address(process, log), process.pid, database)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        finally:
            process.kill()
        log.unlink()


def _wait_for_address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"listens on (http://[\w.:]+)", log.read_text()):
            return found[1]
        time.sleep(0.02)
    raise ServerFailed(f"The server {log.stem} did not start: {log.read_text()}")


def thread_seconds(pid: int) -> dict[str, float]:
    """The CPU time until now of a process and its children, by name of the thread, added up."""
    spent: dict[str, float] = {}
    for member in _family(pid):
        for task in Path(f"/proc/{member}/task").iterdir():
            name, seconds = _thread_time(task)
            spent[name] = spent.get(name, 0.0) + seconds
    return spent


def _family(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _family(int(child))


def _resident_bytes(pid: int) -> int:
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _thread_time(task: Path) -> tuple[str, float]:
    """The name stands in brackets and may hold any character: the numbers follow the last one."""
    head, _, numbers = (task / "stat").read_text().rpartition(")")
    fields = numbers.split()
    return head.partition("(")[2], (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND
