"""Undo what was recorded: the exact mirror of postings, once.

Law of this file: it is pure. A mirror has the accounts swapped and says the same item, amount,
reference and authorization code; what stays is untouched, and the item is open again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from paydown.domain.desk_refusals import DeskRefusal, Objection
from paydown.domain.model import ItemFact, Kind, Posting

POSTINGS_MAX = 10_000
"""The greatest entry that is reversed as a whole: an import's can have a million postings."""


class ReceiptState(NamedTuple):
    """A receipt's amount, and what of it is not applied to items."""

    amount: int
    unapplied: int


class Undoing(NamedTuple):
    """Postings of one entry that are to be undone, and the state of what they moved."""

    kind: Kind
    postings: Sequence[Posting]
    items: Mapping[int, ItemFact]
    receipt: ReceiptState | None = None


def reverse(undoing: Undoing) -> tuple[Posting, ...] | Objection:
    """The postings that undo them, numbered from 1, in their order."""
    if undoing.kind is Kind.REVERSAL:
        return Objection(DeskRefusal.not_reversible)
    receipt = undoing.receipt
    if undoing.kind is Kind.RECEIPT:
        assert receipt is not None, "a receipt's own entry has its state"
        if receipt.unapplied < receipt.amount:
            return Objection(DeskRefusal.receipt_applied)
    mirrors: list[Posting] = []
    for line_no, posting in enumerate(undoing.postings, start=1):
        balance = _balance_after(posting, undoing.items)
        if balance < 0:
            return Objection(DeskRefusal.item_paid, billing_id=posting.billing_id)
        mirrors.append(_mirror(posting, line_no=line_no, balance_after=balance))
    return tuple(mirrors)


def effects(undoing: Undoing) -> dict[int, int]:
    """By how much undoing them moves what each item owes."""
    moved: Counter[int] = Counter()
    for posting in undoing.postings:
        if posting.billing_id is not None:
            moved[posting.billing_id] -= _effect(posting, undoing.items[posting.billing_id])
    return moved


def _effect(posting: Posting, item: ItemFact) -> int:
    """By how much the posting moved what the item owes."""
    raises = posting.debit_account_id == item.receivables_account_id
    return posting.amount if raises else -posting.amount


def _balance_after(posting: Posting, items: Mapping[int, ItemFact]) -> int:
    """What the item owes once the posting is undone; of a receipt, nothing is left."""
    if posting.billing_id is None:
        return 0
    item = items[posting.billing_id]
    return item.balance - _effect(posting, item)


def _mirror(posting: Posting, *, line_no: int, balance_after: int) -> Posting:
    return posting._replace(
        line_no=line_no,
        debit_account_id=posting.credit_account_id,
        credit_account_id=posting.debit_account_id,
        balance_after=balance_after,
        notes=None,
    )
