"""The reference of ``/v1`` says what there is: every route, and every code of a problem."""

import re
from pathlib import Path

from paydown.api.v1.problems import Code
from paydown.domain.desk_refusals import DeskRefusal
from paydown.openapi.routes import ROUTES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "v1.md"


def rows() -> list[list[str]]:
    """The cells of every row of the page's tables, without back-ticks."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def test_every_route_is_in_the_reference() -> None:
    """With its bundle and its summary, in the order of the table."""
    told = [row for row in rows() if row[1].startswith("/v1")]

    assert told == [[each.method, each.path, each.bundle, each.summary] for each in ROUTES]


def test_every_refusal_of_the_desk_is_in_the_reference() -> None:
    """With its status and its sentence."""
    told = [row for row in rows() if row[0] in DeskRefusal.__members__]

    assert told == [[each.name, str(each.status), each.sentence] for each in DeskRefusal]


def test_every_code_of_the_door_is_in_the_reference() -> None:
    """Each has a row, and no row has another."""
    told = {row[0] for row in rows() if re.fullmatch("[45][0-9][0-9]", row[1])}

    assert told - set(DeskRefusal.__members__) == set(Code)
