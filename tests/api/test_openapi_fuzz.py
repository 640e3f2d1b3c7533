"""The server does what its OpenAPI document says, whatever a program makes of it sends."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import msgspec
import pytest
import schemathesis
from doors import PASSWORD, open_door
from schemathesis.specs.openapi.checks import positive_data_acceptance
from served import served
from v1_asking import everything

import ledgers
from paydown.api import answers
from paydown.api.v1 import problems
from paydown.openapi.document import encode

DOCUMENT = msgspec.json.decode(encode(answers.SAMPLES, problems.SAMPLES))
EXAMPLE_ITEMS = [(ledgers.BEN, number, "500.00", "500.00") for number in (1001, 1002)]
CREDENTIALS = {"userName": ledgers.TILL, "password": PASSWORD, "customerGuid": ledgers.CLUB}

schema = schemathesis.openapi.from_dict(DOCUMENT)
schema.config.phases.coverage.enabled = False  # its thousands of requests take minutes
# A query of bad values may also be too long for a URL.
schema.config.checks.negative_data_rejection.expected_statuses.append("414")


class Served(NamedTuple):
    """A server with data in it: its address, and ids that lead somewhere."""

    url: str
    names: dict[str, Any]
    allocation_id: str


@pytest.fixture(scope="module")
def server(
    known_password_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The server, with what the document's examples name."""
    path = tmp_path_factory.mktemp("fuzz") / "ledger.db"
    ledger = ledgers.copy_ledger(known_password_template, path)
    ledgers.import_rows(ledger, ledgers.CLUB, EXAMPLE_ITEMS)
    door = open_door(ledger)
    first, second, third = (everything(door, ledgers.BEN) for _ in range(3))
    door.close()
    names = first | {"entry_id": second["entry_id"], "Id": ledgers.BEN, "name": "docs.js"}
    names |= {"receipt_id": third["receipt_id"]}
    with served(ledger) as url:
        yield Served(url, names, third["posting_id"])


@pytest.fixture
def statuses() -> Iterator[set[int]]:
    """The statuses that an operation answers: a success must be among them."""
    reached: set[int] = set()
    yield reached
    assert {200, 201} & reached


def lead_somewhere(case: schemathesis.Case, server: Served) -> None:
    """Put ids that are there where well-formed ones are: a made one is of nothing."""
    if case.meta is not None and case.meta.generation.mode.is_negative:
        return
    for name in case.path_parameters:
        case.path_parameters[name] = server.names[name]
    case.query.pop("cursor", None)
    if isinstance(case.body, dict) and "allocation_id" in case.body:
        case.body["allocation_id"] = server.allocation_id


@schema.parametrize()
@hypothesis.settings(
    max_examples=12,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_an_operation_is_as_described(
    case: schemathesis.Case, server: Served, statuses: set[int]
) -> None:
    """Status, headers, media type and body are those listed, and no input is a bug of ours.

    What is well formed may still be refused: by the books, which no schema knows.
    """
    lead_somewhere(case, server)
    for name in ("Authorization", "Customer"):
        case.headers.pop(name, None)
    response = case.call(base_url=server.url, headers=CREDENTIALS)
    statuses.add(response.status_code)
    case.validate_response(response, excluded_checks=[positive_data_acceptance])
