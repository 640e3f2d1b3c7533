"""Programs started for the trial, which end with it."""

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from cluster.parts import Parts, TrialFailed

STARTED_AT = time.monotonic()


def tell(words: str) -> None:
    """A line of progress, with the seconds since the beginning."""
    sys.stdout.write(f"{time.monotonic() - STARTED_AT:6.1f} s  {words}\n")
    sys.stdout.flush()


def wait_for(what: str, condition: Callable[[], bool], *, seconds: float) -> None:
    """Return when the condition holds. Raises ``TrialFailed`` where it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TrialFailed(f"Waited {seconds:.0f} s in vain for this: {what}.")
        time.sleep(0.1)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on.

    They lie below those that the kernel gives to outgoing connections: one of these could take the
    port of a node that is down for a while.
    """
    ports: list[int] = []
    for port in random.sample(range(20_000, 30_000), 1_000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise TrialFailed("There are not enough free ports.")


class Process:
    """A running program. What it prints goes to ``log``.

    It has a session of its own, so that Ctrl-C reaches the trial alone, which then ends everything
    in order. Should the trial itself be killed, the kernel sends it SIGTERM.
    """

    def __init__(
        self,
        command: list[str | Path],
        *,
        parts: Parts,
        log: Path,
        environment: Mapping[str, str],
        as_account: bool = False,
    ) -> None:
        account = parts.account
        switch = [f"--reuid={account}", f"--regid={account}", "--init-groups"]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    parts.setpriv,
                    *(switch if as_account and os.geteuid() == 0 else []),
                    *("--pdeathsig", "TERM", "--"),
                    *command,
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=log.parent,
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **environment},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def stop(self, *, seconds: float) -> None:
        """Ask it to end; kill it where it does not in time."""
        if self.running:
            self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it without warning."""
        self._process.kill()
        self._process.wait()
