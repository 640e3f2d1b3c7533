"""Logins as authentication finds them, and replays beside the lines they were taken for."""

from ledgers import BEN, CLUB, OTHER_CLUB, TILL, pay
from makers import on_every_store
from paydown.domain.model import Bundle
from paydown.storage.logins import find_login
from paydown.storage.replays import list_replays

pytestmark = on_every_store


def test_keyless_replays_are_listed_newest_first(books):
    """Who sent it again, and which recorded line it was."""
    caller = books.caller()
    first = books.outcome(pay(caller, {1: "2.00", 2: "3.00"}, reference="R-1"))
    for _ in range(2):
        assert books.outcome(pay(caller, {1: "2.00"}, reference="R-1")).replays
    with books.database.read() as connection:
        found = list_replays(connection, customer_id=caller.customer_id, since=0, count_max=10)
        latest = list_replays(connection, customer_id=None, since=0, count_max=1)
        since = list_replays(connection, customer_id=None, since=found[0].replayed_at, count_max=10)
        none = list_replays(
            connection, customer_id=None, since=found[0].replayed_at + 1, count_max=10
        )
    assert [replay.replayed_at for replay in found] == sorted(
        (replay.replayed_at for replay in found), reverse=True
    )
    assert [(replay.billing_id, replay.amount, replay.reference) for replay in found] == [
        (1, 200, "R-1")
    ] * 2
    assert found[0].recorded_written == first.lines[0].recorded_written
    assert (found[0].customer_guid, found[0].user_name) == (CLUB, TILL)
    assert found[0].contact_id != BEN
    assert (latest, since, none) == ([found[0]], [found[0]], [])


def test_a_login_is_a_caller_for_its_customers_alone(database):
    """Elsewhere it is a login without rights; another name is no login at all."""
    with database.read() as connection:
        found = find_login(connection, TILL, CLUB)
        assert (found.caller.user_name, found.caller.minor_digits) == (TILL, 2)
        assert found.caller.bundles == set(Bundle)
        for elsewhere in (OTHER_CLUB, "16fd2706-8baf-433b-82eb-000000000000", None):
            assert find_login(connection, TILL, elsewhere).caller is None
        assert find_login(connection, TILL.upper(), CLUB) is None
