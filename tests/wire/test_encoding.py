"""Documents as JSON: the same for every parser, and nothing that moves a terminal."""

import json

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hostile_texts import EVIL
from paydown.wire.encoding import encode_document

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@given(st.dictionaries(texts, texts | st.lists(texts, max_size=3), max_size=3))
@example({text: text for text in EVIL.values()})
@example({"\\\x9b": "\\u009b\x7f\\", "\U0010ffff": "£\U0001f600"})
def test_an_encoding_is_tame_and_the_same_to_every_parser(document: dict[str, object]) -> None:
    """Each text comes back to the letter, as a value and as a member's name."""
    encoded = encode_document(document)

    assert encoded.decode().isprintable()
    assert json.loads(encoded) == msgspec.json.decode(encoded) == document


@pytest.mark.parametrize("text", ["", "plain", "Zoë £5 日本 \U0001f600", 'a"\\b\n\0'])
def test_what_is_printable_is_not_touched(text: str) -> None:
    """Names stay readable, and answers as short as they were."""
    assert encode_document({"name": text}) == msgspec.json.encode({"name": text})


@pytest.mark.parametrize(
    ("sign", "escape"),
    [
        ("\x7f", r"\u007f"),
        ("\x9b", r"\u009b"),
        ("\u2028", r"\u2028"),
        ("\u00a0", r"\u00a0"),
        ("\U000e0001", r"\udb40\udc01"),
    ],
)
def test_an_escape_is_one_of_json(sign: str, escape: str) -> None:
    """Four digits, and a pair of surrogates where those are too few."""
    assert encode_document([f"é{sign}"]).decode() == f'["é{escape}"]'
