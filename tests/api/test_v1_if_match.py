"""A contact is changed only while it is as it was read, where If-Match asks for that."""

from typing import Any

import pytest
from doors import PASSWORD_HASH, TILL, Answer, Door, request
from v1_asking import contact, get, item, order, problem

import ledgers
from paydown.admin import Admin, Mistake, NewLogin
from paydown.domain.model import Bundle
from paydown.openapi.routes import ROUTES
from paydown.storage.database import Database

ANNA = f"/v1/contacts/{ledgers.ANNA}"
NEW, OTHER = {"name": "Anna Ash", "reference": "M-7"}, {"name": "Anna Quill"}
REPLACING = {route.path for route in ROUTES if route.method == "PUT"}


def tag_of(door: Door, path: str = ANNA) -> str:
    """The tag of what is there now."""
    return str(get(door, path).headers["etag"])


def put(door: Door, if_match: Any, body: Any = NEW, **headers: str) -> Answer:
    """Change Anna, if she is as If-Match says."""
    return order(door, "PUT", ANNA, body, **{"If_Match": if_match, **headers})


def test_of_two_who_read_the_same_the_later_is_told_to_read_again(door: Door) -> None:
    """The first change goes through; the second changes nothing, and can be made after a look."""
    tag = tag_of(door)
    first = put(door, tag)
    changed = get(door, ANNA)
    second = put(door, tag, OTHER)
    after = get(door, ANNA)
    redone = put(door, after.headers["etag"], OTHER)

    assert (first.status, first.told) == (200, changed.told)
    told = problem(second, 412, "etag_mismatch")
    assert told["title"] == "Precondition Failed"
    assert "Read it again" in told["detail"]
    assert "errors" not in told
    assert (after.body, after.headers["etag"]) == (changed.body, changed.headers["etag"])
    assert (redone.status, redone.told["name"]) == (200, "Anna Quill")


def test_a_change_without_if_match_goes_on_as_before(door: Door) -> None:
    """It asks for nothing, so the later of two wins."""
    put(door, tag_of(door))
    answer = order(door, "PUT", ANNA, OTHER)

    assert (answer.status, answer.told["name"]) == (200, "Anna Quill")


@pytest.mark.parametrize("if_match", ["{tag}", '"a",{tag}', ' "," ,, {tag} ,', "*", 'W/"a", {tag}'])
def test_one_tag_of_several_is_enough(door: Door, if_match: str) -> None:
    """And a star is whatever is there."""
    assert put(door, if_match.format(tag=tag_of(door))).status == 200


@pytest.mark.parametrize("if_match", ['"0"', '""', '"*"', "W/{tag}", 'W/{tag}, "0"', "", " , "])
def test_no_other_tag_is_enough(door: Door, if_match: str) -> None:
    """A weak one neither, however like: what it names may differ in what it thinks little of."""
    before = get(door, ANNA)
    answer = put(door, if_match.format(tag=before.headers["etag"]))

    problem(answer, 412, "etag_mismatch")
    assert get(door, ANNA).body == before.body


@pytest.mark.parametrize(
    "if_match", ["x", "*, *", '*, "0"', '"0" "1"', 'w/"0"', '"a b"', b'"\x7f"']
)
def test_what_is_no_list_of_tags_is_refused(door: Door, if_match: str | bytes) -> None:
    """With a word on what to send, and nothing is changed."""
    before = get(door, ANNA)
    told = problem(put(door, if_match), 400, "if_match_malformed")

    assert told["detail"].startswith("If-Match: ")
    assert "ETag" in told["detail"]
    assert get(door, ANNA).body == before.body


def test_several_lines_are_one_list(door: Door) -> None:
    """As RFC 9110 has it: a tag may stand on any of them, a star on none beside others."""
    for lines, status in (('"a"', "{tag}"), 200), (('"a"', '"b"'), 412), (("*", "{tag}"), 400):
        tag = tag_of(door)
        sent = [("If-Match", line.format(tag=tag)) for line in lines]
        headers = [*TILL.items(), ("Idempotency-Key", str(status)), *sent]
        answer = door.ask("PUT", ANNA, body=NEW, headers=headers)
        assert answer.status == status


def test_whatever_a_read_would_tell_counts(door: Door) -> None:
    """The tag is of all that was read: who saw another balance decided by another balance."""
    tag = tag_of(door)
    item(door)

    problem(put(door, tag), 412, "etag_mismatch")
    assert put(door, tag_of(door)).status == 200


def test_a_tag_is_of_one_contact(door: Door) -> None:
    """Those of others match nothing here, be they as alike as the books let them be."""
    twins = [contact(door, name="Cara Cole") for _ in range(2)]
    other = tag_of(door, f"/v1/contacts/{twins[0]}")
    answer = order(door, "PUT", f"/v1/contacts/{twins[1]}", NEW, If_Match=other)

    problem(answer, 412, "etag_mismatch")


@pytest.mark.parametrize("if_match", ["*", '"0"', "{tag}"])
def test_what_is_not_there_is_404_whatever_the_tag(
    door: Door, ledger: Database, if_match: str
) -> None:
    """Another customer's contact is none of ours, and its tag of no use."""
    admin = Admin(ledger)
    login = admin.add_login(NewLogin("rome", PASSWORD_HASH), ledgers.OTHER_CLUB, tuple(Bundle))
    assert not isinstance(login, Mistake)
    rome = {**TILL, "userName": "rome", "customerGuid": ledgers.OTHER_CLUB}
    own = contact(door)
    sent = if_match.format(tag=tag_of(door, f"/v1/contacts/{own}"))
    headers = {**rome, "Idempotency-Key": "k", "If-Match": sent}
    theirs = door.ask("PUT", f"/v1/contacts/{own}", body=NEW, headers=headers)
    nobodys = door.ask("PUT", f"/v1/contacts/{own[:-12]}{'0' * 12}", body=NEW, headers=headers)

    assert problem(theirs, 404, "unknown_contact") == problem(nobodys, 404, "unknown_contact")


def test_a_change_sent_again_is_answered_as_the_first_time(door: Door) -> None:
    """It changed the tag itself, and whoever lost the answer has only the old one."""
    tag = tag_of(door)
    first = put(door, tag, Idempotency_Key="k")
    put(door, "*", OTHER)
    again = [put(door, each, Idempotency_Key="k") for each in (tag, '"0"', "*", tag_of(door))]
    bare = order(door, "PUT", ANNA, NEW, Idempotency_Key="k")

    assert first.status == 200
    assert {(each.status, each.body) for each in (*again, bare)} == {(200, first.body)}
    assert {each.headers["idempotent-replayed"] for each in (*again, bare)} == {"true"}
    assert get(door, ANNA).told["name"] == "Anna Quill"
    problem(put(door, tag, OTHER, Idempotency_Key="k"), 422, "idempotency_key_conflict")


def test_a_refused_change_keeps_its_key_free(door: Door) -> None:
    """So it can be sent under the same key with the tag that was read since."""
    problem(put(door, '"0"', Idempotency_Key="k"), 412, "etag_mismatch")
    answer = put(door, tag_of(door), Idempotency_Key="k")

    assert answer.status == 200
    assert "idempotent-replayed" not in answer.headers


def test_a_dry_run_tells_whether_the_tag_is_right(door: Door) -> None:
    """It is refused as the change would be, and where it is not, it spends no tag."""
    tag = tag_of(door)
    problem(put(door, '"0"', Prefer="dry-run"), 412, "etag_mismatch")
    tried = put(door, tag, Prefer="dry-run")

    assert tried.status == 200
    assert tried.headers["preference-applied"] == "dry-run"
    assert put(door, tag).status == 200


def test_32_callers_at_once_change_it_once(door: Door) -> None:
    """All have read the same, each wants another name: one gets its way, the others hear of it."""
    tag = tag_of(door)
    asked = [
        request(
            "PUT",
            ANNA,
            body={"name": f"Anna {number}"},
            headers={**TILL, "Idempotency-Key": f"race-{number}", "If-Match": tag},
        )
        for number in range(32)
    ]
    answers = [answer for answer in door.ask_together(asked) if answer]
    (won,) = (answer for answer in answers if answer.status == 200)

    assert sorted(answer.status for answer in answers) == [200] + [412] * 31
    assert get(door, ANNA).body == won.body


def test_other_writes_do_not_look_at_it(door: Door) -> None:
    """They replace nothing that was read: they add to the books, or set a switch."""
    made = order(door, "POST", "/v1/contacts", NEW, If_Match='"0"')
    off = order(door, "PATCH", "/v1/tender-types/3", {"active": False}, If_Match="x")

    assert (made.status, off.status) == (201, 200)


def test_it_is_described_where_it_is_heard(door: Door) -> None:
    """The parameter and the answer 412 are listed with these operations, and with no others."""
    paths = door.get("/openapi.json").told["paths"]
    operations = {
        (method, path): operation
        for path in paths
        for method, operation in paths[path].items()
        if isinstance(operation, dict)
    }
    asking = {
        place
        for place, operation in operations.items()
        if "If-Match" in {each["name"] for each in operation.get("parameters", [])}
    }
    refusing = {place for place, operation in operations.items() if "412" in operation["responses"]}

    assert asking == refusing == {("put", path) for path in REPLACING} != set()
