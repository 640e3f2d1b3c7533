"""Every route and every call, asked by each kind of caller: who may not is told so, and no more.

``make tenants`` says how many cells the matrix has.
"""

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address
from itertools import count
from typing import Any, NamedTuple

import msgspec
import pytest
from doors import PASSWORD_HASH, Answer, Door, Headers
from tenant_books import BY_NAME, CHAIN, Ids, Pins, Say, headers_of, make_ours, open_pinned
from tenant_probes import Probe, bases

import ledgers
from figures import assert_told
from makers import Maker
from paydown.admin import Admin, Mistake, NewLogin
from paydown.domain.model import Bundle
from paydown.storage.copying import TABLES
from paydown.storage.database import Database

SAID = {
    "unauthenticated": "Authorization has been denied for this request.",
    "customer_forbidden": "This login is not enabled for the customer that customerGuid names.",
    "bundle_missing": "This login does not hold the bundle {bundle} for this customer.",
}
"""What each refusal says; ``/v1`` adds to the second."""

OPENED_BY = {
    **dict.fromkeys(("reverse_entry", "reverse_posting"), Bundle.REVERSAL),
    **dict.fromkeys(("record_receipt", "allocate", "unallocate"), Bundle.BILLING_PAYMENT),
    **dict.fromkeys(("/POS/BillingPayments", "/POS/CreateBilling"), Bundle.BILLING_PAYMENT),
    "/POS/BillingWriteDowns": Bundle.BILLING_WRITE_DOWN,
    "details": Bundle.CONTACTS,
}
"""What neither Read opens nor Admin, stated here apart from the product."""

_HOSTS = count(int(ip_address("198.51.100.0")))
"""Each refused login comes from a place of its own, so that none is throttled."""


class Case(NamedTuple):
    """A kind of caller, and whether what it asks is denied (401), forbidden (403) or done."""

    kind: str
    headers: Headers
    status: int
    code: str = ""


@pytest.fixture
def books(maker: Maker, pins: Pins) -> tuple[Database, Ids]:
    """Our books, and a login of each kind."""
    database, ours = make_ours(maker.copy(), pins)
    admin, every = Admin(database), tuple(Bundle)
    for done in (
        admin.add_login(NewLogin("disabled", PASSWORD_HASH), ledgers.CLUB, every),
        admin.set_login_disabled("disabled", disabled=True),
        admin.add_login(NewLogin("elsewhere", PASSWORD_HASH), ledgers.OTHER_CLUB, every),
    ):
        assert not isinstance(done, Mistake), done
    for bundle in Bundle:
        rest = tuple(each for each in Bundle if each is not bundle)
        for done in (
            admin.add_login(NewLogin(f"only {bundle}", PASSWORD_HASH), ledgers.CLUB, (bundle,)),
            admin.add_login(NewLogin(f"all but {bundle}", PASSWORD_HASH), ledgers.CLUB, rest),
            admin.add_login(NewLogin(f"{bundle} elsewhere", PASSWORD_HASH), ledgers.CLUB, rest),
            admin.grant(f"{bundle} elsewhere", ledgers.OTHER_CLUB, (bundle,)),
        ):
            assert not isinstance(done, Mistake), done
    return database, ours


@pytest.fixture
def door(books: tuple[Database, Ids], pins: Pins) -> Iterator[Door]:
    """A server on them."""
    opened = open_pinned(books[0], pins)
    yield opened
    opened.close()


def bundle_of(probe: Probe) -> Bundle:
    """The bundle that is promised to open it."""
    return OPENED_BY.get(probe.route) or (Bundle.READ if probe.method == "GET" else Bundle.ADMIN)


def cases(bundle: Bundle) -> Iterator[Case]:
    """Each kind of caller of what the bundle opens."""
    right = headers_of(CHAIN, ledgers.CLUB)
    nobody = {name: right[name] for name in ("Content-Type", "X-Request-Id")}
    unauthenticated = (401, "unauthenticated")
    yield Case("no login", nobody, *unauthenticated)
    yield Case("wrong password", {**right, "password": "wrong"}, *unauthenticated)
    yield Case("unknown login", headers_of("stranger", ledgers.CLUB), *unauthenticated)
    yield Case("disabled login", headers_of("disabled", ledgers.CLUB), *unauthenticated)
    forbidden = (403, "customer_forbidden")
    yield Case("another customer's", headers_of("elsewhere", ledgers.CLUB), *forbidden)
    missing = (403, "bundle_missing")
    for other in Bundle:
        if other is not bundle:
            yield Case("one other bundle", headers_of(f"only {other}", ledgers.CLUB), *missing)
    yield Case("all others", headers_of(f"all but {bundle}", ledgers.CLUB), *missing)
    split = headers_of(f"{bundle} elsewhere", ledgers.CLUB)
    yield Case("held for another customer", split, *missing)
    yield Case("held", headers_of(f"only {bundle}", ledgers.CLUB), 200)


def ask(door: Door, probe: Probe, case: Case) -> Answer:
    """As the caller: in earnest where it is to be refused, and else as a trial."""
    write = {"Idempotency-Key": f"{case.kind}"} if probe.method != "GET" else {}
    trial = {"Prefer": "dry-run"} if case.status == 200 else {}
    headers = {**case.headers, **write, **trial}
    address = str(ip_address(next(_HOSTS)))
    return door.ask(probe.method, probe.path, body=probe.body, headers=headers, address=address)


def promised(probe: Probe, case: Case, bundle: Bundle) -> dict[str, Any]:
    """The body of a refusal, as the reference has it."""
    said = SAID[case.code].format(bundle=bundle)
    if probe.route not in BY_NAME:
        return {"Message": said}
    if case.code == "customer_forbidden":
        said = said.replace("customerGuid", "customerGuid, or Customer,")
    title = {401: "Unauthorized", 403: "Forbidden"}[case.status]
    status = {"title": title, "status": case.status}
    return {"type": "about:blank", **status, "detail": said, "code": case.code}


def rows(database: Database) -> list[Any]:
    """Everything that is kept."""
    with database.read() as connection:
        return [list(connection.execute(table.select())) for table in TABLES]


def test_every_route_is_open_to_its_bundle_alone(
    books: tuple[Database, Ids], door: Door, say: Say
) -> None:
    """Who may not ask is told so to the byte, the same on every route, and nothing is recorded.

    Who holds the bundle is answered.
    """
    database, ours = books
    before = rows(database)
    cells: Counter[str] = Counter()
    wrong = []
    for probe in bases(ours):
        bundle = bundle_of(probe)
        for case in cases(bundle):
            answer = ask(door, probe, case)
            cells[case.kind] += 1
            if case.code:
                sent = msgspec.json.encode(promised(probe, case, bundle))
                kept = (answer.status, answer.body) == (case.status, sent)
            else:
                kept = answer.status in (200, 201)
            if not kept:
                wrong.append((probe.route, case.kind, answer))

    assert wrong == []
    assert rows(database) == before
    assert_told(f"{len(bases(ours))} routes and calls, each without a login")
    assert_told(f"| {cells.total()} cells | nothing: {cells.total() - cells['held']} refused")
    say(
        f"{cells.total()} cells: {len(bases(ours))} routes and calls, {len(cells)} kinds of "
        f"caller; {cells['held']} let in, {cells.total() - cells['held']} refused as promised, "
        "0 rows recorded."
    )
