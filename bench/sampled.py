"""``paydown`` with a sampler inside: what each thread is at, and the processor time it has used.

    python -m bench.sampled FILE serve --database …

Law of this file: it changes nothing of the server. A thread of its own looks at the others' stacks;
a short switch interval lets it do so where it must wait for the interpreter, at a cost of a few per
cent. The file is renewed as a whole while the server runs.
"""

import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

from paydown.cli import main as run_paydown

SAMPLE_SECONDS = 0.002
SWITCH_SECONDS = 0.0002
WRITE_SECONDS = 0.2
_OURS = "paydown."


class Sampler:
    """Counts, by thread, in which of our functions it is found."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[str, Counter[str]] = {}

    def run(self) -> None:
        """Look and count until the process ends."""
        own, written = threading.get_ident(), 0.0
        while True:
            time.sleep(SAMPLE_SECONDS)
            names = {thread.ident: thread.name for thread in threading.enumerate()}
            for ident, frame in sys._current_frames().items():
                if ident != own and ident in names:
                    found = self._found.setdefault(names[ident], Counter())
                    found[find_place(frame)] += 1
            if time.monotonic() - written > WRITE_SECONDS:
                written = time.monotonic()
                self._write(names)

    def _write(self, names: dict[int | None, str]) -> None:
        seconds = {name: _seconds(ident) for ident, name in names.items() if ident}
        said = {"at": time.monotonic(), "seconds": seconds, "found": self._found}
        being_written = self._path.with_suffix(".new")
        being_written.write_text(json.dumps(said))
        being_written.replace(self._path)


def find_place(frame: FrameType | None) -> str:
    """The innermost function of ours on the stack; whatever it has called counts as its own."""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_OURS):
            return f"{module.removeprefix(_OURS)}.{frame.f_code.co_qualname}"
        frame = frame.f_back
    return "elsewhere"


def _seconds(ident: int) -> float:
    """The processor time of the thread; none where it has ended."""
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(ident))
    except OSError:
        return 0.0


def main() -> None:
    """Run ``paydown`` with the rest of the arguments."""
    sampler = Sampler(Path(sys.argv[1]))
    sys.setswitchinterval(SWITCH_SECONDS)
    threading.Thread(target=sampler.run, name="sampler", daemon=True).start()
    sys.argv = ["paydown", *sys.argv[2:]]
    run_paydown()


if __name__ == "__main__":
    main()
