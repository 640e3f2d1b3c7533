"""Servers as operators run them: a process, a port of its own, signals."""

import json
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from secrets_kept import WATCH

PAYDOWN = Path(sys.executable).with_name("paydown")


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: Any
    headers: Mapping[str, str]


class Server:
    """A ``paydown serve`` or ``paydown demo`` of the test's own, on a free port of loopback.

    What it prints goes to ``log``.
    """

    def __init__(self, *arguments: str, log: Path) -> None:
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [PAYDOWN, *arguments, "--port", "0"], stdout=output, stderr=output
            )
        self.log = log
        if arguments[0] != "demo":  # which shows its password on purpose
            WATCH.look_at_file(log)
        self.base_url = self._wait_for_address()

    def _wait_for_address(self) -> str:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(r"listens on (https?://[\w.:]+)", self.log.read_text())
            if found:
                return found[1]
            time.sleep(0.02)
        raise AssertionError(self.log.read_text())

    def kill(self) -> None:
        """End it without warning, as far as a process can be."""
        self.process.kill()
        self.process.wait(timeout=30)

    def stop(self) -> int:
        """Ask it to end; the status it ends with."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def post(
    url: str, body: Any, headers: Mapping[str, str], *, trusting: ssl.SSLContext | None = None
) -> Answer:
    """POST the body as JSON. Raises OSError where no whole answer comes."""
    request = urllib.request.Request(
        url,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **headers},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=20, context=trusting) as answer:
            return Answer(answer.status, json.load(answer), answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, json.load(error), error.headers)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the cli to its end."""
    ended = subprocess.run(
        [PAYDOWN, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    WATCH.look_at(f"paydown {arguments[0]}", ended.stdout + ended.stderr)
    return ended
