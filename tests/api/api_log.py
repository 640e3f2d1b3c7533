"""What a server logs, kept for a test to read."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from paydown.telemetry import configure_logging


@contextmanager
def logging_to(written: io.BytesIO) -> Iterator[io.BytesIO]:
    """All that is logged, as it is written; afterwards logging is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure_logging("info", io.TextIOWrapper(written, write_through=True))
    yield written
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)
    structlog.reset_defaults()
