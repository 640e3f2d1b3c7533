"""Entity tags: one for each body, and the lists of them that a request can send."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydown.wire.etags import read_if_match, write_etag
from paydown.wire.faults import Fault

MALFORMED = Fault(
    "If-Match",
    "The If-Match header cannot be read. "
    "Send the ETag of a read as it was, in its double quotes, or several with commas between.",
)


def test_each_body_has_a_tag_of_its_own() -> None:
    """Strong, so without W/, and the same at any time and in any process."""
    assert write_etag(b"{}") == (
        b'"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"'
    )
    assert write_etag(b"{ }") != write_etag(b"{}")


@pytest.mark.parametrize(
    ("values", "tags"),
    [
        ([b'"a"'], {b'"a"'}),
        ([b' \t"a"\t '], {b'"a"'}),
        ([b'"a","b" , "c"'], {b'"a"', b'"b"', b'"c"'}),
        ([b'"a"', b'"b"'], {b'"a"', b'"b"'}),
        ([b'"a,b"'], {b'"a,b"'}),
        ([b'"a\\"'], {b'"a\\"'}),
        ([b'"\xe9!#~"'], {b'"\xe9!#~"'}),
        ([b'""'], {b'""'}),
        ([b'"*"'], {b'"*"'}),
        ([b'W/"a", "b"'], {b'"b"'}),
        ([b'W/"a"'], set()),
        ([b', ,"a",\t,'], {b'"a"'}),
        ([b""], set()),
        ([b","], set()),
    ],
)
def test_lists_of_tags(values: list[bytes], tags: set[bytes]) -> None:
    """Each as it stands, in its quotes; no body has a weak one, so those are left out."""
    assert read_if_match(values) == tags


@pytest.mark.parametrize("values", [[], [b"*"], [b" *\t"]])
def test_any_tag_will_do(values: list[bytes]) -> None:
    """Where nothing was sent, or a star."""
    assert read_if_match(values) is None


@pytest.mark.parametrize(
    "values",
    [
        *([b"a"], [b'"a'], [b'a"'], [b'"a" "b"'], [b'"a""b"'], [b'"a b"'], [b'"a\t"'], [b'"\x7f"']),
        *(
            [b'w/"a"'],
            [b'W/ "a"'],
            [b"W/a"],
            [b"W/"],
            [b'W"a"'],
            [b'"a";q=1'],
            [b'"a"x'],
            [b'"\0"'],
        ),
        *([b"**"], [b"*,*"], [b'*,"a"'], [b'"a",*'], [b"*", b"*"], [b'"a"', b"*"], [b"*", b""]),
    ],
)
def test_what_is_no_list_of_tags(values: list[bytes]) -> None:
    """The sentence says what to send."""
    assert read_if_match(values) == MALFORMED


@pytest.mark.parametrize("part", [b" ", b",", b"\t,", b'"a"', b'"a" ,', b"W/", b'W/"a" , '])
def test_a_long_header_takes_one_look(part: bytes) -> None:
    """However it is made, and though its end makes it no list at all."""
    began = time.process_time()
    assert read_if_match([part * 20_000 + b"x"]) == MALFORMED
    assert time.process_time() - began < 1


@given(st.lists(st.binary(max_size=80), max_size=3))
def test_no_bytes_are_an_error_of_ours(values: list[bytes]) -> None:
    """They are a list of tags or they are not."""
    read = read_if_match(values)
    assert read is None or read == MALFORMED or all(tag in b",".join(values) for tag in read)
