"""``paydown serve``: every setting is an option and a variable, declared once."""

import pytest

from paydown.cli import serving
from paydown.config import BatchBy, LogLevel, Settings, list_settings
from paydown.server import ServeError

OTHERS = {
    "host": "0.0.0.0",
    "port": 9001,
    "trusted_proxy": ("10.0.0.1", "10.1.0.0/16"),
    "batch_by": BatchBy.CUSTOMER,
    "log_level": LogLevel.DEBUG,
}
SETTINGS = {setting.name: setting for setting in list_settings() if setting.name != "database"}


def another(setting):
    """A value that is not the default."""
    if setting.name in OTHERS:
        return OTHERS[setting.name]
    if setting.default == "":
        return "a.pem"
    return setting.default - 1 if setting.default > 1 else 7


@pytest.fixture
def served(monkeypatch):
    """The settings that servers were started with; each says that it listens, and ends."""
    started = []

    def run_server(settings, *, on_listening):
        started.append(settings)
        on_listening(settings.host, settings.port)

    monkeypatch.setattr(serving, "run_server", run_server)
    return started


def test_the_defaults_are_those_of_the_settings(paydown, served, url):
    """Without options a server runs on the safe defaults."""
    answer = paydown("serve")
    assert served == [Settings(database=url)]
    assert answer.stderr == "Paydown listens on http://127.0.0.1:8080, docs at /docs.\n"


def test_an_address_of_ipv6_is_told_as_a_url_has_it(paydown, served):
    """Whoever pastes it into a browser comes to the server."""
    told = paydown("serve", "--host", "::1").stderr
    assert told == "Paydown listens on http://[::1]:8080, docs at /docs.\n"


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_an_option_and_a_variable(paydown, served, url, name):
    """The option, and the variable of the same name, both reach the server."""
    setting = SETTINGS[name]
    value = another(setting)
    values = value if isinstance(value, tuple) else (value,)
    options = [word for each in values for word in (setting.option, each)]
    assert paydown("serve", *options).status == 0
    assert paydown("serve", **{setting.variable: " ".join(map(str, values))}).status == 0
    assert served == [Settings(database=url, **{name: value})] * 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (setting.name, bound)
        for setting in SETTINGS.values()
        if setting.kind is int
        for bound in (setting.least - 1, setting.most and setting.most + 1)
        if bound is not None
    ]
    + [("log_level", "silent"), ("batch_by", "contact")],
)
def test_a_setting_out_of_bounds_is_a_usage_error(paydown, served, name, value):
    """No server starts on a limit that would be none."""
    assert paydown("serve", SETTINGS[name].option, value).status == 2
    assert served == []


def test_a_server_that_cannot_listen_says_so(paydown, monkeypatch):
    """A port in use is one sentence and status 1."""

    def run_server(settings, *, on_listening):
        raise ServeError("Cannot listen on 127.0.0.1 port 8080: Address already in use.")

    monkeypatch.setattr(serving, "run_server", run_server)
    answer = paydown("serve")
    assert answer.status == 1
    assert answer.stderr == "Cannot listen on 127.0.0.1 port 8080: Address already in use.\n"
