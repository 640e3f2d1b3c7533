"""JSON that moves no terminal, whatever the texts in it hold.

Law of this file: what cannot be printed is escaped as JSON has it, so every parser reads the same.
"""

import json
import re

_UNSURE = re.compile("[^ -~]").sub


def escape_json(document: bytes) -> bytes:
    """The same document on one line, with an escape for each character that cannot be printed.

    Nearly always it is plain already, and stays the very bytes that it was.
    """
    if document.isascii() and b"\x7f" not in document:
        return document
    text = document.decode()
    return document if text.isprintable() else _UNSURE(_escape, text).encode()


def _escape(found: re.Match[str]) -> str:
    sign = found[0]
    return sign if sign.isprintable() else json.dumps(sign)[1:-1]
