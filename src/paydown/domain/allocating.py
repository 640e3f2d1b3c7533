"""Apply parts of a receipt to items: all the lines, or none.

Law of this file: it is pure. A line is judged as a payment's is, and together the lines take no
more than is left of the receipt.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from paydown.domain.charging import judge_amount
from paydown.domain.desk_refusals import DeskRefusal, Objection
from paydown.domain.model import ItemFact, Posting


class Share(NamedTuple):
    """A part of a receipt, for one item."""

    billing_id: int
    amount: Decimal


class ReceiptFact(NamedTuple):
    """A receipt: whose it is, what is left of it, on which account, and when it was received."""

    contact_id: str
    amount: int
    unapplied: int
    unapplied_account_id: int
    value_at: int
    value_written: str


class AllocationFacts(NamedTuple):
    """What allocating needs to know: the receipt, and the items there are among those named."""

    minor_digits: int
    receipt: ReceiptFact
    items: Mapping[int, ItemFact]


class Allocated(NamedTuple):
    """A posting for each share, and by how much each item is moved: always down."""

    postings: tuple[Posting, ...]
    effects: dict[int, int]


def allocate(shares: Sequence[Share], facts: AllocationFacts) -> Allocated | list[Objection]:
    """What applies all the shares, or everything that stands against them."""
    postings: list[Posting] = []
    objections: list[Objection] = []
    effects: dict[int, int] = {}
    counts = Counter(share.billing_id for share in shares)
    for index, share in enumerate(shares):
        judged = _judge(share, facts, index)
        if counts[share.billing_id] > 1:
            judged = Objection(DeskRefusal.repeated_billing_id, f"/lines/{index}/billing_id")
        if isinstance(judged, Objection):
            objections.append(judged)
            continue
        effects[share.billing_id] = -judged
        postings.append(_post(share.billing_id, facts, line_no=index + 1, amount=judged))
    if not objections and -sum(effects.values()) > facts.receipt.unapplied:
        objections.append(Objection(DeskRefusal.amount_exceeds_unapplied, "/lines"))
    return objections or Allocated(tuple(postings), effects)


def _judge(share: Share, facts: AllocationFacts, index: int) -> int | Objection:
    """The amount in minor units, or why the share is not applied."""
    item = facts.items.get(share.billing_id)
    if item is None or item.contact_id != facts.receipt.contact_id:
        return Objection(DeskRefusal.unknown_billing_item, f"/lines/{index}/billing_id")
    amount = judge_amount(share.amount, facts.minor_digits, f"/lines/{index}/amount")
    if isinstance(amount, int) and amount > item.balance:
        return Objection(DeskRefusal.amount_exceeds_balance, f"/lines/{index}/amount")
    return amount


def _post(billing_id: int, facts: AllocationFacts, *, line_no: int, amount: int) -> Posting:
    item = facts.items[billing_id]
    return Posting(
        line_no=line_no,
        billing_id=billing_id,
        amount=amount,
        debit_account_id=facts.receipt.unapplied_account_id,
        credit_account_id=item.receivables_account_id,
        balance_after=item.balance - amount,
        reference=None,
        notes=None,
        authorization_code=None,
    )
