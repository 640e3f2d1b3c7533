"""Inputs made of other inputs, from a seed: the same seed makes the same ones."""

import random
from collections.abc import Callable, Sequence

LENGTH_MAX = 20_000

# What parsers trip over. Some are for JSON, some for forms, dates, HTTP, CSV; all are tried on all.
TOKENS = [
    *(
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xfe\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
    ),
    *(b"\\u0000", b"\\ud83d", b"\\ud83d\\ude00", b"\\", b'"', b"'", b"{", b"}", b"[", b"]", b","),
    *(b"null", b"true", b"NaN", b"-Infinity", b"1e400", b"-0", b"0.1e-7", b"1E+99999999999"),
    *(b"9" * 29, b"0." + b"0" * 40 + b"1", b"2147483648", b"-2147483649", b"1" * 5_000),
    *(b"[" * 300, b'{"a":' * 300, b"%00", b"%", b"%ff", b"+", b"&", b"=", b"[0].", b"[999999999]."),
    *(b"1970-01-01", b"2099-12-31T23:59:59.9999999+14:00", b"T24:00", b"Z", b"+14:01", b":60"),
    *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b":", b";", b"\x0b", b"\x85", b"\x1b[2J"),
    *(b"Content-Length: 5\r\n", b"Content-Length: 99999999999999999999\r\n", b"Host: b\r\n"),
    *(
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"ffffffffffffffff\r\n",
    ),
    *(
        b"Expect: 100-continue\r\n",
        b"Upgrade: h2c\r\nConnection: Upgrade\r\n",
        b"Connection: close\r\n",
    ),
    *(
        b"0\r\n\r\n",
        b"5;a=b\r\n",
        b" HTTP/1.0\r\n",
        b"GET ",
        b"POST ",
        b"..%2f",
        b"//",
        b";x",
        b"%2e",
    ),
    *(b'"; DROP TABLE entry;--', b"=1+1", b"<script>", "ﬁ\u202e\u0130".encode(), "\u0660".encode()),
]

Mutation = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def mutate(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The input, changed in one to six ways."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        chance.choice(_MUTATIONS)(chance, changed, others)
    return bytes(changed[:LENGTH_MAX])


def _flip(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _insert(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    place = chance.randint(0, len(data))
    data[place:place] = chance.choice(TOKENS)


def _overwrite(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    first, last = _part(chance, data)
    data[first:last] = chance.choice(TOKENS)


def _remove(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    first, last = _part(chance, data)
    del data[first:last]


def _repeat(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    first, last = _part(chance, data)
    data[first:first] = data[first:last] * chance.choice((1, 2, 50))


def _splice(chance: random.Random, data: bytearray, others: Sequence[bytes]) -> None:
    other = bytearray(chance.choice(others))
    first, last = _part(chance, other)
    place = chance.randint(0, len(data))
    data[place:place] = other[first:last]


def _cut(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    del data[chance.randint(0, len(data)) :]


_MUTATIONS: list[Mutation] = [_flip, _insert, _insert, _overwrite, _remove, _repeat, _splice, _cut]


def _part(chance: random.Random, data: bytearray) -> tuple[int, int]:
    """Where a part of it begins and ends: short ones as often as long ones."""
    first = chance.randint(0, len(data))
    return first, min(len(data), first + chance.choice((1, 4, 16, 64, 1_000)))
