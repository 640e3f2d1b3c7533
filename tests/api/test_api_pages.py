"""What is served beside the calls: health, readiness, metrics, and the description to read."""

import re
from http import HTTPStatus
from pathlib import Path

import pytest
from doors import PAYMENTS, Door, line, payment

from paydown.api.pages import ASSETS

NOTHING = "Nothing is at this path. /docs describes what there is."
LOADS = re.compile(r"""(?:src|href)="([^"]+)\"""")


def test_health_and_readiness_are_told_without_a_login(door: Door) -> None:
    """Both probes say yes on a running server."""
    assert door.get("/healthz").told == {"Message": "Up."}
    assert door.get("/readyz").told == {"Message": "Ready."}


def test_metrics_are_in_the_form_of_prometheus(door: Door) -> None:
    """The exposition names what was asked so far."""
    door.post(PAYMENTS, payment(line(1)))
    answer = door.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=1.0.0")
    counted = 'paydown_requests_total{route="/POS/BillingPayments",status="200"} 1.0'
    assert counted in answer.body.decode().splitlines()


@pytest.mark.parametrize(
    "path", ["/", "/POS", "/POS/BillingPayments/1", "/POS//BillingPayments", "/healthz/", "/docs/"]
)
def test_an_unknown_path_is_404_in_json(door: Door, path: str) -> None:
    """Nothing is there, whatever the method and without a login."""
    answer = door.get(path)

    assert answer.status == HTTPStatus.NOT_FOUND
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.told["Message"].startswith(NOTHING)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", PAYMENTS, "POST"),
        ("HEAD", PAYMENTS, "POST"),
        ("OPTIONS", "/pos/billingwritedowns/", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("PUT", "/docs/swagger-ui.css", "GET, HEAD"),
        ("DELETE", "/openapi.json", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_405_and_says_which_are_right(
    door: Door, method: str, path: str, allow: str
) -> None:
    """The answer names the methods in Allow and in its sentence."""
    answer = door.ask(method, path, headers={})

    assert answer.status == HTTPStatus.METHOD_NOT_ALLOWED
    assert answer.headers["allow"] == allow
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert allow in answer.told["Message"]


def test_the_docs_page_loads_only_what_is_served_here(door: Door) -> None:
    """Each file that the page names is in the package, and served with its type."""
    page = door.get("/docs")
    loaded = LOADS.findall(page.body.decode())

    assert page.status == HTTPStatus.OK
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "docs/swagger-ui-bundle.js" in loaded
    for target in loaded:
        assert door.get(f"/{target}").status == HTTPStatus.OK, target


@pytest.mark.parametrize("path", ["/docs", "/docs/docs.js", "/docs/swagger-ui.css"])
def test_the_docs_page_may_load_nothing_from_elsewhere(door: Door, path: str) -> None:
    """The browser is told so, and that no other page may frame this one."""
    policy = door.get(path).headers["content-security-policy"]

    assert policy.startswith("default-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("path", ["/docs", "/docs/docs.js", "/docs/swagger-ui.css"])
def test_a_browser_is_told_to_keep_the_page_to_itself(door: Door, path: str) -> None:
    """In no frame, opened by nobody, telling no other site, guessing no type, using no device."""
    told = door.get(path).headers
    assert told["x-frame-options"] == "DENY"
    assert told["x-content-type-options"] == "nosniff"
    assert told["referrer-policy"] == "no-referrer"
    assert told["cross-origin-opener-policy"] == "same-origin"
    assert told["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in told["permissions-policy"]


def test_nothing_of_ours_on_the_page_is_inline_or_remote() -> None:
    """Scripts and styles are files of the package, and none of ours names another host."""
    page = (ASSETS / "docs.html").read_text()
    ours = [page, (ASSETS / "docs.js").read_text(), (ASSETS / "docs.css").read_text()]

    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"<style|\bstyle=|\bon[a-z]+=", page) == []
    assert [text for text in ours if "//" in text.replace("// ", "")] == []


@pytest.mark.parametrize("name", ["../__init__.py", "..", "VENDORED.md", "/etc/passwd", "x.js"])
def test_only_files_of_the_page_are_served(door: Door, name: str) -> None:
    """No name leads out of the folder, or to what the page does not load."""
    assert door.get(f"/docs/{name}").status == HTTPStatus.NOT_FOUND


def test_what_is_vendored_says_where_it_is_from() -> None:
    """Every file that is not ours is named with its version, beside its licence."""
    table = (ASSETS / "VENDORED.md").read_text()
    ours = {"docs.html", "docs.js", "docs.css", "VENDORED.md"}
    vendored = sorted(path.name for path in Path(ASSETS).iterdir() if path.name not in ours)

    assert [name for name in vendored if f"`{name}`" not in table] == []
    assert "5.35.0" in table
    assert "Apache License" in (ASSETS / "swagger-ui.LICENSE.txt").read_text()
