"""What a new customer's books begin with: currencies, accounts and types."""

from typing import NamedTuple

from paydown.domain.model import AccountType

MINOR_DIGITS = {
    **dict.fromkeys(("AED", "AUD", "BGN", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR"), 2),
    **dict.fromkeys(("GBP", "GIP", "HKD", "HUF", "ILS", "INR", "MXN", "MYR", "NOK", "NZD"), 2),
    **dict.fromkeys(("PHP", "PLN", "QAR", "RON", "SAR", "SEK", "SGD", "THB", "TRY", "TWD"), 2),
    **dict.fromkeys(("USD", "ZAR"), 2),
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "UGX", "VND", "XAF", "XOF"), 0),
    **dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 3),
}
"""The currencies that books can be kept in, with their decimals (ISO 4217)."""


class PresetAccount(NamedTuple):
    """An account by its code in the books."""

    code: str
    name: str
    account_type: AccountType


class PresetTenderType(NamedTuple):
    """A tender type under the vendor's id, with the code of its clearing account."""

    tender_type_id: int
    name: str
    clearing_code: str


class PresetBillingType(NamedTuple):
    """A billing type with the codes of its income and its external receivables account."""

    billing_type_id: int
    name: str
    income_code: str
    external_receivables_code: str


RECEIVABLES = PresetAccount("1100", "Billing receivables", AccountType.RECEIVABLE)
OPENING_BALANCES = PresetAccount("3900", "Opening balances", AccountType.EQUITY)
UNAPPLIED_RECEIPTS = PresetAccount("2140", "Unapplied receipts", AccountType.LIABILITY)
EXTERNAL_RECEIVABLES = PresetAccount("1150", "External billing receivables", AccountType.RECEIVABLE)

ACCOUNTS = (
    PresetAccount("1210", "Cash to bank", AccountType.ASSET),
    PresetAccount("1220", "Cheques to bank", AccountType.ASSET),
    PresetAccount("1230", "Card receipts due", AccountType.ASSET),
    PresetAccount("1240", "Bank transfers due", AccountType.ASSET),
    PresetAccount("1250", "External payments due", AccountType.ASSET),
    PresetAccount("2110", "E Card balances", AccountType.LIABILITY),
    PresetAccount("2120", "Members' credit", AccountType.LIABILITY),
    PresetAccount("2130", "Vouchers issued", AccountType.LIABILITY),
    PresetAccount("4000", "Membership income", AccountType.INCOME),
    PresetAccount("4100", "Other income", AccountType.INCOME),
    PresetAccount("6000", "Bad debt expense", AccountType.EXPENSE),
    PresetAccount("6100", "Goodwill", AccountType.EXPENSE),
)

TENDER_TYPES = (
    PresetTenderType(1, "Cash", "1210"),
    PresetTenderType(2, "Cheque", "1220"),
    PresetTenderType(3, "Card", "1230"),
    PresetTenderType(4, "E Card", "2110"),
    PresetTenderType(5, "Credit", "2120"),
    PresetTenderType(6, "Credit Note", "2120"),
    PresetTenderType(7, "Voucher", "2130"),
    PresetTenderType(8, "EFT", "1240"),
    PresetTenderType(28, "External Payment", "1250"),
)

BILLING_TYPES = (
    PresetBillingType(1, "Membership", "4000", EXTERNAL_RECEIVABLES.code),
    PresetBillingType(2, "Other", "4100", EXTERNAL_RECEIVABLES.code),
)
