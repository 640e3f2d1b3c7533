"""No secret of the suite's leaves it: every password made is looked for in all that was put out.

Law of this file: nothing has to be asked for. Whatever is hashed in this process is a secret;
whatever is logged, captured, printed by a command or written by a server of the suite is output.
The session fails where one is found in the other, and where nothing was looked at.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

import argon2

from paydown import telemetry

LENGTH_MIN = 8
"""A shorter password, such as ``x``, is found in everything."""

SHOWN_AROUND = 60


class Findings(NamedTuple):
    """Of how many tests, how much was looked for and where, and each leak that was found."""

    test_count: int
    secret_count: int
    output_count: int
    length: int
    log_count: int
    leaks: list[str]


def add_up(parts: Iterable[Findings]) -> Findings:
    """What the processes found that ran the suite together. Each of them collects all tests."""
    tests, *counts, leaks = zip(*parts, strict=True)
    return Findings(max(tests), *map(sum, counts), leaks=[*chain(*leaks)])


class Watch:
    """The secrets and the output of one process."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self.files: list[Path] = []
        self._texts: list[tuple[str, str]] = []

    def note(self, secret: str | bytes) -> None:
        """Something that nobody may read. A hash is one too."""
        text = secret.decode("utf-8", "replace") if isinstance(secret, bytes) else secret
        if len(text) >= LENGTH_MIN:
            self.secrets.add(text)

    def look_at(self, origin: str, text: str) -> None:
        """A text that was put out."""
        if text:
            self._texts.append((origin, text))

    def look_at_file(self, path: Path) -> None:
        """A file that a server writes: it is read at the end, if it is still there."""
        self.files.append(path)

    def find_leaks(self) -> Iterator[str]:
        """Where a secret was put out, without saying it again."""
        forms = {form: secret for secret in self.secrets for form in _forms(secret)}
        for origin, text in self._outputs():
            for form in forms:
                if form in text:
                    yield f"{origin}: {_show(text, form)}"

    def look(self, test_count: int) -> Findings:
        """What there is to say at the end of so many tests."""
        outputs, length = self.count_outputs()
        leaks = list(self.find_leaks())
        return Findings(test_count, len(self.secrets), outputs, length, len(self.files), leaks)

    def count_outputs(self) -> tuple[int, int]:
        """How many texts, and how many characters in all."""
        lengths = [len(text) for _, text in self._outputs()]
        return len(lengths), sum(lengths)

    def _outputs(self) -> Iterator[tuple[str, str]]:
        lines: dict[str, list[str]] = {}
        for origin, text in self._texts:
            lines.setdefault(origin, []).append(text)
        yield from ((origin, "\n".join(texts)) for origin, texts in lines.items())
        for path in self.files:
            if path.exists():
                yield str(path), path.read_text(errors="replace")


def _forms(secret: str) -> set[str]:
    """How it could be written."""
    raw = secret.encode()
    forms = {
        *(secret, repr(secret)[1:-1], repr(raw)[2:-1], json.dumps(secret)[1:-1]),
        *(quote(secret), quote(secret, safe=""), quote_plus(secret), raw.hex()),
        *(_encode_inside(raw, before) for before in range(3)),
    }
    return {form for form in forms if len(form) >= LENGTH_MIN}


def _encode_inside(raw: bytes, before: int) -> str:
    """What of Base64 is the secret's alone, where so many bytes stand before it, as in a login."""
    encoded = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
    return encoded[(before * 8 + 5) // 6 : -1]


def _show(text: str, form: str) -> str:
    place = text.index(form)
    before = text[max(0, place - SHOWN_AROUND) : place]
    after = text[place + len(form) : place + len(form) + SHOWN_AROUND]
    return repr(f"{before}<a secret>{after}")


WATCH = Watch()


def begin() -> None:
    """From now on whatever is hashed is a secret, and whatever is logged is output."""
    argon2.PasswordHasher.hash = _noting(argon2.PasswordHasher.hash)  # type: ignore[method-assign]
    encode_line = telemetry.encode_line

    def encode_and_look(event: object) -> bytes:
        line = encode_line(event)
        WATCH.look_at("a log", line.decode())
        return line

    telemetry.encode_line = encode_and_look


def _noting(hash_password: Callable[..., str]) -> Callable[..., str]:
    def hash_and_note(hasher: Any, password: str | bytes, **more: Any) -> str:
        made = hash_password(hasher, password, **more)
        WATCH.note(password)
        WATCH.note(made)
        return made

    return hash_and_note
