"""URLs that no ledger can be had from: one clear sentence each, whatever the command."""

import re
import socket

import pytest
from psycopg.conninfo import conninfo_to_dict

from paydown.storage.opening import migrate
from postgres import execute

COMMANDS = {
    "migrate": ("migrate", "--database", "{}"),
    "verify": ("verify", "--database", "{}"),
    "serve": ("serve", "--port", "0", "--database", "{}"),
    "copy from": ("copy", "--from", "{}", "--to", "sqlite:///{tmp_path}/target.db"),
    "copy to": ("copy", "--from", "sqlite:///{tmp_path}/source.db", "--to", "{}"),
}
READ_ONLY = "options=-c%20default_transaction_read_only%3Don"


@pytest.fixture
def said(paydown, tmp_path, monkeypatch):
    """What each command has to say of the URL. It ends with 1, and says it in one line."""
    monkeypatch.setattr("paydown.bootstrap.configure_logging", lambda *_: None)
    migrate(f"sqlite:///{tmp_path}/source.db")

    def ask(url, *names):
        sentences = {}
        for name in names or COMMANDS:
            words = [word.format(url, tmp_path=tmp_path) for word in COMMANDS[name]]
            answer = paydown(*words)
            assert (answer.status, answer.stdout) == (1, ""), name
            (sentences[name],) = answer.stderr.splitlines()
        return sentences

    return ask


def sign_in(url, login):
    """The URL with another role, or role and password."""
    return re.sub("//[^@]*@", f"//{login}@", url)


@pytest.fixture
def nobody(databases):
    """A role that may connect, and nothing else."""
    role = "paydown_test_nobody"
    url = databases.new()
    execute(url, f"DROP ROLE IF EXISTS {role}", f"CREATE ROLE {role} LOGIN PASSWORD 'none'")
    yield f"{role}:none"
    execute(url, f"DROP ROLE {role}")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ledger.db", "'ledger.db' is not a database URL. "),
        ("mysql://club@db/ledger", "Only SQLite and PostgreSQL are served. Give a URL such as "),
        ("postgresql://club:s3@[db/books", "'postgresql://club@[db/books' is not a database URL. "),
        ("postgresql://club:s%3@db/books", "'postgresql://club@db/books' is not a database URL. "),
    ],
)
def test_a_wrong_url_is_said_to_be_none(said, url, sentence):
    """With one that would do, and without a password."""
    told = set(said(url).values())
    assert [each for each in told if not each.startswith(sentence)] == []
    assert [each for each in told if "Give " not in each] == []


def test_a_server_that_cannot_be_reached_is_named(said):
    """Where nobody listens, and where the name leads nowhere."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for sentence in said(f"postgresql://club:s3cret@127.0.0.1:{port}/ledger").values():
        assert sentence.startswith(f"The database 'ledger' at 127.0.0.1:{port} cannot be reached (")
        assert "s3cret" not in sentence


def test_a_database_that_is_not_there_is_named(said, databases):
    """The server answers, and says so."""
    for sentence in said(f"{databases.new()}_missing").values():
        assert sentence.startswith("The database 'paydown_test_")
        assert '_missing" does not exist' in sentence


def test_a_role_without_rights_is_told_so(said, databases, nobody):
    """In an empty place and in a ledger of others."""
    empty, ledger = databases.new(), databases.copy()
    for url, names in ((empty, ("migrate", "copy to")), (ledger, COMMANDS)):
        theirs = sign_in(url, nobody)
        for sentence in said(theirs, *names).values():
            assert " does not let the role do what it has to (permission denied for " in sentence
            assert sentence.endswith("Grant it the rights that docs/how-to/postgresql.md names.")


def test_a_role_that_may_only_read_cannot_hold_a_ledger_still(said, databases, nobody):
    """So nothing is copied that could change meanwhile."""
    url = databases.copy()
    role = nobody.partition(":")[0]
    execute(url, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    (sentence,) = said(sign_in(url, nobody), "copy from").values()
    execute(url, f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
    assert "permission denied for table entry" in sentence


def test_a_schema_of_another_version_is_said_to_be_one(said, databases):
    """A newer one, with where to go; and what is no ledger at all."""
    newer, strange = databases.copy(), databases.new()
    execute(newer, "UPDATE alembic_version SET version_num = '0999'")
    execute(strange, "CREATE TABLE stranger (a INTEGER)")
    for sentence in said(newer).values():
        assert "holds a ledger of a newer Paydown (schema 0999)." in sentence
    for sentence in said(strange).values():
        assert sentence.endswith("is not a ledger: it holds other tables.")


def test_an_empty_database_is_no_ledger_yet(said, databases):
    """With the command that makes one, as it can be typed."""
    url = databases.new()
    for sentence in said(url, "verify", "serve", "copy from").values():
        assert sentence.endswith(
            f" holds no ledger yet. Make one with: paydown migrate --database {url}"
        )


def test_a_database_that_cannot_be_written_is_said_to_be_read_only(said, databases):
    """To make one there, to serve it and to copy to it; a ledger is not made by half."""
    empty = databases.new()
    for url, names in (
        (f"{empty}?{READ_ONLY}", ("migrate", "copy to")),
        (databases.copy(READ_ONLY), ("serve",)),
    ):
        for sentence in said(url, *names).values():
            assert sentence.endswith(" is read-only: it is a standby, or set so.")
    assert migrate(empty) is None


def test_a_password_in_a_url_is_not_printed(paydown, databases):
    """Also where all is well."""
    url = databases.new()
    parts = conninfo_to_dict(url)
    secret = parts.get("password", "s3cret")
    url = sign_in(url, f"{parts['user']}:{secret}")
    for words in (["migrate"], ["migrate", "--json"], ["verify", "--json"]):
        answer = paydown(*words, "--database", url)
        assert answer.status == 0
        assert secret not in answer.stdout + answer.stderr
