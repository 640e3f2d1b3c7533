"""What the cluster is made of, and where this machine has it."""

import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

INSTALL = "apt-get install postgresql etcd-server python3"
SYSTEM_PYTHON = Path("/usr/bin/python3")
ACCOUNT = "postgres"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")


class TrialFailed(Exception):
    """The trial cannot begin or go on, or showed what must not be. The message says what."""


class Parts(NamedTuple):
    """Programs that are there."""

    postgresql: Path
    """The folder of PostgreSQL's programs."""
    etcd: Path
    setpriv: Path
    account: str
    """Whose the nodes' processes are: ours, or another where we are root, as which PostgreSQL
    refuses to run."""


def find_parts() -> Parts:
    """Every program that is needed. Raises ``TrialFailed`` where one is missing."""
    postgresql = _newest_postgresql()
    etcd, setpriv = shutil.which("etcd"), shutil.which("setpriv")
    found = {"PostgreSQL": postgresql, "etcd": etcd, "setpriv": setpriv}
    if not SYSTEM_PYTHON.exists():
        found[str(SYSTEM_PYTHON)] = None
    account = pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() else ACCOUNT
    if account not in {known.pw_name for known in pwd.getpwall()}:
        found[f"the user {account}"] = None
    missing = [name for name, place in found.items() if place is None]
    if postgresql is None or etcd is None or setpriv is None or missing:
        raise TrialFailed(f"Missing: {', '.join(missing)}. On Debian: {INSTALL}")
    return Parts(postgresql, Path(etcd), Path(setpriv), account)


def _newest_postgresql() -> Path | None:
    """Debian keeps the programs of each version in a folder of its own, off the PATH."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    return max(folders, key=lambda folder: int(folder.parent.name), default=None)


def own_folder() -> Path:
    """Where runs and Patroni are kept: the nodes' account must be able to read there.

    A folder under root's home would not do, nor a checkout there.
    """
    folder = Path(tempfile.gettempdir()) / f"paydown-cluster-{os.geteuid()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise TrialFailed(f"{folder} is somebody else's. Remove it, or set TMPDIR.")
    return folder


def install_patroni(parent: Path) -> Path:
    """The folder with Patroni, for the system's Python: installed once for each set of pins."""
    pins = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    site = parent / f"patroni-{pins}-{SYSTEM_PYTHON.resolve().name}"
    if not site.exists():
        with tempfile.TemporaryDirectory(dir=parent) as unfinished:
            target = Path(unfinished) / "site"
            pip = [sys.executable, "-m", "pip", "--python", str(SYSTEM_PYTHON), "install"]
            quiet = ["-qq", "--disable-pip-version-check", "--root-user-action", "ignore"]
            which = ["--no-deps", "--requirement", str(REQUIREMENTS), "--target", str(target)]
            installed = subprocess.run([*pip, *quiet, *which], check=False, timeout=300)
            if installed.returncode != 0:
                raise TrialFailed("Patroni could not be installed.")
            target.rename(site)
    return site
