"""The bodies of the naive peer, as Pydantic models."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field

Number = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Notes = Annotated[str, Field(max_length=4000)] | None


class PaymentLine(BaseModel):
    """A line of a payments request."""

    BillingId: Number
    Amount: Decimal
    ThirdPartyReference: Annotated[str, Field(max_length=255)] | None = None
    Notes: Notes = None
    AuthorizationCode: Annotated[str, Field(max_length=100)] | None = None


class Payments(BaseModel):
    """A payments request."""

    ContactId: uuid.UUID
    PaymentDate: datetime
    TenderTypeId: Number
    BillingPayments: list[PaymentLine]


class WriteDownLine(BaseModel):
    """A line of a write-downs request."""

    BillingId: Number
    Amount: Decimal
    GLAccountId: Number


class WriteDowns(BaseModel):
    """A write-downs request."""

    ContactId: uuid.UUID
    WriteDownDate: datetime
    TenderTypeId: Number
    Notes: Notes = None
    BillingWriteDowns: list[WriteDownLine]


class PaymentLineAnswer(BaseModel):
    """What came of a payment line."""

    BillingId: int
    Balance: float | None
    ProcessDate: str | None
    PaymentDate: str | None
    ErrorMessage: str | None


class PaymentsAnswer(BaseModel):
    """What came of a payments request."""

    ContactId: uuid.UUID
    BillingPayments: list[PaymentLineAnswer]
    ErrorMessage: str | None
    Success: bool


class WriteDownLineAnswer(BaseModel):
    """What came of a write-down line."""

    BillingId: int
    Balance: float | None
    ProcessDate: str | None
    WriteDownDate: str | None
    ErrorMessage: str | None


class WriteDownsAnswer(BaseModel):
    """What came of a write-downs request."""

    ContactId: uuid.UUID
    BillingWriteDowns: list[WriteDownLineAnswer]
    ErrorMessage: str | None
    Success: bool
