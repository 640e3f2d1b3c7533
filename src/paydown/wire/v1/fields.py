"""The kinds of field that the shapes of ``/v1`` are made of, with their bounds.

Law of this file: an amount is a text of digits, so that no program reads it as a float; a time is
RFC 3339 with an offset; an id is written as the two calls write it.
"""

from typing import Annotated

from msgspec import Meta

from paydown.wire.requests import AUTHORIZATION_CODE_MAX, NOTES_MAX, REFERENCE_MAX

NAME_MAX = 255
CODE_MAX = 50
"""What commands and imports take too: what is in the ledger can be said on ``/v1``."""

_GUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


def _form(expression: str, description: str, example: str, **more: str) -> Meta:
    """A text of this form to its end, where Python's ``$`` would let a line end follow."""
    return Meta(
        pattern=rf"^{expression}\Z",
        description=description,
        examples=[example],
        extra_json_schema=more,
    )


AMOUNT = r"[0-9]{1,20}(\.[0-9]{1,8})?"
Amount = Annotated[
    str,
    _form(
        AMOUNT,
        "An amount in the customer's currency.",
        "12.40",
    ),
]
ListedAmount = Annotated[
    str,
    Meta(
        max_length=40,
        description="An amount; a text that is none refuses what it belongs to, and nothing else.",
        examples=["12.40"],
    ),
]
SignedAmount = Annotated[
    str,
    _form(
        r"-?[0-9]+(\.[0-9]+)?",
        "An amount in the customer's currency; below zero where it lowers a balance.",
        "-12.40",
    ),
]
Instant = Annotated[
    str,
    _form(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
        r"([Zz]|[+-][0-9]{2}:[0-9]{2})",
        "A time, RFC 3339, with an offset.",
        "2026-02-05T09:13:12.4978980+00:00",
        format="date-time",
    ),
]
Day = Annotated[
    str,
    _form(
        "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "A day in the customer's time zone.",
        "2026-02-28",
        format="date",
    ),
]
Guid = Annotated[
    str, _form(_GUID, "A guid.", "f9025eb8-7bcb-4f72-aa35-ca5d82e6cb01", format="uuid")
]
PostingId = Annotated[
    str,
    _form(
        rf"{_GUID}\.[1-9][0-9]{{0,9}}",
        "The entry's id and, after a point, the posting's place in it.",
        "019c2d0e-5f70-7a3c-9d3e-1f2a3b4c5d6e.1",
    ),
]
Id = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Name = Annotated[str, Meta(min_length=1, max_length=NAME_MAX)]
Reference = Annotated[
    str,
    Meta(min_length=1, max_length=REFERENCE_MAX, description="What it is called elsewhere."),
]
Description = Annotated[str, Meta(min_length=1, max_length=NOTES_MAX)]
Notes = Annotated[str, Meta(max_length=NOTES_MAX)]
AuthorizationCode = Annotated[str, Meta(min_length=1, max_length=AUTHORIZATION_CODE_MAX)]
Reason = Annotated[str, Meta(min_length=1, max_length=NOTES_MAX, description="Why. Kept for ever.")]
Code = Annotated[str, Meta(min_length=1, max_length=CODE_MAX, description="A GL account's code.")]
