"""Who wants a write, how, and what comes of it."""

from typing import NamedTuple

from paydown.domain.desk_refusals import DeskRefusal, Objection
from paydown.domain.model import Caller
from paydown.domain.outcomes import KeyConflict
from paydown.wire.v1.documents import ProblemError


class Operator(NamedTuple):
    """Somebody at the machine itself, acting for one customer without a login."""

    customer_id: int
    time_zone: str
    login_id: None = None


class Instruction(NamedTuple):
    """Who wants a write, and how it is to be handled.

    ``call`` is the operation, such as ``POST /v1/receipts/{receipt_id}/allocate``, within which
    the key is known; ``target`` holds the values of its path. An operator has no key and
    needs none of the three. ``if_match`` holds the tags of which what is replaced must have one:
    None where it may have any.
    """

    caller: Caller | Operator
    call: str = ""
    target: str = ""
    key: str | None = None
    staff_user: str | None = None
    request_id: str = ""
    address: str = ""
    dry_run: bool = False
    if_match: frozenset[bytes] | None = None

    @property
    def zone(self) -> str:
        """The customer's time zone, in which times are answered."""
        return self.caller.time_zone


class Told(NamedTuple):
    """What was done, or would have been: the answer's status and body.

    ``replayed`` says that the key had this answer already, byte for byte.
    """

    status: int
    body: bytes
    replayed: bool = False


class Refused(NamedTuple):
    """Nothing was changed, and why. ``errors`` point into the body, where that is at fault."""

    refusal: DeskRefusal
    detail: str
    errors: tuple[ProblemError, ...] = ()

    @property
    def status(self) -> int:
        """The answer's HTTP status: what the body names and nobody knows is no 404."""
        return 422 if self.errors and self.refusal.status == 404 else self.refusal.status


Result = Told | Refused | KeyConflict


def refuse(refusal: DeskRefusal, detail: str | None = None) -> Refused:
    """Refuse for the path, or for what was found in the books."""
    return Refused(refusal, detail or refusal.sentence)


def refuse_for(*objections: Objection) -> Refused:
    """Refuse for what the rules found, each where it points to; the first gives its name."""
    errors = (
        ProblemError(pointer=each.pointer, detail=each.sentence)
        for each in objections
        if each.pointer
    )
    first = objections[0]
    return Refused(first.refusal, first.sentence, tuple(errors))
