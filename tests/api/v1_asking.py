"""A caller of ``/v1``: orders under keys of their own, and questions."""

import itertools
from typing import Any

from doors import TILL, Answer, Door

import ledgers
from paydown.openapi.routes import ROUTES

TENDER_TYPE = {"tender_type_id": 40, "name": "Payroll", "clearing_account_code": "1240"}
BILLING_TYPE = {
    "billing_type_id": 10,
    "name": "Lessons",
    "income_account_code": "4100",
    "external_receivables_account_code": "1150",
}
ACCOUNT = {"code": "4200", "name": "Swimming", "account_type": "income"}
WRITES = {route.name: route for route in ROUTES if route.is_write}

_numbers = itertools.count(1)


def order(door: Door, method: str, path: str, body: Any, **headers: str) -> Answer:
    """A write under a new key, unless ``headers`` says otherwise: ``_`` stands for a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    key = {"Idempotency-Key": f"key-{next(_numbers)}"}
    return door.ask(method, path, body=body, headers={**TILL, **key, **named})


def post(door: Door, path: str, body: Any, **headers: str) -> Any:
    """What a write that succeeds is told."""
    answer = order(door, "POST", path, body, **headers)
    assert answer.status in (200, 201), answer
    return answer.told


def get(door: Door, path: str, **headers: str) -> Answer:
    """A question, as the till."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return door.ask("GET", path, headers={**TILL, **named})


def problem(answer: Answer, status: int, code: str) -> Any:
    """The problem that the answer tells; it is told as RFC 9457 has it."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    told = answer.told
    assert (answer.status, told["status"], told["code"]) == (status, status, code), told
    assert told["type"] == "about:blank"
    assert told["title"]
    assert told["detail"].endswith(".")
    return told


def contact(door: Door, **more: Any) -> str:
    """The id of a new contact."""
    return str(post(door, "/v1/contacts", {"name": "Cara Cole", **more})["contact_id"])


def item(door: Door, contact_id: str = ledgers.ANNA, amount: str = "25.00", **more: Any) -> int:
    """The id of a new billing item."""
    return int(post(door, "/v1/items", new_item(contact_id, amount, **more))["billing_id"])


def new_item(contact_id: str = ledgers.ANNA, amount: str = "25.00", **more: Any) -> dict[str, Any]:
    """The body of a billing item to create."""
    usual = {"contact_id": contact_id, "billing_type_id": 1, "total_amount": amount}
    return {**usual, "description": "Membership", **more}


def new_receipt(contact_id: str = ledgers.ANNA, amount: str = "30.00", **more: Any) -> Any:
    """The body of a receipt to record."""
    usual = {"contact_id": contact_id, "tender_type_id": ledgers.CASH, "amount": amount}
    return {**usual, "value_at": "2026-02-05T10:00:00Z", **more}


def everything(door: Door, contact_id: str = ledgers.ANNA) -> dict[str, str]:
    """Something to lead to for each name in a path."""
    billing_id = item(door, contact_id)
    receipt = post(door, "/v1/receipts", new_receipt(contact_id))
    lines = {"lines": [{"billing_id": billing_id, "amount": "5.00"}]}
    told = post(door, f"/v1/receipts/{receipt['receipt_id']}/allocate", lines)
    posting_id = told["allocations"][0]["allocation_id"]
    return {
        "contact_id": contact_id,
        "billing_id": str(billing_id),
        "receipt_id": receipt["receipt_id"],
        "posting_id": posting_id,
        "entry_id": posting_id.partition(".")[0],
        "tender_type_id": "3",
        "billing_type_id": "2",
        "gl_account_id": "13",
    }


def write_bodies(door: Door) -> dict[str, tuple[str, Any]]:
    """Of each write a path and a body that succeed, and are of Anna's."""
    names = everything(door)
    paid = item(door)
    posted = post(door, "/v1/receipts", new_receipt(amount="7.00"))["receipt_id"]
    lines = {"lines": [{"billing_id": paid, "amount": "2.00"}]}
    taken = post(door, f"/v1/receipts/{posted}/allocate", lines)["allocations"][0]
    bodies: dict[str, Any] = {
        "create_contact": {"name": "Dora Dean"},
        "change_contact": {"name": "Anna Archer-Ash", "reference": "M-1"},
        "create_item": new_item(),
        "create_items": {"items": [new_item(), new_item(amount="0.00")]},
        "create_tender_type": TENDER_TYPE,
        "set_tender_type_active": {"active": False},
        "create_billing_type": BILLING_TYPE,
        "set_billing_type_active": {"active": False},
        "create_account": ACCOUNT,
        "set_account_active": {"active": False},
        "reverse_entry": {"reason": "A mistake"},
        "reverse_posting": {"reason": "A mistake"},
        "record_receipt": new_receipt(),
        "allocate": {"lines": [{"billing_id": paid, "amount": "3.00"}]},
        "unallocate": {"allocation_id": taken["allocation_id"], "reason": "A mistake"},
    }
    paths = {name: WRITES[name].path.format(**names) for name in bodies}
    paths["unallocate"] = f"/v1/receipts/{posted}/unallocate"
    assert set(bodies) == set(WRITES)
    return {name: (paths[name], bodies[name]) for name in bodies}
