"""The body of a request, up to a size."""

from enum import Enum

from starlette.types import Receive


class Unread(Enum):
    """Why there is no body: it is larger than it may be, or the client went away before its end."""

    TOO_LARGE = "too large"
    ABANDONED = "abandoned"


async def read_body(receive: Receive, *, bytes_max: int) -> bytes | Unread:
    """The body, unless it is not to be had. What is over the limit is not read."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return Unread.ABANDONED
        body += message["body"]
        if len(body) > bytes_max:
            return Unread.TOO_LARGE
        more = message["more_body"]
    return bytes(body)
