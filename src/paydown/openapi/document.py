"""The document itself: paths, answers, headers and credentials.

Law of this file: what code can say is not written again. Refusals come from ``Refusal``, limits and
examples from ``wire``, the bodies of failures from the door that answers them.
"""

from typing import NamedTuple

import msgspec

from paydown import __version__
from paydown.domain.model import Bundle, Kind
from paydown.domain.outcomes import Level, Refusal
from paydown.openapi import neighbours, v1
from paydown.openapi.examples import (
    answer_examples,
    form_example,
    invalid_example,
    request_examples,
)
from paydown.openapi.schemas import Json, make_schemas
from paydown.openapi.v1 import Failures, make_header_parameter
from paydown.wire.headers import KEY_LENGTH_MAX
from paydown.wire.requests import CALLS


class Operation(NamedTuple):
    """One of the two calls: where it is, what it records, and the bundle that opens it."""

    path: str
    kind: Kind
    bundle: Bundle
    summary: str


OPERATIONS = (
    Operation(
        "/POS/BillingPayments",
        Kind.PAYMENT,
        Bundle.BILLING_PAYMENT,
        "Record payments against billing items of one contact",
    ),
    Operation(
        "/POS/BillingWriteDowns",
        Kind.WRITE_DOWN,
        Bundle.BILLING_WRITE_DOWN,
        "Record write-downs of billing items of one contact",
    ),
)

_CREDENTIALS = {
    "userName": "The integration's login.",
    "password": "Its password.",
    "customerGuid": "The customer that it acts for.",
}
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_USUAL = ("X-Request-Id", "X-Content-Type-Options")
_OF_SUCCESS = ("Idempotent-Replayed", "Paydown-Replayed-Lines", "Preference-Applied")

_INVALID = (
    "The request is not well formed: every fault, each under its own key. Where it is not even "
    "valid HTTP: one sentence"
)
_CONNECTION = {
    408: "The request took too long to arrive",
    414: "The URL is too long",
    431: "The headers are too large or too many",
    501: "The method, or the transfer coding, is not understood",
    505: "A version of HTTP other than 1.0 and 1.1",
}
_OF_FAILURE = {405: ("Allow",), 429: ("Retry-After",), 503: ("Retry-After",)}
_FAILURES = {
    401: "No login, or a wrong one",
    403: "The login is not enabled for the customer, or does not hold the bundle",
    404: "Nothing is at the path",
    405: "The path does not take the method",
    413: "The body is too large",
    415: "The body is neither JSON nor a form, or not in UTF-8",
    422: "The Idempotency-Key has already recorded another request",
    429: "Too many failed logins",
    500: "Our fault. The log has the details under the request's id",
    503: "The queue is full, the store cannot be used now, or the server takes no more connections",
}
_OF_PAGES = {
    400: "The request is not valid HTTP",
    405: _FAILURES[405],
    500: _FAILURES[500],
    503: "The server takes no more connections; of /readyz also: payments cannot be recorded",
}


def encode(failures: Failures, problems: Failures) -> bytes:
    """The document as JSON, with real failures of the calls and of ``/v1``."""
    return msgspec.json.encode(document(failures, problems))


def document(failures: Failures, problems: Failures) -> Json:
    """The document. Examples of bodies stand in it as they are sent, to the byte."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Paydown",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": _describe(),
        },
        "tags": [{"name": "Calls"}, *v1.TAGS, {"name": "Operation"}],
        "paths": {
            **{operation.path: {"post": _call(operation)} for operation in OPERATIONS},
            **neighbours.paths(_of_every_call()),
            **v1.paths(),
            **_pages(),
        },
        "components": {
            "securitySchemes": {
                name: {"type": "apiKey", "in": "header", "name": name, "description": says}
                for name, says in _CREDENTIALS.items()
            }
            | v1.SECURITY_SCHEMES,
            "headers": _headers() | v1.headers(),
            "schemas": make_schemas() | neighbours.schemas() | v1.schemas(),
            "responses": _failure_responses(failures) | v1.responses(problems),
        },
    }


def _describe() -> str:
    rows = "\n".join(
        f"| `{refusal.name}` | {'line' if refusal.level is Level.LINE else 'request'} "
        f"| {refusal.sentence} |"
        for refusal in Refusal
    )
    return (
        "Records payments and write-downs against members' billing items, each once.\n\n"
        "A request is answered 200 with one line for each of its lines, in order. `Success` is "
        "true exactly when nothing was refused. A refused line changes nothing; a refused request "
        "records nothing.\n\n"
        "A request sent again is answered as the first time and recorded once if it carries the "
        "same `Idempotency-Key`. Without a key, a line is so protected if it has a "
        "`ThirdPartyReference`, or if the request's date has a fraction of a second. **A line "
        "dated to a whole second, without reference and without key, is recorded twice when it is "
        "sent twice.**\n\n"
        "Around the two calls, `/v1` creates what is owed, corrects, and explains. There, every "
        "write needs an `Idempotency-Key`, and a failure is a problem as RFC 9457 has it.\n\n"
        "What the two calls refuse, and in this order:\n\n"
        "| name | refuses the | `ErrorMessage` |\n"
        f"|---|---|---|\n{rows}\n"
    )


def _call(operation: Operation) -> Json:
    kind, name = operation.kind, CALLS[operation.kind].list_name
    answer = _schema(f"{name}Response") | {"examples": answer_examples(kind)}
    usual = _of_every_call()
    return usual | {
        "operationId": name,
        "summary": operation.summary,
        "description": f"The login must hold the bundle `{operation.bundle}` for the customer.",
        "requestBody": {
            "required": True,
            "content": {
                _JSON: _schema(f"{name}Request") | {"examples": request_examples(kind)},
                _FORM: _schema(f"{name}Form") | {"example": form_example(kind)},
            },
        },
        "responses": {
            "200": {
                "description": "What came of the request and of each of its lines",
                "headers": _refer("headers", *_USUAL, *_OF_SUCCESS),
                "content": {_JSON: answer},
            },
            **usual["responses"],
        },
    }


def _of_every_call() -> Json:
    """What is said of every call of Legend's: its answers here are the failures."""
    statuses = sorted({400, *_FAILURES, *_CONNECTION})
    return {
        "tags": ["Calls"],
        "security": [{header: [] for header in _CREDENTIALS}],
        "parameters": _parameters(),
        "responses": _refer("responses", *map(str, statuses)),
    }


def _parameters() -> list[Json]:
    """No parameter has an example: the viewer would send it, and one key serves one request."""
    text = {"type": "string"}
    return [
        make_header_parameter(
            "Idempotency-Key",
            "A text that is new for each request, in double quotes or bare. A request sent again "
            "under its key is answered as the first time.",
            text | {"minLength": 1, "maxLength": KEY_LENGTH_MAX},
        ),
        make_header_parameter(
            "Prefer",
            "`handling=strict`: all lines or none. `handling=lenient`: each line by itself. "
            "`dry-run`: the answer that the request would get, and nothing is recorded.",
            text,
        ),
        make_header_parameter(
            "LegendUserName", "The member of staff who acted, kept with the entry.", text
        ),
        make_header_parameter(
            "X-Request-Id",
            "The request's id in the answer and in the log, if it is up to 128 printable ASCII "
            "characters without a space. One is made where none is sent, or another.",
            text,
        ),
    ]


def _headers() -> Json:
    def header(says: str, **schema: object) -> Json:
        return {"description": says, "schema": schema}

    handlings = ("handling=strict", "handling=lenient")
    return {
        "X-Request-Id": header("The request's id, as sent or made.", type="string"),
        "X-Content-Type-Options": header(
            "The body is what Content-Type says.", type="string", enum=["nosniff"]
        ),
        "Idempotent-Replayed": header(
            "Every line is answered as the first time, and nothing was recorded now.",
            type="string",
            enum=["true"],
        ),
        "Paydown-Replayed-Lines": header(
            "How many lines, but not all, are answered as the first time.",
            type="integer",
            minimum=1,
        ),
        "Preference-Applied": header(
            "The handling, where Prefer asked for one or the login's default is strict; and "
            "`dry-run`, where nothing was recorded because Prefer asked for that.",
            type="string",
            enum=[*handlings, "dry-run", *(f"{each}, dry-run" for each in handlings)],
        ),
        "Retry-After": header("After how many seconds to try again.", type="integer", minimum=1),
        "Allow": header("The methods that the path takes.", type="string"),
    }


def _failure_responses(failures: Failures) -> Json:
    """Those of the calls by their status, those of the pages with ``Page`` before it."""
    one_of_two = [_schema(name)["schema"] for name in ("InvalidRequest", "Failure")]
    invalid = {"schema": {"anyOf": one_of_two}, "example": invalid_example()}
    return {
        "400": _failure(400, _INVALID) | {"content": {_JSON: invalid}},
        **{
            str(status): _failure(status, says, example=msgspec.Raw(failures[status]))
            for status, says in _FAILURES.items()
        },
        **{str(status): _failure(status, says) for status, says in _CONNECTION.items()},
        **{f"Page{status}": _failure(status, says) for status, says in _OF_PAGES.items()},
    }


def _failure(status: int, says: str, **more: object) -> Json:
    return {
        "description": says,
        "headers": _refer("headers", *_USUAL, *_OF_FAILURE.get(status, ())),
        "content": {_JSON: _schema("Failure") | more},
    }


def _pages() -> Json:
    """What is beside the calls: each path's summary, and the media types of its success."""
    message = {_JSON: _schema("Failure")}
    text = {"schema": {"type": "string"}}
    pages = {
        "/healthz": ("Whether the process answers", message),
        "/readyz": ("Whether payments can be recorded", message),
        "/metrics": ("The metrics, for Prometheus", {"text/plain": text}),
        "/openapi.json": ("This document", {_JSON: {"schema": {"type": "object"}}}),
        "/docs": ("This document, to read and to try", {"text/html": text}),
        "/docs/{name}": ("A file of that page", {"*/*": text}),
    }
    paths = {path: _page(*page) for path, page in pages.items()}
    paths["/docs/{name}"]["get"]["responses"] |= _refer("responses", "404")
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    paths["/docs/{name}"]["parameters"] = [name]
    return paths


def _page(summary: str, content: Json) -> Json:
    headers = {"headers": _refer("headers", *_USUAL)}
    failures = {str(status): f"Page{status}" for status in _OF_PAGES}
    failures |= {str(status): str(status) for status in _CONNECTION}
    get = {
        "200": {"description": "OK", **headers, "content": content},
        **{status: _refer("responses", name)[name] for status, name in sorted(failures.items())},
    }
    head = {
        "200": {"description": "OK, without the body", **headers},
        "default": {"description": "As of GET, without the body", **headers},
    }
    usual = {"tags": ["Operation"], "summary": summary}
    return {
        "get": usual | {"responses": get},
        "head": usual | {"responses": head},
    }


def _schema(name: str) -> Json:
    return {"schema": {"$ref": f"#/components/schemas/{name}"}}


def _refer(section: str, *names: str) -> Json:
    return {name: {"$ref": f"#/components/{section}/{name}"} for name in names}
