"""What is served beside the two calls: health, metrics, and the description of the calls."""

from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from paydown.api import answers
from paydown.api.answers import Answer
from paydown.api.v1 import problems
from paydown.openapi.document import encode
from paydown.service import Service
from paydown.telemetry import METRICS_MEDIA_TYPE, Metrics
from paydown.wire import messages

ASSETS = Path(__file__).parent.parent / "assets"
MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".png": "image/png",
}
ASSET_AGE_SECONDS = 3600

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, nothing inline, in no frame. The viewer's icons are ``data:`` images."""

SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}
"""What a browser is told with each page and each file of one, beside ``nosniff``, which all get."""


class Pages:
    """The endpoints; ``make_pages`` says where each is."""

    def __init__(self, service: Service, metrics: Metrics) -> None:
        self._service = service
        self._metrics = metrics
        self._description = encode(answers.SAMPLES, problems.SAMPLES)
        self._assets = {
            path.name: path.read_bytes() for path in ASSETS.iterdir() if path.suffix in MEDIA_TYPES
        }

    async def show_health(self, _: Request) -> Response:
        """That the process runs and answers."""
        return _respond(Answer(HTTPStatus.OK, messages.message("Up.")))

    def show_readiness(self, _: Request) -> Response:
        """Whether payments can be recorded. It looks at the disk, so it runs in a thread."""
        fault = self._service.readiness()
        if fault is None:
            return _respond(Answer(HTTPStatus.OK, messages.message("Ready.")))
        return _respond(answers.unavailable(fault))

    def show_metrics(self, _: Request) -> Response:
        """Every metric, as Prometheus reads them."""
        return Response(self._metrics.exposition(), media_type=METRICS_MEDIA_TYPE)

    async def show_description(self, _: Request) -> Response:
        """The OpenAPI document."""
        return _respond(Answer(HTTPStatus.OK, self._description))

    async def show_docs(self, _: Request) -> Response:
        """The page that shows the OpenAPI document."""
        return self._asset("docs.html")

    async def show_asset(self, request: Request) -> Response:
        """A file that the page loads."""
        return self._asset(request.path_params["name"])

    def _asset(self, name: str) -> Response:
        if name not in self._assets:
            return _respond(answers.NOT_FOUND)
        headers = {**SECURITY_HEADERS, "cache-control": f"max-age={ASSET_AGE_SECONDS}"}
        media_type = MEDIA_TYPES[Path(name).suffix]
        return Response(self._assets[name], headers=headers, media_type=media_type)


def make_pages(service: Service, metrics: Metrics) -> Starlette:
    """The Starlette application behind the two calls."""
    pages = Pages(service, metrics)
    routes = [
        Route("/healthz", pages.show_health),
        Route("/readyz", pages.show_readiness),
        Route("/metrics", pages.show_metrics),
        Route("/openapi.json", pages.show_description),
        Route("/docs", pages.show_docs),
        Route("/docs/{name}", pages.show_asset),
    ]
    application = Starlette(
        routes=routes,
        exception_handlers={HTTPException: _show_refusal, Exception: _show_failure},
    )
    application.router.redirect_slashes = False
    return application


def _show_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "the handler is registered for these alone"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _respond(answers.method_not_allowed("GET, HEAD"))
    return _respond(answers.NOT_FOUND)


def _show_failure(_request: Request, _error: Exception) -> Response:
    return _respond(answers.FAILURE)


def _respond(answer: Answer) -> Response:
    response = Response(answer.body, answer.status)
    response.raw_headers += [answers.CONTENT_TYPE, *answer.headers]
    return response
