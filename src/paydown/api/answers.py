"""Answers: what one is, how it is sent, and those that the door gives by itself.

Law of this file: every answer carries its request's id, and a failure is ``{"Message": "…"}``.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import NamedTuple, Protocol

from starlette.types import Send

from paydown.wire import messages

Header = tuple[bytes, bytes]

CONTENT_TYPE: Header = (b"content-type", b"application/json; charset=utf-8")
NOSNIFF: Header = (b"x-content-type-options", b"nosniff")
REPLAYED: Header = (b"idempotent-replayed", b"true")

BUSY_RETRY_SECONDS = 1
"""When to come back to a full queue: it empties within a commit or two."""

STORE_RETRY_SECONDS = 5
"""When to come back to a store that cannot be used now."""


class Answer(NamedTuple):
    """Status, body and the headers beside the usual ones. ``reason`` is a failure's sentence.

    ``media`` says what the body is.
    """

    status: HTTPStatus
    body: bytes
    headers: tuple[Header, ...] = ()
    reason: str | None = None
    media: Header = CONTENT_TYPE


class Whole(Protocol):
    """A request that came in whole, and the way to answer it without ASGI: once, on the loop."""

    method: str
    path: str
    raw_path: bytes
    headers: Sequence[Header]
    body: bytearray
    address: str
    response_complete: bool

    def answer(self, answer: Answer, *, request_id: str) -> None:
        """Send the answer whole."""


Take = Callable[[Whole], bool]
"""An application's ``take``, which does with less than ASGI where a request came in whole.

It answers the request, now or once it is committed; False: nothing was done, serve it in ASGI."""


def answer_headers(answer: Answer, request_id: str) -> list[Header]:
    """All the headers that go with an answer."""
    length = str(len(answer.body)).encode()
    usual = usual_headers(request_id)
    return [answer.media, (b"content-length", length), *usual, *answer.headers]


def usual_headers(request_id: str) -> tuple[Header, Header]:
    """The headers that every answer has, whatever it is."""
    return (b"x-request-id", request_id.encode()), NOSNIFF


async def send_answer(send: Send, answer: Answer, *, request_id: str) -> None:
    """Send the answer whole. One without a new body says nothing of a body."""
    headers = answer_headers(answer, request_id)
    if answer.status == HTTPStatus.NOT_MODIFIED:
        headers = [*usual_headers(request_id), *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def refuse(status: HTTPStatus, reason: str, *headers: Header) -> Answer:
    """A failure, in a sentence."""
    return Answer(status, messages.message(reason), headers, reason)


def unavailable(reason: str, *, retry_seconds: int = STORE_RETRY_SECONDS) -> Answer:
    """A failure that may pass."""
    return refuse(HTTPStatus.SERVICE_UNAVAILABLE, reason, retry_after(retry_seconds))


def preferences_applied(*preferences: str) -> tuple[Header, ...]:
    """The header that names the preferences that were followed; none where there are none."""
    named = ", ".join(filter(None, preferences))
    return ((b"preference-applied", named.encode()),) if named else ()


def dry_run_applied(dry_run: bool) -> tuple[Header, ...]:
    """The header of whatever came of a dry run that was judged, a refusal too."""
    return preferences_applied("dry-run") if dry_run else ()


def throttled(retry_seconds: int) -> Answer:
    """The answer to a login, or an address, that has failed too often."""
    return refuse(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many logins failed, or are being verified. Wait as long as Retry-After says.",
        retry_after(retry_seconds),
    )


def too_large(body_bytes_max: int) -> Answer:
    """The answer to a body over the limit, the rest of which is not read."""
    return refuse(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body is larger than {body_bytes_max} bytes. Send less in one request.",
    )


def method_not_allowed(allow: str) -> Answer:
    """The answer to a method that a path does not take; ``allow`` names those it takes."""
    return refuse(
        HTTPStatus.METHOD_NOT_ALLOWED,
        f"This path does not take that method. Send {allow}.",
        (b"allow", allow.encode()),
    )


def bundle_missing(bundle: str) -> Answer:
    """The answer to a login that may act for the customer, but not make this call."""
    return refuse(
        HTTPStatus.FORBIDDEN, f"This login does not hold the bundle {bundle} for this customer."
    )


def retry_after(seconds: int) -> Header:
    """When to come back."""
    return b"retry-after", str(seconds).encode()


def store_unavailable(reason: str) -> Answer:
    """The answer while the books cannot be written. Why, which names files, is for the log."""
    return unavailable(
        "The books cannot be written now. Send this request again; carrying a key, a reference or "
        "a date with a fraction of a second it is recorded only once."
    )._replace(reason=reason)


def login_unavailable(reason: str) -> Answer:
    """The answer while no login can be looked up. Why, which names files, is for the log."""
    return unavailable(
        "The login cannot be looked up now, so nothing was done. Send this request again."
    )._replace(reason=reason)


NOT_FOUND = refuse(
    HTTPStatus.NOT_FOUND,
    "Nothing is at this path. /docs describes what there is.",
)
UNAUTHENTICATED = refuse(HTTPStatus.UNAUTHORIZED, "Authorization has been denied for this request.")
CUSTOMER_FORBIDDEN = refuse(
    HTTPStatus.FORBIDDEN, "This login is not enabled for the customer that customerGuid names."
)
UNSUPPORTED_MEDIA = refuse(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "Content-Type must be application/json or application/x-www-form-urlencoded, in UTF-8.",
)
KEY_CONFLICT = refuse(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "This Idempotency-Key has already recorded another request, so nothing was recorded now. "
    "Send the request as it was first sent, or under a new key.",
)
BUSY = unavailable(
    "Too many requests are waiting, so nothing was recorded. Send this one again shortly.",
    retry_seconds=BUSY_RETRY_SECONDS,
)
FAILURE = refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "An error has occurred.")

SAMPLES = {
    int(answer.status): answer.body
    for answer in (
        UNAUTHENTICATED,
        CUSTOMER_FORBIDDEN,
        NOT_FOUND,
        method_not_allowed("POST"),
        too_large(8_388_608),
        UNSUPPORTED_MEDIA,
        KEY_CONFLICT,
        throttled(60),
        FAILURE,
        BUSY,
    )
}
"""A body for each status of a failure that is a sentence, for the description of the calls."""
