"""The request headers that the door reads, taken in one pass over their raw bytes."""

import binascii
import re
from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterable
from typing import TypedDict

from paydown.api.answers import Header

REQUEST_ID = b"x-request-id"
USER_NAME = b"username"
PASSWORD = b"password"
CUSTOMER_GUID = b"customerguid"
STAFF_USER = b"legendusername"
CONTENT_TYPE = b"content-type"
CONTENT_LENGTH = b"content-length"
IDEMPOTENCY_KEY = b"idempotency-key"
PREFER = b"prefer"
AUTHORIZATION = b"authorization"
CUSTOMER = b"customer"
ACCEPT = b"accept"
IF_MATCH = b"if-match"
IF_NONE_MATCH = b"if-none-match"

_READ = frozenset(
    (
        *(REQUEST_ID, USER_NAME, PASSWORD, CUSTOMER_GUID, STAFF_USER),
        *(CONTENT_TYPE, CONTENT_LENGTH, IDEMPOTENCY_KEY, PREFER),
        *(AUTHORIZATION, CUSTOMER, ACCEPT, IF_MATCH, IF_NONE_MATCH),
    )
)

_IS_REQUEST_ID = re.compile(rb"[!-~]{1,128}").fullmatch

Values = dict[bytes, list[bytes]]
"""The values of each header that is read here, by its name in lower case; none is an empty list."""


class Credentials(TypedDict):
    """Who asks, as sent: empty where a header is missing, or was sent more than once."""

    user_name: bytes
    password: bytes
    customer_guid: bytes
    address: str


def read_headers(headers: Iterable[Header]) -> Values:
    """The headers that are read here, each with all its instances."""
    values: Values = defaultdict(list)
    for name, value in headers:
        if name in _READ:
            values[name].append(value)
    return values


def only(values: list[bytes]) -> bytes | None:
    """The header's value, where it was sent exactly once."""
    return values[0] if len(values) == 1 else None


def read_request_id(values: Values) -> str | None:
    """The id that the client gave its request, where it is one that can be kept."""
    sent = only(values[REQUEST_ID])
    return sent.decode() if sent and _IS_REQUEST_ID(sent) else None


def read_text(values: list[bytes]) -> str:
    """The header's value as text, empty where it has not one; what is not UTF-8 is Latin-1."""
    value = only(values) or b""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def read_credentials(values: Values, address: str) -> Credentials:
    """The credentials, and the address that they come from."""
    return {
        "user_name": only(values[USER_NAME]) or b"",
        "password": only(values[PASSWORD]) or b"",
        "customer_guid": only(values[CUSTOMER_GUID]) or b"",
        "address": address,
    }


def adopt_basic(values: Values) -> bool:
    """Put what HTTP Basic and ``Customer`` say where the three headers are.

    False, and nothing done, where some of both were sent: which of them counts cannot be told.
    """
    basic = [name for name in (AUTHORIZATION, CUSTOMER) if values[name]]
    three = [name for name in (USER_NAME, PASSWORD, CUSTOMER_GUID) if values[name]]
    if basic and not three:
        user_name, password = _read_basic(only(values[AUTHORIZATION]) or b"")
        values[USER_NAME], values[PASSWORD] = [user_name], [password]
        values[CUSTOMER_GUID] = values[CUSTOMER]
    return not (basic and three)


def _read_basic(value: bytes) -> tuple[bytes, bytes]:
    """User name and password, both empty where the value is not of the scheme Basic."""
    scheme, _, token = value.partition(b" ")
    try:
        pair = b64decode(token.strip(b" "), validate=True)
    except binascii.Error:
        return b"", b""
    if scheme.lower() != b"basic" or b":" not in pair:
        return b"", b""
    user_name, _, password = pair.partition(b":")
    return user_name, password


def declared_bytes(values: Values) -> int:
    """What Content-Length says; 0 where there is none, as before a body in chunks."""
    value = only(values[CONTENT_LENGTH])
    return int(value) if value and value.isdigit() else 0


def read_secrets(values: Values) -> list[str]:
    """The passwords among the headers, in each form that a trace could hold them in."""
    forms = []
    tokens = [value.partition(b" ")[2] for value in values[AUTHORIZATION]]
    for value in (*values[PASSWORD], *values[AUTHORIZATION], *tokens):
        text = value.decode(errors="replace")
        forms += [text, repr(text)[1:-1], repr(value)[2:-1]]
    return [form for form in forms if form]
