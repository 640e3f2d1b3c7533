"""Requests of ours that name what is theirs: generated from the routes, the orders and the queries.

Law of this file: what a route takes is read from the table of routes, so that a new one is probed
without a word here; a new member or parameter that names something has to be added to ``NAMED``.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args
from urllib.parse import urlencode

import msgspec
from doors import Answer, Headers
from tenant_books import (
    BY_NAME,
    CHAIN,
    FRESH,
    THEIR_CLUB,
    Ids,
    Side,
    Tenants,
    headers_of,
    payment,
    write_down,
)

import ledgers
from paydown.openapi.routes import ROUTES, Route
from paydown.openapi.v1_examples import example
from paydown.wire.v1 import fields, orders

NAMED = {
    **dict.fromkeys(("contact_id", "beneficiary_id"), "contact_id"),
    **{name: name for name in ("billing_id", "tender_type_id", "billing_type_id", "entry_id")},
    **dict.fromkeys(("agreement_id", "member_service_id"), "agreement_id"),
    "gl_account_id": "gl_account_id",
    "allocation_id": "allocation_id",
    **dict.fromkeys(("code", "clearing_account_code"), "code"),
    **dict.fromkeys(("income_account_code", "external_receivables_account_code"), "code"),
    "reference": "reference",
    "authorization_code": "authorization_code",
    "search": "name",
    "caller": "user_name",
    **dict.fromkeys(("ContactId", "PayerId"), "contact_id"),
    **dict.fromkeys(("AgreementId", "MemberServiceId"), "agreement_id"),
    "BillingId": "billing_id",
    "TenderTypeId": "tender_type_id",
    "BillingTypeId": "billing_type_id",
    "GLAccountId": "gl_account_id",
    "ThirdPartyReference": "reference",
    "AuthorizationCode": "authorization_code",
}
"""What each member of a body, and each parameter of a query, names."""

NAMING = (
    *(fields.Guid, fields.Id, fields.PostingId, fields.Code, fields.Reference),
    fields.AuthorizationCode,
)
"""The types of what names something."""

FREE = {
    *("agreement_id", "member_service_id", "AgreementId", "MemberServiceId"),
    *("reference", "authorization_code", "ThirdPartyReference", "AuthorizationCode"),
}
"""What is kept and not looked up."""

_MAKES = {
    "create_contact": ("contact_id",),
    "create_tender_type": ("tender_type_id",),
    "create_billing_type": ("billing_type_id",),
    "create_account": ("gl_account_id", "code"),
}
"""The ids that these give to what they create: another customer's are as good as any."""

READ_BY = {
    each.name: read.name
    for each in ROUTES
    if each.is_conditional
    for read in ROUTES
    if (read.method, read.path) == ("GET", each.path)
}
"""The read whose tag each of these takes."""

_PAYMENTS, _WRITE_DOWNS = "/POS/BillingPayments", "/POS/BillingWriteDowns"
_CREATE_BILLING = "/POS/CreateBilling"
_DAYS = {"first_on": "2026-01-01", "last_on": "2026-12-31"}


class Probe(NamedTuple):
    """A request. ``names`` says what of theirs is in it, and ``status`` what it comes to."""

    route: str
    names: str
    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    status: tuple[int, ...] = (200, 201)
    customer_guid: str = ledgers.CLUB

    def ask(self, side: Side, user_name: str, key: str, *, dry_run: bool) -> Answer:
        """Ask it, under the key where it brings none."""
        headers: Headers = headers_of(user_name, self.customer_guid)
        if self.method != "GET":
            headers["Idempotency-Key"] = key
            if dry_run:
                headers["Prefer"] = "dry-run"
        headers.update(self.headers)
        return side.door.ask(self.method, self.path, body=self.body, headers=headers)


class Known(NamedTuple):
    """What they were told: a cursor of each list, and the tag of each read, by the route's name."""

    cursors: dict[str, str]
    tags: dict[str, str]


def learn(tenants: Tenants) -> Known:
    """Ask as they do."""
    known = Known({}, {})
    for probe in _bases(tenants.theirs):
        route = BY_NAME.get(probe.route)
        if route is None or route.is_write:
            continue
        their = probe._replace(customer_guid=THEIR_CLUB)
        told = their.ask(tenants.beside, CHAIN, "", dry_run=False)
        if tag := told.headers.get("etag"):
            known.tags[route.name] = tag
        if "cursor" in route.query.__struct_fields__:
            part = their._replace(path=f"{probe.path}?limit=1")
            cursor = part.ask(tenants.beside, CHAIN, "", dry_run=False).told["next_cursor"]
            known.cursors[route.name] = cursor
    return known


def every_probe(tenants: Tenants, known: Known) -> list[Probe]:
    """All of them, each once."""
    ours, theirs = tenants.ours, tenants.theirs
    probes = [
        *_bases(ours),
        *_imported(ours),
        *_paths(ours, theirs),
        *_bodies(ours, theirs),
        *_queries(ours, theirs, known),
        *_keys(ours, theirs),
        *_tags(ours, theirs, known),
        *_repeats(theirs),
        *(
            base._replace(names="customerGuid", status=(403,), customer_guid=THEIR_CLUB)
            for base in _bases(ours)
        ),
    ]
    assert len(set(probes)) == len(probes)
    return probes


def bases(ours: Ids) -> list[Probe]:
    """Each route and each call as it succeeds, naming what is ours."""
    return list(_bases(ours))


def find_unnamed() -> list[str]:
    """The members and parameters that name something and that no probe knows."""
    shapes = [each.order for each in ROUTES if each.order] + [each.query for each in ROUTES]
    return [
        name
        for shape in shapes
        for _, name, kind in _members(shape)
        if name not in NAMED and any(kind == each for each in NAMING)
    ]


def _bases(ours: Ids) -> Iterator[Probe]:
    for route in ROUTES:
        body = json.dumps(_body(route, ours)).encode() if route.order else b""
        path = _path(route, ours) + _query(route)
        yield Probe(route.name, "", route.method, path, body)
    for path, body in _calls(ours):
        yield Probe(path, "", "POST", path, json.dumps(body).encode())
    yield Probe("details", "", "GET", f"/Contacts/{ours.contact_id}/Details")


def _imported(ours: Ids) -> Iterator[Probe]:
    """The reads of a contact whose items are other ones at theirs, and of one of those items."""
    for base in _bases(ours._replace(contact_id=ledgers.BEN, billing_id=12)):
        if base.method == "GET" and base not in set(_bases(ours)):
            yield base._replace(names="imported")
    for name in ("items", "entries", "postings", "receipts"):
        path = f"/v1/{name}?contact_id={ledgers.BEN}"
        yield Probe(f"list_{name}", "imported", "GET", path)


def _calls(ours: Ids) -> Iterator[tuple[str, dict[str, Any]]]:
    paid = payment(FRESH, ours.billing_id, ContactId=ours.contact_id)
    written = write_down(FRESH, ours.billing_id, ContactId=ours.contact_id)
    for body in (paid, written):
        body["TenderTypeId"] = ours.tender_type_id
    yield _PAYMENTS, paid
    yield _WRITE_DOWNS, written
    made = {"PayerId": ours.contact_id, "BillingTypeId": ours.billing_type_id, "TotalAmount": 5}
    yield _CREATE_BILLING, {**made, "AgreementId": 1, "MemberServiceId": 1}


def _path(route: Route, ids: Ids) -> str:
    return route.path.format(**ids._asdict())


def _query(route: Route, **more: str) -> str:
    needed = _DAYS if route.name == "get_statement" else {}
    asked = {**needed, **more}
    return f"?{urlencode(asked)}" if asked else ""


def _body(route: Route, ours: Ids) -> Any:
    """The route's example, of ours, with every member that names something."""
    body = json.loads(bytes(example(route.order)))
    makes = _MAKES.get(route.name, ())
    for place, name, _ in _members(route.order):
        if name in NAMED and not name.endswith("_account_code"):
            _put(body, place, name, getattr(FRESH if name in makes else ours, NAMED[name]))
        if name in ("amount", "total_amount"):
            _put(body, place, name, "3.00")
    return body


def _members(shape: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str, Any]]:
    """Each member of a struct, and of the structs in its lists: where it is, its name and type."""
    for field in msgspec.structs.fields(shape):
        kind = field.type
        options = [each for each in get_args(kind) if each is not type(None)]
        listed = get_args(options[0]) if options else ()
        if listed and isinstance(listed[0], type) and issubclass(listed[0], orders.Order):
            yield from _members(listed[0], (*place, field.name, 0))
        yield place, field.name, options[0] if type(None) in get_args(kind) else kind


def _put(body: Any, place: tuple[Any, ...], name: str, value: object) -> None:
    for step in place:
        body = body[step]
    body[name] = value


def _paths(ours: Ids, theirs: Ids) -> Iterator[Probe]:
    """Of each path with a name in it that of theirs; what is said besides is ours."""
    for base in _bases(ours):
        route = BY_NAME.get(base.route)
        if route is None or "{" not in route.path:
            continue
        path = _path(route, theirs) + _query(route)
        yield base._replace(names="path", path=path, status=(404,))
    path = f"/Contacts/{theirs.contact_id}/Details"
    yield Probe("details", "path", "GET", path, status=(404,))


def _bodies(ours: Ids, theirs: Ids) -> Iterator[Probe]:
    """Of each body one member of theirs, the rest ours."""
    for base in _bases(ours):
        route = BY_NAME.get(base.route)
        if route is None and base.method == "POST":
            yield from _call_bodies(base, theirs)
        if route is None or route.order is None:
            continue
        for place, name, _ in _members(route.order):
            if name not in NAMED:
                continue
            body = json.loads(base.body)
            _put(body, place, name, getattr(theirs, NAMED[name]))
            kept = name in FREE or name in _MAKES.get(route.name, ())
            status = (200, 201) if kept or route.name == "create_items" else (422,)
            sent = json.dumps(body).encode()
            yield base._replace(names=f"body {name}", body=sent, status=status)


def _call_bodies(base: Probe, theirs: Ids) -> Iterator[Probe]:
    for name in sorted(NAMED):
        body = json.loads(base.body)
        lines = body.get("BillingPayments") or body.get("BillingWriteDowns") or [{}]
        for each in (body, lines[0]):
            if name in each:
                each[name] = getattr(theirs, NAMED[name])
                known = name in FREE or base.route != _CREATE_BILLING
                status = (200,) if known else (400,)
                sent = json.dumps(body).encode()
                yield base._replace(names=f"body {name}", body=sent, status=status)


def _queries(ours: Ids, theirs: Ids, known: Known) -> Iterator[Probe]:
    """Of each query one parameter of theirs, or of ours."""
    for route in ROUTES:
        for name in route.query.__struct_fields__:
            values = [str(getattr(ids, NAMED[name])) for ids in (theirs, ours) if name in NAMED]
            if name == "cursor":
                values = [known.cursors[route.name]]
            for value in values:
                path = _path(route, ours) + _query(route, **{name: value})
                yield Probe(route.name, f"query {name} {value}", route.method, path)
    for value in (theirs.contact_id, theirs.reference):
        path = f"/v1/contacts?{urlencode({'search': value})}"
        yield Probe("list_contacts", f"query search {value}", "GET", path)
    for name, path in (
        ("age_debt", "/v1/aged-debt?on=2026-02-01"),
        ("list_items", "/v1/items?limit=1"),
        ("list_entries", "/v1/entries?limit=1"),
    ):
        yield Probe(name, "part", "GET", path)


def _keys(ours: Ids, theirs: Ids) -> Iterator[Probe]:
    """Each write under a key of theirs, and under one that both of us have used."""
    for base in _bases(ours):
        if base.method != "GET":
            sent = base._replace(names="key", headers=(("Idempotency-Key", f"{theirs.key}-1"),))
            yield sent
            shared = (("Idempotency-Key", f"{ours.key}-1"),)
            yield sent._replace(names="shared key", headers=shared, status=(422, 200, 201))


def _tags(ours: Ids, theirs: Ids, known: Known) -> Iterator[Probe]:
    """What of ours and of theirs is read, or replaced, by who knows how theirs is tagged."""
    for base in (*_bases(ours), *_paths(ours, theirs)):
        if base.route in known.tags:
            sent = (("If-None-Match", known.tags[base.route]),)
            yield base._replace(names=f"tag {base.names}".strip(), headers=sent)
    for base in (*_bases(ours), *_paths(ours, theirs)):
        if base.route in READ_BY:
            sent = (("If-Match", known.tags[READ_BY[base.route]]),)
            status = base.status if "path" in base.names else (412,)
            yield base._replace(names=f"tag {base.names}".strip(), headers=sent, status=status)


def _repeats(theirs: Ids) -> Iterator[Probe]:
    """What they have sent, to the letter, for a contact and an item whose ids we have too."""
    for path, body in (
        (_PAYMENTS, payment(theirs, 3, ContactId=ledgers.ANNA)),
        (_WRITE_DOWNS, write_down(theirs, 3, ContactId=ledgers.ANNA)),
    ):
        sent = json.dumps(body).encode()
        yield Probe(path, "repeat", "POST", path, sent)
