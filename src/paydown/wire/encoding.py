"""A document as the JSON that an answer carries.

Law of this file: every body that may hold a text of others is written here, so that whoever shows
it on a terminal is shown a text and no more.
"""

import msgspec

from paydown.domain.escaping import escape_json

_encode = msgspec.json.Encoder().encode


def encode_document(document: object) -> bytes:
    """The document's one encoding: a tag that is made of it is that of every such answer."""
    return escape_json(_encode(document))
