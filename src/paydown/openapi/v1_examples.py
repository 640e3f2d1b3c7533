"""An example of every order and document of ``/v1``: one story, told by the shapes themselves.

Law of this file: an example is made of the struct that is read or sent, so it cannot differ from it
in a member; a test holds each against its schema.
"""

from typing import Any

import msgspec

from paydown.domain.ageing import AGE_BANDS
from paydown.domain.model import Kind
from paydown.domain.wording import RULES
from paydown.wire.v1 import documents, orders

BEN = "f9025eb8-7bcb-4f72-aa35-ca5d82e6cb01"
CHARGE = "019c2d0e-5f70-7a3c-9d3e-1f2a3b4c5d6e"
PAYMENT = "019c2d10-9a31-7c11-8a5b-0c4d2e6f8a91"
REVERSAL = "019c2e52-1b7d-7e40-b2c3-6d7e8f901234"
RECEIPT = "019c2e60-44aa-7b52-9f0e-aabbccddeeff"
ALLOCATION = "019c2e61-7c20-7d33-8b4c-112233445566"
CHARGED_AT, PAID_AT = "2026-01-31T00:00:00+00:00", "2026-02-05T09:13:12+00:00"
RECORDED_AT = "2026-02-05T09:13:14.0312745+00:00"
KNOWN_AT = "2026-02-06T09:00:00+00:00"
REVERSED_AT = "2026-02-06T16:40:02.7710032+00:00"
REQUEST_ID = "4f1d0c8e5a7b4c2d0000000000000a1f"
REASON = "Paid for another member by mistake"

_RECEIVABLES = documents.AccountName(gl_account_id=1, code="1100", name="Billing receivables")
_INCOME = documents.AccountName(gl_account_id=11, code="4000", name="Membership income")
_EXTERNAL = documents.AccountName(gl_account_id=7, code="1250", name="External payments due")

_ITEM: dict[str, Any] = {
    "billing_id": 1001,
    "contact_id": BEN,
    "beneficiary_id": BEN,
    "description": "Membership, February",
    "total_amount": "25.00",
    "balance": "12.40",
    "state": "open",
    "due_on": "2026-01-31",
    "days_overdue": 5,
    "billing_type_id": 1,
    "agreement_id": 7014,
    "member_service_id": None,
    "is_external": False,
    "receivables_account_code": "1100",
}
_REVERSED_BY = documents.ReversedBy(
    posting_id=f"{REVERSAL}.1", value_at=PAID_AT, recorded_at=REVERSED_AT, reason=REASON
)
_CONTACT: dict[str, Any] = {
    "contact_id": BEN,
    "name": "Ben Baker",
    "reference": "M-20417",
    "open_item_count": 1,
    "owed": "12.40",
    "unapplied": "0.00",
}
_TRACE: dict[str, Any] = {"caller": "till", "staff_user": "j.doe", "address": "192.0.2.7"}

item = documents.Item(**_ITEM, contact_name="Ben Baker", beneficiary_name="Ben Baker")
posting = documents.Posting(
    posting_id=f"{PAYMENT}.1",
    entry_id=PAYMENT,
    kind="payment",
    contact_id=BEN,
    tender_type_id=28,
    billing_id=1001,
    receipt_id=None,
    amount="12.60",
    debit_account=_EXTERNAL,
    credit_account=_RECEIVABLES,
    balance_after="12.40",
    reference="DD-2026-02-000417",
    authorization_code=None,
    notes=None,
    value_at=PAID_AT,
    recorded_at=RECORDED_AT,
    **_TRACE,
    request_id=REQUEST_ID,
    reverses=None,
    reversed_by=None,
)
_ENTRY: dict[str, Any] = {
    "entry_id": PAYMENT,
    "kind": "payment",
    "contact_id": BEN,
    "tender_type_id": 28,
    "value_at": PAID_AT,
    "recorded_at": RECORDED_AT,
    "request_id": REQUEST_ID,
    "idempotency_key": "9b1c-417",
    "notes": None,
    "amount": "12.60",
    "posting_count": 1,
    **_TRACE,
}
_REVERSAL_POSTING = msgspec.structs.replace(
    posting,
    posting_id=f"{REVERSAL}.1",
    entry_id=REVERSAL,
    kind="reversal",
    debit_account=_RECEIVABLES,
    credit_account=_EXTERNAL,
    balance_after="25.00",
    notes=REASON,
    recorded_at=REVERSED_AT,
    reverses=f"{PAYMENT}.1",
)
_BANDS = {band.name: "12.40" if band.name == "1-30" else "0.00" for band in AGE_BANDS}
_DIGEST = "a3f5b0c1d2e4968778695a4b3c2d1e0f" * 2


def _movement(kind: Kind, effect: str, balance: str, **more: Any) -> documents.Movement:
    """A movement of the item; ``more`` is what the kind has of its own."""
    usual = {
        "rule": RULES[kind],
        "tender_type": None,
        "receipt_id": None,
        "reference": None,
        "authorization_code": None,
        "notes": None,
        "request_id": REQUEST_ID,
        "reverses": None,
        "reversed_by": None,
        **_TRACE,
    }
    told: Any = kind.value
    return documents.Movement(kind=told, effect=effect, balance=balance, **(usual | more))


def _sentence(what: str, recorded: str, kind: Kind, balance: str) -> str:
    """What is said of that movement."""
    by = f"by till for j.doe from 192.0.2.7, request {REQUEST_ID}"
    return f"{what} (recorded {recorded} {by}). {RULES[kind]} The balance was £{balance}."


_DOCUMENTS = (
    documents.Account(
        gl_account_id=11,
        code="4000",
        name="Membership income",
        account_type="income",
        active=True,
    ),
    documents.TenderType(
        tender_type_id=28, name="External Payment", clearing_account_code="1250", active=True
    ),
    documents.BillingType(
        billing_type_id=1,
        name="Membership",
        income_account_code="4000",
        external_receivables_account_code="1150",
        active=True,
    ),
    documents.Contact(**_CONTACT),
    documents.ContactInFull(**_CONTACT, open_items=[item]),
    item,
    posting,
    documents.Entry(**_ENTRY),
    documents.EntryInFull(**_ENTRY, digest=_DIGEST, postings=[posting]),
    documents.Reversed(
        entry=documents.EntryInFull(
            **_ENTRY
            | {
                "entry_id": REVERSAL,
                "kind": "reversal",
                "recorded_at": REVERSED_AT,
                "idempotency_key": "9b1c-418",
                "notes": REASON,
            },
            digest=_DIGEST[::-1],
            postings=[_REVERSAL_POSTING],
        ),
        value_at_rule="original",
        items=[documents.ItemBalance(billing_id=1001, balance="25.00")],
    ),
    documents.Explanation(
        item=documents.ExplainedItem(**_ITEM),
        as_of=PAID_AT,
        known_at=KNOWN_AT,
        provisional=False,
        balance="12.40",
        movements=[
            _movement(
                Kind.CHARGE,
                "25.00",
                "25.00",
                posting_id=f"{CHARGE}.1",
                entry_id=CHARGE,
                value_at=CHARGED_AT,
                recorded_at=CHARGED_AT,
                counter_account=_INCOME,
            ),
            _movement(
                Kind.PAYMENT,
                "-12.60",
                "12.40",
                posting_id=f"{PAYMENT}.1",
                entry_id=PAYMENT,
                value_at=PAID_AT,
                recorded_at=RECORDED_AT,
                counter_account=_EXTERNAL,
                tender_type="External Payment",
                reference="DD-2026-02-000417",
            ),
        ],
        sentences=[
            _sentence(
                "31 Jan 2026: £25.00 charged for Membership, February",
                "31 Jan 2026 00:00",
                Kind.CHARGE,
                "25.00",
            ),
            _sentence(
                "5 Feb 2026: £12.60 paid by External Payment, reference DD-2026-02-000417",
                "5 Feb 2026 09:13",
                Kind.PAYMENT,
                "12.40",
            ),
            "The balance at 5 Feb 2026 09:13, as known at 6 Feb 2026 09:00, is £12.40.",
        ],
    ),
    documents.Statement(
        customer_name="Riverside Leisure",
        currency="GBP",
        contact_id=BEN,
        contact_name="Ben Baker",
        contact_reference="M-20417",
        first_on="2026-02-01",
        last_on="2026-02-28",
        opening_balance="25.00",
        lines=[
            documents.StatementLine(
                posting_id=f"{PAYMENT}.1",
                value_at=PAID_AT,
                kind="payment",
                billing_id=1001,
                description="Payment, External Payment",
                reference="DD-2026-02-000417",
                charge=None,
                credit="12.60",
                balance="12.40",
            )
        ],
        closing_balance="12.40",
    ),
    documents.AgedDebt(
        on="2026-02-05",
        currency="GBP",
        bands=[
            documents.Band(band=band, item_count=int(amount != "0.00"), amount=amount)
            for band, amount in _BANDS.items()
        ],
        total="12.40",
        accounts=[
            documents.TieOut(
                account=_RECEIVABLES,
                ledger_balance="12.40",
                items_balance="12.40",
                difference="0.00",
            )
        ],
        contacts=[
            documents.ContactDebt(contact_id=BEN, name="Ben Baker", bands=_BANDS, total="12.40")
        ],
    ),
    documents.Receipt(
        receipt_id=RECEIPT,
        contact_id=BEN,
        contact_name="Ben Baker",
        tender_type_id=8,
        amount="30.00",
        unapplied="17.60",
        value_at=PAID_AT,
        recorded_at=RECORDED_AT,
        reference="BACS-0099",
        authorization_code=None,
        notes=None,
        allocations=[
            documents.Allocation(
                allocation_id=f"{ALLOCATION}.1",
                billing_id=1001,
                amount="12.40",
                value_at=PAID_AT,
                recorded_at=RECORDED_AT,
                reversed_by=None,
            ),
            documents.Allocation(
                allocation_id=f"{ALLOCATION}.2",
                billing_id=1002,
                amount="5.00",
                value_at=PAID_AT,
                recorded_at=RECORDED_AT,
                reversed_by=_REVERSED_BY,
            ),
        ],
        reversed_by=None,
    ),
    documents.Suggestions(
        receipt_id=RECEIPT,
        unapplied="12.40",
        suggestions=[
            documents.Suggestion(
                rank=1,
                rule="exact_item",
                reason="Membership, February, due on 2026-01-31, owes exactly £12.40.",
                total="12.40",
                left_over="0.00",
                lines=[documents.SuggestedLine(billing_id=1001, amount="12.40")],
            )
        ],
    ),
    documents.ItemResults(
        success=False,
        created_count=1,
        results=[
            documents.ItemResult(
                index=0, billing_id=1001, entry_id=CHARGE, code=None, detail=None, errors=[]
            ),
            documents.ItemResult(
                index=1,
                billing_id=None,
                entry_id=None,
                code="unknown_contact",
                detail="There is no such contact of this customer.",
                errors=[
                    documents.ProblemError(
                        pointer="/items/1/contact_id",
                        detail="There is no such contact of this customer.",
                    )
                ],
            ),
        ],
    ),
)
_NEW_ITEM = orders.NewItem(
    contact_id=BEN,
    billing_type_id=1,
    total_amount="25.00",
    description="Membership, February",
    due_on="2026-01-31",
    agreement_id=7014,
)
_ORDERS = (
    orders.NewContact(name="Ben Baker", reference="M-20417"),
    orders.ContactChange(name="Benjamin Baker", reference="M-20417"),
    _NEW_ITEM,
    orders.NewItems(items=[_NEW_ITEM, msgspec.structs.replace(_NEW_ITEM, total_amount="5.00")]),
    orders.Reversal(reason=REASON),
    orders.NewReceipt(
        contact_id=BEN,
        tender_type_id=8,
        amount="30.00",
        value_at=PAID_AT,
        reference="BACS-0099",
    ),
    orders.Allocations(lines=[orders.AllocationLine(billing_id=1001, amount="12.40")]),
    orders.Unallocation(allocation_id=f"{ALLOCATION}.1", reason=REASON),
    orders.NewTenderType(tender_type_id=40, name="Payroll", clearing_account_code="1240"),
    orders.NewBillingType(
        billing_type_id=10,
        name="Swimming lessons",
        income_account_code="4100",
        external_receivables_account_code="1150",
    ),
    orders.NewAccount(code="4200", name="Swimming income", account_type="income"),
    orders.Activation(active=False),
)
_BY_SHAPE: dict[Any, Any] = {type(each): each for each in (*_DOCUMENTS, *_ORDERS)}


def example(shape: Any) -> msgspec.Raw:
    """An example of the shape, as it is sent. A page has one element."""
    if shape not in _BY_SHAPE:
        (element,) = shape.__args__
        page = documents.Page[element](data=[_BY_SHAPE[element]], next_cursor=None)  # type: ignore[valid-type]
        return msgspec.Raw(msgspec.json.encode(page))
    made = _BY_SHAPE[shape]
    if isinstance(made, orders.Order):
        sent = {name: each for name, each in msgspec.to_builtins(made).items() if each is not None}
        return msgspec.Raw(msgspec.json.encode(sent))
    return msgspec.Raw(msgspec.json.encode(made))
