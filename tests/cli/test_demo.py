"""``paydown demo``: what a stranger meets first must be exactly as it says."""

import csv
import json
import os
import shlex
import stat
import sys
from decimal import Decimal
from pathlib import Path

import pytest

import ledgers
from paydown import demo
from paydown.access import HASHER
from paydown.audit import verify
from paydown.cli import serving
from paydown.domain.model import CALL_KINDS, Bundle, Command, Kind
from paydown.server import ServeError
from paydown.storage import logins
from paydown.storage.engine import find_database
from paydown.storage.opening import open_store
from paydown.wire import messages
from paydown.wire.headers import Media


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A demo in a directory of its own, published once."""
    directory = tmp_path_factory.mktemp("demo") / "here"
    prepared = demo.prepare(directory)
    demo.publish(prepared, host="127.0.0.1", port=8081)
    return prepared


@pytest.fixture
def published(made):
    """What ``demo.json`` says."""
    return json.loads((made.directory / "demo.json").read_text())


def test_demo_json_says_all_that_a_script_needs(published):
    """The keys, the address, and ids that a request may name."""
    assert set(published) == {
        *("base_url", "headers", "payments_only_headers", "customer_guid", "database"),
        *("contact_id", "other_contact_id", "billing_items", "other_billing_items"),
        *("gl_account_ids", "tender_type_ids"),
    }
    assert published["base_url"] == "http://127.0.0.1:8081"
    assert published["tender_type_ids"] == [*range(1, 9), 28]
    assert len(published["gl_account_ids"]) == 2
    assert set(published["headers"]) == {"userName", "password", "customerGuid"}


def test_the_contact_has_items_of_every_kind(published):
    """At least 20 unpaid, from a penny to 250.00, and some that are part paid and settled."""
    items = [
        (Decimal(item["total_amount"]), Decimal(item["balance"]))
        for item in published["billing_items"]
    ]
    assert sum(total == balance for total, balance in items) >= 20
    assert any(0 < balance < total for total, balance in items)
    assert any(balance == 0 for _, balance in items)
    assert (min(items)[0], max(items)[0]) == (Decimal("0.01"), Decimal("250.00"))
    assert all(isinstance(item["balance"], str) for item in published["billing_items"])
    assert len(published["other_billing_items"]) == 12


def test_there_are_40_contacts_150_items_and_books_that_hold(made):
    """Payments, write-downs, opening balances: every invariant is proved."""
    database = open_store(made.database)
    assert [finding.invariant for finding in verify(database) if not finding.ok] == []
    with database.read() as connection:
        counts = {
            what: connection.exec_driver_sql(f"SELECT COUNT(*) FROM {what}").scalar_one()
            for what in ("contact", "billing_item")
        }
        kinds = connection.exec_driver_sql("SELECT DISTINCT kind FROM entry").scalars().all()
    assert counts == {"contact": 40, "billing_item": 150}
    assert set(kinds) == {*CALL_KINDS, Kind.CHARGE, Kind.OPENING_BALANCE}
    with (made.directory / "items.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 150


def test_the_two_logins_hold_what_they_should(made, published):
    """One may do everything, the other only pay; the passwords are the right ones."""
    bundles = []
    with open_store(made.database).read() as connection:
        for headers in (published["headers"], published["payments_only_headers"]):
            guid = headers["customerGuid"]
            login = logins.find_login(connection, headers["userName"], guid)
            assert HASHER.verify(login.password_hash, headers["password"])
            bundles.append(set(login.caller.bundles))
    assert bundles == [set(Bundle), {"BillingPayment"}]


def test_passwords_are_for_the_owner_s_eyes(made):
    """``demo.json`` is readable by nobody else, and no temporary file is left."""
    assert stat.S_IMODE((made.directory / "demo.json").stat().st_mode) == 0o600
    assert not [path.name for path in made.directory.iterdir() if path.name.startswith(".")]


def test_the_payment_to_paste_gets_the_answer_that_is_promised(tmp_path):
    """The curl is answered byte for byte as the terminal said, and so is its repeat."""
    made = demo.prepare(tmp_path)
    lines = list(demo.introduce(made, host="127.0.0.1", port=8080, program="paydown"))
    curl = next(line for line in lines if line.startswith("curl "))
    promised = next(line for line in lines if line.startswith("{"))
    words = shlex.split(curl.replace("\\\n", ""))
    headers = dict(words[n + 1].split(": ") for n, word in enumerate(words) if word == "-H")
    assert words[1] == "http://127.0.0.1:8080/POS/BillingPayments"
    assert headers == {**made.document["headers"], "Content-Type": "application/json"}
    with ledgers.Books(open_store(made.database)) as books:
        caller = books.caller(headers["userName"], headers["customerGuid"])
        request = messages.decode(Kind.PAYMENT, words[-1].encode(), Media.JSON, "Europe/London")
        outcomes = [books.outcome(Command(request, caller)) for _ in range(2)]
    answers = [messages.encode(request, outcome, 2).decode() for outcome in outcomes]
    recorded = outcomes[0].lines[0].recorded_written
    assert answers[0] == promised.replace("<when it is recorded>", recorded)
    assert answers[1] == answers[0]
    assert outcomes[1].replays


def test_a_settled_demo_is_served_without_a_payment_to_paste(made):
    """With nothing left to pay there is nothing to paste, and the rest is said."""
    paid = {"billing_id": 1001, "total_amount": "49.00", "balance": "0.00"}
    settled = made._replace(document={**made.document, "billing_items": [paid]})
    said = "\n".join(demo.introduce(settled, host="::", port=8080, program="paydown"))
    assert "curl" not in said
    assert "http://[::1]:8080/docs" in said


@pytest.fixture
def served(monkeypatch):
    """What each server was started with; none really runs."""
    started = []

    def run_server(settings, *, on_listening):
        started.append(settings)
        on_listening(settings.host, settings.port or 18080)

    monkeypatch.setattr(serving, "run_server", run_server)
    return started


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (".venv/bin/paydown", ".venv/bin/paydown"),
        ("{here}/.venv/bin/paydown", ".venv/bin/paydown"),
        ("{here}/paydown", "{here}/paydown"),
        ("../tools/paydown", "../tools/paydown"),
        ("-c", "paydown"),
    ],
)
def test_the_command_that_proves_the_books_can_be_pasted(
    paydown, served, monkeypatch, tmp_path, script, said
):
    """It is the program that runs, where a shell in the same folder finds it."""
    here = tmp_path / "here"
    script, said = script.format(here=here), said.format(here=here)
    for place in ("here/.venv/bin/paydown", "here/paydown", "tools/paydown"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "argv", [script])
    printed = paydown("demo", "--data", "d e").stdout
    url = shlex.quote(f"sqlite:///{here / 'd e' / 'ledger.db'}")
    assert f"Prove the books at any time: {said} verify --database {url}\n" in printed
    assert "logins and ids for scripts in d e/demo.json.\n" in printed


def test_the_same_directory_is_the_same_demo(paydown, served, tmp_path):
    """A second start serves the ledger that is there, at its new address and today's balances."""
    place = ("demo", "--data", tmp_path / "d")
    first = paydown(*place)
    before = json.loads((tmp_path / "d" / "demo.json").read_text())
    with open_store(before["database"]).write() as connection:
        connection.exec_driver_sql("UPDATE billing_item SET balance = 1 WHERE billing_id = 1001")
    assert paydown(*place, "--port", 0).status == 0
    after = json.loads((tmp_path / "d" / "demo.json").read_text())
    assert after["base_url"] == "http://127.0.0.1:18080"
    assert after["headers"] == before["headers"]
    assert after["billing_items"][0]["balance"] == "0.01"
    assert [settings.database for settings in served] == [before["database"]] * 2
    assert "Record a payment by pasting this" in first.stdout
    assert before["headers"]["password"] in first.stdout


def test_a_demo_that_never_listened_is_served_next_time(paydown, monkeypatch, tmp_path, served):
    """A port in use leaves a whole demo, unpublished, that the next start serves as it is."""

    def fail(settings, *, on_listening):
        raise ServeError("Cannot listen on 127.0.0.1 port 8080: Address already in use.")

    place, here = ("demo", "--data", tmp_path / "d"), tmp_path / "d"
    with monkeypatch.context() as patch:
        patch.setattr(serving, "run_server", fail)
        assert paydown(*place).status == 1
    assert not (here / "demo.json").exists()
    assert not (here / ".making").exists()
    with open_store(f"sqlite:///{here / 'ledger.db'}").write() as connection:
        connection.exec_driver_sql("UPDATE billing_item SET balance = 1 WHERE billing_id = 1001")
    assert paydown(*place).status == 0
    published = json.loads((here / "demo.json").read_text())
    assert published["billing_items"][0]["balance"] == "0.01"
    assert not [path.name for path in here.iterdir() if path.name.startswith(".")]


@pytest.fixture
def interrupted(paydown, monkeypatch, tmp_path, served):
    """The folder of a demo whose making was ended by Ctrl-C."""

    def interrupt(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(demo, "_describe", interrupt)
        assert paydown("demo", "--data", tmp_path / "d").status == 130
    return tmp_path / "d"


def test_a_demo_whose_making_was_interrupted_is_made_anew(paydown, interrupted, served):
    """The next start trips over nothing, and keeps the file that says whether a server runs."""
    lock = interrupted / "ledger.db-server"
    with lock.open() as held:
        assert paydown("demo", "--data", interrupted).status == 0
        assert lock.stat().st_ino == os.fstat(held.fileno()).st_ino
    assert verified(f"sqlite:///{interrupted / 'ledger.db'}")


def test_a_half_made_ledger_that_is_served_is_left_alone(paydown, interrupted, served):
    """Whatever runs on it does not lose its file."""
    ledger = interrupted / "ledger.db"
    with find_database(f"sqlite:///{ledger}").claim():
        answer = paydown("demo", "--data", interrupted)
    assert answer.status == 1
    assert answer.stderr.startswith(f"Another server is running on {ledger}.")
    assert ledger.exists()


def test_a_second_demo_does_not_disturb_one_that_is_being_made(
    paydown, monkeypatch, tmp_path, served
):
    """It ends with a sentence, and the first goes on to make sound books."""
    import_items, others = demo._import_items, []

    def import_late(*arguments):
        others.append(paydown("demo", "--data", tmp_path / "d"))
        import_items(*arguments)

    monkeypatch.setattr(demo, "_import_items", import_late)
    assert paydown("demo", "--data", tmp_path / "d").status == 0
    (other,) = others
    assert (other.status, other.stdout) == (1, "")
    assert other.stderr == (
        f"Another demo is being made in {tmp_path / 'd'}: wait, or name another directory.\n"
    )
    assert len(served) == 1
    assert verified(served[0].database)


def test_a_folder_that_cannot_be_made_is_a_sentence(paydown, served, tmp_path):
    """No traceback for a place where nothing can be."""
    (tmp_path / "file").touch()
    answer = paydown("demo", "--data", tmp_path / "file" / "demo")
    assert answer.status == 1
    assert answer.stderr.endswith("cannot be used: Not a directory.\n")


def test_a_folder_of_other_things_is_left_alone(paydown, served, tmp_path):
    """The demo writes nothing among files that are not its own."""
    here = tmp_path / "mine"
    here.mkdir()
    (here / "notes.txt").touch()
    answer = paydown("demo", "--data", here)
    assert (answer.status, answer.stdout) == (1, "")
    assert answer.stderr == (f"{here} is not a demo and not empty. Name an empty or new folder.\n")
    assert [path.name for path in here.iterdir()] == ["notes.txt"]
    assert served == []


def test_a_demo_whose_ledger_is_gone_is_made_anew(paydown, served, tmp_path):
    """Its folder is known by ``demo.json``, whatever else was put there."""
    here = tmp_path / "d"
    assert paydown("demo", "--data", here).status == 0
    (here / "ledger.db").unlink()
    (here / "notes.txt").touch()
    assert paydown("demo", "--data", here).status == 0
    assert verified(f"sqlite:///{here / 'ledger.db'}")


def verified(url):
    """Whether every invariant of the books holds."""
    return all(finding.ok for finding in verify(open_store(url)))


def test_a_ledger_that_is_no_demo_is_left_alone(paydown, served, tmp_path):
    """The demo never touches books that it did not make."""
    ledger = tmp_path / "ledger.db"  # the ledger that this test's commands work on
    before = ledger.read_bytes()
    answer = paydown("demo", "--data", tmp_path)
    assert answer.status == 1
    assert answer.stderr.startswith(f"{ledger} is not a demo's: there is no demo.json.")
    assert ledger.read_bytes() == before
    assert served == []


def test_a_new_demo_folder_is_its_owners_alone(tmp_path: Path) -> None:
    """It holds password hashes and, for scripts, passwords."""
    demo.prepare(tmp_path / "demo")

    assert stat.S_IMODE((tmp_path / "demo").stat().st_mode) == 0o700
