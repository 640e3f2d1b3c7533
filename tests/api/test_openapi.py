"""The OpenAPI document says what the server does, and all of it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from doors import FORM, JSON, PAYMENTS, WRITE_DOWNS, Door

from paydown.api import answers
from paydown.domain.ageing import AGE_BANDS
from paydown.domain.model import Kind
from paydown.domain.outcomes import Refusal
from paydown.domain.wording import RULES
from paydown.openapi.document import OPERATIONS
from paydown.openapi.routes import ROUTES
from paydown.server.limits import HttpRefusal
from paydown.wire.formats import read_amount, read_date, read_int32, write_instant
from paydown.wire.headers import Media
from paydown.wire.messages import decode

LONDON = "Europe/London"
NEIGHBOURS = ("/POS/CreateBilling", "/Contacts/{Id}/Details")
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
    assert len(operations) == 16 + len(ROUTES)
    assert len({operation.get("operationId", "page") for operation in operations}) == 5 + len(
        ROUTES
    )
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
    """Each path is served by the methods that it lists, no others, and each route is listed.

    On ``/v1`` HEAD goes with GET, and is not listed beside it.
    """
    routes = {route.path for route in door.app._pages.routes} | {route.path for route in ROUTES}

    assert set(told["paths"]) == routes | {PAYMENTS, WRITE_DOWNS, *NEIGHBOURS}
    for path, listed in told["paths"].items():
        refused = door.ask("TRACE", path, headers={})
        served = set(listed) & set(METHODS)
        served |= {"head"} if path.startswith("/v1/") and "get" in listed else set()
        assert set(refused.headers["allow"].lower().split(", ")) == served
        assert refused.status == 405
        assert "Allow" in response(told, path, 405)["headers"]


def test_what_any_path_can_get_is_listed_with_every_path(told: Any) -> None:
    """A connection refuses before the path is looked at, always in one sentence."""
    for path in told["paths"]:
        for refusal in HttpRefusal:
            content = response(told, path, refusal.status)["content"][JSON]
            conforms(told, content["schema"], json.loads(refusal.body))


def test_what_every_answer_has_is_listed_with_every_answer(told: Any) -> None:
    """Each carries its request's id, and says that its body is what Content-Type says."""
    for path in told["paths"]:
        for method in set(told["paths"][path]) & set(METHODS):
            for each in told["paths"][path][method]["responses"].values():
                resolved = at(told, each["$ref"]) if "$ref" in each else each
                assert {"X-Request-Id", "X-Content-Type-Options"} <= set(resolved["headers"])


def response(told: Any, path: str, status: int) -> Any:
    """What the path's POST, or else its GET or PATCH, answers with the status."""
    methods = told["paths"][path]
    method = next(each for each in ("post", "get", "patch") if each in methods)
    listed = methods[method]["responses"][str(int(status))]
    return at(told, listed["$ref"]) if "$ref" in listed else listed


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
    assert set(needed) == {"userName", "password", "customerGuid"}
    assert set(operation["responses"]["200"]["headers"]) == {
        "X-Request-Id",
        "X-Content-Type-Options",
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


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
def test_its_form_means_what_its_json_means(told: Any, operation: Any) -> None:
    """Tried twice, either is recognised: the form has the reference and the notes too."""
    content = call(told, operation.path)["requestBody"]["content"]
    value = json.dumps(content[JSON]["examples"]["two lines"]["value"]).encode()
    form = "&".join(f"{name}={each}" for name, each in content[FORM]["example"].items())
    read = decode(operation.kind, value, Media.JSON, LONDON)

    assert decode(operation.kind, form.replace("+", "%2B").encode(), Media.FORM, LONDON) == read
    assert operation.kind != Kind.PAYMENT or all(line.reference for line in read.lines)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-02-05", "2026-02-05T10:15", "2026-02-05t10:15:30z", "2026-02-05T10:15:30.12345678"),
        *("2026-02-05T10:15Z", "2026-02-05T10:15+0100", "2026-02-05T10:15-01", "1970-01-02"),
        *("2026-02-05T10:15:30.5+14:00", "2026-02-05T10:15+1400", "2099-12-30T23:59:59.9999999"),
        *("", "x", "2026-2-5", "2026-13-05", "2026-02-32", "1969-12-31", "2100-01-01"),
        *("2026-02-05 10:15", "2026-02-05T24:00", "2026-02-05T10:60", "2026-02-05T10:15:60"),
        *("2026-02-05T10", "2026-02-05T10:15.5", "2026-02-05T10:15:30,5", "2026-02-05Z"),
        *("2026-02-05T10:15+15:00", "2026-02-05T10:15+14:01", "2026-02-05T10:15+01:60"),
        *("2026-02-05T10:15:30.", "2026-02-05T10:15+1", " 2026-02-05", "2026-02-05T"),
    ],
)
def test_its_dates_are_those_that_are_read(told: Any, text: str) -> None:
    """Its pattern matches what the server reads, and that of an answer what it then writes."""
    schemas = told["components"]["schemas"]
    asked = schemas["BillingPaymentsRequest"]["properties"]["PaymentDate"]["pattern"]
    answered = schemas["BillingPaymentsResponse"]["properties"]["BillingPayments"]["items"]
    value = read_date(text, LONDON)

    assert bool(re.search(asked, text)) == (value is not None)
    if value is not None:
        recorded = write_instant(value[0], LONDON)
        assert re.search(answered["properties"]["PaymentDate"]["pattern"], value[1])
        assert re.search(answered["properties"]["ProcessDate"]["pattern"], recorded)
        assert not re.search(answered["properties"]["ProcessDate"]["pattern"], f"{recorded[:19]}Z")


@pytest.mark.parametrize("text", ["1", "-7", "007", "2147483647", "", " 1", "+1", "1.0", "1e2"])
def test_its_whole_numbers_in_texts_are_those_that_are_read(told: Any, text: str) -> None:
    """A TenderTypeId may be a number or a text, in a form it is a text."""
    asked, written = fields(told, "TenderTypeId")

    assert bool(re.search(written["pattern"], text)) == (read_int32(text) is not None)
    assert [each["type"] for each in asked["oneOf"]] == ["integer", "string"]
    assert asked["oneOf"][1] == written


@pytest.mark.parametrize("text", ["1", "12.50", "-1", "01", "1e2", "125E-1", "", ".5", "2.", "+1"])
def test_its_amounts_in_texts_are_those_that_are_read(told: Any, text: str) -> None:
    """An Amount may be a number or a text, in a form it is a text."""
    asked, written = fields(told, "Amount")

    assert bool(re.search(written["pattern"], text)) == (read_amount(text) is not None)
    assert [each["type"] for each in asked["oneOf"]] == ["number", "string"]
    assert asked["oneOf"][1] == written


def fields(told: Any, name: str) -> tuple[Any, Any]:
    """The schemas of a payment's field: in JSON, and in a form."""
    schemas = told["components"]["schemas"]
    asked, form = schemas["BillingPaymentsRequest"]["properties"], schemas["BillingPaymentsForm"]
    if name in asked:
        return asked[name], form["properties"][name]
    (written,) = (each for key, each in form["patternProperties"].items() if name in key)
    return asked["BillingPayments"]["items"]["properties"][name], written


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


def test_its_reports_are_in_the_words_of_real_ones(told: Any) -> None:
    """Rules and bands are told whole, so that who writes a client for them meets no surprise."""
    explained, aged = (
        told["paths"][path]["get"]["responses"]["200"]["content"][JSON]["example"]
        for path in ("/v1/items/{billing_id}/explain", "/v1/aged-debt")
    )
    *sentences, _ = explained["sentences"]
    for movement, sentence in zip(explained["movements"], sentences, strict=True):
        assert movement["rule"] == RULES[Kind(movement["kind"])]
        assert movement["rule"] in sentence
    names = [band.name for band in AGE_BANDS]
    assert [band["band"] for band in aged["bands"]] == names
    assert all(list(contact["bands"]) == names for contact in aged["contacts"])


def conforms(told: Any, schema: Any, value: Any) -> None:
    """Fails where the value is not of the schema, in the keywords that the document uses."""
    if "$ref" in schema:
        schema = at(told, schema["$ref"])
    for choices in ("oneOf", "anyOf"):
        if choices in schema:
            assert any(is_of(told, each, value) for each in schema[choices]), (schema, value)
    if "type" not in schema:
        assert set(schema.get("required", [])) <= set(value if isinstance(value, dict) else ())
        return
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
    if isinstance(value, str):
        assert re.search(schema.get("pattern", ""), value), (schema, value)
    if isinstance(value, dict):
        assert set(schema.get("required", [])) <= set(value)
        for name, each in value.items():
            inner = schema.get("properties", {}).get(name) or schema["additionalProperties"]
            conforms(told, inner, each)
    if isinstance(value, list):
        for each in value:
            conforms(told, schema["items"], each)


def is_of(told: Any, schema: Any, value: Any) -> bool:
    """Whether the value is of the schema."""
    try:
        conforms(told, schema, value)
    except AssertionError:
        return False
    return True


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
