"""``paydown contact``: who owes."""

from typing import Annotated

import typer

from paydown.cli.enquiring import Reading, enquiring, to_document
from paydown.cli.output import CustomerOption, DatabaseOption, JsonOption, make_table
from paydown.enquiries import BadCursor, ContactFilter, PageAsk
from paydown.wire.v1.documents import Contact, Page

FOUND_MAX = 50

app = typer.Typer(help="Find contacts: who owes.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Find contacts: who owes."""


@app.command()
def find(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="Words of the name, the reference, or the guid.")
    ],
    customer: CustomerOption,
    database: DatabaseOption,
    *,
    as_json: JsonOption = False,
) -> None:
    """Find contacts by name, reference or guid. Case and accents do not matter."""
    with enquiring(database, customer, as_json=as_json) as reading:
        page = search(reading, text)
        rows = [
            (contact.contact_id, contact.name, contact.reference or "", contact.owed)
            for contact in page.data
        ]
        table = make_table(
            ["ContactId", "Name", "Reference", f"Owes ({reading.customer.currency})"], rows
        )
        words = [table] if rows else [f"No contact is found by {text!r}."]
        more = [f"There are more than {FOUND_MAX}: say more of the name."]
        reading.output.show(to_document(page), *words, *(more if page.next_cursor else []))


def search(reading: Reading, text: str) -> Page[Contact]:
    """The first contacts found, however many rows have to be looked at."""
    if not text.strip() or not text.isprintable():
        reading.output.fail(f"{text!r} is no text to find a contact by.")
    found: list[Contact] = []
    cursor: str | None = None
    while True:
        ask = PageAsk(cursor, FOUND_MAX - len(found))
        page = reading.enquiries.list_contacts(reading.customer_id, ContactFilter(search=text), ask)
        assert not isinstance(page, BadCursor), "it is the list's own"
        found += page.data
        cursor = page.next_cursor
        if cursor is None or len(found) == FOUND_MAX:
            return Page(data=found, next_cursor=cursor)
