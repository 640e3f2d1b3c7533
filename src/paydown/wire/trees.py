"""A body as a tree: objects as dicts by lower-case name, lists, texts as ``str``, and numbers.

Law of this file: a JSON number is its literal, as ``bytes``: nothing of it is lost, and it cannot
be taken for a text. JSON is read here, a form in ``forms``; ``requests`` reads the tree of either.
"""

import json
import re
from typing import NamedTuple

from paydown.wire.faults import (
    NOT_JSON,
    NOT_OBJECT,
    REQUEST,
    TOO_DEEP,
    TOO_MANY_OBJECTS,
    Fault,
)

DEPTH_MAX = 256
"""How deep objects and lists may stand in one another, the body included: the vendor's default."""

OBJECTS_MAX = 200_000
"""The most objects and lists of a body, known or not: a tree's memory is mostly theirs."""

# Up to the next bracket outside texts. A text without end ends with the body: one pass is enough.
_BRACKETS = re.compile(r'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+"?)*+([\[\]{}]|\Z)', re.DOTALL).finditer
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1, "": 0}

Members = dict[str, object]
"""An object's members by lower-case name. Names differ in more than case, and the last wins."""


class FaultyList(NamedTuple):
    """Stands in the tree for a list whose lines could not be told apart, and says why."""

    sentence: str


def read_json(text: str) -> Members | Fault:
    """The JSON object as a tree. It may hold ``NaN``, and NUL and lone surrogates in texts."""
    if sentence := _find_excess(text):
        return Fault(REQUEST, sentence)
    try:
        tree = _DECODER.decode(text)
    except ValueError:
        return Fault(REQUEST, NOT_JSON)
    return tree if isinstance(tree, dict) else Fault(REQUEST, NOT_OBJECT)


def count_openings(text: str) -> int:
    """At most how many objects and lists there are: brackets within texts count as well."""
    return text.count("[") + text.count("{")


def _find_excess(text: str) -> str | None:
    """What is wrong with a text of too many objects and lists, or of too deep ones."""
    if count_openings(text) <= DEPTH_MAX:
        return None
    depth = count = 0
    for bracket in _BRACKETS(text):
        step = _STEPS[bracket[1]]
        depth += step
        count += step > 0
        if depth > DEPTH_MAX:
            return TOO_DEEP.format(depth_max=DEPTH_MAX)
        if count > OBJECTS_MAX:
            return TOO_MANY_OBJECTS.format(objects_max=OBJECTS_MAX)
        if depth < 0:
            return NOT_JSON
    return None


def _members(pairs: list[tuple[str, object]]) -> Members:
    return {name.lower(): value for name, value in pairs}


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_float=str.encode,
    parse_int=str.encode,
    parse_constant=str.encode,
)
