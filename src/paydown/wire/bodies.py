"""A body as a text, and that as a tree, in whichever way it is written."""

from paydown.wire.faults import NOT_UTF8, REQUEST, Fault
from paydown.wire.forms import read_form
from paydown.wire.headers import Media
from paydown.wire.trees import Members, read_json


def read_text(body: bytes) -> str | Fault:
    """The body's text, without a byte order mark."""
    try:
        return body.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        return Fault(REQUEST, NOT_UTF8)


def read_tree(
    text: str, media: Media, *, list_name: str | None = None, lines_max: int = 0
) -> Members | Fault:
    """The tree of a body whose one list, if it has one, is of that name."""
    return read_json(text) if media is Media.JSON else read_form(text, list_name, lines_max)
