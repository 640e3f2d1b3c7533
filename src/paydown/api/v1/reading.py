"""The reads of ``/v1``: a question to the enquiries, and what they say as an answer."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from paydown.api.answers import Answer, Header
from paydown.api.v1 import problems
from paydown.api.v1.paths import refuse_unknown
from paydown.domain.model import Caller
from paydown.enquiries import (
    BadCursor,
    ContactFilter,
    Enquiries,
    EntryFilter,
    ItemFilter,
    PageAsk,
    PostingFilter,
    ReceiptFilter,
)
from paydown.enquiries.printing import HTML_POLICY, print_csv, print_html
from paydown.openapi.routes import Route
from paydown.storage.faults import StoreUnavailable
from paydown.wire.encoding import encode_document
from paydown.wire.headers import read_weights
from paydown.wire.v1.documents import Page, Statement
from paydown.wire.v1.queries import ExplainQuery, Query
from paydown.wire.v1.reading import Misread, read_values

_CSV: Header = (b"content-type", b"text/csv; charset=utf-8; header=present")
_HTML: Header = (b"content-type", b"text/html; charset=utf-8")
_DOWNLOAD: Header = (b"content-disposition", b'attachment; filename="statement.csv"')
_BY_ACCEPT: Header = (b"vary", b"Accept")
_FORMATS = {b"application/json": "json", b"text/csv": "csv", b"text/html": "html"}

_FRAMED_NOWHERE = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_POLICY: Header = (b"content-security-policy", f"{HTML_POLICY}; {_FRAMED_NOWHERE}".encode())


class Question(NamedTuple):
    """A read as it came in: its route, the values of its path, who asks, and for what."""

    route: Route
    target: tuple[Any, ...]
    caller: Caller
    query: Query
    accept: bytes

    @property
    def is_of_now(self) -> bool:
        """Whether the answer tells the moment of asking, so that none is another's again."""
        return isinstance(self.query, ExplainQuery) and self.query.known_at is None


class Reads:
    """Answers every read. It blocks: call it from a thread."""

    def __init__(self, enquiries: Enquiries) -> None:
        ask = enquiries
        self._lists: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
            "list_contacts": (ask.list_contacts, ContactFilter),
            "list_items": (ask.list_items, ItemFilter),
            "list_entries": (ask.list_entries, EntryFilter),
            "list_postings": (ask.list_postings, PostingFilter),
            "list_receipts": (ask.list_receipts, ReceiptFilter),
        }
        self._rest: dict[str, Callable[..., Any]] = {
            "get_contact": ask.find_contact,
            "get_statement": ask.make_statement,
            "get_item": ask.find_item,
            "explain_item": ask.explain,
            "list_tender_types": ask.list_tender_types,
            "list_billing_types": ask.list_billing_types,
            "list_accounts": ask.list_accounts,
            "get_entry": ask.find_entry,
            "get_posting": ask.find_posting,
            "get_receipt": ask.find_receipt,
            "suggest_allocations": ask.suggest,
            "age_debt": ask.age_debt,
        }

    def answer(self, question: Question) -> Answer:
        """What the books say."""
        values = read_values(question.query)
        if isinstance(values, Misread):
            return problems.refuse_misread(problems.Code.INVALID_QUERY, values)
        wanted = values.pop("format", None) or _choose_format(question.accept)
        try:
            told = self._ask(question, values)
        except StoreUnavailable as fault:
            return problems.unavailable(str(fault), writing=False)
        if told is None:
            return refuse_unknown(question.route)
        if isinstance(told, BadCursor):
            return problems.CURSOR_INVALID
        if isinstance(told, Statement):
            return _write_statement(told, wanted)
        return Answer(HTTPStatus.OK, encode_document(told))

    def _ask(self, question: Question, values: dict[str, Any]) -> Any:
        name, customer_id = question.route.name, question.caller.customer_id
        if name in self._lists:
            ask, make_filter = self._lists[name]
            page = PageAsk(values.pop("cursor"), values.pop("limit"))
            return ask(customer_id, make_filter(**values), page)
        told = self._rest[name](customer_id, *question.target, **values)
        return Page(data=told, next_cursor=None) if isinstance(told, list) else told


def _choose_format(accept: bytes) -> str:
    """The format that Accept wants most, of several the first that it names; JSON for none."""
    weights = read_weights(accept)

    def want(media: bytes) -> tuple[int, bool]:
        ranges = (media, media.partition(b"/")[0] + b"/*", b"*/*")
        weight = next((weights[each] for each in ranges if each in weights), 0)
        return weight, media in weights

    named = [media for media in weights if media in _FORMATS]
    best = max((*named, *_FORMATS), key=want)
    return _FORMATS[best] if want(best) > (0, True) else "json"


def _write_statement(statement: Statement, wanted: str) -> Answer:
    if wanted == "csv":
        body = print_csv(statement).encode()
        return Answer(HTTPStatus.OK, body, (_BY_ACCEPT, _DOWNLOAD), media=_CSV)
    if wanted == "html":
        body = print_html(statement).encode()
        return Answer(HTTPStatus.OK, body, (_BY_ACCEPT, _POLICY), media=_HTML)
    return Answer(HTTPStatus.OK, encode_document(statement), (_BY_ACCEPT,))
