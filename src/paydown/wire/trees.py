"""A body as a tree: objects as dicts by lower-case name, lists, texts as ``str``, and numbers.

Law of this file: a JSON number is its literal, as ``bytes``: nothing of it is lost, and it cannot
be taken for a text. JSON is read here, a form in ``forms``; ``requests`` reads the tree of either.
"""

import json
from typing import NamedTuple

from paydown.wire.faults import NOT_JSON, NOT_OBJECT, REQUEST, Fault

Members = dict[str, object]
"""An object's members by lower-case name. Names differ in more than case, and the last wins."""


class FaultyList(NamedTuple):
    """Stands in the tree for a list whose lines could not be told apart, and says why."""

    sentence: str


def read_json(text: str) -> Members | Fault:
    """The JSON object as a tree. It may hold ``NaN``, and NUL and lone surrogates in texts."""
    try:
        tree = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return Fault(REQUEST, NOT_JSON)
    return tree if isinstance(tree, dict) else Fault(REQUEST, NOT_OBJECT)


def _members(pairs: list[tuple[str, object]]) -> Members:
    return {name.lower(): value for name, value in pairs}


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_float=str.encode,
    parse_int=str.encode,
    parse_constant=str.encode,
)
