"""A mistake as a value, and what can be mistaken in a word that somebody typed."""

from enum import Enum, auto
from typing import NamedTuple

from paydown.wire.formats import INT32_MAX
from paydown.wire.v1.fields import NAME_MAX


class Wrong(Enum):
    """What kind of mistake it is, for a program."""

    VALUE = auto()
    UNKNOWN = auto()
    UNKNOWN_ACCOUNT = auto()
    UNSUITABLE_ACCOUNT = auto()
    EXISTS = auto()
    IN_USE = auto()


class Mistake(NamedTuple):
    """Why nothing was changed, in a sentence; and for an operator, where to look."""

    sentence: str
    wrong: Wrong = Wrong.VALUE
    hint: str = ""

    @property
    def for_operator(self) -> str:
        """All of it: who calls from elsewhere cannot run a command, and is told no hint."""
        return f"{self.sentence} {self.hint}".rstrip()


def check_text(what: str, text: str, length_max: int = NAME_MAX) -> Mistake | None:
    """Whether people can read it where it is shown."""
    if not text or len(text) > length_max or not text.isprintable():
        return Mistake(f"The {what} must be 1 to {length_max} printable characters.")
    return None


def check_id(what: str, number: int) -> Mistake | None:
    """Whether the wire can name something by the number."""
    if not 1 <= number <= INT32_MAX:
        return Mistake(f"The {what}'s id must be from 1 to {INT32_MAX}.")
    return None


def check_user_name(name: str) -> Mistake | None:
    """Whether a login's name can be sent in a header."""
    if not name.isascii() or name != name.strip():
        return Mistake("The login's name must be ASCII without spaces around it: it is a header.")
    return check_text("login's name", name)


def check_password(password: str) -> Mistake | None:
    """Whether a password that an operator brings can be sent in a header."""
    if password != password.strip():
        return Mistake("The password must have no spaces around it: it is sent in a header.")
    return check_text("password", password)
