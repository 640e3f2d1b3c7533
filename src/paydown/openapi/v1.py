"""``/v1`` in the document: every route of the table, with the shapes that are read and sent.

Law of this file: no field, bound or example is written here; they come from the structs.
"""

import re
from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec

from paydown.openapi.routes import PATH_VALUES, ROUTES, Route
from paydown.openapi.schemas import Json
from paydown.openapi.v1_examples import example
from paydown.wire.headers import KEY_LENGTH_MAX
from paydown.wire.v1.documents import Problem

Failures = Mapping[int, bytes]
"""A real body for each status of a failure."""

SECURITY_SCHEMES: Json = {
    "Basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The login and its password, for /v1: instead of userName and password.",
    },
    "Customer": {
        "type": "apiKey",
        "in": "header",
        "name": "Customer",
        "description": "The customer that a login by HTTP Basic acts for.",
    },
}
_SECURITY: list[Json] = [
    {"userName": [], "password": [], "customerGuid": []},
    {"Basic": [], "Customer": []},
]
_TAGS = {
    "contacts": "Contacts",
    "items": "Items",
    "tender-types": "Tender types",
    "billing-types": "Billing types",
    "gl-accounts": "GL accounts",
    "entries": "Entries",
    "postings": "Postings",
    "receipts": "Receipts",
    "aged-debt": "Reports",
}
TAGS = [{"name": name} for name in _TAGS.values()]

_JSON, _PROBLEM = "application/json", "application/problem+json"
_OF_CONNECTION = (408, 414, 431, 501, 505)
_ALWAYS = (400, 401, 403, 404, 405, 413, 429, 500, 503)
_OF_WRITES = (409, 415, 422)
_OF_CONDITIONAL = (412,)
_ALSO_OF_CONNECTION = {400, 500, 503}
_SAYS = {
    400: "The request cannot be read; `code` and `detail` say which part of it",
    401: "No login, or a wrong one",
    403: "The login is not enabled for the customer, or does not hold the bundle",
    404: "Nothing is at the path: no route, or no thing of this customer's of that id",
    405: "The path does not take the method",
    409: "What is in the books stands against it. Nothing was changed",
    412: "None of the tags in If-Match is that of what is here now. Nothing was changed",
    413: "The body is too large",
    415: "The body is not JSON in UTF-8",
    422: "The body names or asks what cannot be, or its Idempotency-Key has served another request",
    429: "Too many failed logins",
    500: "Our fault. The log has the details under the request's id",
    503: "Too much waits, the store cannot be used now, or the server takes no more connections",
}
_HEADERS_OF = {
    401: ["WWW-Authenticate"],
    404: ["Preference-Applied"],
    405: ["Allow"],
    409: ["Preference-Applied"],
    412: ["Preference-Applied"],
    422: ["Preference-Applied"],
    429: ["Retry-After"],
    503: ["Retry-After"],
}
_USUAL = ["X-Request-Id", "X-Content-Type-Options"]
_IF_MATCH = (
    "The ETag of a read of this path, or several: this is done only while one of them is that of "
    "what is here, and else answered 412. `*` is any."
)


def paths() -> Json:
    """Every path of ``/v1`` with its operations."""
    made: Json = {}
    for route in ROUTES:
        made.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return made


def schemas() -> Json:
    """The schema of every order and document, by its name."""
    shapes = [shape for route in ROUTES for shape in (*route.answers.values(), route.order)]
    shapes = [*dict.fromkeys(shape for shape in shapes if shape is not None), Problem]
    _, made = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    return {name: _for_all(schema) for name, schema in made.items()}


def responses(failures: Failures) -> Json:
    """The failures of ``/v1``: their status with ``Problem`` before it."""
    return {f"Problem{status}": _problem(status, failures.get(status)) for status in _SAYS}


def headers() -> Json:
    """The headers that answers of ``/v1`` alone have."""
    return {
        "ETag": _header(
            "Changes with the body. Send it as If-None-Match to be spared the same, and as "
            "If-Match where a write of the path takes that."
        ),
        "Cache-Control": _header("For one caller alone, and to be asked about each time."),
        "Location": _header("Where what was created is."),
        "WWW-Authenticate": _header("That HTTP Basic is understood."),
    }


def _header(says: str) -> Json:
    return {"description": says, "schema": {"type": "string"}}


def _operation(route: Route) -> Json:
    made: Json = {
        "operationId": route.name,
        "tags": [_TAGS[route.tag]],
        "summary": route.summary,
        "description": f"The login must hold the bundle `{route.bundle}` for the customer.",
        "security": _SECURITY,
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_head(route)],
        "responses": {
            **{str(status): _success(route, status) for status in route.answers},
            **({} if route.is_write else {"304": _unchanged()}),
            **_failures(route),
        },
    }
    if route.order is not None:
        body = {"schema": _schema(route.order), "example": example(route.order)}
        made["requestBody"] = {"required": True, "content": {_JSON: body}}
    return made


def _failures(route: Route) -> Json:
    statuses = {*_ALWAYS, *(_OF_WRITES if route.is_write else ())}
    statuses |= {*(_OF_CONDITIONAL if route.is_conditional else ())}
    names = {status: f"Problem{status}" for status in statuses}
    names |= {status: str(status) for status in _OF_CONNECTION}
    return {
        str(status): {"$ref": f"#/components/responses/{name}"}
        for status, name in sorted(names.items())
    }


def _success(route: Route, status: int) -> Json:
    shape = route.answers[status]
    told = ["Idempotent-Replayed", "Preference-Applied"] if route.is_write else []
    told += ["Location"] if route.location else []
    told += [] if route.is_write else ["ETag", "Cache-Control"]
    document = {"schema": _schema(shape), "example": example(shape)}
    text = {"schema": {"type": "string"}}
    return {
        "description": _describe(shape),
        "headers": _headers([*_USUAL, *told]),
        "content": {media: document if media == _JSON else text for media in route.media},
    }


def _describe(shape: Any) -> str:
    """The first line of what the shape says it is."""
    said: str = getattr(shape, "__origin__", shape).__doc__
    return said.partition("\n")[0].replace("``", "`")


def _unchanged() -> Json:
    return {
        "description": "The body is the one that If-None-Match names",
        "headers": _headers([*_USUAL, "ETag", "Cache-Control"]),
    }


def _problem(status: int, body: bytes | None) -> Json:
    content: Json = {_PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    if body is not None:
        content[_PROBLEM]["example"] = msgspec.Raw(body)
    if status in _ALSO_OF_CONNECTION:
        content[_JSON] = {"schema": {"$ref": "#/components/schemas/Failure"}}
    return {
        "description": _SAYS[status],
        "headers": _headers([*_USUAL, *_HEADERS_OF.get(status, [])]),
        "content": content,
    }


def _headers(names: list[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _path_parameters(route: Route) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _schema(PATH_VALUES[name])}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]


def _query_parameters(route: Route) -> list[Json]:
    hints = get_type_hints(route.query, include_extras=True)
    return [
        {
            "name": each.name,
            "in": "query",
            "required": each.required,
            "schema": _without_null(_schema(hints[each.name]), each),
        }
        for each in msgspec.structs.fields(route.query)
    ]


def _without_null(schema: Json, field: msgspec.structs.FieldInfo) -> Json:
    """A parameter is left out, never null."""
    choices = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    has_default = not field.required and field.default is not None
    return {**choices[0], **({"default": field.default} if has_default else {})}


def _head(route: Route) -> list[Json]:
    """The headers of a request. None has an example: the viewer would send it."""
    text: Json = {"type": "string"}
    request_id = make_header_parameter(
        "X-Request-Id", "The request's id in the answer and the log.", text
    )
    if not route.is_write:
        known = make_header_parameter(
            "If-None-Match", "The ETag of an answer that is at hand.", text
        )
        return [known, request_id]
    key = text | {"minLength": 1, "maxLength": KEY_LENGTH_MAX, "pattern": "^[!#-~]([ -~]*[!-~])?$"}
    condition = [make_header_parameter("If-Match", _IF_MATCH, text)] if route.is_conditional else []
    return [
        make_header_parameter(
            "Idempotency-Key",
            "A text that is new for each request. A request sent again under its key is answered "
            "as the first time.",
            key,
        )
        | {"required": True},
        *condition,
        make_header_parameter(
            "Prefer",
            "`dry-run`: the answer that the request would get, and nothing is recorded.",
            text,
        ),
        make_header_parameter(
            "LegendUserName", "The member of staff who acted, kept with it.", text
        ),
        request_id,
    ]


def make_header_parameter(name: str, says: str, schema: Json) -> Json:
    """A header of a request."""
    return {"name": name, "in": "header", "description": says, "schema": schema}


def _schema(shape: Any) -> Json:
    (schema,), _ = msgspec.json.schema_components(
        [shape], ref_template="#/components/schemas/{name}"
    )
    made: Json = _for_all(schema)
    return made


def _for_all(schema: Any) -> Any:
    """The schema as every reader of JSON Schema takes it: choices have a type, patterns end."""
    if isinstance(schema, dict):
        made = {name: _for_all(each) for name, each in schema.items()}
        if isinstance(made.get("enum"), list):
            made.setdefault("type", "string")
        if isinstance(made.get("pattern"), str):
            made["pattern"] = made["pattern"].replace(r"\Z", "$")
        if isinstance(made.get("description"), str):
            made["description"] = made["description"].replace("``", "`")
        return made
    return [_for_all(each) for each in schema] if isinstance(schema, list) else schema
