"""What a connection's parser is in the middle of."""

from enum import Enum, auto


class Reading(Enum):
    """After NOTHING, bytes are thrown away unread."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    NOTHING = auto()


IDLE, HEAD, BODY, NOTHING = Reading


class StopReading(Exception):
    """Raised in a call of the parser's to make it stop where it is."""
