"""What can be wrong with a request's form, and the sentence that says so: the answer 400.

Law of this file: every sentence stands here, says what to send instead, and repeats nothing of what
was sent. ``{name}`` is always one of Legend's own names.
"""

from typing import NamedTuple

FAULTS_MAX = 100
REQUEST = "request"
IDEMPOTENCY_KEY = "Idempotency-Key"
IF_MATCH = "If-Match"

NOT_UTF8 = "The body is not UTF-8. Send it as UTF-8."
NOT_JSON = "The body is not well-formed JSON. Send one JSON object."
NOT_OBJECT = "The body is not an object. Send one JSON object."
TOO_DEEP = (
    "The body is nested more than {depth_max} levels deep. Send only the members that are read."
)
TOO_MANY_OBJECTS = (
    "The body holds more than {objects_max} objects and lists. "
    "Send only the members that are read, and fewer lines in one request."
)
TOO_MANY_FIELDS = (
    "The form has more than {fields_max} fields. "
    "Send only the fields that are read, and fewer lines in one request."
)

REQUIRED = "The {name} field is required. {send}"
ONE_REQUIRED = "One of {names} is required. Send the one that the item belongs to."
UNREADABLE = "The {name} field cannot be read. {send}"
TOO_LONG = "The {name} field is longer than {length_max} characters. Send a shorter text."
UNSTORABLE = "The {name} field holds NUL or half of a surrogate pair. Send a text without them."

SEND_GUID = "Send a GUID."
SEND_INT32 = "Send a whole number, in digits only, from -2147483648 to 2147483647."
SEND_ID = "Send a whole number, in digits only, from 1 to 2147483647."
SEND_AMOUNT = "Send a number of at most 28 digits, such as 12.5."
SEND_DATE = "Send an ISO 8601 date of the years 1970 to 2099, such as 2026-02-05T10:15:00+00:00."
SEND_BOOLEAN = "Send true or false, or leave it out."
SEND_TEXT = "Send a text, or leave it out."
SEND_LINES = "Send a list of lines."

LINE_NOT_OBJECT = "Line {index} of {name} is not an object. Send an object for each line."
LINE_NOT_NUMBERED = (
    "A line of {name} is not named as it must be. "
    "Number the lines from 0 and name their fields, such as {name}[0].BillingId."
)
LINE_MISSING = (
    "The {name} field has no line {index}, but later ones. "
    "Number the lines from 0 without leaving one out."
)
TOO_MANY_LINES = (
    "The {name} field has more than {lines_max} lines. Send them in more than one request."
)

KEY_REPEATED = "The Idempotency-Key header was sent more than once. Send it once."
KEY_MALFORMED = (
    "The Idempotency-Key header cannot be read. "
    "Send 1 to 255 printable ASCII characters, in double quotes or without."
)
IF_MATCH_MALFORMED = (
    "The If-Match header cannot be read. "
    "Send the ETag of a read as it was, in its double quotes, or several with commas between."
)


class Fault(NamedTuple):
    """One thing wrong, under the key that names where: ``request.BillingPayments[0].Amount``."""

    key: str
    sentence: str


class Faults(NamedTuple):
    """Everything wrong with a request, in the documented order of its fields, up to 100 of them."""

    faults: tuple[Fault, ...]


def gather(*readings: object) -> Faults | None:
    """All the faults among what was read of one request, for one answer; None where all is well."""
    found: list[Fault] = []
    for reading in readings:
        if isinstance(reading, Fault):
            found.append(reading)
        elif isinstance(reading, Faults):
            found.extend(reading.faults)
    return Faults(tuple(found[:FAULTS_MAX])) if found else None
