"""What is fuzzed: each takes any bytes, and asserts what is promised of whatever came of them.

Law of this file: a target raises where a promise is broken, and only then. It knows nothing of how
its bytes were made.
"""

import json
import socket
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import NamedTuple

import doors
import raw_peer
from v1_targets import V1Targets

import ledgers
from paydown.api.headers import read_credentials, read_headers, read_request_id, read_secrets
from paydown.domain.model import Kind, Request
from paydown.domain.money import DIGITS_MAX, digit_count
from paydown.imports import Imported, Rejected, Source, import_items
from paydown.imports.reading import FAULTS_MAX
from paydown.server.proxies import forwarded_address
from paydown.storage.database import Database
from paydown.wire import formats, headers
from paydown.wire.faults import Fault, Faults
from paydown.wire.headers import Media
from paydown.wire.messages import decode, invalid

ZONE = "Europe/London"
SECONDS_MAX = 2.0
"""Of this process's time, for an input of some kilobytes: a thousand times what one takes."""

ANSWER_SECONDS = 5.0
HAS_FAILED = b"HTTP/1.1 500 "

Target = Callable[[bytes], None]


class Targets(NamedTuple):
    """All of them, by name; each has a folder of that name in the corpus."""

    by_name: dict[str, Target]

    def hit(self, name: str, data: bytes) -> None:
        """Give the target the bytes. Raises where a promise is broken."""
        began = time.process_time()
        self.by_name[name](data)
        assert time.process_time() - began < SECONDS_MAX, "it takes too long"


def make_targets(database: Database, door: doors.Door, served: raw_peer.Serving) -> Targets:
    """All targets: those that need no server, the door in process, and the port itself."""
    return Targets(
        {
            "json": lambda data: both_kinds(data, Media.JSON),
            "form": lambda data: both_kinds(data, Media.FORM),
            "date": read_date,
            "amount": read_amount,
            "number": read_number,
            "header": read_header_values,
            "import": partial(read_import, database, Path(f"{database.file}.csv")),
            "call": partial(make_call, door),
            "http": partial(send_http, served),
            **V1Targets(door).by_name,
        }
    )


def both_kinds(data: bytes, media: Media) -> None:
    """A body is a request or faults, for either call: all of it in bounds, and sayable."""
    for kind in (Kind.PAYMENT, Kind.WRITE_DOWN):
        read = decode(kind, data, media, ZONE)
        if isinstance(read, Faults):
            assert 1 <= len(read.faults) <= 100
            told = json.loads(invalid(read))
            assert sum(map(len, told["ModelState"].values())) == len(read.faults)
        else:
            assert isinstance(read, Request)
            _check_request(read)


def _check_request(request: Request) -> None:
    assert formats.read_guid(request.contact_id) == request.contact_id
    assert formats.read_date(request.value_written, ZONE) is not None
    assert len(request.lines) <= 10_000
    texts = [(request.notes, 4_000)]
    for line in request.lines:
        assert -(2**31) <= line.billing_id < 2**31
        _check_amount(line.amount)
        texts += [(line.reference, 255), (line.notes, 4_000), (line.authorization_code, 100)]
    for text, length_max in texts:
        if text is not None:
            assert len(text) <= length_max
            assert "\0" not in text.encode().decode()


def _check_amount(amount: Decimal) -> None:
    assert amount.is_finite()
    assert digit_count(amount) <= DIGITS_MAX


def read_date(data: bytes) -> None:
    """What is read as a date is written so that it is read as the same instant again."""
    text = data.decode("latin-1")
    for zone in (ZONE, "Australia/Lord_Howe", "America/St_Johns"):
        read = formats.read_date(text, zone)
        if read is not None:
            ticks, written = read
            again = formats.read_date(written, zone)
            assert again == (ticks, written)


def read_amount(data: bytes) -> None:
    """What is read as an amount is exactly that number."""
    text = data.decode("latin-1")
    amount = formats.read_amount(text)
    if amount is not None:
        _check_amount(amount)
        # Decimal itself cannot take every exponent that zero may have.
        assert (
            amount == Decimal(text) if amount else not text.lower().partition("e")[0].strip("-0.")
        )


def read_number(data: bytes) -> None:
    """What is read as a whole number or as a guid is that and no other."""
    text = data.decode("latin-1")
    number = formats.read_int32(text)
    assert number is None or Decimal(number) == Decimal(text)
    guid = formats.read_guid(text)
    assert guid is None or (len(guid) == 36 and formats.read_guid(guid) == guid)


def read_header_values(data: bytes) -> None:
    """Each line as the value of each header that is read."""
    values = [line.strip(b" \t\r") for line in data.split(b"\n")]
    headers.read_media(values[0])
    assert all(0 <= weight <= 1000 for weight in headers.read_weights(data).values())
    headers.read_handling(values)
    for key in (headers.read_idempotency_key(values[:1]), headers.read_idempotency_key(values)):
        assert key is None or isinstance(key, Fault) or 1 <= len(key) <= 255
    names = (b"x-request-id", b"username", b"password", b"customerguid", b"content-length")
    read = read_headers([(name, value) for name in names for value in values])
    read_credentials(read, "")
    read_secrets(read)
    request_id = read_request_id(read_headers([(b"x-request-id", values[0])]))
    assert request_id is None or (request_id.isascii() and request_id.isprintable())
    forwarded_address([(b"x-forwarded-for", value) for value in values])


def read_import(database: Database, file: Path, data: bytes) -> None:
    """A file is imported or rejected, with faults that can be printed on one line each."""
    file.write_bytes(data)
    came = import_items(database, Source(file, ledgers.CLUB, batch="fuzz"), ledgers.Quiet())
    if isinstance(came, Imported):
        return
    assert isinstance(came, Rejected)
    assert len(came.faults) <= FAULTS_MAX
    for sentence in (came.sentence, *(fault.sentence for fault in came.faults)):
        assert sentence.isprintable(), sentence


def make_call(door: doors.Door, data: bytes) -> None:
    """A body, in either way of writing, is answered in JSON: 200, 400, or 413."""
    for path in (doors.PAYMENTS, doors.WRITE_DOWNS):
        for media in (doors.JSON, doors.FORM):
            answer = door.post(path, data, {"Content-Type": media})
            assert answer.status in (200, 400), answer
            assert isinstance(answer.told, dict)


def send_http(served: raw_peer.Serving, data: bytes) -> None:
    """Bytes on a connection are answered, or it ends, in time; nothing is ever our fault."""
    peer = served.connect()
    peer.socket.settimeout(ANSWER_SECONDS)
    try:
        said = _converse(peer.socket, data)
    finally:
        peer.close()
    assert HAS_FAILED not in said, said
    assert said == b"" or said.startswith(b"HTTP/1.1 "), said


def _converse(connection: socket.socket, data: bytes) -> bytes:
    said = bytearray()
    try:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while got := connection.recv(65_536):
            said += got
    except (ConnectionResetError, BrokenPipeError):
        pass
    return bytes(said)


def list_names(targets: Targets) -> Sequence[str]:
    """The names, in one order for ever."""
    return sorted(targets.by_name)
