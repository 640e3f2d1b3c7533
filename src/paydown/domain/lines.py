"""A posting with everything about it: what explanations and statements are made from."""

from typing import NamedTuple
from uuid import UUID

from paydown.domain.model import Kind


class PostingKey(NamedTuple):
    """What names a posting within a customer's books."""

    entry_id: bytes
    line_no: int

    def __str__(self) -> str:
        """The entry's id and the place in it."""
        return f"{UUID(bytes=self.entry_id)}.{self.line_no}"


class Line(NamedTuple):
    """A posting, its entry, its accounts, what it undoes (``undone``) and what undid it.

    ``contact_id`` is whose item or receipt it moves; ``receipt_id`` is the entry of the receipt
    that it records, applies or gives back.
    """

    entry_id: bytes
    line_no: int
    kind: str
    contact_id: str | None
    tender_type_id: int | None
    tender_name: str | None
    caller: str | None
    staff_user: str | None
    request_id: str
    address: str
    value_at: int
    recorded_at: int
    billing_id: int | None
    item_description: str | None
    item_receivables_id: int | None
    amount: int
    debit_id: int
    debit_code: str
    debit_name: str
    credit_id: int
    credit_code: str
    credit_name: str
    balance_after: int
    reference: str | None
    notes: str | None
    authorization_code: str | None
    receipt_id: bytes | None
    undone_id: bytes | None
    undone_line_no: int | None
    undone_kind: str | None
    undone_value_at: int | None
    undoing_id: bytes | None
    undoing_line_no: int | None
    undoing_value_at: int | None
    undoing_recorded_at: int | None
    undoing_notes: str | None

    @property
    def key(self) -> PostingKey:
        """Its name."""
        return PostingKey(self.entry_id, self.line_no)

    @property
    def undone(self) -> PostingKey | None:
        """The name of what it undoes."""
        return _name(self.undone_id, self.undone_line_no)

    @property
    def undoing(self) -> PostingKey | None:
        """The name of what undid it."""
        return _name(self.undoing_id, self.undoing_line_no)

    @property
    def raises(self) -> bool:
        """Whether it adds to what is owed: on its item or, of a receipt, on the contact's side."""
        if self.item_receivables_id is None:
            return self.kind == Kind.REVERSAL
        return self.debit_id == self.item_receivables_id

    @property
    def effect(self) -> int:
        """What it adds to what is owed."""
        return self.amount if self.raises else -self.amount

    @property
    def counter_account(self) -> tuple[int, str, str]:
        """Id, code and name of the account that is not the receivables account."""
        if self.raises:
            return self.credit_id, self.credit_code, self.credit_name
        return self.debit_id, self.debit_code, self.debit_name

    def as_known_at(self, known_at: int) -> "Line":
        """The line as it was read then: what undid it later was not known."""
        if self.undoing_recorded_at is None or self.undoing_recorded_at <= known_at:
            return self
        return self._replace(
            undoing_id=None,
            undoing_line_no=None,
            undoing_value_at=None,
            undoing_recorded_at=None,
            undoing_notes=None,
        )


def _name(entry_id: bytes | None, line_no: int | None) -> PostingKey | None:
    return None if entry_id is None or line_no is None else PostingKey(entry_id, line_no)


def in_order(lines: list[Line]) -> list[Line]:
    """As they came true: by value date, by record date, charges first, by place in the books."""
    return sorted(
        lines,
        key=lambda line: (
            line.value_at,
            line.recorded_at,
            line.kind != Kind.CHARGE,
            line.entry_id,
            line.line_no,
        ),
    )
