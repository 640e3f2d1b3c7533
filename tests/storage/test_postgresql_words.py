"""What can be wrong with a PostgreSQL or its URL: a clear sentence each, no password in it."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import desk_rows
import ledgers
import postgres
from ledgers import Books, pay
from paydown import audit
from paydown.admin import Admin, Mistake
from paydown.storage.engine import find_database
from paydown.storage.faults import SchemaMismatch, StoreUnavailable
from paydown.storage.jobs import Unavailable
from paydown.storage.opening import migrate, open_store


def said_by(attempt: Callable[[], object]) -> str:
    """The sentence that the attempt is refused with."""
    with pytest.raises(StoreUnavailable) as refusal:
        attempt()
    return str(refusal.value)


def claim(url: str) -> None:
    """Do what a server does before it takes payments."""
    Books(open_store(url)).service.claim()


@pytest.mark.parametrize(
    "url", ["postgresql://[", "postgresql://u:secret@h/d?nope=1", "postgres://u:secret@[/d"]
)
def test_what_is_no_url_is_told_what_a_url_looks_like(url: str) -> None:
    """The sentence quotes what was given, but for the password."""
    with pytest.raises(SchemaMismatch, match="Give one such as postgresql://") as refusal:
        find_database(url)

    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "query", ["", "?password=secret", "?connect_timeout=3&password=secret&sslmode=disable"]
)
def test_no_sentence_holds_the_password(query: str) -> None:
    """Not the URL that is shown, not the place, not what is said when nobody answers."""
    database = find_database(f"postgresql://till:secret@127.0.0.1:1/books{query}")
    sentence = said_by(lambda: open_store(database.url))

    assert "secret" not in database.shown_url + database.place + sentence
    assert "till@127.0.0.1:1/books" in database.shown_url


@pytest.mark.parametrize("password", ["sec/ret", "s@ec@ret", "s:e/c@ret"])
def test_a_password_that_is_not_escaped_is_not_taken_for_a_host(password: str) -> None:
    """The sentence says how to write it, and quotes nothing of it."""
    with pytest.raises(SchemaMismatch, match="In a password write %2F for /") as refusal:
        find_database(f"postgresql://till:{password}@127.0.0.1:1/books")

    assert "ret" not in str(refusal.value)


def test_a_password_for_a_key_is_not_shown() -> None:
    """Nor is it the only word of a URL that can be one."""
    database = find_database("postgresql://till@127.0.0.1:1/books?sslpassword=secret")

    assert "secret" not in database.shown_url


def test_a_wrong_value_in_a_url_is_told(server_url: str) -> None:
    """One sentence says which."""
    sentence = said_by(lambda: migrate(f"{server_url}?connect_timeout=abc"))

    assert sentence.startswith("The URL of the database is wrong: ")
    assert "connect_timeout" in sentence


def test_a_database_that_cannot_hold_every_text_is_refused(server_url: str) -> None:
    """It is told before a payment's note finds it out."""
    made = "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
    postgres.execute(server_url, made)
    try:
        sentence = said_by(lambda: migrate(f"{server_url.rpartition('/')[0]}/latin"))
    finally:
        postgres.execute(server_url, "DROP DATABASE latin")

    assert sentence.startswith("The database holds texts in LATIN1")


@pytest.mark.parametrize("host", ["127.0.0.1:1", "nowhere.invalid"])
def test_a_server_that_cannot_be_reached_is_named(host: str) -> None:
    """The sentence says which database, and where it was looked for."""
    sentence = said_by(lambda: migrate(f"postgresql://till@{host}/books"))

    assert sentence.startswith(f"The database 'books' at {host} cannot be reached")


def test_a_database_that_is_not_there_is_told(server_url: str) -> None:
    """The name is in the sentence, with what the server said."""
    sentence = said_by(lambda: migrate(postgres.url_of(server_url, "not_made")))

    assert "'not_made'" in sentence
    assert "does not exist" in sentence


def test_a_wrong_password_is_told(own_server: postgres.Server) -> None:
    """What the server says of it, and not the password."""
    own_server.ask_passwords("clerk")
    postgres.execute(own_server.url, "CREATE ROLE clerk LOGIN PASSWORD 'right'")
    url = own_server.url.replace("paydown@", "clerk:secret@")
    sentence = said_by(lambda: open_store(url))

    assert 'password authentication failed for user "clerk"' in sentence
    assert "secret" not in sentence


def test_a_role_that_may_not_log_in_is_told(own_server: postgres.Server) -> None:
    """What the server says of it."""
    postgres.execute(own_server.url, "CREATE ROLE clerk NOLOGIN")
    sentence = said_by(lambda: open_store(own_server.url.replace("paydown@", "clerk@")))

    assert 'role "clerk" is not permitted to log in' in sentence


GRANTS = {
    "none": [],
    "reading only": ["GRANT SELECT ON ALL TABLES IN SCHEMA public TO clerk"],
    "all but the balances": [
        "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO clerk",
    ],
    "all but the replays": [
        "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO clerk",
        "REVOKE INSERT ON replay FROM clerk",
    ],
}


@pytest.mark.parametrize("grants", GRANTS.values(), ids=GRANTS)
def test_a_role_without_the_rights_is_told_before_a_server_starts(
    own_server: postgres.Server, grants: list[str]
) -> None:
    """What a payment needs and the role may not do is found at the start, with where to look."""
    migrate(own_server.url)
    postgres.execute(own_server.url, "CREATE ROLE clerk LOGIN", *grants)
    sentence = said_by(lambda: claim(own_server.url.replace("paydown@", "clerk@")))

    assert "permission denied for table" in sentence
    assert "docs/how-to/postgresql.md" in sentence


def test_the_rights_that_the_how_to_names_are_enough(own_server: postgres.Server) -> None:
    """A role with these and no others records payments, items, receipts and reversals."""
    ledgers.make_ledger(own_server.url)
    page = Path(__file__).parents[2] / "docs" / "how-to" / "postgresql.md"
    grants = re.findall(
        r"^(GRANT .* ON (?!DATABASE).*) TO paydown;$", page.read_text(), re.MULTILINE
    )
    postgres.execute(
        own_server.url, "CREATE ROLE clerk LOGIN", *(f"{grant} TO clerk" for grant in grants)
    )
    database = open_store(own_server.url.replace("paydown@", "clerk@"))
    with Books(database) as books:
        paid = books.outcome(pay(books.caller(), {1: "1.00", 2: "1.00"})).entry
    assert paid is not None
    with database.write() as connection:
        database.hold_items(connection, 1, [1, 2])
        desk_rows.fill(connection, paid)
    changed = Admin(database).set_account_active(ledgers.CLUB, "6100", active=False)

    assert not isinstance(changed, Mistake)
    assert [found for found in audit.verify(open_store(own_server.url)) if not found.ok] == []


def test_a_role_that_may_make_no_tables_is_told(own_server: postgres.Server) -> None:
    """A ledger is not made halfway: the sentence says what is not allowed."""
    postgres.execute(own_server.url, "CREATE ROLE clerk LOGIN")
    sentence = said_by(lambda: migrate(own_server.url.replace("paydown@", "clerk@")))

    assert "permission denied for schema public" in sentence


def test_rights_taken_away_are_told_and_given_back_are_found(
    own_server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that may no longer write answers 503, is not ready, and goes on by itself."""
    monkeypatch.setattr("paydown.storage.writer.PROBE_SECONDS", 0.05)
    ledgers.make_ledger(own_server.url)
    rights = "INSERT, UPDATE, SELECT ON ALL TABLES IN SCHEMA public"
    postgres.execute(own_server.url, "CREATE ROLE clerk LOGIN", f"GRANT {rights} TO clerk")
    with Books(open_store(own_server.url.replace("paydown@", "clerk@"))) as books:
        payment = pay(books.caller(), {1: "1.00"})
        postgres.execute(own_server.url, "REVOKE INSERT ON posting FROM clerk")
        result = books.record(payment).result
        time.sleep(0.2)
        sentence = books.service.readiness() or ""
        postgres.execute(own_server.url, "GRANT INSERT ON posting TO clerk")
        deadline = time.monotonic() + 10
        while books.service.readiness() is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        outcome = books.outcome(payment)

    assert isinstance(result, Unavailable)
    assert "permission denied for table posting" in sentence
    assert outcome.lines[0].balance == 900


def test_a_server_does_not_start_where_everything_is_read_only(
    databases: postgres.Databases,
) -> None:
    """A database set to read-only is told as such at the start, not payment by payment."""
    url = databases.copy()
    name = url.rsplit("/", 1)[1]
    postgres.execute(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    assert "is read-only" in said_by(lambda: claim(url))


def test_a_server_that_loses_commits_is_refused() -> None:
    """With fsync off a power cut takes acknowledged payments with it."""
    with postgres.running("fsync=off") as server:
        migrate(server.url)

        assert "runs with fsync off" in said_by(lambda: claim(server.url))
