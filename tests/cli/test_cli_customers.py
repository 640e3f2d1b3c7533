"""``paydown customer``: adding and listing."""

import pytest

GUID = "5f0c3b52-6a1d-4d0e-9b7f-0d3a5c1e2b44"


def test_a_customer_is_added_with_all_it_needs(paydown):
    """A new customer can take payments at once, with accounts and tender types."""
    added = paydown("customer", "add", "Harbourside", "--guid", GUID.upper(), "--json").document
    assert added.pop("created_at").endswith("+00:00")
    assert added == {
        "customer_guid": GUID,
        "name": "Harbourside",
        "currency": "GBP",
        "time_zone": "Europe/London",
    }
    tender_types = paydown("tender-type", "list", "--customer", GUID, "--json").document
    assert [each["tender_type_id"] for each in tender_types["tender_types"]] == [
        *range(1, 9),
        28,
    ]
    accounts = paydown("account", "list", "--customer", GUID, "--json").document["accounts"]
    assert {each["type"] for each in accounts} == {
        "receivable",
        "asset",
        "liability",
        "equity",
        "income",
        "expense",
    }


def test_a_bare_customer_has_the_required_accounts_alone(paydown):
    """Whoever brings their own chart of accounts starts with what imports and receipts need."""
    paydown("customer", "add", "Bare", "--guid", GUID, "--bare")
    accounts = paydown("account", "list", "--customer", GUID, "--json").document["accounts"]
    assert [(each["code"], each["type"]) for each in accounts] == [
        ("1100", "receivable"),
        ("2140", "liability"),
        ("3900", "equity"),
    ]
    tender_types = paydown("tender-type", "list", "--customer", GUID, "--json").document
    assert tender_types == {"tender_types": []}
    billing_types = paydown("billing-type", "list", "--customer", GUID, "--json").document
    assert billing_types == {"billing_types": []}


def test_customers_are_listed_oldest_first(paydown):
    """The list says guid, name, currency and time zone of each."""
    paydown("customer", "add", "Old Baths", "--currency", "jpy", "--time-zone", "Asia/Tokyo")
    paydown("customer", "add", "New Baths")
    listed = paydown("customer", "list", "--json").document["customers"]
    assert [(each["name"], each["currency"]) for each in listed] == [
        ("Old Baths", "JPY"),
        ("New Baths", "GBP"),
    ]
    table = paydown("customer", "list").stdout
    assert table.index("Old Baths") < table.index("New Baths")
    assert listed[0]["customer_guid"] in table


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["X", "--guid", "12"], "'12' is not a guid. Give one such as "),
        (["X", "--guid", ""], "'' is not a guid. Give one such as "),
        (["X", "--currency", "XXX"], "'XXX' is not a currency Paydown knows."),
        (["X", "--time-zone", "Europe/Atlantis"], "'Europe/Atlantis' is not a time zone."),
        ([" "], "The name must be 1 to 255 printable characters."),
        (["X", "--guid", GUID], f"There is a customer {GUID} already."),
    ],
)
def test_a_mistake_is_one_sentence(paydown, arguments, sentence):
    """What cannot be added is refused on stderr, with status 1, and as JSON where asked for."""
    paydown("customer", "add", "First", "--guid", GUID)
    answer = paydown("customer", "add", *arguments)
    assert (answer.status, answer.stdout) == (1, "")
    assert answer.stderr.startswith(sentence)
    answer = paydown("customer", "add", *arguments, "--json")
    assert answer.status == 1
    assert answer.document["error"].startswith(sentence)
    assert len(paydown("customer", "list", "--json").document["customers"]) == 1
