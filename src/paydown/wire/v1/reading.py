"""Bodies and query strings to the shapes of ``/v1``, or a sentence that says what to send instead.

Law of this file: whatever the bytes are, the answer is a value; nothing is guessed and nothing is
dropped in silence.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from paydown.wire.formats import read_date, read_day
from paydown.wire.v1 import fields
from paydown.wire.v1.documents import ProblemError
from paydown.wire.v1.queries import StatementQuery

T = TypeVar("T", bound=Struct)

NAME_MAX = 100
"""How much of a member's name a pointer repeats."""

PARAMETERS_MAX = 50


class Misread(NamedTuple):
    """Why a text is not of its shape: a sentence, and where in a body that is, if in one place."""

    detail: str
    pointer: str | None = None

    @property
    def errors(self) -> list[ProblemError]:
        """The same as a problem lists it."""
        if self.pointer is None:
            return []
        return [ProblemError(pointer=self.pointer, detail=self.detail)]


_WORDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number with a fraction",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_FORMS = {
    each.__metadata__[0].pattern: each.__metadata__[0]
    for each in vars(fields).values()
    if get_origin(each) is Annotated and each.__metadata__[0].pattern
}
_IS_NAME = re.compile(r"[\w./~-]{1,40}", re.ASCII).fullmatch
_IS_NUMBER = re.compile("[0-9]{1,10}").fullmatch
_BOOLEANS = {"true": True, "false": False}
_PLACE = re.compile(r"(.*?)(?: - at `\$([^`]*)`)?", re.DOTALL).fullmatch
_STEPS = re.compile(r"\.(\w+)|\[([0-9]+)\]").findall
_NAMED = re.compile(r"Object (missing required|contains unknown) field `(.*)`", re.DOTALL).fullmatch
_TYPES = re.compile(r"Expected `([^`]+)`, got `(\w+)`").fullmatch
_FORM = re.compile(r"Expected `[^`]+` matching regex '(.*)'", re.DOTALL).fullmatch
_BOUND = re.compile(r"Expected `(\w+)[^`]*`( of length)? ([<>]=) (-?[0-9]+)").fullmatch


def read_body(body: bytes, shape: type[T]) -> T | Misread:
    """The JSON body as an order of that shape."""
    try:
        order = msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        return _explain(str(error), shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Misread("The body is not valid JSON in UTF-8.")
    if rb"\u0000" in body:
        for pointer, text in _texts(msgspec.to_builtins(order), ""):
            if "\0" in text:
                return Misread("A text holds a NUL character. Leave it out.", pointer)
    return order


def read_query(raw: bytes, shape: type[T]) -> T | Misread:
    """The query string as a query of that shape."""
    try:
        pairs = parse_qsl(
            raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_MAX
        )
    except (UnicodeDecodeError, ValueError):
        return Misread(f"The query is not UTF-8, or has more than {PARAMETERS_MAX} parameters.")
    counts = Counter(name for name, _ in pairs)
    for name, value in pairs:
        if counts[name] > 1:
            return Misread(f"The query has {_quote(name)} more than once.")
        if name not in shape.__struct_fields__:
            known = ", ".join(shape.__struct_fields__) or "none"
            return Misread(f"{_quote(name)} is not a parameter here. Those are: {known}.")
        if "\0" in value:
            return Misread(f"{name} holds a NUL character.")
    hints = get_type_hints(shape)
    sent: dict[str, str | int] = {}
    for name, text in pairs:
        meant = _read_parameter(hints[name], text)
        if isinstance(meant, Misread):
            return Misread(f"{name}: {meant.detail}")
        sent[name] = meant
    try:
        query = msgspec.convert(sent, shape)
    except msgspec.ValidationError as error:
        misread = _explain(str(error), shape)
        where = (misread.pointer or "").removeprefix("/")
        is_time = fields.Instant in _kinds(get_type_hints(shape, include_extras=True)[where])
        has_space = " " in dict(pairs).get(where, "")
        hint = " In a query, a + is sent as %2B." if is_time and has_space else ""
        return Misread(f"{where}: {misread.detail}{hint}")
    return query


def _read_parameter(hint: Any, text: str) -> str | int | Misread:
    """What a text says of a parameter of that type."""
    kinds = _kinds(hint)
    if int in kinds:
        return int(text) if _IS_NUMBER(text) else Misread("Send a whole number of 1 to 10 digits.")
    if bool in kinds:
        return _BOOLEANS.get(text, Misread("Send true or false."))
    return text


def _kinds(hint: Any) -> tuple[Any, ...]:
    """The type, and each that it may be one of."""
    return hint, *get_args(hint)


def read_values(query: Struct) -> dict[str, Any] | Misread:
    """The members of a query as they are meant: instants in ticks, days as days, guids as kept."""
    hints = get_type_hints(type(query), include_extras=True)
    values = msgspec.structs.asdict(query)
    for name, sent in values.items():
        for kind, read in _READERS:
            if sent is not None and kind in _kinds(hints[name]):
                values[name] = read(sent)
                if values[name] is None:
                    return Misread(f"{name}: there is no such moment from 1970 to 2099.")
    if isinstance(query, StatementQuery) and values["first_on"] > values["last_on"]:
        return Misread("first_on is after last_on. Send the earlier day as first_on.")
    return values


def _read_instant(text: str) -> int | None:
    moment = read_date(text, "UTC")
    return None if moment is None else moment[0]


_READERS: tuple[tuple[Any, Callable[[str], object]], ...] = (
    (fields.Instant, _read_instant),
    (fields.Day, read_day),
    (fields.Guid, str.lower),
)


def _texts(tree: object, pointer: str) -> Iterator[tuple[str, str]]:
    """Every text of a tree, with the JSON pointer to it."""
    if isinstance(tree, str):
        yield pointer, tree
    elif isinstance(tree, dict):
        for name, each in tree.items():
            yield from _texts(each, f"{pointer}/{name}")
    elif isinstance(tree, list):
        for index, each in enumerate(tree):
            yield from _texts(each, f"{pointer}/{index}")


def _explain(message: str, shape: type[Struct]) -> Misread:
    """What msgspec says is wrong, in words for who sent it."""
    match = _PLACE(message)
    assert match is not None, "every text matches"
    steps = [name or index for name, index in _STEPS(match[2] or "")]
    pointer = "".join(f"/{step}" for step in steps)
    said = match[1]
    if named := _NAMED(said):
        name = named[2][:NAME_MAX]
        escaped = name.replace("~", "~0").replace("/", "~1")
        if named[1] == "missing required":
            return Misread(f"{_quote(name)} is missing.", f"{pointer}/{escaped}")
        return Misread(f"{_quote(name)} is not a member of this object.", f"{pointer}/{escaped}")
    return Misread(_say(said, shape, steps), pointer)


def _say(said: str, shape: type[Struct], steps: list[str]) -> str:
    """What to send instead of a value."""
    if match := _TYPES(said):
        wanted = " or ".join(_WORDS.get(each, each) for each in match[1].split(" | "))
        return f"Send {wanted}, not {_WORDS.get(match[2], match[2])}."
    if match := _FORM(said):
        form = _FORMS[match[1].encode().decode("unicode_escape")]
        return f"It does not have its form. {form.description} Such as {form.examples[0]}."
    if match := _BOUND(said):
        end = "least" if match[3] == ">=" else "most"
        if match[2]:
            unit = "element" if match[1] == "array" else "character"
            return f"Send at {end} {match[4]} {unit}{'' if match[4] == '1' else 's'}."
        return f"Send a whole number of at {end} {match[4]}."
    if said.startswith("Invalid enum value"):
        return f"Send one of: {', '.join(_choices(shape, steps))}."
    return "The number is out of range."


def _choices(shape: type[Struct], steps: list[str]) -> list[str]:
    """What a member that takes some texts takes."""
    hints: dict[str, Any] = get_type_hints(shape)
    return list(_literals(hints[steps[-1]]))


def _literals(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for each in get_args(annotation):
            yield from _literals(each)


def _quote(name: str) -> str:
    """What is no name at all is not repeated: it may be anything, and the sentence is logged."""
    return f"“{name}”" if _IS_NAME(name) else "What was sent for a name"
