"""How a search sees names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydown.domain.searching import fold, make_search_text


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Anna  ÄRCHER ", "anna archer"),
        ("Zoë", "zoe"),
        ("Zoe\u0308", "zoe"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("\uff21\uff22\u3000C", "ab c"),
        ("\tO'Neil\n", "o'neil"),
        ("漢字", "漢字"),
        ("", ""),
    ],
)
def test_case_accents_and_spaces_make_no_difference(written: str, folded: str) -> None:
    """What people type without looking is found all the same."""
    assert fold(written) == folded


@given(st.text())
def test_folding_again_changes_nothing(written: str) -> None:
    """A folded word is found in a folded text."""
    assert fold(fold(written)) == fold(written)


def test_a_contact_is_found_by_its_reference_too() -> None:
    """Name and reference are searched as one text; a contact may have no reference."""
    assert make_search_text("Anna Ärcher", "M-001") == "anna archer m-001"
    assert make_search_text("Anna", None) == "anna"
