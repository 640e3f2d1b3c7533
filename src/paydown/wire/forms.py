"""Form-encoded bodies: the same tree that JSON gives.

Law of this file: no line is dropped silently, and nothing is allocated by an index that was sent.
"""

import re
from binascii import unhexlify

from paydown.wire.faults import (
    LINE_MISSING,
    LINE_NOT_NUMBERED,
    NOT_UTF8,
    REQUEST,
    TOO_MANY_FIELDS,
    TOO_MANY_LINES,
    Fault,
)
from paydown.wire.trees import FaultyList, Members

FIELDS_MAX = 250_000
"""The most fields of a form, known or not: the most lines with every field twice are far fewer."""

_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")

# ``[0].Amount`` and ``[0][Amount]``, or a deeper path: that can only be an unknown member.
_LINE_FIELD = re.compile(
    r"\[(0|[1-9][0-9]{0,8})\](?:\.([^.\[\]]+)|\[([^.\[\]]+)\]|[.\[].+)", re.DOTALL
).fullmatch


def read_form(text: str, list_name: str | None, lines_max: int) -> Members | Fault:
    """The form as a tree, in which only ``list_name`` is a list: all other names are plain."""
    if text.count("&") >= FIELDS_MAX:
        return Fault(REQUEST, TOO_MANY_FIELDS.format(fields_max=FIELDS_MAX))
    list_key = (list_name or "").lower()
    members: Members = {}
    line_fields: list[tuple[str, str]] = []
    for pair in text.split("&"):
        try:
            name, _, value = (_unescape(part) for part in pair.partition("="))
        except UnicodeDecodeError:
            return Fault(REQUEST, NOT_UTF8)
        key = name.lower()
        rest = key.removeprefix(list_key)
        if list_key and key.startswith(list_key) and rest[:1] in {"", ".", "["}:
            line_fields.append((rest, value))
        else:
            members[key] = value
    if line_fields and list_name:
        members[list_key] = _lines(line_fields, list_name, lines_max)
    return members


def _lines(
    fields: list[tuple[str, str]], list_name: str, lines_max: int
) -> list[Members] | FaultyList:
    lines: dict[int, Members] = {}
    for rest, value in fields:
        match = _LINE_FIELD(rest)
        if match is None:
            return FaultyList(LINE_NOT_NUMBERED.format(name=list_name))
        index = int(match[1])
        if index >= lines_max:
            return FaultyList(TOO_MANY_LINES.format(name=list_name, lines_max=lines_max))
        line = lines.setdefault(index, {})
        if member := match[2] or match[3]:
            line[member] = value
    for index in range(len(lines)):
        if index not in lines:
            return FaultyList(LINE_MISSING.format(name=list_name, index=index))
    return [lines[index] for index in range(len(lines))]


def _unescape(text: str) -> str:
    """The text that was escaped; a percent sign that begins no escape stands for itself."""
    text = text.replace("+", " ")
    return _ESCAPES.sub(_bytes, text.encode()).decode() if "%" in text else text


def _bytes(escapes: re.Match[bytes]) -> bytes:
    return unhexlify(escapes[0].replace(b"%", b""))
