"""Texts that are meant to be something else where they come out, through every field there is.

A terminal, a log, a spreadsheet, a page and a database each have signs that they obey. What is kept
is kept to the letter; where it comes out it is a text and nothing more.
"""

import io
import json

import doors
import pytest
from api_log import logging_to
from doors import PAYMENTS, WRITE_DOWNS, line, open_door, payment, write_down

import ledgers
from figures import assert_told
from hostile_texts import EVIL, assert_tame, assert_tame_on_paper, each_evil
from makers import SQLiteMaker
from paydown.admin import Admin
from paydown.storage.opening import open_store


@pytest.fixture
def database(template, tmp_path):
    """A ledger of two customers; the till's password is known."""
    database = SQLiteMaker(template, tmp_path).copy()
    Admin(database).set_password(ledgers.TILL, doors.PASSWORD_HASH)
    return database


@pytest.fixture
def url(database):
    """What the command line works on."""
    return database.url


@pytest.fixture
def log():
    """All that is logged."""
    with logging_to(io.BytesIO()) as written:
        yield written


@pytest.fixture
def door(database, log):
    """The two calls on that ledger."""
    opened = open_door(database)
    yield opened
    opened.close()


@each_evil
def test_a_text_of_a_payment_is_kept_to_the_letter_and_shown_tame(paydown, door, log, evil):
    """Each text of both calls, the staff user, the id and the key, in answers, logs and lists."""
    texts = {"ThirdPartyReference": evil, "Notes": evil, "AuthorizationCode": evil}
    headers = {"LegendUserName": evil.encode()}
    body = payment(line(21, 0.01, **texts))
    answers = [door.post(PAYMENTS, body, headers) for _ in range(2)]
    answers.append(door.post(WRITE_DOWNS, write_down(line(20, 0.01), Notes=evil), headers))
    assert [answer.status for answer in answers] == [200] * 3
    assert answers[1].headers["idempotent-replayed"] == "true"
    for answer in answers:
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert_tame(answer.body.decode(), *answer.headers.values())

    shown = paydown("replays")
    assert_tame(shown.stdout)
    assert len(shown.stdout.strip("\n").splitlines()) >= 2
    (replay,) = paydown("replays", "--json").document["replays"]
    assert replay["reference"] == evil
    for number, event in enumerate(map(json.loads, log.getvalue().splitlines())):
        assert event["event"] != "forged", number
    assert_tame(log.getvalue().decode())
    proved = paydown("verify")
    assert (proved.status, proved.stdout.splitlines()[-1][-16:]) == (0, "invariants hold.")


@each_evil
def test_a_payment_is_enquired_after_tamely(paydown, door, tmp_path, evil):
    """By every command that reads the books, for people and for programs, and on paper."""
    club = ("--customer", ledgers.CLUB)
    texts = {"ThirdPartyReference": evil, "AuthorizationCode": evil, "Notes": evil}
    door.post(PAYMENTS, payment(line(21, 0.01, **texts)), {"LegendUserName": evil.encode()})
    movements = paydown("item", "explain", 21, *club, "--json").document["movements"]
    (movement,) = [each for each in movements if each["kind"] == "payment"]
    assert (movement["reference"], movement["notes"]) == (evil, evil)
    span = ("statement", ledgers.ANNA, "--from", "2026-01-01", *club)
    table, page = tmp_path / "table.csv", tmp_path / "page.html"
    for words in (
        ("item", "show", 21, *club),
        ("item", "explain", 21, *club),
        ("entry", "show", movement["entry_id"], *club),
        ("entry", "reverse", movement["entry_id"], "--reason", evil, *club),
        ("entry", "reverse", evil, "--reason", evil, *club),
        ("item", "explain", 21, *club),
        span,
        (*span, "--csv", table, "--html", page),
        ("statement", evil, "--from", "2026-01-01", *club),
        ("contact", "find", evil, *club),
        ("aged-debt", *club),
    ):
        for wanted in ((), ("--json",)):
            answer = paydown(*words, *wanted)
            assert answer.status in (0, 1)
            assert_tame(answer.stdout, answer.stderr)
    assert_tame_on_paper(table.read_bytes().decode())
    assert_tame_on_paper(page.read_bytes().decode())
    assert "External Payment" in table.read_text()


@each_evil
def test_headers_and_paths_forge_no_log_line(door, log, evil):
    """Not the name of a login that is none, nor an id, a key, or a path."""
    raw = evil.replace("\r\n", " ").encode()
    door.post(PAYMENTS, payment(line(21)), {"userName": raw})
    door.post(PAYMENTS, payment(line(21)), {"X-Request-Id": raw, "Idempotency-Key": raw})
    door.post(f"/{evil}", b"")
    lines = log.getvalue().decode().splitlines()
    assert len(lines) >= 2
    assert all(json.loads(written)["event"] == "request" for written in lines), lines
    assert_tame(*lines)


@each_evil
def test_a_cell_of_an_import_is_refused_or_kept_to_the_letter(
    paydown, database, door, tmp_path, evil
):
    """In every column; what is said of the file is one line a fault."""
    quoted = '"' + evil.replace('"', '""') + '"'
    file = tmp_path / f"{evil[:20].replace('/', '')}.csv"
    for column in range(8):
        number = 9001 + column
        good = [ledgers.ANNA, "Anna", number, "Pass", "1.00", "1.00", "2026-01-31", "4000"]
        cells = [*good[:column], quoted, *good[column + 1 :]]
        file.write_text(f"{ledgers.HEADER}\n{','.join(map(str, cells))}\n", newline="")
        answer = paydown("import", "items", file, "--customer", ledgers.CLUB)
        assert_tame(answer.stdout, answer.stderr)
        if answer.status == 0:
            assert column in (1, 3), "only a name and a description may say anything"
            with database.read() as connection:
                query = f"SELECT description FROM billing_item WHERE billing_id = {number}"
                kept = connection.exec_driver_sql(query).scalar_one()
                query = "SELECT name FROM contact WHERE contact_id = ? AND customer_id = 1"
                named = connection.exec_driver_sql(query, (ledgers.ANNA,)).scalar_one()
            assert evil in (kept, named)
        else:
            assert (answer.status, answer.stdout) == (1, "")
            assert len(answer.stderr.splitlines()) == 2
    named = paydown("import", "items", file, "--customer", evil, "--batch", evil)
    assert named.status == 1
    assert_tame(named.stdout, named.stderr)
    assert paydown("verify").status == 0


@each_evil
def test_a_name_that_an_operator_gives_is_refused_or_shown_tame(paydown, evil):
    """Of customers, logins, tender types and accounts: nobody's list is another's screen."""
    club = ("--customer", ledgers.CLUB)
    for words in (
        ("customer", "add", f"C {evil}"),
        ("login", "add", f"L {evil}"),
        ("tender-type", "add", 77, f"T {evil}", "--clearing", "1200", *club),
        ("account", "add", "7777", f"A {evil}", "--type", "expense", *club),
        ("account", "add", f"8{evil}", "A", "--type", "expense", *club),
        ("customer", "list"),
        ("login", "list"),
        ("tender-type", "list", *club),
        ("account", "list", *club),
        ("login", "grant", evil, *club, "--bundle", "BillingPayment"),
        ("account", "list", "--customer", evil),
    ):
        answer = paydown(*words)
        assert answer.status in (0, 1, 2)
        assert_tame(answer.stdout, answer.stderr)
    assert paydown("verify").status == 0


@each_evil
def test_what_was_tampered_with_is_told_of_tamely(paydown, database, tmp_path, evil):
    """Whoever can write the file cannot speak to the terminal of who proves it."""
    with ledgers.Books(database) as books:
        assert books.outcome(ledgers.pay(books.caller(), {6: "1.00"}, notes="n")).success
    literal = evil.replace("'", "''")
    maker = SQLiteMaker(tmp_path, tmp_path)
    for statement in (
        f"UPDATE posting SET reference = '{literal}'",
        f"UPDATE entry SET notes = '{literal}', recorded_written = '{literal}'",
        f"UPDATE account SET name = '{literal}', code = code || '{literal}'",
    ):
        maker.tamper(database, statement)
    table = literal.replace('"', '""')
    with open_store(database.url).write() as connection:
        connection.exec_driver_sql(f'CREATE TABLE "{table}" (a INTEGER)'.replace("%", "%%"))
    answer = paydown("verify")
    assert answer.status == 1
    assert_tame(answer.stdout, answer.stderr)


def test_the_page_on_reliability_counts_them():
    """Whatever is added here is added there."""
    assert_told(f"{len(EVIL)} texts through every text field")
