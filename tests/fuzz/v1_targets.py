"""What of ``/v1`` is fuzzed, and the call beside the two that writes: all of it through the door.

Law of this file: as in ``targets``. Whatever is sent, the answer is a document or a problem, and a
write that is sent again under its key is answered by the same bytes.
"""

import itertools
import json
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar
from urllib.parse import quote

import doors
import v1_asking
from doors import Answer, Door

from paydown.enquiries import asking
from paydown.openapi.routes import ROUTES, Route
from paydown.wire.formats import read_date
from paydown.wire.v1.reading import Misread, read_body, read_query, read_values

WRITES = [route for route in ROUTES if route.is_write]
READS = [route for route in ROUTES if not route.is_write]
LISTS = {
    "/v1/contacts": asking.CONTACTS,
    "/v1/items": asking.ITEMS,
    "/v1/entries": asking.ENTRIES,
    "/v1/postings": asking.POSTINGS,
    "/v1/receipts": asking.RECEIPTS,
}
CREATE_BILLING = "/POS/CreateBilling"
TAG = b"<tag>"
"""Stands in an input for the tag that the answer has now."""

T = TypeVar("T")
IS_DONE = {200, 201}
MAY_COME = {*IS_DONE, 400, 404, 409, 422}


class V1Targets:
    """They share a door, and something to lead to for each name in a path."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._names = v1_asking.everything(door)
        self._keys = itertools.count()
        self.by_name: dict[str, Callable[[bytes], None]] = {
            "order": self.send_order,
            "query": self.send_query,
            "cursor": self.send_cursor,
            "tag": self.send_tags,
            "moment": self.send_moment,
            "billing": self.send_billing,
        }

    def send_order(self, data: bytes) -> None:
        """The body of each write that can read it, and of one more."""
        for route in _and_one_more(data, WRITES, lambda each: _reads_body(data, each)):
            self._write(route, data)

    def send_query(self, data: bytes) -> None:
        """The query of each read that can read it, and of one more."""
        for route in _and_one_more(data, READS, lambda each: _reads_query(data, each)):
            self._ask(route.path, data)

    def send_cursor(self, data: bytes) -> None:
        """The input as a cursor, and as what stands in one."""
        for text in (data.decode("latin-1"), urlsafe_b64encode(data).decode().rstrip("=")):
            for path in _and_one_more(data, sorted(LISTS), partial(_reads_cursor, text)):
                answer = self._ask(path, b"limit=2&cursor=" + quote(text).encode())
                following = answer.told.get("next_cursor")
                assert following is None or _reads_cursor(following, path)

    def send_tags(self, data: bytes) -> None:
        """A 304 answers the tag, or a star, and only what has the tag, or any, is replaced."""
        path = "/v1/items/{billing_id}"
        tag = self._ask(path, b"").headers["etag"].encode()
        lines = data.replace(TAG, tag).split(b"\n")
        named = [("If-None-Match", line.strip(b" \t\r")) for line in lines]
        answer = self._ask(path, b"", *named, ("If-Match", lines[0]), may_come={200, 304})
        assert answer.headers["etag"].encode() == tag
        if answer.status == 304:
            assert answer.body == b""
            assert any(tag in line or b"*" in line for line in lines)
        self._replace(data)

    def _replace(self, data: bytes) -> None:
        """Twice under one tag, by names that are new each time: it is never done twice."""
        path = "/v1/contacts/{contact_id}"
        tag = self._ask(path, b"").headers["etag"].encode()
        lines = [line.strip(b" \t\r") for line in data.replace(TAG, tag).split(b"\n")]
        told = [self._put(path, [("If-Match", line) for line in lines]) for _ in range(2)]
        assert b"*" in lines or told[1] != 200
        if told[0] == 200 and b"*" not in lines:
            assert any(tag in line for line in lines)

    def _put(self, path: str, more: Sequence[tuple[str, bytes]]) -> int:
        key = self._new_key()
        headers = [*doors.TILL.items(), ("Idempotency-Key", key), *more]
        answer = self._door.ask(
            "PUT", path.format(**self._names), body={"name": key}, headers=headers
        )
        _check(answer, {200, 400, 412})
        return answer.status

    def send_moment(self, data: bytes) -> None:
        """A time or a day, wherever one is asked for: what is read of it is what was meant."""
        sent, text = quote(data).encode(), data.decode("latin-1")
        explained = self._ask("/v1/items/{billing_id}/explain", b"as_of=" + sent)
        if explained.status == 200:
            meant, told = read_date(text, "UTC"), read_date(explained.told["as_of"], "UTC")
            assert meant
            assert told
            assert meant[0] == told[0]
        self._ask("/v1/items/{billing_id}/explain", b"known_at=" + sent)
        self._ask("/v1/entries", b"value_from=" + sent + b"&recorded_to=" + sent)
        self._ask("/v1/items", b"due_before=" + sent)
        self._ask("/v1/aged-debt", b"on=" + sent)
        statement = "/v1/contacts/{contact_id}/statement"
        self._ask(statement, b"first_on=" + sent + b"&last_on=" + sent)
        receipt = v1_asking.new_receipt(amount="0.01", value_at=text)
        record = next(route for route in WRITES if route.name == "record_receipt")
        self._write(record, json.dumps(receipt).encode())

    def send_billing(self, data: bytes) -> None:
        """The body of a billing item to make, in either way of writing: a 200 says what it said."""
        for media in (doors.JSON, doors.FORM):
            key = {"Idempotency-Key": self._new_key(), "Content-Type": media}
            answer = self._door.post(CREATE_BILLING, data, key)
            assert answer.status in (200, 400), answer
            assert isinstance(answer.told, dict)
            if answer.status == 200:
                assert answer.told["TotalAmount"] > 0
                assert self._door.post(CREATE_BILLING, data, key).body == answer.body

    def _new_key(self) -> str:
        return f"fuzz-{next(self._keys)}"

    def _write(self, route: Route, data: bytes) -> None:
        key = {"Idempotency-Key": self._new_key()}
        path = route.path.format(**self._names)
        asked = partial(self._door.ask, route.method, path, headers={**doors.TILL, **key})
        answer = asked(body=data)
        _check(answer, MAY_COME)
        if answer.status in IS_DONE:
            again = asked(body=data)
            assert (again.status, again.body) == (answer.status, answer.body)

    def _ask(
        self,
        path: str,
        query: bytes,
        *more: tuple[str, bytes],
        may_come: set[int] = MAY_COME,
    ) -> Answer:
        headers = [*doors.TILL.items(), *more]
        scope, peer = doors.request("GET", path.format(**self._names), headers=headers)
        scope["query_string"] = query
        (answer,) = self._door.ask_together([(scope, peer)])
        assert answer is not None, "no answer came"
        if answer.headers.get("content-type", "").startswith("application/"):
            _check(answer, may_come)
        assert answer.status in may_come, answer
        return answer


def _check(answer: Answer, may_come: set[int]) -> None:
    """It is a document, or a problem that says what is wrong."""
    assert answer.status in may_come, answer
    assert isinstance(answer.told, dict)
    if answer.status not in IS_DONE:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.told["status"] == answer.status
        assert answer.told["detail"].endswith("."), answer


def _and_one_more(data: bytes, each: Sequence[T], takes: Callable[[T], bool]) -> list[T]:
    """Those that take the input, and one that may not, by what the input is."""
    taking = [one for one in each if takes(one)]
    other = each[zlib.crc32(data) % len(each)]
    return taking if other in taking else [*taking, other]


def _reads_cursor(cursor: str, path: str) -> bool:
    """Whether it is one of the list's; then the list could have written it."""
    key = LISTS[path].read(cursor)
    if isinstance(key, asking.BadCursor):
        return False
    assert LISTS[path].read(LISTS[path].write(key)) == key
    return True


def _reads_body(data: bytes, route: Route) -> bool:
    assert route.order is not None, "it is a write"
    return _is_read(read_body(data, route.order))


def _reads_query(data: bytes, route: Route) -> bool:
    query = read_query(data, route.query)
    return _is_read(query) and not isinstance(query, Misread) and _is_read(read_values(query))


def _is_read(read: object) -> bool:
    """Whether it could be read; where it could not, a sentence says so."""
    if not isinstance(read, Misread):
        return True
    assert read.detail.endswith("."), read
    assert all(error.pointer == read.pointer for error in read.errors)
    return False
