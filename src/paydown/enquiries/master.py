"""What the books refer to: tender types, billing types and GL accounts, each list whole."""

from paydown.storage import reference
from paydown.storage.reference import Customer, StoreConnection
from paydown.wire.v1.documents import Account, BillingType, TenderType


def list_tender_types(connection: StoreConnection, customer: Customer) -> list[TenderType]:
    """All tender types, by id."""
    rows = reference.list_tender_types(connection, customer.customer_id)
    return [describe_tender_type(row) for row in rows]


def list_billing_types(connection: StoreConnection, customer: Customer) -> list[BillingType]:
    """All billing types, by id."""
    rows = reference.list_billing_types(connection, customer.customer_id)
    return [describe_billing_type(row) for row in rows]


def list_accounts(connection: StoreConnection, customer: Customer) -> list[Account]:
    """All GL accounts, by code."""
    rows = reference.list_accounts(connection, customer.customer_id)
    return [describe_account(row) for row in rows]


def describe_tender_type(row: reference.TenderType) -> TenderType:
    """The tender type as ``/v1`` tells it."""
    return TenderType(
        tender_type_id=row.tender_type_id,
        name=row.name,
        clearing_account_code=row.clearing_code,
        active=row.active,
    )


def describe_billing_type(row: reference.BillingType) -> BillingType:
    """The billing type as ``/v1`` tells it."""
    return BillingType(
        billing_type_id=row.billing_type_id,
        name=row.name,
        income_account_code=row.income_code,
        external_receivables_account_code=row.external_receivables_code,
        active=row.active,
    )


def describe_account(row: reference.Account) -> Account:
    """The GL account as ``/v1`` tells it."""
    return Account(
        gl_account_id=row.account_id,
        code=row.code,
        name=row.name,
        account_type=row.account_type,
        active=row.active,
    )
