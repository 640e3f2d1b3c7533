"""Three PostgreSQL nodes, Patroni beside each, and the etcd in which Patroni agrees on a leader."""

import http.client
import json
import os
import secrets
import shutil
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from cluster.parts import SYSTEM_PYTHON, Parts
from cluster.processes import Process, free_ports, tell, wait_for

HOST = "127.0.0.1"
NODE_COUNT = 3
REPLICATION = "replication"

RULES = {
    # The whole leader lost: another leads when its key has expired. Patroni takes no less than 20.
    "ttl": 20,
    "loop_wait": 2,
    "retry_timeout": 5,
    # PostgreSQL alone lost: another leads at once, instead of waiting for it to recover.
    "primary_start_timeout": 0,
    # No commit returns before a second node has it, also where no second node is there.
    "synchronous_mode": True,
    "synchronous_mode_strict": True,
    "postgresql": {"use_pg_rewind": True},
}


class Member(NamedTuple):
    """A node as Patroni tells of it."""

    name: str
    role: str
    state: str
    timeline: int | None


class Node:
    """One PostgreSQL and its Patroni."""

    def __init__(self, name: str, folder: Path, *, parts: Parts, site: Path) -> None:
        self.name = name
        self.folder = folder / name
        self.port, self.patroni_port = free_ports(2)
        self._parts = parts
        self._site = site
        self._process: Process | None = None

    @property
    def data(self) -> Path:
        """PostgreSQL's files."""
        return self.folder / "data"

    def configure(self, etcd_port: int, passwords: dict[str, str]) -> None:
        """Write what Patroni reads at the start."""
        users = {"superuser": "postgres", "replication": REPLICATION}
        config = {
            "scope": "paydown",
            "name": self.name,
            "etcd3": {"host": f"{HOST}:{etcd_port}"},
            "restapi": {
                "listen": f"{HOST}:{self.patroni_port}",
                "connect_address": f"{HOST}:{self.patroni_port}",
            },
            "bootstrap": {
                "dcs": RULES,
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"],
            },
            "postgresql": {
                "listen": f"{HOST}:{self.port}",
                "connect_address": f"{HOST}:{self.port}",
                "data_dir": str(self.data),
                "bin_dir": str(self._parts.postgresql),
                "pgpass": str(self.folder / "pgpass"),
                "authentication": {
                    kind: {"username": user, "password": passwords[user]}
                    for kind, user in users.items()
                },
                "parameters": {"unix_socket_directories": ""},
                "pg_hba": [
                    f"host replication {REPLICATION} {HOST}/32 scram-sha-256",
                    f"host all all {HOST}/32 scram-sha-256",
                ],
            },
        }
        self.folder.mkdir(mode=0o700)
        # JSON is YAML, which Patroni reads.
        self._config.write_text(json.dumps(config, indent=2))
        self._config.chmod(0o600)
        for path in (self.folder, self._config):
            shutil.chown(path, self._parts.account)

    @property
    def _config(self) -> Path:
        return self.folder / "patroni.yml"

    def start(self) -> None:
        """Start Patroni, which starts PostgreSQL, and first mends it where it must."""
        self._process = Process(
            [SYSTEM_PYTHON, "-m", "patroni", self._config],
            parts=self._parts,
            log=self.folder / "log",
            environment={"PYTHONPATH": str(self._site)},
            as_account=True,
        )

    @property
    def patroni_pid(self) -> int | None:
        """The id of its Patroni, where it runs."""
        return self._process.pid if self._process and self._process.running else None

    @property
    def postgresql_pid(self) -> int | None:
        """The id of its PostgreSQL's first process, where it runs."""
        with suppress(OSError, ValueError, IndexError):
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            return pid if pid in self._postgresql_pids() else None
        return None

    def kill_postgresql(self) -> None:
        """kill -9 all of PostgreSQL. Patroni sees it and acts."""
        for pid in self._postgresql_pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill(self) -> None:
        """kill -9 Patroni and PostgreSQL, as when the machine is lost."""
        if self._process:
            self._process.kill()
        self.kill_postgresql()

    def stop(self) -> None:
        """End both, Patroni first, which stops PostgreSQL in order."""
        if self._process:
            self._process.stop(seconds=15)
        self.kill_postgresql()

    def _postgresql_pids(self) -> Iterator[int]:
        """All processes of this node's PostgreSQL: its program, at work in this node's folder."""
        program = str(self._parts.postgresql / "postgres")
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                at_work_in = (process / "cwd").readlink()
                if at_work_in == self.data and str((process / "exe").readlink()) == program:
                    yield int(process.name)


class Cluster:
    """The nodes and their etcd, in a folder of this run's own. ``stop`` it in any case."""

    def __init__(self, folder: Path, *, parts: Parts, site: Path) -> None:
        self.folder = folder
        self.parts = parts
        self.passwords = {
            user: secrets.token_urlsafe(24) for user in ("postgres", REPLICATION, "paydown")
        }
        self.nodes = [
            Node(f"node-{number}", folder, parts=parts, site=site)
            for number in range(1, NODE_COUNT + 1)
        ]
        self._etcd: Process | None = None

    @property
    def url(self) -> str:
        """Names all nodes: libpq takes the one that can be written."""
        hosts = ",".join(f"{HOST}:{node.port}" for node in self.nodes)
        return f"postgresql://paydown@{hosts}/paydown?target_session_attrs=read-write"

    def start(self) -> None:
        """Return when one node leads and the others follow it."""
        etcd_port = self._start_etcd()
        for node in self.nodes:
            node.configure(etcd_port, self.passwords)
            node.start()
        self.wait_until_whole()

    def _start_etcd(self) -> int:
        client_port, peer_port = free_ports(2)
        client, peer = f"http://{HOST}:{client_port}", f"http://{HOST}:{peer_port}"
        folder = self.folder / "etcd"
        folder.mkdir(mode=0o700)
        shutil.chown(folder, self.parts.account)
        options = {
            "name": "etcd",
            "data-dir": str(folder / "data"),
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"etcd={peer}",
        }
        self._etcd = Process(
            [self.parts.etcd, *(f"--{name}={value}" for name, value in options.items())],
            parts=self.parts,
            log=folder / "log",
            environment={},
            as_account=True,
        )
        wait_for("etcd answers", lambda: fetch(f"{client}/health") is not None, seconds=30)
        tell(f"etcd answers on port {client_port}")
        return client_port

    def members(self) -> list[Member]:
        """The nodes as the first Patroni that answers tells of them."""
        for node in self.nodes:
            told = fetch(f"http://{HOST}:{node.patroni_port}/cluster") if node.patroni_pid else None
            if told is not None:
                return [
                    Member(each["name"], each["role"], each["state"], each.get("timeline"))
                    for each in told["members"]
                ]
        return []

    def leader(self) -> Node | None:
        """The node that leads, where one does."""
        leading = {each.name for each in self.members() if each.role == "leader"}
        return next((node for node in self.nodes if node.name in leading), None)

    def wait_for_leader(self, *, other_than: Node) -> Node:
        """Return the next leader."""
        wait_for(
            f"another node than {other_than.name} leads",
            lambda: self.leader() not in (None, other_than),
            seconds=60,
        )
        leader = self.leader()
        assert leader is not None
        return leader

    def wait_until_whole(self) -> None:
        """Return when one node leads and all others follow it, one of them in step."""
        wait_for("all nodes take part", self.is_whole, seconds=120)

    def is_whole(self) -> bool:
        """Whether one node leads and all others follow it, one of them in step."""
        members = self.members()
        states = sorted((each.role, each.state) for each in members)
        return len({each.timeline for each in members}) == 1 and states == [
            ("leader", "running"),
            ("replica", "streaming"),
            ("sync_standby", "streaming"),
        ]

    def stop(self) -> None:
        """End everything: the followers, the leader, then etcd, which they need to say goodbye."""
        leader = self.leader()
        for node in sorted(self.nodes, key=lambda node: node is leader):
            node.stop()
        if self._etcd:
            self._etcd.stop(seconds=10)


def fetch(url: str) -> Any:
    """The JSON that is answered within two seconds; None where none is."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return json.load(answer)
    except (OSError, http.client.HTTPException, ValueError):
        return None
