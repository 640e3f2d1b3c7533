"""``paydown migrate``, ``verify`` and ``replays``: the ledger as a whole."""

from typing import Annotated

import typer
from rich.table import Table

from paydown import audit
from paydown.admin import Admin
from paydown.audit import Finding
from paydown.cli.output import (
    DatabaseOption,
    Document,
    JsonOption,
    Output,
    administering,
    answering,
    make_table,
)
from paydown.domain.money import to_decimal
from paydown.storage import opening
from paydown.storage import replays as replay_list
from paydown.storage.engine import find_database
from paydown.storage.opening import open_store
from paydown.storage.replays import Replay
from paydown.wire.formats import INT32_MAX, read_date, write_instant

REPLAYS_SHOWN = 100


def migrate(database: DatabaseOption, *, as_json: JsonOption = False) -> None:
    """Make the ledger, or bring it to this version. Running it again changes nothing."""
    with answering(as_json=as_json) as output:
        before = opening.migrate(database)
        shown = find_database(database).shown_url
        words = f"Made a new ledger at {shown}."
        if before is not None:
            words = f"The ledger at {shown} is up to date."
        output.show({"database": shown, "made": before is None, "before": before}, words)


def verify(database: DatabaseOption, *, as_json: JsonOption = False) -> None:
    """Prove every invariant of the books, by name. Ends with status 1 where one is broken."""
    with answering(as_json=as_json) as output:
        findings = []
        for finding in audit.verify(open_store(database)):
            findings.append(finding)
            if not as_json:
                _print_finding(output, finding)
        broken = [finding.invariant for finding in findings if not finding.ok]
        words = f"All {len(findings)} invariants hold."
        if broken:
            words = f"{len(broken)} of {len(findings)} invariants are broken: {', '.join(broken)}."
        document = {"ok": not broken, "findings": [finding._asdict() for finding in findings]}
        output.show(document, words)
        if broken:
            raise typer.Exit(1)


def replays(
    database: DatabaseOption,
    *,
    customer: Annotated[
        str | None, typer.Option(metavar="GUID", help="Only this customer's.")
    ] = None,
    since: Annotated[
        str, typer.Option(metavar="DATE", help="Only from then on: 2026-02-28, or with a time.")
    ] = "1970-01-01",
    limit: Annotated[
        int, typer.Option(min=1, max=INT32_MAX, help="How many of the latest to list.")
    ] = REPLAYS_SHOWN,
    as_json: JsonOption = False,
) -> None:
    """List the lines that were answered as an earlier one without an Idempotency-Key."""
    with administering(database, as_json=as_json) as (admin, output):
        customer_id, time_zone = _find_customer(admin, output, customer)
        since_read = read_date(since, time_zone)
        if since_read is None:
            output.fail(f"{since!r} is not a date such as 2026-02-28.")
        with open_store(database).read() as connection:
            found = replay_list.list_replays(
                connection, customer_id=customer_id, since=since_read[0], count_max=limit
            )
        document = {"replays": [_describe(replay) for replay in found]}
        output.show(document, _tabulate(found) if found else "No lines were replayed.")


def _find_customer(admin: Admin, output: Output, guid: str | None) -> tuple[int | None, str]:
    if guid is None:
        return None, "UTC"
    customer = output.settle(admin.find_customer(guid))
    return customer.customer_id, customer.time_zone


def _print_finding(output: Output, finding: Finding) -> None:
    mark = "ok     " if finding.ok else "BROKEN "
    words = f"{mark} {finding.invariant}: {finding.promise} ({finding.examined:,} examined)"
    output.say(words)
    for line in finding.detail:
        output.say(f"        {line}")


def _describe(replay: Replay) -> Document:
    return {
        "replayed_at": write_instant(replay.replayed_at, replay.time_zone),
        "customer_guid": replay.customer_guid,
        "user_name": replay.user_name,
        "kind": replay.kind,
        "contact_id": replay.contact_id,
        "contact_name": replay.contact_name,
        "billing_id": replay.billing_id,
        "amount": _say_amount(replay),
        "currency": replay.currency,
        "reference": replay.reference,
        "value_at": replay.value_written,
        "first_recorded_at": replay.recorded_written,
        "request_id": replay.request_id,
        "address": replay.address,
    }


def _tabulate(found: list[Replay]) -> Table:
    columns = ["Replayed", "Login", "Contact", "BillingId", "Amount", "Reference", "First recorded"]
    rows = [
        (
            write_instant(replay.replayed_at, replay.time_zone),
            replay.user_name,
            replay.contact_name,
            str(replay.billing_id),
            f"{_say_amount(replay)} {replay.currency}",
            replay.reference or "",
            replay.recorded_written,
        )
        for replay in found
    ]
    return make_table(columns, rows)


def _say_amount(replay: Replay) -> str:
    return f"{to_decimal(replay.amount, replay.minor_digits):f}"
