"""``paydown account``, ``tender-type`` and ``billing-type``: adding, listing, disabling."""

import pytest

ACCOUNTS = ("--income", "4100", "--external", "1150")


def test_an_account_is_added_under_its_own_or_the_next_id(paydown, customer):
    """A GLAccountId that callers already use is kept; otherwise the next one is given."""
    place = ("--customer", customer.customer_guid, "--type", "expense", "--json")
    added = paydown("account", "add", "6200", "Hardship", *place, "--id", 700).document
    assert added == {
        "gl_account_id": 700,
        "code": "6200",
        "name": "Hardship",
        "type": "expense",
        "active": True,
    }
    assert paydown("account", "add", "6300", "Other", *place).document["gl_account_id"] == 701


def test_no_account_is_given_an_id_that_no_request_can_name(paydown, customer):
    """Beyond the greatest Int32 there is none to give; a free one can still be named."""
    place = ("--customer", customer.customer_guid, "--type", "expense", "--json")
    paydown("account", "add", "6200", "Hardship", *place, "--id", 2**31 - 1)
    answer = paydown("account", "add", "6300", "Storm damage", *place)
    assert (answer.status, answer.document["error"]) == (
        1,
        "There is no GLAccountId left beyond the greatest in use. Name one that is free.",
    )
    named = paydown("account", "add", "6300", "Storm damage", *place, "--id", 700).document
    assert named["gl_account_id"] == 700


def test_an_account_is_disabled_and_enabled(paydown, customer):
    """A disabled account stays in the list, marked."""
    place = ("--customer", customer.customer_guid)
    assert paydown("account", "disable", "6100", *place).stdout == "Disabled 6100 Goodwill.\n"
    assert "disabled" in paydown("account", "list", *place).stdout
    assert paydown("account", "enable", "6100", *place).stdout == "Enabled 6100 Goodwill.\n"
    assert "disabled" not in paydown("account", "list", *place).stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", "6100", "Twice", "--type", "expense"], "There is an account 6100 (Goodwill)"),
        (["add", "9", "X", "--type", "asset", "--id", "1"], "GLAccountId 1 is that of account"),
        (["add", "9", "X", "--type", "asset", "--id", "0"], "The account's id must be from 1"),
        (["add", " ", "X", "--type", "asset"], "The code must be 1 to 50 printable"),
        (["add", "9", "", "--type", "asset"], "The name must be 1 to 255 printable"),
        (["disable", "1100"], "Account 1100 (Billing receivables) is needed by every import."),
        (["disable", "3900"], "Account 3900 (Opening balances) is needed by every import."),
        (["disable", "2140"], "Account 2140 (Unapplied receipts) is needed by every receipt."),
        (["disable", "1210"], "Account 1210 (Cash to bank) clears tender type 1 (Cash)"),
        (["disable", "4100"], "Account 4100 (Other income) is used by billing type 2 (Other)"),
        (["disable", "1150"], "Account 1150 (External billing receivables) is used by billing ty"),
        (["disable", "77"], "There is no account with the code '77'."),
    ],
)
def test_a_mistake_with_an_account_changes_nothing(paydown, customer, arguments, sentence):
    """What the books still need cannot be disabled, and nothing is there twice."""
    place = ("--customer", customer.customer_guid)
    before = paydown("account", "list", *place, "--json").document
    answer = paydown("account", *arguments, *place)
    assert answer.status == 1
    assert answer.stderr.startswith(sentence)
    assert paydown("account", "list", *place, "--json").document == before


def test_a_tender_type_is_added_disabled_and_enabled(paydown, customer):
    """A new way to pay is listed by its id, with the account that it clears on."""
    place = ("--customer", customer.customer_guid)
    words = ("40", "Direct Debit", "--clearing", "1240")
    added = paydown("tender-type", "add", *words, *place, "--json").document
    assert added == {
        "tender_type_id": 40,
        "name": "Direct Debit",
        "clearing_account": "1240",
        "active": True,
    }
    assert paydown("tender-type", "disable", 40, *place).stdout == (
        "Disabled tender type 40 Direct Debit.\n"
    )
    assert "disabled" in paydown("tender-type", "list", *place).stdout
    assert paydown("tender-type", "enable", 40, *place, "--json").document["active"] is True


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", "1", "X", "--clearing", "1240"], "There is a tender type 1 (Cash) already."),
        (["add", "0", "X", "--clearing", "1240"], "The tender type's id must be from 1"),
        (["add", "40", " ", "--clearing", "1240"], "The name must be 1 to 255"),
        (["add", "40", "X", "--clearing", "77"], "There is no account with the code '77'."),
        (["add", "40", "X", "--clearing", "1100"], "Account 1100 (Billing receivables) is a rec"),
        (["add", "40", "X", "--clearing", "6100"], "Account 6100 (Goodwill) is disabled."),
        (["enable", "4"], "Account 2110 (E Card balances) is disabled."),
        (["disable", "40"], "Harbourside Leisure has no tender type 40."),
    ],
)
def test_a_mistake_with_a_tender_type_changes_nothing(paydown, customer, arguments, sentence):
    """Money cannot be expected on an account that does not take it."""
    place = ("--customer", customer.customer_guid)
    paydown("tender-type", "disable", "4", *place)
    for disabled in ("2110", "6100"):
        paydown("account", "disable", disabled, *place)
    before = paydown("tender-type", "list", *place, "--json").document
    answer = paydown("tender-type", *arguments, *place)
    assert answer.status == 1
    assert answer.stderr.startswith(sentence)
    assert paydown("tender-type", "list", *place, "--json").document == before


def test_a_billing_type_is_added_disabled_and_enabled(paydown, customer):
    """A new kind of item is listed by its id, with the accounts that its items move."""
    place = ("--customer", customer.customer_guid)
    words = ("30", "Locker", "--income", "4100", "--external", "1150")
    added = paydown("billing-type", "add", *words, *place, "--json").document
    assert added == {
        "billing_type_id": 30,
        "name": "Locker",
        "income_account": "4100",
        "external_receivables_account": "1150",
        "active": True,
    }
    listed = paydown("billing-type", "list", *place, "--json").document["billing_types"]
    assert [each["name"] for each in listed] == ["Membership", "Other", "Locker"]
    assert paydown("billing-type", "disable", 30, *place).stdout == (
        "Disabled billing type 30 Locker.\n"
    )
    assert "disabled" in paydown("billing-type", "list", *place).stdout
    assert paydown("billing-type", "enable", 30, *place, "--json").document["active"] is True


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", "1", "X", *ACCOUNTS], "There is a billing type 1 (Membership) already."),
        (["add", "0", "X", *ACCOUNTS], "The billing type's id must be from 1"),
        (["add", "40", " ", *ACCOUNTS], "The name must be 1 to 255"),
        (["add", "40", "X", "--income", "77", "--external", "1150"], "There is no account with"),
        (["add", "40", "X", "--income", "1150", "--external", "1150"], "Account 1150 (External"),
        (["add", "40", "X", "--income", "4100", "--external", "77"], "There is no account with"),
        (["add", "40", "X", "--income", "4100", "--external", "1210"], "Account 1210 (Cash to ba"),
        (["add", "40", "X", "--income", "4000", "--external", "1150"], "Account 4000 (Membership"),
        (["enable", "1"], "Account 4000 (Membership income) is disabled."),
        (["disable", "40"], "Harbourside Leisure has no billing type 40."),
    ],
)
def test_a_mistake_with_a_billing_type_changes_nothing(paydown, customer, arguments, sentence):
    """An item's income and what is owed for it stand on accounts of the right kind, in use."""
    place = ("--customer", customer.customer_guid)
    paydown("billing-type", "disable", "1", *place)
    paydown("account", "disable", "4000", *place)
    before = paydown("billing-type", "list", *place, "--json").document
    answer = paydown("billing-type", *arguments, *place)
    assert answer.status == 1
    assert answer.stderr.startswith(sentence)
    assert paydown("billing-type", "list", *place, "--json").document == before


def test_an_unknown_code_comes_with_the_command_that_lists_the_codes(paydown, customer):
    """It can be pasted as it is, and works."""
    place = ("--customer", customer.customer_guid)
    answer = paydown("tender-type", "add", "40", "X", "--clearing", "77", *place)
    _, hint = answer.stderr.strip().split(" See: paydown ")
    assert hint == f"account list --customer {customer.customer_guid}"
    assert "1100" in paydown(*hint.split()).stdout


@pytest.mark.parametrize(
    "command",
    [
        ("account", "add", "9", "X", "--type", "asset"),
        ("account", "list"),
        ("account", "disable", "1100"),
        ("account", "enable", "1100"),
        ("tender-type", "add", "9", "X", "--clearing", "1100"),
        ("tender-type", "list"),
        ("tender-type", "disable", "1"),
        ("tender-type", "enable", "1"),
        ("billing-type", "add", "9", "X", "--income", "4000", "--external", "1150"),
        ("billing-type", "list"),
        ("billing-type", "disable", "1"),
        ("replays",),
    ],
)
@pytest.mark.parametrize(
    ("guid", "sentence"),
    [
        ("x", "'x' is not a customer's guid."),
        ("5f0c3b526a1d4d0e9b7f0d3a5c1e2b44", "There is no customer 5f0c3b52-6a1d-4d0e-9b7f-"),
    ],
)
def test_every_command_says_that_the_customer_is_unknown(paydown, command, guid, sentence):
    """A malformed and an unknown guid are told apart, the same way everywhere."""
    answer = paydown(*command, "--customer", guid)
    assert answer.status == 1
    assert answer.stderr.startswith(sentence)
