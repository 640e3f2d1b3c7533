"""``python -m cluster``: bring the cluster up, try it, or say what is missing."""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from cluster.nodes import Cluster
from cluster.parts import TrialFailed, find_parts, install_patroni, own_folder
from cluster.processes import tell
from cluster.servers import BY_REFERENCE, CONTACT, CUSTOMER, Servers
from cluster.trial import try_losses

RESTART_SECONDS = 30
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """The status to end with."""
    reader = argparse.ArgumentParser(prog="python -m cluster", description=__doc__)
    commands = reader.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="bring it up, and keep it up until Ctrl-C")
    test = commands.add_parser("test", help="lose the leader under load, and count every penny")
    test.add_argument("--losses", type=int, default=3)
    commands.add_parser("parts", help="end with status 1 where a package is missing, and name it")
    chosen = reader.parse_args()
    for ending in ENDINGS:
        signal.signal(ending, signal.default_int_handler)
    try:
        if chosen.command == "parts":
            find_parts()
        else:
            run(losses=chosen.losses if chosen.command == "test" else None)
    except TrialFailed as failure:
        tell(str(failure))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def run(*, losses: int | None) -> None:
    """Bring all up, try so many losses or keep it up, and end all. Failed, the logs are kept."""
    parts, parent = find_parts(), own_folder()
    site = install_patroni(parent)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    folder.chmod(0o711)
    tell(f"Logs and data are in {folder}")
    try:
        with_cluster(Cluster(folder, parts=parts, site=site), losses)
    except TrialFailed:
        tell(f"Logs and data are kept in {folder}")
        raise
    except KeyboardInterrupt:
        shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def with_cluster(cluster: Cluster, losses: int | None) -> None:
    """Whatever happens, everything that was started is ended."""
    servers = Servers(cluster)
    try:
        cluster.start()
        tell("One node leads and two follow, one of them in step with every commit")
        servers.start()
        if losses is None:
            keep_up(cluster, servers)
        else:
            try_losses(cluster, servers, count=losses)
    except TrialFailed as failure:
        tell(str(failure))
        raise
    finally:
        for ending in ENDINGS:
            signal.signal(ending, signal.SIG_IGN)
        tell("Ending the servers, the nodes and etcd")
        servers.stop()
        cluster.stop()
        tell("Everything has ended")


def keep_up(cluster: Cluster, servers: Servers) -> None:
    """Tell what there is, then each change, until interrupted. A lost node is started again."""
    sys.stdout.write(
        f"\ndatabase   {servers.url}\n"
        f"           with PGPASSFILE={servers.passfile}\n"
        f"login      userName: {BY_REFERENCE}, password: {servers.password}\n"
        f"customer   {CUSTOMER}, contact {CONTACT}, items 1 to 100\n\n"
        "Ctrl-C ends everything. To lose a node, kill -9 both its processes at once.\n\n"
    )
    told, lost_at = "", dict.fromkeys(cluster.nodes, 0.0)
    while True:
        now = describe(cluster)
        if now != told:
            tell(told := now)
        for node in cluster.nodes:
            if node.patroni_pid:
                lost_at[node] = time.monotonic()
            elif time.monotonic() > lost_at[node] + RESTART_SECONDS:
                tell(f"{node.name} is started again, as a supervisor would")
                node.start()
        time.sleep(0.5)


def describe(cluster: Cluster) -> str:
    """Each node in a few words."""
    roles = {each.name: f"{each.role}, {each.state}" for each in cluster.members()}
    return "; ".join(
        f"{node.name} {roles.get(node.name, 'unknown')}"
        f" (Patroni {node.patroni_pid or 'gone'}, PostgreSQL {node.postgresql_pid or 'gone'})"
        for node in cluster.nodes
    )


if __name__ == "__main__":
    sys.exit(main())
