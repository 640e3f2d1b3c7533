"""What request headers say, read from their raw bytes.

Law of this file: no pattern can match the same bytes in two ways, so reading a header, however it
was made, costs one pass over it.
"""

import re
from collections.abc import Callable, Sequence
from enum import Enum, StrEnum
from functools import lru_cache

from paydown.wire.faults import IDEMPOTENCY_KEY, KEY_MALFORMED, KEY_REPEATED, Fault

KEY_LENGTH_MAX = 255

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAMETER = rb';[ \t]*(?:(%b)=(%b|"(?:[^"\\]|\\.)*")[ \t]*)?' % (_TOKEN, _TOKEN)
_MEDIA = re.compile(rb"[ \t]*(%b/%b)[ \t]*((?:%b)*)" % (_TOKEN, _TOKEN, _PARAMETER)).fullmatch
_PARAMETERS = re.compile(_PARAMETER).findall
_UTF8_NAMES = {b"utf-8", b"utf8"}

# RFC 8941's string: printable ASCII in double quotes, with a backslash before those two signs.
_KEY_QUOTED = re.compile(rb'"((?:[ !#-\[\]-~]|\\["\\])*)"').fullmatch
_KEY_BARE = re.compile(rb"[!#-~][ -~]*").fullmatch
_ESCAPED = re.compile(rb"\\(.)")

# RFC 9110's weight, and its list: a comma in quotes does not divide it. A parameter belongs to its
# preference (RFC 7240).
_WEIGHT = re.compile(rb"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?").fullmatch
_ELEMENTS = re.compile(rb'(?:"(?:[^"\\]|\\.)*"?|[^",])+', re.DOTALL).findall
_HANDLING = re.compile(rb"handling[ \t]*(?:=([^;]*))?(?:;.*)?", re.DOTALL).fullmatch
_DRY_RUN = re.compile(rb"dry-run[ \t]*(?:=([^;]*))?(?:;.*)?", re.DOTALL).fullmatch

_Match = Callable[[bytes], re.Match[bytes] | None]


class Media(Enum):
    """How a body is written."""

    JSON = b"application/json"
    FORM = b"application/x-www-form-urlencoded"


class Handling(StrEnum):
    """What becomes of good lines beside a bad one: recorded, or refused with it."""

    LENIENT = "lenient"
    STRICT = "strict"


_MEDIA_TYPES = {media.value: media for media in Media}
_HANDLINGS = {
    form.encode(): handling for handling in Handling for form in (handling, f'"{handling}"')
}
_DRY_RUN_VALUES = {
    form % word for word in (b"true", b"yes", b"1", b"") for form in (b"%b", b'"%b"')
}


@lru_cache(maxsize=64)
def read_media(content_type: bytes | None) -> Media | None:
    """How the body is written; None for what is not read here, as is any charset but UTF-8."""
    match = _MEDIA(content_type or b"")
    if match is None:
        return None
    for name, value in _PARAMETERS(match[2]):
        if name.lower() == b"charset" and value.strip(b'"').lower() not in _UTF8_NAMES:
            return None
    return _MEDIA_TYPES.get(match[1].lower())


def read_weights(accept: bytes) -> dict[bytes, int]:
    """How much ``Accept`` wants each media range, in thousandths; what cannot be read is left out.

    They stand as they were sent; a range that was sent twice counts where it is first.
    """
    weights: dict[bytes, int] = {}
    for each in _ELEMENTS(accept):
        if match := _MEDIA(each):
            sent = {name.lower(): value for name, value in _PARAMETERS(match[2])}.get(b"q", b"1")
            if _WEIGHT(sent):
                thousandths = int(sent.replace(b".", b"").ljust(4, b"0"))
                weights.setdefault(match[1].lower(), thousandths)
    return weights


def read_idempotency_key(values: Sequence[bytes]) -> str | Fault | None:
    """The key, the same whether it came in quotes or bare; None where no header was sent.

    A key is printable ASCII. A value that begins with a quote is read as quoted; else a quote or a
    backslash in it stands for itself.
    """
    if not values:
        return None
    if len(values) > 1:
        return Fault(IDEMPOTENCY_KEY, KEY_REPEATED)
    value = values[0].strip(b" \t")
    if match := _KEY_QUOTED(value):
        key = _ESCAPED.sub(rb"\1", match[1])
    elif _KEY_BARE(value):
        key = value
    else:
        return Fault(IDEMPOTENCY_KEY, KEY_MALFORMED)
    if not 1 <= len(key) <= KEY_LENGTH_MAX:
        return Fault(IDEMPOTENCY_KEY, KEY_MALFORMED)
    return key.decode("ascii")


def read_handling(values: Sequence[bytes]) -> Handling | None:
    """The handling that ``Prefer`` asks for: the first counts, and an unknown one asks nothing."""
    sent = _find_preference(values, _HANDLING)
    return None if sent is None else _HANDLINGS.get(sent)


def read_dry_run(values: Sequence[bytes]) -> bool:
    """Whether ``Prefer`` asks for a dry run: the first counts, and another value asks nothing."""
    return _find_preference(values, _DRY_RUN) in _DRY_RUN_VALUES


def _find_preference(values: Sequence[bytes], match: _Match) -> bytes | None:
    """The value of the first preference that matches, in lower case; empty where it has none."""
    for value in values:
        for preference in _ELEMENTS(value):
            if found := match(preference.strip(b" \t").lower()):
                return (found[1] or b"").strip(b" \t")
    return None
