"""What the commands share that read a customer's books, and say them as ``/v1`` does."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import NamedTuple

import msgspec
import typer

from paydown.admin import Admin
from paydown.cli.output import Document, Output, answering
from paydown.domain.days import end_of
from paydown.enquiries import Enquiries
from paydown.service import read_clock
from paydown.storage.database import Database
from paydown.storage.opening import open_store
from paydown.storage.reference import Customer
from paydown.wire.formats import read_date, read_day


class Reading(NamedTuple):
    """A customer's books, open for a command, and where its answer goes."""

    database: Database
    customer: Customer
    enquiries: Enquiries
    output: Output

    @property
    def customer_id(self) -> int:
        """Whose books they are."""
        return self.customer.customer_id


@contextmanager
def enquiring(database: str, customer: str, *, as_json: bool) -> Iterator[Reading]:
    """The readings of a customer's books in the ledger at the URL."""
    with answering(as_json=as_json) as output:
        store = open_store(database)
        found = output.settle(Admin(store).find_customer(customer))
        yield Reading(store, found, Enquiries(store, clock=read_clock), output)


def to_document(answer: msgspec.Struct) -> Document:
    """The very document that ``/v1`` answers."""
    document: Document = msgspec.to_builtins(answer)
    return document


def parse_day(text: str) -> date:
    """An option's day."""
    day = read_day(text)
    if day is None:
        raise typer.BadParameter(f"{text!r} is not a day such as 2026-02-28.")
    return day


def read_time(output: Output, text: str | None, customer: Customer) -> int | None:
    """The time in ticks; one without an offset is the customer's own."""
    if text is None:
        return None
    found = read_date(text, customer.time_zone)
    if found is None:
        output.fail(f"{text!r} is not a date such as 2026-02-28 or 2026-02-28T09:30.")
    return found[0]


def read_moment(output: Output, text: str | None, customer: Customer) -> int | None:
    """The time in ticks; of a day without a time it is the last there is, as books have it."""
    day = None if text is None else read_day(text)
    if day is None:
        return read_time(output, text, customer)
    return end_of(day, customer.time_zone) - 1
