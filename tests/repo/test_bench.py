"""The bench's own parts: what it calls exact is, and its peer is fair."""

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench import books, chart, history, ledgers, load, paced, pgbench, profiling, rows
from bench.books import Recorded
from bench.chart import Point, Series
from bench.ledgers import PASSWORD, USER_NAME, Shape, customer_guid
from bench.load import Burst, Thread
from bench.peers.fastapi_naive import make_app
from paydown import audit
from paydown.admin import Admin, Mistake, NewCustomer
from paydown.domain.model import Bundle
from paydown.imports import Imported, Source, Unwatched, import_items
from paydown.imports.reading import COLUMNS
from paydown.storage import opening

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "wire" / "golden"
ISSUED = 3
FIGURES = {
    "spread": [900.0, 1000.0, 800.0],
    "naive": [100.0, 100.0, 100.0],
    "no_store": [1000.0, 8000.0, 8000.0],
    "paced_p99": [12.0, 8.0, 5.0],
    "paced_p50": [2.0, 1.0, 1.0],
    "resident": [150.0, 155.0, 170.0],
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the bench makes goes where the test can leave it."""
    monkeypatch.setattr(ledgers, "CACHE", tmp_path)
    return tmp_path


def burst_of(*, outstanding: Sequence[int] = ()) -> Burst:
    """A load of three requests, some of which were not answered."""
    answered = ISSUED - len(outstanding)
    return Burst("t", 1.0, 1.0, 2.0, 0, [Thread(ISSUED, answered, 0, "", list(outstanding))])


def recorded(*numbers: int) -> list[Recorded]:
    """The books that hold these requests as they were sent, two lines each."""
    return [
        Recorded(load.reference("t", 1, n), 2, load.amount(n, 1) + load.amount(n, 2))
        for n in numbers
    ]


def test_books_that_hold_every_answered_request_once_pass() -> None:
    """A request that got no answer may be there or not."""
    burst = burst_of(outstanding=[2])

    assert list(books.compare(burst, recorded(1, 3), 2)) == []
    assert list(books.compare(burst, recorded(1, 2, 3), 2)) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (recorded(1, 2), "request 1-3 was answered and is not in the books"),
        ([*recorded(1, 2), recorded(3)[0]._replace(line_count=4)], "request 1-3 is in the books"),
        ([*recorded(1, 2), recorded(3)[0]._replace(amount=1)], "request 1-3 is in the books as"),
        (recorded(1, 2, 3, 4), "t-1-4 is in the books and was not asked for"),
    ],
)
def test_books_that_lack_or_add_anything_are_named(found: list[Recorded], said: str) -> None:
    """Lost, doubled, altered or invented: each is told."""
    complaints = list(books.compare(burst_of(), found, 2))

    assert len(complaints) == 1
    assert said in complaints[0]


def test_a_row_is_judged_by_the_median_of_its_rounds() -> None:
    """Ratios are taken round by round, and either direction of a bound is kept."""
    results = {result.row.id: result for result in rows.judge(FIGURES)}

    assert results["B1"].ratios == [9.0, 10.0, 8.0]
    assert results["B1"].holds
    assert results["B2"].median == 0.125
    assert not results["B2"].holds
    assert results["B7"].median == 6.0
    assert results["B7"].holds
    assert results["B8"].median == 155.0
    assert rows.missing(list(results.values())) == ["B3", "B4", "B5", "B6", "B9"]


def test_the_margin_is_above_one_exactly_where_a_row_holds() -> None:
    """What the chart draws agrees with the table."""
    assert all((result.margin >= 1) == result.holds for result in rows.judge(FIGURES))


def test_the_charts_are_well_formed_and_name_their_rows() -> None:
    """Any viewer can open them, and every row is there with its figure."""
    drawn = chart.draw_rows(rows.judge(FIGURES))
    series = Series("items", "requests", [Point(30_000, 900.0, 3.0), Point(3_000_000, 800.0, 4.0)])
    grown = chart.draw_growth([series])

    texts = [each.text or "" for each in ElementTree.fromstring(drawn).iter()]
    assert [text[:2] for text in texts if re.match(r"B\d ", text)] == ["B1", "B2", "B7", "B8"]
    assert "3 M" in [each.text for each in ElementTree.fromstring(grown).iter()]


def test_a_made_up_past_is_sound(cache: Path) -> None:
    """Every invariant holds in a ledger whose payments were written in bulk."""
    ledger = cache / "ledger.db"
    shape = Shape(item_count=200)
    ledgers.make(f"sqlite:///{ledger}", shape)
    history.add_payments(ledger, shape.per_contact, 900)
    database = opening.open_store(f"sqlite:///{ledger}")
    findings = {found.invariant: found for found in audit.verify(database)}

    assert [name for name, found in findings.items() if not found.ok] == []
    assert findings["debits_equal_credits"].examined == 200 + 900


def test_what_the_tools_print_is_read() -> None:
    """wrk's and pgbench's figures are taken from what they say."""
    thread = '{"issued":9,"answered":7,"refused":1,"refusal":"503 {}","outstanding":[4]}'
    said = f'{{"seconds":2.0,"p50_ms":1.5,"p99_ms":9.0,"errors":0,"threads":[{thread}]}}'
    burst = load.read_burst("t", said)
    run = pgbench.read_run(
        "number of transactions actually processed: 3530\n"
        "tps = 1766.890573 (without initial connection time)\n"
    )

    assert burst.rate == 3.5
    assert burst.complaint == "1 requests were not accepted: 503 {}"
    assert run == (3530, 1766.890573)


def test_a_percentile_is_one_of_the_values() -> None:
    """99 in 100 are at most the 99th percentile."""
    assert paced.percentile(list(range(100, 0, -1)), 0.99) == 100
    assert paced.percentile([5.0], 0.99) == 5.0
    assert paced.percentile([1.0, 2.0, 3.0], 0.5) == 2.0


def test_a_profile_tells_only_of_the_load() -> None:
    """What a thread did before is taken off, and idle threads are left out."""
    before = {"at": 10.0, "seconds": {"w": 1.0, "idle": 2.0}, "found": {"w": {"a": 5, "b": 1}}}
    after = {"at": 12.0, "seconds": {"w": 2.0, "idle": 2.0}, "found": {"w": {"a": 8, "b": 2}}}

    spent = profiling.compare(before, after, 1000)

    assert [(each.thread, each.microseconds, each.busy) for each in spent] == [("w", 1000.0, 0.5)]
    assert spent[0].places == [("a", 0.75), ("b", 0.25)]


class Peer:
    """The naive peer on a ledger with a golden's items."""

    def __init__(self, folder: Path, golden: str, currency: str, totals: Sequence[str]) -> None:
        self.golden = (GOLDEN / f"{golden}.json").read_bytes()
        self.contact_id = json.loads(self.golden)["ContactId"]
        self.guid = customer_guid(7)
        self.database = f"sqlite:///{folder / 'ledger.db'}"
        ledgers.make(self.database, Shape(item_count=10))
        self.admin = Admin(opening.open_store(self.database))
        self.admin.add_customer(NewCustomer("Golden", self.guid, currency))
        self.admin.grant(USER_NAME, self.guid, tuple(Bundle))
        self._import_items(folder / "items.csv", totals)

    def _import_items(self, file: Path, totals: Sequence[str]) -> None:
        lines = [
            f"{self.contact_id},A,{billing_id},Due,{total},,2025-01-31,4000"
            for billing_id, total in enumerate(totals, 101)
        ]
        file.write_text("\n".join([",".join(COLUMNS), *lines, ""]))
        source, database = Source(file, self.guid), opening.open_store(self.database)
        assert isinstance(import_items(database, source, Unwatched()), Imported)

    def ask(self, call: str, **body: Any) -> bytes:
        """Its answer, asked as a server would ask it."""
        sent: list[dict[str, Any]] = []
        text = json.dumps({"ContactId": self.contact_id, "TenderTypeId": 28, **body}).encode()
        headers = {"userName": USER_NAME, "password": PASSWORD, "customerGuid": self.guid}
        headers["content-type"] = "application/json"
        path = f"/POS/{call}"
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": text, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(make_app(self.database)(scope, receive, send))
        assert sent[0]["status"] == 200, sent
        return b"".join(message.get("body", b"") for message in sent)


def without_moment(answer: bytes) -> bytes:
    """The answer but for when it was recorded."""
    return re.sub(rb'"ProcessDate":"2[^"]+"', b'"ProcessDate":"?"', answer)


def test_the_naive_peer_answers_payments_to_the_byte(cache: Path) -> None:
    """Accepted payments get from it what they get from Paydown, but for the moment."""
    peer = Peer(cache, "payments_recorded", "GBP", ["12.50", "3.00"])
    lines = [{"BillingId": 101, "Amount": 2.0}, {"BillingId": 102, "Amount": 3.0}]
    answer = peer.ask("BillingPayments", PaymentDate="2025-07-01T10:00:00", BillingPayments=lines)

    assert without_moment(answer) == without_moment(peer.golden)


def test_the_naive_peer_answers_write_downs_to_the_byte(cache: Path) -> None:
    """So do accepted write-downs, in a currency without decimals."""
    peer = Peer(cache, "write_downs_recorded", "JPY", ["8"])
    accounts = peer.admin.list_accounts(peer.guid)
    assert not isinstance(accounts, Mistake)
    expense = next(each.account_id for each in accounts if each.account_type == "expense")
    lines = [{"BillingId": 101, "Amount": 3, "GLAccountId": expense}]
    answer = peer.ask(
        "BillingWriteDowns", WriteDownDate="2025-07-01T10:00:00", BillingWriteDowns=lines
    )

    assert without_moment(answer) == without_moment(peer.golden)
