"""How much a client may send and how slowly, and what it is told when it goes over."""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

import structlog

from paydown.api.answers import CONTENT_TYPE, Header, usual_headers
from paydown.api.headers import read_headers, read_request_id

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What one client may take of the server. The size of a body is the application's to limit.

    ``header_bytes_max`` counts the request line. ``header_seconds`` runs from the connection, and
    from a request's first byte; ``body_seconds`` from the end of its headers to the end of its
    body; ``answer_seconds`` while the client reads nothing. When the connection is closed on a
    client that still sends, what it sends is thrown away for up to ``linger_seconds``, so that
    the answer arrives. Who was told 503 is heard again ``refused_seconds`` later: so who asks on at
    once, and without end, takes no processor's time from those who were let in.
    """

    connections_max: int = 500
    header_count_max: int = 100
    header_bytes_max: int = 32_768
    url_bytes_max: int = 8_192
    pipelined_max: int = 16
    linger_bytes_max: int = 33_554_432
    header_seconds: float = 10.0
    body_seconds: float = 60.0
    keep_alive_seconds: float = 75.0
    answer_seconds: float = 60.0
    linger_seconds: float = 5.0
    refused_seconds: float = 0.1


class HttpRefusal(Enum):
    """Why the application did not answer a request: status and sentence."""

    bad_http = (400, "The request is not valid HTTP.")
    too_slow = (408, "The request took too long to arrive.")
    url_too_long = (414, "The URL of the request is too long.")
    headers_too_large = (431, "The headers of the request are too many or too large.")
    failed = (500, "An error has occurred.")
    unknown_method = (501, "The method is not understood. Methods are written in capitals: POST.")
    unknown_coding = (501, "The only transfer coding that is understood is chunked.")
    too_many_connections = (503, "The server has too many connections. Try again shortly.")
    stopping = (503, "The server is stopping. Try again shortly.")
    unknown_version = (505, "The only versions that are understood are HTTP/1.1 and HTTP/1.0.")

    def __init__(self, status: int, sentence: str) -> None:
        self.status = HTTPStatus(status)
        self.body = json.dumps({"Message": sentence}, separators=(",", ":")).encode()
        self.headers = [
            CONTENT_TYPE,
            (b"content-length", str(len(self.body)).encode()),
        ]
        if self.status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.headers.append((b"retry-after", b"1"))

    def answer(self, headers: Iterable[Header]) -> bytes:
        """The whole answer, as it goes over the connection that it closes."""
        lines = [f"HTTP/1.1 {self.status} {self.status.phrase}".encode()]
        lines += [name + b": " + value for name, value in headers]
        lines.append(b"connection: close")
        return b"\r\n".join([*lines, b"", self.body])


def refuse(refusal: HttpRefusal, sent: Iterable[Header], *, address: str) -> list[Header]:
    """Log the refusal of a request, as far as its headers were read; the headers of the answer."""
    request_id = read_request_id(read_headers(sent)) or secrets.token_hex(16)
    logger.warning(
        "refused",
        request_id=request_id,
        status=refusal.status,
        name=refusal.name,
        address=address,
    )
    return [*refusal.headers, *usual_headers(request_id)]
