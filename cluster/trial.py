"""The trial: the leader is lost three times under load, and every penny is counted afterwards."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

import psycopg

from cluster.callers import Acknowledged, Callers
from cluster.nodes import Cluster
from cluster.parts import TrialFailed
from cluster.processes import tell, wait_for
from cluster.servers import SERVER_COUNT, TOTAL, Servers

STEADY_SECONDS = 5
SERVICE_SECONDS_MAX = 60
"""A trial in which service takes longer to resume has failed."""


class Loss(NamedTuple):
    """One loss of the leader."""

    lost: str
    led: str
    killed_at: float
    whole_at: float


def try_losses(cluster: Cluster, servers: Servers, *, count: int) -> None:
    """Lose the leader so often under load. Raises ``TrialFailed`` where a promise is broken."""
    callers = Callers(servers)
    try:
        wait_for_service(callers, servers, since=time.monotonic())
        losses = []
        for _ in range(count):
            time.sleep(STEADY_SECONDS)
            losses.append(lose_leader(cluster, callers, servers))
        time.sleep(STEADY_SECONDS)
        callers.finish()
    finally:
        callers.dismiss()
    acknowledged = callers.acknowledged()
    check_complaints(callers, servers)
    check_books(cluster, servers, acknowledged)
    for number, loss in enumerate(losses, 1):
        report(number, loss, acknowledged)


def lose_leader(cluster: Cluster, callers: Callers, servers: Servers) -> Loss:
    """kill -9 the leader, wait for service and for the next leader, bring the old one back."""
    leader = cluster.leader()
    if leader is None:
        raise TrialFailed("No node leads.")
    killed_at = time.monotonic()
    leader.kill()
    tell(f"{leader.name}, which led, is killed: its PostgreSQL and its Patroni")
    successor = cluster.wait_for_leader(other_than=leader)
    tell(f"{successor.name} leads")
    wait_for_service(callers, servers, since=time.monotonic())
    tell("both servers record again")
    leader.start()
    cluster.wait_until_whole()
    tell(f"{leader.name} is back and follows")
    return Loss(leader.name, successor.name, killed_at, time.monotonic())


def wait_for_service(callers: Callers, servers: Servers, *, since: float) -> None:
    """Return when every server acknowledged a payment after the moment."""

    def served() -> bool:
        check_complaints(callers, servers)
        return len(callers.served_since(since)) == SERVER_COUNT

    wait_for("each server records payments", served, seconds=SERVICE_SECONDS_MAX)


def check_complaints(callers: Callers, servers: Servers) -> None:
    """A caller may be asked to come again, and nothing else."""
    if complaints := callers.complaints():
        raise TrialFailed(f"Wrong answers: {complaints}")
    if not servers.all_run():
        raise TrialFailed("A server has ended.")


def check_books(cluster: Cluster, servers: Servers, acknowledged: list[Acknowledged]) -> None:
    """What the callers were told is what the books say, to the penny."""
    with psycopg.connect(
        cluster.url, password=cluster.passwords["paydown"], connect_timeout=5
    ) as connection:
        recorded = connection.execute(
            "SELECT reference, billing_id, amount FROM posting WHERE reference IS NOT NULL"
        ).fetchall()
        owed = connection.execute("SELECT billing_id, balance FROM billing_item").fetchall()
    if found := differences(acknowledged, recorded, dict(owed)):
        raise TrialFailed(f"{len(found)} differences: {found[:10]}")
    servers.run(["verify"])
    again = [each for each in acknowledged if each.sent_count > 1]
    tell(f"{len(acknowledged)} payments acknowledged: each is in the books exactly once")
    tell(f"{len(again)} of them were sent more than once, as no answer or 503 came at first")
    tell(f"{sum(each.replayed for each in again)} of these were in the books already: none twice")
    tell("The balances are what the callers paid, to the penny, and verify finds no fault")


def differences(
    acknowledged: Iterable[Acknowledged],
    recorded: Iterable[tuple[str, int, int]],
    owed: Mapping[int, int],
) -> list[str]:
    """Where the callers' own ledgers and the books disagree, in words."""
    told: Counter[tuple[str, int, int]] = Counter()
    paid: Counter[int] = Counter()
    for each in acknowledged:
        told.update((each.payment.reference, *line) for line in each.payment.pence.items())
        paid.update(each.payment.pence)
    kept = Counter(recorded)
    return (
        [f"lost: {line}" for line in (told - kept)]
        + [f"too many: {line}" for line in (kept - told)]
        + [f"item {item} owes {owes}" for item, owes in owed.items() if owes != TOTAL - paid[item]]
    )


def report(number: int, loss: Loss, acknowledged: list[Acknowledged]) -> None:
    """Say how long no payment was acknowledged around the loss."""
    silences = []
    for server in range(SERVER_COUNT):
        moments = [
            each.at
            for each in acknowledged
            if each.server == server and loss.killed_at - 1 < each.at < loss.whole_at
        ]
        silences.append(max(later - earlier for earlier, later in pairwise(moments)))
    told = ", ".join(f"server {number} {each:.1f} s" for number, each in enumerate(silences, 1))
    tell(f"loss {number}, from {loss.lost} to {loss.led}: without service {told}")
