"""``paydown login``: passwords, grants, and what a running process is told."""

import io

import pytest

from paydown.access import HASHER
from paydown.cli import app
from paydown.storage import logins


@pytest.fixture
def place(customer):
    """The option that names the customer."""
    return ("--customer", customer.customer_guid)


def find(database, customer, user_name="till"):
    """The login as authentication finds it."""
    with database.read() as connection:
        return logins.find_login(connection, user_name, customer.customer_guid)


def test_a_generated_password_is_shown_once_and_is_the_right_one(
    paydown, database, customer, place
):
    """The operator copies the password from the terminal; the ledger keeps its hash alone."""
    bundles = ("--bundle", "BillingPayment", "--bundle", "BillingWriteDown")
    added = paydown("login", "add", "till", *place, *bundles, "--json").document
    login = find(database, customer)
    assert HASHER.verify(login.password_hash, added["password"])
    assert login.caller.bundles == {"BillingPayment", "BillingWriteDown"}
    assert (login.caller.strict, login.caller.references_shared) == (False, False)
    words = paydown("login", "add", "other").stdout
    shown = words.split()[-1]
    assert words == f"Added login other. Its password, which is not shown again: {shown}\n"
    assert HASHER.verify(find(database, customer, "other").password_hash, shown)
    assert shown not in paydown("login", "list", "--json").stdout


def test_an_existing_password_is_read_from_standard_input(paydown, database, customer):
    """A login that lives elsewhere keeps its password, which no list of processes shows."""
    answer = paydown("login", "add", "till", "--password-stdin", stdin="ten pounds\n")
    assert answer.stdout == "Added login till.\n"
    assert HASHER.verify(find(database, customer).password_hash, "ten pounds")


def test_a_password_typed_at_a_terminal_is_not_echoed(monkeypatch, capsys, url, database, customer):
    """At a terminal the password is asked for, unseen."""
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr("getpass.getpass", lambda: "unseen")
    words = ["login", "add", "till", "--password-stdin", "--database", url]
    app(words, standalone_mode=False)
    assert capsys.readouterr().out == "Added login till.\n"
    assert HASHER.verify(find(database, customer).password_hash, "unseen")


def test_handling_and_references_are_the_login_s_own(paydown, database, customer, place):
    """strict and shared reach the caller that requests are judged by, and the list."""
    words = ("--handling", "strict", "--references", "shared", "--bundle", "BillingPayment")
    added = paydown("login", "add", "till", *place, *words, "--json").document
    assert (added["handling"], added["references"]) == ("strict", "shared")
    caller = find(database, customer).caller
    assert (caller.strict, caller.references_shared) == (True, True)


def test_bundles_are_granted_and_revoked(paydown, database, customer, place):
    """A grant adds to what is held, a revocation takes exactly what it names."""
    paydown("login", "add", "till")
    assert find(database, customer).caller is None
    words = ("--bundle", "BillingPayment", "--bundle", "BillingWriteDown")
    granted = paydown("login", "grant", "till", *place, *words, "--json").document
    assert granted["grants"] == [
        {
            "customer_guid": customer.customer_guid,
            "bundles": ["BillingPayment", "BillingWriteDown"],
        }
    ]
    again = paydown("login", "grant", "till", *place, "--bundle", "BillingPayment")
    assert again.stdout == "Granted BillingPayment to till.\n"
    revoked = paydown("login", "revoke", "till", *place, "--bundle", "BillingWriteDown")
    assert revoked.stdout == "Revoked BillingWriteDown from till.\n"
    assert find(database, customer).caller.bundles == {"BillingPayment"}


def test_a_login_is_disabled_and_enabled(paydown, database, customer):
    """A disabled login keeps its grants and is marked in the list."""
    paydown("login", "add", "till")
    assert paydown("login", "disable", "till").stdout == "Disabled login till.\n"
    assert find(database, customer).disabled
    assert "disabled" in paydown("login", "list").stdout
    assert paydown("login", "enable", "till").stdout == "Enabled login till.\n"
    assert not find(database, customer).disabled


def test_a_password_is_replaced(paydown, database, customer):
    """A new password is generated or read, like the first one."""
    paydown("login", "add", "till")
    made = paydown("login", "password", "till", "--json").document["password"]
    assert HASHER.verify(find(database, customer).password_hash, made)
    answer = paydown("login", "password", "till", "--password-stdin", stdin="mine\n")
    assert answer.stdout == "Changed the password of till.\n"
    assert HASHER.verify(find(database, customer).password_hash, "mine")


def test_logins_are_listed_with_their_grants(paydown, customer, place):
    """One row for each customer that a login may act for."""
    paydown("customer", "add", "Other", "--guid", "16fd2706-8baf-433b-82eb-8c7fada847da")
    paydown("login", "add", "till", *place, "--bundle", "BillingPayment")
    other = ("--customer", "16fd2706-8baf-433b-82eb-8c7fada847da")
    paydown("login", "grant", "till", *other, "--bundle", "BillingWriteDown")
    rows = paydown("login", "list").stdout.splitlines()
    assert rows[1].split() == [
        *("till", "lenient", "unique", "active", customer.customer_guid, "BillingPayment")
    ]
    assert rows[2].split() == [other[1], "BillingWriteDown"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "sentence"),
    [
        (["add", "till"], None, "There is a login till already."),
        (["add", "tïll"], None, "The login's name must be ASCII"),
        (["add", " till"], None, "The login's name must be ASCII without spaces around it"),
        (["add", ""], None, "The login's name must be 1 to 255"),
        (["add", "new", "--bundle", "BillingPayment"], None, "Name the customer and the bundles"),
        (["add", "new", "--customer", "x", "--bundle", "BillingPayment"], None, "'x' is not a cus"),
        (["add", "new", "--password-stdin"], "\n", "The password must be 1 to 255 printable"),
        (["add", "new", "--password-stdin"], " pw\n", "The password must have no spaces around"),
        (["add", "new", "--customer", "", "--bundle", "Read"], None, "'' is not a customer's guid"),
        (["disable", "nobody"], None, "There is no login 'nobody'."),
        (["password", "nobody"], None, "There is no login 'nobody'."),
        (["disable", "\udcff"], None, "The login's name must be ASCII"),
    ],
)
def test_a_mistake_with_a_login_changes_nothing(paydown, arguments, stdin, sentence):
    """What cannot be a header, is there already or is not there at all is refused."""
    paydown("login", "add", "till")
    before = paydown("login", "list", "--json").document
    answer = paydown("login", *arguments, stdin=stdin)
    assert (answer.status, answer.stdout) == (1, "")
    assert answer.stderr.startswith(sentence)
    assert paydown("login", "list", "--json").document == before


def test_a_bundle_that_is_not_held_cannot_be_revoked(paydown, customer, place):
    """A slip of the pen in a revocation does not pass for one."""
    paydown("login", "add", "till", *place, "--bundle", "BillingPayment")
    answer = paydown("login", "revoke", "till", *place, "--bundle", "BillingWriteDown")
    assert answer.status == 1
    assert answer.stderr == "till does not hold BillingWriteDown for Harbourside Leisure.\n"


@pytest.mark.parametrize("command", ["grant", "revoke"])
@pytest.mark.parametrize(
    ("name", "guid", "sentence"),
    [
        ("nobody", None, "There is no login 'nobody'."),
        ("till", "x", "'x' is not a customer's guid."),
    ],
)
def test_grants_need_a_login_and_a_customer(paydown, customer, command, name, guid, sentence):
    """Neither half of a grant may be unknown."""
    paydown("login", "add", "till")
    place = ("--customer", guid or customer.customer_guid)
    answer = paydown("login", command, name, *place, "--bundle", "BillingPayment")
    assert answer.status == 1
    assert answer.stderr.startswith(sentence)
