"""What a caller of ``/v1`` asks in a query string.

Law of this file: a parameter that is not named here is refused, so that no filter is lost by a slip
and a list taken for another one.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from paydown.wire.v1.documents import ItemState, Kind
from paydown.wire.v1.fields import AuthorizationCode, Day, Guid, Id, Instant, Name, Reference

PAGE_MAX = 200
CURSOR_LENGTH_MAX = 1_000

AgeBand = Literal["not_due", "1-30", "31-60", "61-90", "over_90"]
Format = Literal["json", "csv", "html"]
Cursor = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=CURSOR_LENGTH_MAX,
        description="The part of the list after another: its next_cursor, as it was.",
    ),
]
Limit = Annotated[
    int, Meta(ge=1, le=PAGE_MAX, description="The most that one part of the list may hold.")
]


class Query(Struct, forbid_unknown_fields=True, frozen=True):
    """A query string. One without members takes no parameter."""


class Listing(Query, kw_only=True, frozen=True):
    """A part of a list."""

    cursor: Cursor | None = None
    limit: Limit = 50


class ContactQuery(Listing, kw_only=True, frozen=True):
    """Which contacts: of that guid or reference, then those with every word of ``search``."""

    search: Name | None = None


class ItemQuery(Listing, kw_only=True, frozen=True):
    """Which billing items."""

    contact_id: Guid | None = None
    state: ItemState | None = None
    due_before: Day | None = None
    band: AgeBand | None = None


class EntryQuery(Listing, kw_only=True, frozen=True):
    """Which entries. Times *from* are in the span, times *to* are not.

    An entry is found by what one of its postings is: ``reference`` is ``ThirdPartyReference``.
    """

    contact_id: Guid | None = None
    billing_id: Id | None = None
    tender_type_id: Id | None = None
    reference: Reference | None = None
    authorization_code: AuthorizationCode | None = None
    kind: Kind | None = None
    caller: Name | None = None
    value_from: Instant | None = None
    value_to: Instant | None = None
    recorded_from: Instant | None = None
    recorded_to: Instant | None = None


class PostingQuery(EntryQuery, kw_only=True, frozen=True):
    """Which postings: as entries are found, or those of one entry."""

    entry_id: Guid | None = None


class ReceiptQuery(Listing, kw_only=True, frozen=True):
    """Which receipts: all, or those with something left to apply."""

    contact_id: Guid | None = None
    unapplied_only: bool = False


class ExplainQuery(Query, kw_only=True, frozen=True):
    """Which moment: what was true at ``as_of``, as it was known at ``known_at``."""

    as_of: Instant | None = None
    known_at: Instant | None = None


class StatementQuery(Query, kw_only=True, frozen=True):
    """Which days, both in it, and in which format. Without one, Accept decides."""

    first_on: Day
    last_on: Day
    format: Format | None = None


class AgedDebtQuery(Query, kw_only=True, frozen=True):
    """The end of which day; today where it is left out."""

    on: Day | None = None
