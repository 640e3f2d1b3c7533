"""The HTTP server: uvicorn with our limits, our errors, and a drain that answers what it took."""

from paydown.server.certificates import Certificate, read_certificate
from paydown.server.faults import ServeError
from paydown.server.limits import HttpLimits
from paydown.server.run import (
    Listening,
    listen_together,
    make_config,
    read_proxies,
    serve,
    serve_on,
    write_authority,
)
from paydown.server.sharing import WorkerMetrics, shared_stderr
from paydown.server.workers import Place, Supervisor

__all__ = [
    "Certificate",
    "HttpLimits",
    "Listening",
    "Place",
    "ServeError",
    "Supervisor",
    "WorkerMetrics",
    "listen_together",
    "make_config",
    "read_certificate",
    "read_proxies",
    "serve",
    "serve_on",
    "shared_stderr",
    "write_authority",
]
