"""A client that a program made of the OpenAPI document speaks to a real server."""

import base64
import datetime
import importlib
import itertools
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from doors import PASSWORD, open_door
from served import served

import ledgers
from paydown.storage.database import Database

GENERATOR = Path(sys.executable).with_name("openapi-python-client")
NAME = "generated_paydown_client"

_keys = itertools.count(1)


@pytest.fixture(scope="module")
def folder(known_password_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the client was generated, from the document as a server serves it."""
    made = tmp_path_factory.mktemp("client")
    ledger = ledgers.copy_ledger(known_password_template, made / "ledger.db")
    door = open_door(ledger)
    (made / "openapi.json").write_bytes(door.get("/openapi.json").body)
    door.close()
    (made / "config.yaml").write_text("post_hooks: []\n")
    options = {"path": "openapi.json", "config": "config.yaml", "output-path": NAME, "meta": "none"}
    written = [word for name, value in options.items() for word in (f"--{name}", value)]
    told = subprocess.run(
        [GENERATOR, "generate", *written], cwd=made, capture_output=True, text=True, check=True
    )
    # Of the whole document it has no type for one thing: a file of any media type.
    assert re.findall("WARNING parsing (.*?) within", told.stderr) == ["GET /docs/{name}"]
    return made


@pytest.fixture
def call(folder: Path, ledger: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Call an operation of the generated client, by HTTP Basic, and take its typed answer."""
    monkeypatch.syspath_prepend(folder)
    token = base64.b64encode(f"{ledgers.TILL}:{PASSWORD}".encode()).decode()
    with served(ledger) as url:
        client = importlib.import_module(NAME).AuthenticatedClient(
            base_url=url, token=token, prefix="Basic", headers={"Customer": ledgers.CLUB}
        )

        def call(tag: str, name: str, *target: Any, **more: Any) -> Any:
            operation = importlib.import_module(f"{NAME}.api.{tag}.{name}")
            if "body" in more:
                more = {"idempotency_key": f"generated-{next(_keys)}", **more}
            return operation.sync(*target, client=client, **more)

        with client:
            yield call


def model(kind: str, /, **members: Any) -> Any:
    """A body, by the generated class."""
    return getattr(importlib.import_module(f"{NAME}.models"), kind)(**members)


def test_a_generated_client_goes_the_whole_way(call: Any) -> None:
    """It creates, records, reverses, applies by suggestion and asks why, each answer typed."""
    contact = call("contacts", "create_contact", body=model("NewContact", name="C"))
    assert isinstance(contact.contact_id, uuid.UUID)
    items = [
        call(
            "items",
            "create_item",
            body=model(
                "NewItem",
                contact_id=contact.contact_id,
                billing_type_id=1,
                total_amount=amount,
                description="Membership",
                effective_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
            ),
        )
        for amount in ("25.00", "40.00")
    ]
    assert [item.balance for item in items] == ["25.00", "40.00"]

    receipt = call("receipts", "record_receipt", body=lump_sum(contact.contact_id))
    suggestions = call("receipts", "suggest_allocations", receipt.receipt_id).suggestions
    assert suggestions[0].rule.value == "exact_item"
    line = suggestions[0].lines[0]
    lines = [model("AllocationLine", billing_id=line.billing_id, amount=line.amount)]
    body = model("Allocations", lines=lines)
    tried = call("receipts", "allocate", receipt.receipt_id, body=body, prefer="dry-run")
    told = call("receipts", "allocate", receipt.receipt_id, body=body)
    assert (tried.unapplied, told.unapplied) == ("0.00", "0.00")

    why = call("items", "explain_item", items[0].billing_id)
    assert (why.balance, [each.effect for each in why.movements]) == ("0.00", ["25.00", "-25.00"])
    reason = model("Reversal", reason="Meant for the other")
    undone = call("postings", "reverse_posting", why.movements[-1].posting_id, body=reason)
    assert undone.items[0].balance == "25.00"
    again = call("postings", "reverse_posting", why.movements[-1].posting_id, body=reason)
    assert (again.status, again.code) == (409, "already_reversed")
    before = call("items", "explain_item", items[0].billing_id, known_at=why.known_at)
    assert before.balance == "0.00"
    (open_now,) = call("receipts", "list_receipts", unapplied_only=True).data
    assert open_now.receipt_id == receipt.receipt_id


def lump_sum(contact_id: uuid.UUID) -> Any:
    """Money without items: as much as the first item owes."""
    return model(
        "NewReceipt",
        contact_id=contact_id,
        tender_type_id=ledgers.CASH,
        amount="25.00",
        value_at=datetime.datetime(2026, 2, 5, 10, tzinfo=datetime.UTC),
    )
