"""What the head of a request says about where it goes and where its body ends."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

import httptools

from paydown.api.answers import Header
from paydown.server.limits import HttpLimits, HttpRefusal

FRAMING = {b"host", b"content-length", b"transfer-encoding", b"expect"}

_BEGINS_WITH_METHOD = re.compile(rb"[\r\n]*[\w!#$%&'*+.^`|~-]+(?: |\Z)").match


class Framing(NamedTuple):
    """How long the body is, None for one in chunks, and whether the peer waits for a 100."""

    body_bytes: int | None
    expects_continue: bool


class Target(NamedTuple):
    """The parts of a URL that name what is asked for, as ASGI has them."""

    path: str
    raw_path: bytes
    query: bytes


class Head(NamedTuple):
    """The head of a request that can be accepted."""

    target: Target
    framing: Framing


def read_head(
    url: bytes,
    headers: Sequence[Header],
    version: str,
    limits: HttpLimits,
    *,
    bytes_most: int,
) -> Head | HttpRefusal:
    """What the head says, or why it cannot be accepted. It has at most ``bytes_most`` bytes."""
    if len(headers) > limits.header_count_max:
        return HttpRefusal.headers_too_large
    if bytes_most > limits.header_bytes_max and is_too_large(url, headers, limits):
        return HttpRefusal.headers_too_large
    framing = read_framing(headers, version)
    if isinstance(framing, HttpRefusal):
        return framing
    target = read_target(url)
    return target if isinstance(target, HttpRefusal) else Head(target, framing)


def read_framing(headers: Sequence[Header], version: str) -> Framing | HttpRefusal:
    """How the body is framed. The parser has refused lengths that are not one plain number."""
    if version not in ("1.1", "1.0"):
        return HttpRefusal.unknown_version
    is_current = version == "1.1"
    hosts, body_bytes, expects_continue = 0, 0, False
    chunked = False
    for name, value in headers:
        if name not in FRAMING:
            continue
        if name == b"host":
            hosts += 1
        elif name == b"content-length":
            body_bytes = int(value)
        elif name == b"expect":
            expects_continue = is_current and value.lower() == b"100-continue"
        elif value.lower() != b"chunked":
            return HttpRefusal.unknown_coding
        else:
            chunked = True
    if hosts > 1 or (is_current and not hosts) or (chunked and not is_current):
        return HttpRefusal.bad_http
    return Framing(None if chunked else body_bytes, expects_continue)


def refuse_method(data: bytes) -> HttpRefusal:
    """Why the parser knows no method in the data: it is another one, or it is no HTTP at all."""
    return HttpRefusal.unknown_method if _BEGINS_WITH_METHOD(data) else HttpRefusal.bad_http


@lru_cache(maxsize=64)
def read_target(url: bytes) -> Target | HttpRefusal:
    """What a URL of any form names. Escapes that are none are left as they stand."""
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        return HttpRefusal.bad_http
    raw_path = parsed.path or b"/"
    path = raw_path.decode("latin-1")
    return Target(unquote(path) if "%" in path else path, raw_path, parsed.query or b"")


def is_too_large(url: bytes, headers: Sequence[Header], limits: HttpLimits) -> bool:
    """Whether a head has too many bytes, the request line and the line ends counted."""
    size = len(url) + sum(len(name) + len(value) + 4 for name, value in headers)
    return size > limits.header_bytes_max


def write_plain_head(method: bytes, url: bytes, version: str, headers: Sequence[Header]) -> bytes:
    """The head as it would be had it not asked for another protocol."""
    lines = [b"%b %b HTTP/%b" % (method, url, version.encode())]
    lines += [name + b": " + value for name, value in headers if name != b"upgrade"]
    return b"\r\n".join([*lines, b"", b""])
