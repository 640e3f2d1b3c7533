"""What is asked of ``/v1``: lists in parts, versions, formats, and past moments."""

from typing import Any

import pytest
from doors import JSON, TILL, Door
from v1_asking import contact, get, item, new_receipt, post, problem

import ledgers

NOBODY = "00000000-0000-4000-8000-000000000001"
STATEMENT = f"/v1/contacts/{ledgers.ANNA}/statement?first_on=2026-01-01&last_on=2026-12-31"


def walk(door: Door, path: str, limit: int) -> list[Any]:
    """All of a list, part by part."""
    found, cursor = [], ""
    while True:
        part = get(door, f"{path}limit={limit}{cursor}").told
        assert len(part["data"]) <= limit
        found += part["data"]
        if part["next_cursor"] is None:
            return found
        cursor = f"&cursor={part['next_cursor']}"


@pytest.mark.parametrize("kind", ["contacts", "items", "entries", "postings", "receipts"])
def test_a_list_in_parts_is_the_list(door: Door, kind: str) -> None:
    """However small the parts, each thing is told once and in the same order."""
    for _ in range(3):
        post(door, "/v1/receipts", new_receipt(contact(door)))
    whole = get(door, f"/v1/{kind}?limit=200").told["data"]

    assert len(whole) >= 3
    for limit in (1, 7):
        assert walk(door, f"/v1/{kind}?", limit) == whole


def test_a_cursor_of_another_list_is_refused(door: Door) -> None:
    """Nor is one that somebody made up."""
    cursor = get(door, "/v1/items?limit=1").told["next_cursor"]

    for query in (f"entries?cursor={cursor}", "items?cursor=x", "items?cursor=%C3%A9"):
        problem(get(door, f"/v1/{query}"), 400, "invalid_cursor")


@pytest.mark.parametrize(
    "path", ["/v1/contacts", "/v1/items/1", "/v1/gl-accounts", "/v1/entries", STATEMENT]
)
def test_a_read_has_a_version(door: Door, path: str) -> None:
    """Who has it is told so without a body, and anew once something has changed."""
    first = get(door, path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for known in (tag, f'"other", W/{tag}', "*"):
        again = get(door, path, If_None_Match=known)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == tag
        assert "content-type" not in again.headers
        assert "content-length" not in again.headers
    assert get(door, path, If_None_Match='"other"').body == first.body


@pytest.mark.parametrize("path", ["/v1/contacts", "/v1/items/1?x=y", "/v1/items/99", STATEMENT])
def test_head_tells_what_get_would(door: Door, path: str) -> None:
    """Status and headers are those of GET; the server leaves the body out."""
    told = get(door, path)
    head = door.ask("HEAD", path, headers=TILL)
    own = {"x-request-id": told.headers["x-request-id"]}

    assert (head.status, head.headers | own) == (told.status, told.headers)


def test_a_version_changes_with_what_it_names(door: Door) -> None:
    """A payment makes another version of its item, but not of others."""
    known = {number: get(door, f"/v1/items/{number}").headers["etag"] for number in (1, 2)}
    receipt = post(door, "/v1/receipts", new_receipt())["receipt_id"]
    lines = {"lines": [{"billing_id": 1, "amount": "1.00"}]}
    post(door, f"/v1/receipts/{receipt}/allocate", lines)
    told = [get(door, f"/v1/items/{n}", If_None_Match=known[n]).status for n in (1, 2)]

    assert told == [200, 304]


def test_a_problem_has_no_version(door: Door) -> None:
    """Nothing is to be had there, so there is nothing to have already."""
    answer = get(door, "/v1/items/99999", If_None_Match="*")

    problem(answer, 404, "unknown_item")
    assert "etag" not in answer.headers


@pytest.mark.parametrize(
    ("query", "accept", "media"),
    [
        ("", "*/*", JSON),
        ("", "", JSON),
        ("", "image/png", JSON),
        ("", "text/csv", "text/csv"),
        ("", "application/pdf, text/HTML;q=0.9, */*;q=0.1", "text/html"),
        ("", "text/html;q=0, application/json", JSON),
        ("", "text/html;q=0", JSON),
        ("", "text/html;q=0.1, text/csv", "text/csv"),
        ("", "text/csv, text/html", "text/csv"),
        ("", "text/html;q=0.5, */*;q=0.8", JSON),
        ("", "text/html, */*", "text/html"),
        ("", "text/*, text/csv;q=0, application/json;q=0.9", "text/html"),
        ("", 'text/html;level="1,2"; Q=1.000, text/csv', "text/html"),
        ("", "text/html;q=2, text/csv;q=x", JSON),
        ("&format=csv", "text/html", "text/csv"),
        ("&format=html", "*/*", "text/html"),
        ("&format=json", "text/html", JSON),
    ],
)
def test_a_statement_comes_in_three_formats(
    door: Door, query: str, accept: str, media: str
) -> None:
    """As ``format`` says, or else Accept; JSON where neither names another."""
    answer = get(door, STATEMENT + query, Accept=accept)

    assert answer.status == 200
    assert answer.headers["content-type"].partition(";")[0] == media
    assert answer.headers["vary"] == "Accept"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ("content-disposition" in answer.headers) == (media == "text/csv")
    if media == "text/html":
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        assert answer.body.startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("/v1/contacts/{}", (NOBODY, "x", "\0", f"{NOBODY} ")),
        ("/v1/contacts/{}/statement?first_on=2026-01-01&last_on=2026-01-02", (NOBODY, "x")),
        ("/v1/items/{}", ("99999", "0", "00001", "99999999999", "1.0", "\u00b9", "9" * 5000)),
        ("/v1/items/{}/explain", ("99999", "-1")),
        ("/v1/entries/{}", (NOBODY, "x", NOBODY.replace("-", ""))),
        ("/v1/postings/{}", (f"{NOBODY}.1", NOBODY, f"{NOBODY}.0", f"{NOBODY}.9999999999")),
        ("/v1/receipts/{}", (NOBODY, "x")),
        ("/v1/receipts/{}/suggestions", (NOBODY, "x")),
    ],
)
def test_what_can_be_no_id_is_the_id_of_nothing(
    door: Door, path: str, ids: tuple[str, ...]
) -> None:
    """Each is answered to the byte as an id that nobody has."""
    told = {get(door, path.format(each)).body for each in ids}

    assert len(told) == 1
    assert b'"status":404' in told.pop()


def test_ids_may_be_written_in_capitals(door: Door) -> None:
    """A guid is the same in any letters."""
    receipt = post(door, "/v1/receipts", new_receipt())["receipt_id"]

    for path in (f"/v1/contacts/{ledgers.ANNA}", f"/v1/receipts/{receipt}"):
        root, _, name = path.rpartition("/")
        assert get(door, f"{root}/{name.upper()}").body == get(door, path).body


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("items?state=open", 26),
        ("items?state=settled", 1),
        (f"items?contact_id={ledgers.BEN}&state=open", 5),
        ("items?due_before=2026-01-31", 0),
        ("items?due_before=2026-02-01", 27),
        ("items?band=over_90", 26),
        ("contacts?search=anna", 1),
        (f"contacts?search={ledgers.BEN}", 1),
        ("contacts?search=nobody", 0),
        ("entries?kind=payment", 0),
        ("entries?kind=charge&caller=till", 0),
        (f"receipts?contact_id={ledgers.ANNA}&unapplied_only=true", 0),
    ],
)
def test_a_list_is_narrowed_as_asked(door: Door, query: str, count: int) -> None:
    """Each filter narrows, and two narrow more."""
    assert len(get(door, f"/v1/{query}&limit=200").told["data"]) == count


def test_postings_are_asked_for_by_their_entry(door: Door) -> None:
    """All of them in parts, and no others; entries by what their postings are."""
    entry = get(door, "/v1/entries?billing_id=1").told["data"][-1]
    assert entry["posting_count"] > 7
    entry_id = entry["entry_id"]
    told = get(door, f"/v1/entries/{entry_id.upper()}").told["postings"]

    assert walk(door, f"/v1/postings?entry_id={entry_id.upper()}&", 7) == told[::-1]
    assert walk(door, f"/v1/postings?entry_id={entry_id}&billing_id=1&", 7) == [
        each for each in told if each["billing_id"] == 1
    ]
    assert get(door, f"/v1/postings?entry_id={NOBODY}").told["data"] == []


@pytest.mark.parametrize("name", ["reference", "authorization_code"])
def test_an_entry_is_found_by_what_its_postings_are(door: Door, name: str) -> None:
    """By the calls' ThirdPartyReference and AuthorizationCode, too."""
    made = post(door, "/v1/receipts", new_receipt(**{name: "R-7"}))["receipt_id"]
    other = post(door, "/v1/receipts", new_receipt(tender_type_id=28))["receipt_id"]

    def found(query: str) -> list[str]:
        return [each["entry_id"] for each in get(door, f"/v1/entries?{query}").told["data"]]

    assert found(f"{name}=R-7") == [made]
    assert found(f"{name}=R-7&tender_type_id=28") == []
    assert found("tender_type_id=28&kind=receipt") == [other]


def test_every_contact_of_a_reference_is_found(door: Door) -> None:
    """Also where they are more than a part of the list may hold."""
    made = {contact(door, reference="M-77") for _ in range(3)}

    found = [each["contact_id"] for each in walk(door, "/v1/contacts?search=M-77&", 2)]
    assert (len(found), set(found)) == (3, made)


def test_an_explanation_of_now_has_no_version(door: Door) -> None:
    """It tells when it was asked for; with its known_at it has one, like any read."""
    first = get(door, "/v1/items/1/explain")
    fixed = f"/v1/items/1/explain?known_at={first.told['known_at'].replace('+', '%2B')}"

    assert "etag" not in first.headers
    assert first.headers["cache-control"] == "private, no-cache"
    assert get(door, "/v1/items/1/explain", If_None_Match="*").status == 200
    tag = get(door, fixed).headers["etag"]
    assert get(door, fixed, If_None_Match=tag).status == 304


def test_an_explanation_is_of_any_past_moment(door: Door) -> None:
    """Before it was paid and after, as known before the payment was recorded and after."""
    number = item(door, amount="10.00", effective_at="2026-02-01T00:00:00Z")
    before = get(door, f"/v1/items/{number}/explain").told
    receipt = post(door, "/v1/receipts", new_receipt())["receipt_id"]
    lines = {"lines": [{"billing_id": number, "amount": "4.00"}]}
    lines["value_at"] = "2026-02-10T00:00:00Z"
    post(door, f"/v1/receipts/{receipt}/allocate", lines)
    path = f"/v1/items/{number}/explain"
    known = before["known_at"].replace("+", "%2B")

    assert get(door, path).told["balance"] == "6.00"
    assert get(door, f"{path}?as_of=2026-02-09T00:00:00Z").told["balance"] == "10.00"
    assert get(door, f"{path}?as_of=2026-02-10T00:00:00Z").told["balance"] == "6.00"
    assert get(door, f"{path}?known_at={known}").told == before | {"as_of": None}
