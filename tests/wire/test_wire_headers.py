"""What request headers say: media type, idempotency key, handling, dry run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paydown.wire.faults import Fault
from paydown.wire.headers import (
    Handling,
    Media,
    read_dry_run,
    read_handling,
    read_idempotency_key,
    read_media,
    read_weights,
)

WEIGHED = {b"text/csv": 0, b"text/html": 1000}


@pytest.mark.parametrize(
    ("content_type", "media"),
    [
        (b"application/json", Media.JSON),
        (b"Application/JSON", Media.JSON),
        (b" application/json ", Media.JSON),
        (b"application/json; charset=utf-8", Media.JSON),
        (b"application/json;charset=UTF-8", Media.JSON),
        (b'application/json; charset="utf-8"', Media.JSON),
        (b"application/json; Charset=utf8", Media.JSON),
        (b'application/json; odata=verbose; x="; charset=latin1"', Media.JSON),
        (b"application/json;", Media.JSON),
        (b"application/json ; ; charset=utf-8 ;", Media.JSON),
        (b"application/x-www-form-urlencoded", Media.FORM),
        (b"application/x-www-form-urlencoded; charset=UTF-8", Media.FORM),
        (None, None),
        (b"", None),
        (b"json", None),
        (b"text/plain", None),
        (b"text/json", None),
        (b"application/xml", None),
        (b"application/problem+json", None),
        (b"multipart/form-data; boundary=x", None),
        (b"application/json, application/json", None),
        (b"application/json charset=utf-8", None),
        (b"application/json; charset=latin1", None),
        (b"application/json; CHARSET=utf-16", None),
        (b'application/json; charset=""', None),
        (b"application/json; charset=utf-8; charset=latin1", None),
        (b'application/json; charset="utf-8', None),
        (b"application/json; charset", None),
        (b"application/json\xff", None),
    ],
)
def test_media(content_type: bytes | None, media: Media | None) -> None:
    """JSON and forms in UTF-8 are read, whatever else is said beside; nothing else is."""
    assert read_media(content_type) == media


@pytest.mark.parametrize(
    ("accept", "weights"),
    [
        (b"", {}),
        (b"text/csv", {b"text/csv": 1000}),
        (b"Text/CSV ; header=present;Q=0.25 ,*/*;q=0", {b"text/csv": 250, b"*/*": 0}),
        (b"text/csv;q=0., text/html;q=1.0, a/b;q=.5, a/c;q=1.1, a/d;q=0.1234, json", WEIGHED),
        (b'a/b;x="q=0, text/csv";q=0.5, a/b', {b"a/b": 500}),
    ],
)
def test_weights(accept: bytes, weights: dict[bytes, int]) -> None:
    """Each range has its own, 1 where none is sent; what is no range or no weight is left out."""
    assert read_weights(accept) == weights


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (b'"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        (b"8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        (b" \tkey\t ", "key"),
        (b'"a key"', "a key"),
        (b"a key", "a key"),
        (b'" a "', " a "),
        (b'"a\\"b\\\\c"', 'a"b\\c'),
        (b'a"b\\c', 'a"b\\c'),
        (b"a,b;c=d", "a,b;c=d"),
        (b"Key", "Key"),
        (b"k" * 255, "k" * 255),
        (b'"' + b"k" * 255 + b'"', "k" * 255),
        (b'"' + b'\\"' * 255 + b'"', '"' * 255),
    ],
)
def test_idempotency_keys(value: bytes, key: str) -> None:
    """A key is the same whether it comes in quotes or bare."""
    assert read_idempotency_key([value]) == key


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"  ",
        b'""',
        b'"',
        b'"open',
        b'"a"b"',
        b'"a";p=1',
        b'"a", "b"',
        b'"a\\b"',
        b'"tab\there"',
        b"tab\there",
        b"nul\0",
        b"del\x7f",
        b"caf\xc3\xa9",
        b'"caf\xc3\xa9"',
        b"k" * 256,
        b'"' + b"k" * 256 + b'"',
        b'"' + b"\\" * 100_000,
    ],
)
def test_malformed_idempotency_keys(value: bytes) -> None:
    """A key that is empty, too long, not printable ASCII or badly quoted is a fault of its own."""
    assert read_idempotency_key([value]) == Fault(
        "Idempotency-Key",
        "The Idempotency-Key header cannot be read. "
        "Send 1 to 255 printable ASCII characters, in double quotes or without.",
    )


def test_no_or_several_idempotency_keys() -> None:
    """Without the header there is no key; with two of them nobody knows which is meant."""
    assert read_idempotency_key([]) is None
    assert read_idempotency_key([b"a", b"a"]) == Fault(
        "Idempotency-Key", "The Idempotency-Key header was sent more than once. Send it once."
    )


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255))
def test_every_printable_key_can_be_quoted(key: str) -> None:
    """Any printable ASCII is a key when it is quoted as RFC 8941 says."""
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    assert read_idempotency_key([f'"{quoted}"'.encode()]) == key


STRICT, LENIENT = Handling.STRICT, Handling.LENIENT


@pytest.mark.parametrize(
    ("values", "handling"),
    [
        ([], None),
        ([b""], None),
        ([b"handling=strict"], STRICT),
        ([b"handling=lenient"], LENIENT),
        ([b"Handling = STRICT"], STRICT),
        ([b'handling="strict"'], STRICT),
        ([b" , handling=strict , "], STRICT),
        ([b"handling=strict; why=because"], STRICT),
        ([b"handling=strict;"], STRICT),
        ([b"respond-async, wait=10, handling=strict"], STRICT),
        ([b"respond-async", b"handling=strict"], STRICT),
        ([b"handling=strict, handling=lenient"], STRICT),
        ([b"handling=lenient", b"handling=strict"], LENIENT),
        ([b"handling=maybe, handling=strict"], None),
        ([b"handling, handling=strict"], None),
        ([b"handling=, handling=strict"], None),
        ([b"handling;strict"], None),
        ([b"respond-async; handling=strict"], None),
        ([b'note="x, handling=strict", wait=1'], None),
        ([b'note="x\\", handling=strict", handling=lenient'], LENIENT),
        ([b'note="never closed, handling=strict'], None),
        ([b"handlings=strict"], None),
        ([b"return=minimal"], None),
        ([b'handling="strict'], None),
        ([b"handling=str\xffict"], None),
        ([b'"' + b'\\"' * 50_000], None),
        ([b"handling=" + b" " * 50_000 + b"strict"], STRICT),
    ],
)
def test_handling(values: list[bytes], handling: Handling | None) -> None:
    """The first handling in the Prefer headers counts; other preferences are passed over."""
    assert read_handling(values) == handling


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ([], False),
        ([b"dry-run"], True),
        ([b"Dry-Run"], True),
        ([b'dry-run=""'], True),
        ([b"dry-run = TRUE"], True),
        ([b'dry-run="true"'], True),
        ([b"dry-run; why=because"], True),
        ([b"handling=strict, dry-run"], True),
        ([b"handling=strict", b"dry-run"], True),
        ([b"dry-run, dry-run=false"], True),
        ([b"dry-run=false, dry-run"], False),
        ([b"dry-run=0"], False),
        ([b"dry-run=1"], True),
        ([b"dry-run=Yes"], True),
        ([b'dry-run="1"'], True),
        ([b"dry-run=no"], False),
        ([b"dryrun"], False),
        ([b"dry-runs"], False),
        ([b"dry"], False),
        ([b"handling=dry-run"], False),
        ([b"respond-async; dry-run"], False),
        ([b'note="x, dry-run", wait=1'], False),
        ([b"dry-run" + b" " * 50_000], True),
    ],
)
def test_dry_run(values: list[bytes], asked: bool) -> None:
    """The first dry-run in the Prefer headers counts; a value not understood asks for nothing."""
    assert read_dry_run(values) is asked


@given(st.lists(st.binary(max_size=80), max_size=3))
def test_no_header_is_an_error_of_ours(values: list[bytes]) -> None:
    """Whatever the bytes, each header is read or not, and none raises."""
    read_handling(values)
    read_dry_run(values)
    key = read_idempotency_key(values)
    assert key is None or isinstance(key, Fault) or 1 <= len(key) <= 255
    assert all(read_media(value) in {None, *Media} for value in values)
    assert all(0 <= w <= 1000 for value in values for w in read_weights(value).values())
