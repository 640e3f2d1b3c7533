"""The OpenAPI document says what the server does, and all of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from doors import FORM, JSON, PAYMENTS, WRITE_DOWNS, Door

from paydown.api import answers
from paydown.domain.outcomes import Refusal
from paydown.openapi.document import OPERATIONS
from paydown.server.limits import HttpRefusal

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@pytest.fixture
def told(door: Door) -> Any:
    """The document, as served."""
    return door.get("/openapi.json").told


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object in the tree."""
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for each in tree:
            yield from nodes(each)


def at(tree: Any, reference: str) -> Any:
    """What a reference within the document leads to."""
    assert reference.startswith("#/")
    for step in reference[2:].split("/"):
        tree = tree[step.replace("~1", "/").replace("~0", "~")]
    return tree


def call(told: Any, path: str) -> Any:
    """The operation at the path."""
    return told["paths"][path]["post"]


def test_it_is_openapi_3_1_in_its_required_parts(told: Any) -> None:
    """Version, title, and for each operation a name, a summary and described answers."""
    assert told["openapi"] == "3.1.0"
    assert told["info"]["title"] == "Paydown"
    operations = [
        told["paths"][path][method]
        for path in told["paths"]
        for method in METHODS
        if method in told["paths"][path]
    ]
    assert len(operations) == 8
    for operation in operations:
        assert operation["summary"]
        assert operation["responses"]
        for response in operation["responses"].values():
            resolved = at(told, response["$ref"]) if "$ref" in response else response
            assert resolved["description"]


def test_every_reference_leads_somewhere(told: Any) -> None:
    """No reference is broken, and no component is left unused."""
    used = {node["$ref"] for node in nodes(told) if "$ref" in node}
    for reference in used:
        at(told, reference)
    kept = {
        f"#/components/{section}/{name}"
        for section in ("schemas", "headers", "responses")
        for name in told["components"][section]
    }

    assert kept - used == set()


def test_its_paths_are_the_routes_of_the_server(door: Door, told: Any) -> None:
    """Each path is served by the methods that it lists, and each route is listed."""
    routes = {route.path for route in door.app._pages.routes}  # type: ignore[attr-defined]

    assert set(told["paths"]) == routes | {PAYMENTS, WRITE_DOWNS}
    for path, methods in told["paths"].items():
        allowed = door.ask("TRACE", path, headers={}).headers["allow"].lower()
        assert set(methods) <= set(allowed.split(", "))


@pytest.mark.parametrize("path", [PAYMENTS, WRITE_DOWNS])
def test_every_status_of_a_call_is_listed(told: Any, path: str) -> None:
    """What the door answers, and what the connection below it does."""
    listed = {int(status) for status in call(told, path)["responses"]}

    assert listed == {200, 400, *answers.SAMPLES, *(refusal.status for refusal in HttpRefusal)}


@pytest.mark.parametrize("path", [PAYMENTS, WRITE_DOWNS])
def test_every_header_is_listed(told: Any, path: str) -> None:
    """The headers of a request and of a success, by name."""
    operation = call(told, path)
    sent = {parameter["name"] for parameter in operation["parameters"]}
    (needed,) = operation["security"]

    assert sent == {"Idempotency-Key", "Prefer", "LegendUserName", "X-Request-Id"}
    assert (
        set(needed)
        == {"userName", "password", "customerGuid"}
        == set(told["components"]["securitySchemes"])
    )
    assert set(operation["responses"]["200"]["headers"]) == {
        "X-Request-Id",
        "Idempotent-Replayed",
        "Paydown-Replayed-Lines",
        "Preference-Applied",
    }


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
@pytest.mark.parametrize("media", [JSON, FORM])
def test_its_requests_can_be_posted_as_they_stand(
    door: Door, told: Any, operation: Any, media: str
) -> None:
    """Each example of a body is well formed, and is answered in the shape of the examples."""
    content = call(told, operation.path)["requestBody"]["content"][media]
    if media == FORM:
        body = "&".join(f"{name}={value}" for name, value in content["example"].items())
        answer = door.post(
            operation.path, body.replace("+", "%2B").encode(), {"Content-Type": FORM}
        )
    else:
        answer = door.post(operation.path, content["examples"]["two lines"]["value"])
    examples = call(told, operation.path)["responses"]["200"]["content"][JSON]["examples"]

    assert answer.status == 200
    for example in examples.values():
        assert list(example["value"]) == list(answer.told)
        (name,) = (key for key in answer.told if key.startswith("Billing"))
        assert list(example["value"][name][0]) == list(answer.lines[0])


def test_its_examples_are_as_their_schemas_say(told: Any) -> None:
    """Every example of a body has the members and types of its schema."""
    checked = 0
    for node in nodes(told):
        if "schema" in node and ("example" in node or "examples" in node):
            if "name" in node:
                continue
            values = [node["example"]] if "example" in node else []
            values += [each["value"] for each in node.get("examples", {}).values()]
            for value in values:
                conforms(told, node["schema"], value)
                checked += 1

    assert checked >= 20


def conforms(told: Any, schema: Any, value: Any) -> None:
    """Fails where the value is not of the schema, in the keywords that the document uses."""
    if "$ref" in schema:
        schema = at(told, schema["$ref"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    python = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": int | float,
        "boolean": bool,
        "null": type(None),
    }
    if "patternProperties" in schema:
        return
    assert any(isinstance(value, python[kind]) for kind in kinds), (schema, value)
    if isinstance(value, dict):
        assert set(schema.get("required", [])) <= set(value)
        for name, each in value.items():
            inner = schema.get("properties", {}).get(name) or schema["additionalProperties"]
            conforms(told, inner, each)
    if isinstance(value, list):
        for each in value:
            conforms(told, schema["items"], each)


def test_every_refusal_is_named_in_order(told: Any) -> None:
    """The description lists each refusal with its sentence, in precedence."""
    described = told["info"]["description"]
    places = [described.index(f"| `{refusal.name}` |") for refusal in Refusal]

    assert places == sorted(places)
    assert all(refusal.sentence in described for refusal in Refusal)


def test_amounts_in_examples_stand_as_they_are_sent(door: Door) -> None:
    """No float has touched an example: what the wire writes is in the document to the byte."""
    text = door.get("/openapi.json").body.decode()

    assert '{"BillingId":1001,"Balance":0.0,' in text
    assert json.loads(text)
