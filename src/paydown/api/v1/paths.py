"""What a path of ``/v1`` names: its values, and the answer where they name nothing.

Law of this file: what can be no id is the id of nothing, and another customer's is too.
"""

import re
from typing import Any

import msgspec

from paydown.api.answers import Answer
from paydown.api.v1 import problems
from paydown.domain.desk_refusals import DeskRefusal
from paydown.openapi.routes import PATH_VALUES, Route
from paydown.wire.formats import INT32_MAX
from paydown.wire.v1.fields import Id

_NAMES = re.compile(r"\{(\w+)\}").findall
_IS_ID = re.compile("[1-9][0-9]{0,9}").fullmatch
_UNKNOWN = {
    "contact_id": DeskRefusal.unknown_contact,
    "billing_id": DeskRefusal.unknown_item,
    "tender_type_id": DeskRefusal.unknown_tender_type,
    "billing_type_id": DeskRefusal.unknown_billing_type,
    "gl_account_id": DeskRefusal.unknown_gl_account,
    "entry_id": DeskRefusal.unknown_entry,
    "posting_id": DeskRefusal.unknown_posting,
    "receipt_id": DeskRefusal.unknown_receipt,
}


def read_target(route: Route, sent: dict[str, str]) -> tuple[Any, ...] | Answer:
    """The values of a path, in order."""
    target = []
    for name, text in sent.items():
        value = _read_value(name, text)
        if value is None:
            return refuse_unknown(route)
        target.append(value)
    return tuple(target)


def refuse_unknown(route: Route) -> Answer:
    """The answer where the route's path names nothing of the customer's."""
    (name,) = _NAMES(route.path)
    unknown = _UNKNOWN[name]
    return problems.refuse(unknown.status, unknown.name, unknown.sentence)


def _read_value(name: str, text: str) -> object | None:
    """The value, an int for an id and else a text in lower case, or None."""
    kind = PATH_VALUES[name]
    if kind is Id:
        value = int(text) if _IS_ID(text) else 0
        return value if 0 < value <= INT32_MAX else None
    try:
        msgspec.convert(text, kind)
    except msgspec.ValidationError:
        return None
    return text.lower()
