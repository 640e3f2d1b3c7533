"""Why a request of ``/v1`` failed, as RFC 9457 has it.

Law of this file: what the two calls say in a sentence is said here in the same one.
"""

from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus

import msgspec

from paydown.api import answers
from paydown.api.answers import Answer, Header
from paydown.domain.desk_refusals import DeskRefusal
from paydown.wire.encoding import encode_document
from paydown.wire.faults import Fault
from paydown.wire.v1.documents import Problem, ProblemError
from paydown.wire.v1.reading import Misread

PROBLEM: Header = (b"content-type", b"application/problem+json")
NO_STORE: Header = (b"cache-control", b"no-store")


class Code(StrEnum):
    """Why the door refused, for programs; ``DeskRefusal`` has what the books refuse."""

    CREDENTIALS_TWICE = "credentials_twice"
    IDEMPOTENCY_KEY_MISSING = "idempotency_key_missing"
    IDEMPOTENCY_KEY_MALFORMED = "idempotency_key_malformed"
    IF_MATCH_MALFORMED = "if_match_malformed"
    INVALID_QUERY = "invalid_query"
    INVALID_CURSOR = "invalid_cursor"
    INVALID_BODY = "invalid_body"
    UNAUTHENTICATED = "unauthenticated"
    CUSTOMER_FORBIDDEN = "customer_forbidden"
    BUNDLE_MISSING = "bundle_missing"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    IDEMPOTENCY_KEY_CONFLICT = "idempotency_key_conflict"
    THROTTLED = "throttled"
    INTERNAL_ERROR = "internal_error"
    BUSY = "busy"
    STORE_UNAVAILABLE = "store_unavailable"


_TITLES = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Unprocessable Content",
}
"""As RFC 9110 has them: what Python says differs from version to version."""

_CHALLENGE: Header = (b"www-authenticate", b'Basic realm="Paydown", charset="UTF-8"')
_CODES = {
    HTTPStatus.UNAUTHORIZED: Code.UNAUTHENTICATED,
    HTTPStatus.FORBIDDEN: Code.BUNDLE_MISSING,
    HTTPStatus.METHOD_NOT_ALLOWED: Code.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Code.BODY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY: Code.IDEMPOTENCY_KEY_CONFLICT,
    HTTPStatus.TOO_MANY_REQUESTS: Code.THROTTLED,
    HTTPStatus.INTERNAL_SERVER_ERROR: Code.INTERNAL_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE: Code.STORE_UNAVAILABLE,
}


def refuse(
    status: int, code: str, detail: str, *headers: Header, errors: Sequence[ProblemError] = ()
) -> Answer:
    """A failure. Its ``type`` is its status alone: ``code`` tells failures of a status apart."""
    told = HTTPStatus(status)
    problem = Problem(
        type="about:blank",
        title=_TITLES.get(told, told.phrase),
        status=told,
        detail=detail,
        code=code,
        errors=list(errors),
    )
    return Answer(told, encode_document(problem), (NO_STORE, *headers), detail, PROBLEM)


def refuse_misread(code: str, misread: Misread) -> Answer:
    """A failure to read a part of the request."""
    return refuse(HTTPStatus.BAD_REQUEST, code, misread.detail, errors=misread.errors)


def refuse_header(code: str, fault: Fault) -> Answer:
    """A failure to read a header."""
    return refuse(HTTPStatus.BAD_REQUEST, code, f"{fault.key}: {fault.sentence}")


def retell(answer: Answer) -> Answer:
    """A failure of the two calls as one of ``/v1``."""
    if answer is answers.CUSTOMER_FORBIDDEN:
        return CUSTOMER_FORBIDDEN
    detail = msgspec.json.decode(answer.body)["Message"]
    more = (_CHALLENGE,) if answer.status == HTTPStatus.UNAUTHORIZED else ()
    code = _CODES[answer.status]
    told = refuse(answer.status, code, detail, *answer.headers, *more)
    return told._replace(reason=answer.reason)


def unavailable(reason: str, *, writing: bool) -> Answer:
    """The answer while the store cannot serve. Why, which names files, is for the log."""
    detail = (
        "The books cannot be written now. Send this request again under its Idempotency-Key: it "
        "is recorded only once."
        if writing
        else "The books cannot be read now. Try again shortly."
    )
    retry = answers.retry_after(answers.STORE_RETRY_SECONDS)
    told = refuse(HTTPStatus.SERVICE_UNAVAILABLE, Code.STORE_UNAVAILABLE, detail, retry)
    return told._replace(reason=reason)


CUSTOMER_FORBIDDEN = refuse(
    HTTPStatus.FORBIDDEN,
    Code.CUSTOMER_FORBIDDEN,
    "This login is not enabled for the customer that customerGuid, or Customer, names.",
)
CREDENTIALS_TWICE = refuse(
    HTTPStatus.BAD_REQUEST,
    Code.CREDENTIALS_TWICE,
    "Send userName, password and customerGuid, or Authorization and Customer, but not of both.",
)
NOT_FOUND = refuse(
    HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "Nothing is at this path. /docs describes those of /v1."
)
UNSUPPORTED_MEDIA = refuse(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Code.UNSUPPORTED_MEDIA_TYPE,
    "Content-Type must be application/json, in UTF-8.",
)
KEY_MISSING = refuse(
    HTTPStatus.BAD_REQUEST,
    Code.IDEMPOTENCY_KEY_MISSING,
    "Send an Idempotency-Key: a text that is new for each request, and the same when it is sent "
    "again.",
)
BUSY = refuse(
    HTTPStatus.SERVICE_UNAVAILABLE,
    Code.BUSY,
    "Too many requests are waiting, so nothing was done. Send this one again shortly.",
    answers.retry_after(answers.BUSY_RETRY_SECONDS),
)
"""The answer of a full crew."""

CURSOR_INVALID = refuse(
    HTTPStatus.BAD_REQUEST,
    Code.INVALID_CURSOR,
    "cursor: it is none of this list. Send a next_cursor as it was, with the same filters.",
)
FAILURE = retell(answers.FAILURE)

_UNREAD = DeskRefusal.etag_mismatch
SAMPLES = {
    int(answer.status): answer.body
    for answer in (
        KEY_MISSING,
        retell(answers.UNAUTHENTICATED),
        CUSTOMER_FORBIDDEN,
        NOT_FOUND,
        retell(answers.method_not_allowed("GET, POST")),
        refuse(_UNREAD.status, _UNREAD.name, _UNREAD.sentence),
        retell(answers.too_large(8_388_608)),
        UNSUPPORTED_MEDIA,
        retell(answers.KEY_CONFLICT),
        retell(answers.throttled(60)),
        FAILURE,
        BUSY,
    )
}
"""A body for each status of a failure, for the description of the routes."""
