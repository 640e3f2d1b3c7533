"""The watch over the suite's own output finds what it is there to find."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

import secrets_kept
from paydown import telemetry
from paydown.access import hash_password
from secrets_kept import Watch

SECRET = "tröne & räume 7%"


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        json.dumps(SECRET),
        repr(SECRET.encode()),
        quote(SECRET),
        *(base64.b64encode(f"{'x' * before}{SECRET}!".encode()).decode() for before in range(3)),
        SECRET.encode().hex(),
    ],
)
def test_a_secret_is_found_however_it_is_written(tmp_path: Path, written: str) -> None:
    """In a text or a file, plain or encoded; what is reported does not hold it."""
    file = tmp_path / "log"
    file.write_text(f"so it said {written} and went on")
    watch = Watch()
    watch.note(SECRET)
    watch.look_at_file(file)
    watch.look_at("a test", f"before {written} after")
    watch.look_at("another", "nothing here")

    leaks = list(watch.find_leaks())
    assert {leak.partition(":")[0] for leak in leaks} == {"a test", str(file)}
    assert not any(written in leak for leak in leaks)


def test_what_is_hashed_and_logged_here_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without anybody asking for it."""
    watch = Watch()
    monkeypatch.setattr(secrets_kept, "WATCH", watch)
    made = hash_password(SECRET)
    assert watch.secrets == {SECRET, made}
    assert list(watch.find_leaks()) == []
    telemetry.encode_line({"event": f"somebody logs {made}"})
    assert len(list(watch.find_leaks())) == 1
