"""Two ledgers that differ in one thing: in the first there is another customer beside ours.

Law of this file: what a server sees of time and chance is pinned by the number of the request, so
that both ledgers give our customer the same ids, and the other customer's first entries too.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from doors import JSON, PASSWORD, PASSWORD_HASH, Door, Headers
from sqlalchemy import select

import ledgers
from makers import Maker
from paydown.access import Authenticator
from paydown.admin import Admin, Mistake, NewCustomer, NewLogin
from paydown.api.app import make_app
from paydown.bootstrap import make_around
from paydown.config import Settings
from paydown.domain.model import Bundle
from paydown.openapi.routes import ROUTES
from paydown.service import Service
from paydown.storage.copying import TABLES
from paydown.storage.database import Database, Row
from paydown.storage.jobs import Pace
from paydown.telemetry import Metrics

THEIR_CLUB = "c56a4180-65aa-42ec-a945-5fd21dec0538"
CHAIN, RIVAL = "chain", "rival"
"""A login of both customers, and one of theirs alone."""

BY_NAME = {route.name: route for route in ROUTES}
BAD_DEBT_ACCOUNT = 13
_SECOND = 10_000_000

Say = Callable[[str], None]
"""Tells whoever runs this for its figures."""


class Ids(NamedTuple):
    """One thing of every kind that a customer has, by what a caller names it by."""

    contact_id: str
    tender_type_id: int
    billing_type_id: int
    code: str
    agreement_id: int
    reference: str
    authorization_code: str
    name: str
    user_name: str
    key: str
    gl_account_id: int = 0
    billing_id: int = 0
    receipt_id: str = ""
    entry_id: str = ""
    posting_id: str = ""
    allocation_id: str = ""


OURS = Ids(
    *("0b7e5c1a-1111-4aaa-8aaa-000000000001", 50, 20, "4500", 5021),
    *("DD-OURS", "A-OURS", "Cara Cole", CHAIN, "both"),
)
TWINS = OURS._replace(name="Zita Zorn", authorization_code="A-THEIRS")
"""Theirs under the very ids that ours have: only what is said and owed is other."""

THEIRS = Ids(
    *("0b7e5c1a-2222-4bbb-8bbb-000000000002", 41, 11, "4300", 6099),
    *("DD-THEIRS", "A-THEIRS", "Dora Dunn", RIVAL, "theirs"),
)
FRESH = Ids(
    *("0b7e5c1a-3333-4ccc-8ccc-000000000003", 60, 30, "4900", 7),
    *("DD-NEW", "A-NEW", "Fay Finn", "nobody", "new"),
    90,
)
"""What nobody has: for what is to be created."""


class Pins:
    """The clock and the dice of every server here."""

    def __init__(self) -> None:
        self._start = (time.time_ns() // 100 // _SECOND + 3600) * _SECOND
        self.turn(0)

    def turn(self, number: int) -> None:
        """From now on it is the request of that number."""
        self._now = self._start + number * _SECOND
        self._dice = random.Random(number)

    def clock(self) -> int:
        """Now, in ticks."""
        return self._now

    def bits(self, count: int) -> int:
        """What is random of an entry's id."""
        return self._dice.getrandbits(count)


def open_pinned(database: Database, pins: Pins) -> Door:
    """The door of the real application, at the time of the pins."""
    metrics = Metrics()
    service = Service(database, pace=Pace(), observer=metrics, clock=pins.clock)
    settings = Settings(database="sqlite:///ledger.db")
    around = make_around(database, service.clock)
    return Door(
        make_app(service, Authenticator(service.find_login), metrics, settings, around=around)
    )


def headers_of(user_name: str, customer_guid: str) -> Headers:
    """How the login comes for the customer."""
    return {
        "userName": user_name,
        "password": PASSWORD,
        "customerGuid": customer_guid,
        "Content-Type": JSON,
        "X-Request-Id": "told",
    }


class Clerk:
    """Writes a customer's books through the door, each call's writes under numbered keys."""

    def __init__(self, door: Door, pins: Pins, headers: Headers, mine: Ids, first: int = 0) -> None:
        self._door, self._pins, self.mine = door, pins, mine
        self._headers = headers
        self._number = first
        self._keys: Counter[str] = Counter()

    def ask(self, method: str, path: str, body: Any = b"", **headers: str) -> Any:
        """What a request is told that succeeds."""
        self._number += 1
        self._pins.turn(self._number)
        answer = self._door.ask(method, path, body=body, headers={**self._headers, **headers})
        assert answer.status in (200, 201), (path, answer)
        assert answer.told.get("Success", True), (path, answer)
        return answer.told

    def do(self, name: str, body: Any, **names: object) -> Any:
        """A write of ``/v1``."""
        route = BY_NAME[name]
        return self.ask(route.method, route.path.format(**names), body, **self._key(name))

    def call(self, path: str, body: Any, *, keyed: bool = True) -> Any:
        """One of Legend's calls."""
        return self.ask("POST", path, body, **(self._key(path) if keyed else {}))

    def _key(self, call: str) -> dict[str, str]:
        self._keys[call] += 1
        return {"Idempotency-Key": f"{self.mine.key}-{self._keys[call]}"}


def keep_books(clerk: Clerk, *, item_count: int, line_count: int) -> Ids:
    """A row in every table, by every write that there is; what can be named of it."""
    account = set_up(clerk)
    items = charge(clerk, item_count)
    paid = items[:line_count]
    clerk.call("/POS/BillingPayments", payment(clerk.mine, *paid))
    unkeyed = payment(clerk.mine, 3, ContactId=ledgers.ANNA)
    for _ in range(2):
        clerk.call("/POS/BillingPayments", unkeyed, keyed=False)
    clerk.call("/POS/BillingWriteDowns", write_down(clerk.mine, items[-1]))
    receipt_id, allocation_id = receive(clerk, paid)
    posting_id = find_posting(clerk, items[0])
    undo(clerk, find_posting(clerk, 3))
    return clerk.mine._replace(
        gl_account_id=account,
        billing_id=items[-1],
        receipt_id=receipt_id,
        entry_id=posting_id.partition(".")[0],
        posting_id=posting_id,
        allocation_id=allocation_id,
    )


def set_up(clerk: Clerk) -> int:
    """A contact, two accounts and the types; the id of the account that nothing uses."""
    mine, person = clerk.mine, {"name": clerk.mine.name, "reference": clerk.mine.reference}
    clerk.do("create_contact", {"contact_id": mine.contact_id, **person})
    clerk.do("change_contact", {**person, "name": f"{mine.name} II"}, contact_id=mine.contact_id)
    account = {"code": mine.code, "name": f"Income of {mine.name}", "account_type": "income"}
    clerk.do("create_account", account)
    spare = {**account, "code": f"{mine.code}-2"}
    account_id = int(clerk.do("create_account", spare)["gl_account_id"])
    tender = {"tender_type_id": mine.tender_type_id, "clearing_account_code": "1240"}
    clerk.do("create_tender_type", {**tender, "name": f"Payroll of {mine.name}"})
    for active in (False, True):
        set_active = {"active": active}
        clerk.do("set_account_active", set_active, gl_account_id=account_id)
        clerk.do("set_tender_type_active", set_active, tender_type_id=mine.tender_type_id)
    kind = {"billing_type_id": mine.billing_type_id, "income_account_code": mine.code}
    kind["external_receivables_account_code"] = "1150"
    clerk.do("create_billing_type", {**kind, "name": f"Lessons of {mine.name}"})
    for active in (False, True):
        set_active = {"active": active}
        clerk.do("set_billing_type_active", set_active, billing_type_id=mine.billing_type_id)
    return account_id


def charge(clerk: Clerk, item_count: int) -> list[int]:
    """Items one by one and many at once; the ids of the many."""
    mine = clerk.mine
    item = {
        "contact_id": mine.contact_id,
        "billing_type_id": mine.billing_type_id,
        "description": f"Charged to {mine.name}",
        "total_amount": f"{20 + len(mine.name)}.00",
        "agreement_id": mine.agreement_id,
    }
    clerk.do("create_item", {**item, "beneficiary_id": ledgers.BEN})
    billing = {"PayerId": mine.contact_id, "BillingTypeId": mine.billing_type_id}
    clerk.call("/POS/CreateBilling", {**billing, "AgreementId": 1, "TotalAmount": 5})
    told = clerk.do("create_items", {"items": [item] * item_count})
    return [each["billing_id"] for each in told["results"]]


def payment(mine: Ids, *billing_ids: int, **more: Any) -> dict[str, Any]:
    """The body of a payment that is recognised when it is sent again."""
    named = {"ThirdPartyReference": mine.reference, "AuthorizationCode": mine.authorization_code}
    return {
        "ContactId": mine.contact_id,
        "PaymentDate": "2026-02-05T10:00:00.5Z",
        "TenderTypeId": ledgers.EXTERNAL,
        "BillingPayments": [{"BillingId": each, "Amount": 1, **named} for each in billing_ids],
        **more,
    }


def write_down(mine: Ids, *billing_ids: int, **more: Any) -> dict[str, Any]:
    """The body of a write-down that is recognised when it is sent again."""
    account = {"GLAccountId": BAD_DEBT_ACCOUNT}
    return {
        "ContactId": mine.contact_id,
        "WriteDownDate": "2026-02-05T10:00:00.5Z",
        "TenderTypeId": ledgers.EXTERNAL,
        "BillingWriteDowns": [{"BillingId": each, "Amount": 1, **account} for each in billing_ids],
        **more,
    }


def new_money(mine: Ids) -> dict[str, Any]:
    """The body of a receipt."""
    return {
        "contact_id": mine.contact_id,
        "tender_type_id": mine.tender_type_id,
        "amount": "2000.00",
        "value_at": "2026-02-05T10:00:00Z",
        "reference": mine.reference,
        "authorization_code": mine.authorization_code,
    }


def receive(clerk: Clerk, billing_ids: list[int]) -> tuple[str, str]:
    """A receipt with something left, and an allocation of it that stands; another undone."""
    mine, money = clerk.mine, new_money(clerk.mine)
    receipt_id = clerk.do("record_receipt", money)["receipt_id"]
    lines = [{"billing_id": each, "amount": "2.00"} for each in billing_ids]
    applied = clerk.do("allocate", {"lines": lines}, receipt_id=receipt_id)["allocations"]
    taken = {"allocation_id": applied[-1]["allocation_id"], "reason": f"of {mine.name}"}
    clerk.do("unallocate", taken, receipt_id=receipt_id)
    second = clerk.do("record_receipt", {**money, "amount": "7.00"})["receipt_id"]
    clerk.do("reverse_entry", {"reason": f"of {mine.name}"}, entry_id=second)
    return receipt_id, applied[0]["allocation_id"]


def undo(clerk: Clerk, posting_id: str) -> None:
    """Reverse a posting."""
    clerk.do("reverse_posting", {"reason": f"of {clerk.mine.name}"}, posting_id=posting_id)


def find_posting(clerk: Clerk, billing_id: int) -> str:
    """The payment's posting on the item."""
    told = clerk.ask("GET", f"/v1/postings?kind=payment&billing_id={billing_id}")
    return str(told["data"][0]["posting_id"])


class Side(NamedTuple):
    """A ledger and a server on it."""

    database: Database
    door: Door

    def rows(self, customer_guid: str) -> dict[str, list[Row]]:
        """Every row of the customer's, in every table, as it is kept."""
        with self.database.read() as connection:
            found = connection.execute(
                select(_CUSTOMER.c.customer_id).where(_CUSTOMER.c.customer_guid == customer_guid)
            ).scalar_one()
            own = (table for table in TABLES if "customer_id" in table.c)
            return {
                table.name: [
                    tuple(row)
                    for row in connection.execute(
                        select(table)
                        .where(table.c.customer_id == found)
                        .order_by(*table.primary_key)
                    )
                ]
                for table in own
            }

    def logins(self) -> list[Row]:
        """Every login, as it is kept."""
        with self.database.read() as connection:
            return [tuple(row) for row in connection.execute(_LOGIN.select().order_by("login_id"))]


_CUSTOMER, _LOGIN = (
    next(each for each in TABLES if each.name == name) for name in ("customer", "login")
)


class Tenants:
    """Our customer's books twice: ``beside`` another customer's, and ``alone``."""

    def __init__(self, maker: Maker, pins: Pins, *, item_count: int) -> None:
        self.pins = pins
        beside, alone = (make_ours(maker.copy(), pins) for _ in range(2))
        self.ours = beside[1]
        assert alone[1] == self.ours, "the pins hold"
        self.theirs = _add_theirs(beside[0], pins, item_count)
        self.sides = self.beside, self.alone = (
            Side(beside[0], open_pinned(beside[0], pins)),
            Side(alone[0], open_pinned(alone[0], pins)),
        )

    def close(self) -> None:
        """Stop the servers."""
        for side in self.sides:
            side.door.close()


def make_ours(database: Database, pins: Pins) -> tuple[Database, Ids]:
    """Our books, kept by the login that is to be of both customers; what can be named of them."""
    admin = Admin(database)
    for done in (
        admin.set_password(ledgers.TILL, PASSWORD_HASH),
        admin.add_login(NewLogin(CHAIN, PASSWORD_HASH), ledgers.CLUB, tuple(Bundle)),
    ):
        assert not isinstance(done, Mistake), done
    door = open_pinned(database, pins)
    clerk = Clerk(door, pins, headers_of(CHAIN, ledgers.CLUB), OURS)
    ours = keep_books(clerk, item_count=3, line_count=2)
    door.close()
    return database, ours


def _add_theirs(database: Database, pins: Pins, item_count: int) -> Ids:
    """Their books: first those under our ids, then more of their own. What can be named of them."""
    admin = Admin(database)
    customer = NewCustomer("Their club", customer_guid=THEIR_CLUB, currency="EUR")
    assert not isinstance(admin.add_customer(customer), Mistake)
    swapped = [(ledgers.BEN if 9 < row[1] < 30 else row[0], *row[1:]) for row in ledgers.ITEMS]
    ledgers.import_rows(database, THEIR_CLUB, swapped)
    for done in (
        admin.add_login(NewLogin(RIVAL, PASSWORD_HASH), THEIR_CLUB, tuple(Bundle)),
        admin.grant(CHAIN, THEIR_CLUB, tuple(Bundle)),
    ):
        assert not isinstance(done, Mistake), done
    headers = headers_of(CHAIN, THEIR_CLUB)
    door = open_pinned(database, pins)
    clerk = Clerk(door, pins, headers, TWINS)
    diverge(clerk, keep_books(clerk, item_count=3, line_count=2))
    door.close()
    door = open_pinned(database, pins)
    clerk = Clerk(door, pins, headers, THEIRS, 1_000)
    kept = keep_books(clerk, item_count=item_count, line_count=item_count // 10)
    rival = Clerk(door, pins, headers_of(RIVAL, THEIR_CLUB), THEIRS, 2_000)
    rival.do("record_receipt", new_money(THEIRS))
    door.close()
    return kept


def diverge(clerk: Clerk, kept: Ids) -> None:
    """Let what stands under our ids be paid, undone, applied and disabled otherwise than ours."""
    later = payment(kept, kept.billing_id, PaymentDate="2026-03-05T10:00:00.5Z")
    clerk.call("/POS/BillingPayments", later)
    for line_no in (1, 2):
        undo(clerk, f"{kept.entry_id}.{line_no}")
    line = {"billing_id": kept.billing_id, "amount": "4.00"}
    clerk.do("allocate", {"lines": [line]}, receipt_id=kept.receipt_id)
    disabled = {"active": False}
    clerk.do("set_tender_type_active", disabled, tender_type_id=kept.tender_type_id)
    clerk.do("set_billing_type_active", disabled, billing_type_id=kept.billing_type_id)
    clerk.do("set_account_active", disabled, gl_account_id=kept.gl_account_id)
