"""Where and with what a run was made."""

import platform
import re
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from os import cpu_count
from pathlib import Path
from typing import Any

from bench import postgres

ROOT = Path(__file__).parent.parent
PACKAGES = ("paydown", "uvicorn", "uvloop", "httptools", "msgspec", "sqlalchemy", "psycopg")
PEERS = ("fastapi", "pydantic")


def describe() -> dict[str, Any]:
    """The moment, the commit, the machine and the versions."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _say("git", "rev-parse", "HEAD") or "unknown",
        "changed_since": bool(_say("git", "status", "--porcelain", "--", "src", "bench")),
        "machine": {
            "cores": cpu_count(),
            "processor": _find(Path("/proc/cpuinfo"), r"model name\s*: (.+)"),
            "memory_gb": round(int(_find(Path("/proc/meminfo"), r"MemTotal:\s+(\d+)")) / 1e6),
            "system": f"{platform.system()} {platform.release()}",
        },
        "versions": {
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "postgresql": _version(str(postgres.find_program("postgres")), "--version"),
            "wrk": _version("wrk", "--version"),
            **{name: version(name) for name in (*PACKAGES, *PEERS)},
        },
    }


def _find(path: Path, pattern: str) -> str:
    found = re.search(pattern, path.read_text()) if path.exists() else None
    return found[1] if found else "0"


def _version(*command: str) -> str:
    """The first number with a dot in what the program says of itself."""
    found = re.search(r"\d+(\.\d+)+", _say(*command))
    return found[0] if found else "absent"


def _say(*command: str) -> str:
    """The first line that the command prints; nothing where it cannot be run."""
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).partition("\n")[0].strip()
