"""The whole way around the two calls, by somebody who has only HTTP."""

import itertools
from typing import Any

from doors import PASSWORD_HASH, PAYMENTS, WRITE_DOWNS
from served import ask, served

import ledgers
from makers import on_both_stores
from paydown import audit
from paydown.admin import Admin, Mistake
from paydown.storage.database import Database

EXTERNAL, CASH, BAD_DEBT = 28, 1, 13


class Clerk:
    """Somebody with a login and an address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.numbers = itertools.count(1)

    def order(self, path: str, body: Any, status: int = 201) -> Any:
        """A write, sent twice: it is done once and answered the same."""
        key = f"clerk-{next(self.numbers)}"
        first, again = (ask("POST", self.url + path, body, Idempotency_Key=key) for _ in range(2))
        assert first.status == status, first
        assert (again.status, again.body) == (first.status, first.body)
        return first.told

    def ask(self, path: str) -> Any:
        """A read."""
        answer = ask("GET", self.url + path)
        assert answer.status == 200, answer
        return answer.told

    def balance(self, billing_id: int, **moment: str) -> str:
        """Why the item owes what it owes, down to what it owes."""
        query = "&".join(f"{name}={at.replace('+', '%2B')}" for name, at in moment.items())
        told = self.ask(f"/v1/items/{billing_id}/explain?{query}")
        effects = [each["effect"] for each in told["movements"]]
        assert sum(map(pennies, effects)) == pennies(told["balance"])
        assert len(told["sentences"]) > len(effects)
        return str(told["balance"])


def pennies(amount: str) -> int:
    """The amount, whole."""
    return int(amount.replace(".", ""))


@on_both_stores
def test_the_whole_way_around_the_two_calls(database: Database) -> None:
    """Contact, items, part payment, write-down, reversal, lump sum, explanation, and the search."""
    assert not isinstance(Admin(database).set_password(ledgers.TILL, PASSWORD_HASH), Mistake)
    with served(database) as url:
        clerk = Clerk(url)
        contact = clerk.order("/v1/contacts", {"name": "Cara Cole", "reference": "M-77"})
        contact_id = contact["contact_id"]
        item = {"contact_id": contact_id, "billing_type_id": 1, "description": "Membership"}
        item["effective_at"] = "2026-01-01T00:00:00Z"
        first, second = (
            clerk.order("/v1/items", {**item, "total_amount": amount})["billing_id"]
            for amount in ("25.00", "40.00")
        )

        paid = pay(clerk, contact_id, first, 12.6)
        write_down(clerk, contact_id, first, 12.4)
        assert (paid, clerk.balance(first)) == (12.4, "0.00")

        (posting,) = clerk.ask("/v1/postings?reference=DD-417")["data"]
        assert (posting["billing_id"], posting["amount"]) == (first, "12.60")
        before = clerk.ask(f"/v1/items/{first}/explain")["known_at"]
        undone = clerk.order(
            f"/v1/postings/{posting['posting_id']}/reverse", {"reason": "Paid for another"}
        )
        assert undone["value_at_rule"] == "original"
        assert undone["items"] == [{"billing_id": first, "balance": "12.60"}]
        refused = ask(
            "POST",
            f"{url}/v1/postings/{posting['posting_id']}/reverse",
            {"reason": "Twice"},
            Idempotency_Key="another",
        )
        assert (refused.status, refused.told["code"]) == (409, "already_reversed")
        assert clerk.balance(first) == "12.60"
        assert clerk.balance(first, known_at=before) == "0.00"
        assert clerk.balance(first, as_of="2026-02-04T00:00:00Z") == "25.00"

        receipt = clerk.order("/v1/receipts", lump_sum(contact_id, "52.60"))
        path = f"/v1/receipts/{receipt['receipt_id']}"
        best = clerk.ask(f"{path}/suggestions")["suggestions"][0]
        assert best["rule"] == "exact_subset"
        told = clerk.order(f"{path}/allocate", {"lines": best["lines"]}, status=200)
        assert told["unapplied"] == "0.00"
        assert [clerk.balance(each) for each in (first, second)] == ["0.00", "0.00"]

        (allocation,) = (each for each in told["allocations"] if each["billing_id"] == first)
        back = {"allocation_id": allocation["allocation_id"], "reason": "Not yet"}
        told = clerk.order(f"{path}/unallocate", back, status=200)
        assert told["unapplied"] == allocation["amount"] == "12.60"
        assert pay(clerk, contact_id, first, 12.6) == 0.0
        in_full = clerk.ask(f"/v1/contacts/{contact_id}")
        assert (in_full["unapplied"], in_full["open_items"]) == ("12.60", [])
        debt = clerk.ask("/v1/aged-debt")
        assert {each["difference"] for each in debt["accounts"]} == {"0.00"}

    assert [finding for finding in audit.verify(database) if not finding.ok] == []


def pay(clerk: Clerk, contact_id: str, billing_id: int, amount: float) -> Any:
    """Pay a part of an item by the vendor's call, always with one reference; the balance left."""
    line = {"BillingId": billing_id, "Amount": amount, "ThirdPartyReference": "DD-417"}
    body = {
        "ContactId": contact_id,
        "PaymentDate": "2026-02-05T10:00:00+00:00",
        "TenderTypeId": EXTERNAL,
        "BillingPayments": [line],
    }
    return clerk.order(PAYMENTS, body, status=200)["BillingPayments"][0]["Balance"]


def write_down(clerk: Clerk, contact_id: str, billing_id: int, amount: float) -> None:
    """Write a rest down by the vendor's call."""
    line = {"BillingId": billing_id, "Amount": amount, "GLAccountId": BAD_DEBT}
    body = {
        "ContactId": contact_id,
        "WriteDownDate": "2026-02-06T10:00:00+00:00",
        "TenderTypeId": EXTERNAL,
        "BillingWriteDowns": [line],
    }
    assert clerk.order(WRITE_DOWNS, body, status=200)["Success"]


def lump_sum(contact_id: str, amount: str) -> dict[str, Any]:
    """Money without items."""
    return {
        "contact_id": contact_id,
        "tender_type_id": CASH,
        "amount": amount,
        "value_at": "2026-03-01T10:00:00Z",
    }
