"""The vendor's own sample bodies, posted to a real server: as they stand, and as meant."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from processes import Server, post, run

from paydown.domain.outcomes import Refusal

SAMPLES = sorted((Path(__file__).parents[1] / "wire" / "samples").glob("*.request.json"))


class Demo:
    """A running demo, and what a script knows of it."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.server = Server("demo", "--data", str(folder), log=log)
        self.told: dict[str, Any] = json.loads((folder / "demo.json").read_text())

    def post(self, call: str, body: dict[str, Any]) -> tuple[Any, dict[str, str]]:
        """The answer's body and headers, which must be a 200."""
        answer = post(f"{self.told['base_url']}/POS/{call}", body, self.told["headers"])
        assert answer.status == 200, answer.body
        return answer.body, {name.lower(): value for name, value in answer.headers.items()}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo for all samples; its books must hold at the end."""
    folder = tmp_path_factory.mktemp("seeds")
    running = Demo(folder / "demo", folder / "log")
    yield running
    assert running.server.stop() == 0
    assert run("verify", "--database", running.told["database"]).returncode == 0


def call_of(body: dict[str, Any]) -> str:
    """Which of the two calls the body is for."""
    return "BillingPayments" if "BillingPayments" in body else "BillingWriteDowns"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name.partition(".")[0])
def test_a_sample_as_it_stands_is_refused_in_words(demo: Demo, sample: Path) -> None:
    """The samples repeat BillingId 1 three times: that says nothing of what was meant."""
    body = json.loads(sample.read_text())
    answer, _ = demo.post(call_of(body), body)

    assert answer["ErrorMessage"] == Refusal.repeated_billing_id.sentence
    assert answer["Success"] is False
    assert answer["ContactId"] == body["ContactId"]
    assert [line["BillingId"] for line in answer[call_of(body)]] == [1, 1, 1]
    assert {line["Balance"] for line in answer[call_of(body)]} == {None}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name.partition(".")[0])
def test_a_sample_with_distinct_items_is_recorded_once(demo: Demo, sample: Path) -> None:
    """With the customer's own ids each line is recorded; sent again, nothing moves."""
    body = json.loads(sample.read_text())
    call = call_of(body)
    start = SAMPLES.index(sample) * 3
    unpaid = [i for i in demo.told["billing_items"] if Decimal(i["balance"]) >= 2][-20:]
    items = (unpaid * 2)[start : start + 3]
    body["ContactId"] = demo.told["contact_id"]
    for line, item in zip(body[call], items, strict=True):
        line["BillingId"] = item["billing_id"]
        if "GLAccountId" in line:
            line["GLAccountId"] = demo.told["gl_account_ids"][0]
    answer, headers = demo.post(call, body)
    again, again_headers = demo.post(call, body)

    assert answer["Success"] is True
    assert again == answer
    assert "idempotent-replayed" not in headers
    assert again_headers["idempotent-replayed"] == "true"
    date = "PaymentDate" if call == "BillingPayments" else "WriteDownDate"
    assert {line[date] for line in answer[call]} == {body[date]}
