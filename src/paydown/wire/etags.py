"""Entity tags, as RFC 9110 has them: the one of a body, and those that ``If-Match`` lists.

Law of this file: a body's tag is strong, as no other body has it. If-Match compares strongly, so a
weak tag is that of nothing. No pattern can match the same bytes in two ways.
"""

import hashlib
import re
from collections.abc import Sequence

from paydown.wire.faults import IF_MATCH, IF_MATCH_MALFORMED, Fault

_OPAQUE = rb'"[!#-~\x80-\xff]*"'
_ELEMENT = rb"[ \t]*(?:(?:W/)?%b[ \t]*)?" % _OPAQUE
_LIST = re.compile(rb"%b(?:,%b)*" % (_ELEMENT, _ELEMENT)).fullmatch
_TAGS = re.compile(rb"(W/)?(%b)" % _OPAQUE).findall


def write_etag(body: bytes) -> bytes:
    """The body's tag, in its quotes."""
    return b'"%b"' % hashlib.sha256(body).hexdigest().encode()


def read_if_match(values: Sequence[bytes]) -> frozenset[bytes] | Fault | None:
    """The strong tags of which one must be that of what is there: of none of them, nothing is.

    None where no header was sent, or a star: then it may be as it will.
    """
    value = b",".join(values)
    if not values or value.strip(b" \t") == b"*":
        return None
    if not _LIST(value):
        return Fault(IF_MATCH, IF_MATCH_MALFORMED)
    return frozenset(tag for weak, tag in _TAGS(value) if not weak)
