"""Every setting of a server, declared once: its default, its bounds, its words, its names.

Law of this file: the command line, the environment and ``docs/reference/settings.md`` are made from
``Settings``. A setting ``name`` is the option ``--name`` and the variable ``PAYDOWN_NAME``.
"""

from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from typing import Any, NamedTuple, get_type_hints

ENVIRONMENT_PREFIX = "PAYDOWN_"


class LogLevel(StrEnum):
    """The least that is logged; whatever failed is logged at every level."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"


class BatchBy(StrEnum):
    """Which requests may share a commit."""

    ANY = "any"
    CUSTOMER = "customer"


class Group(StrEnum):
    """Settings that belong together in a help text."""

    SERVER = "Server"
    LIMITS = "Limits"
    RECORDING = "Recording"
    LOG = "Log"


def _setting(
    group: Group, words: str, default: Any = MISSING, *, least: int = 0, most: int | None = None
) -> Any:
    metadata = {"group": group, "words": words, "least": least, "most": most}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a server runs. Sizes are bytes, times are seconds."""

    database: str = _setting(
        Group.SERVER, "The ledger, such as sqlite:///ledger.db. Make it with: paydown migrate."
    )
    host: str = _setting(
        Group.SERVER, "The address to listen on. 0.0.0.0 is every IPv4 address.", "127.0.0.1"
    )
    port: int = _setting(
        Group.SERVER, "The port to listen on. 0 takes a free one.", 8080, most=65_535
    )
    workers: int = _setting(
        Group.SERVER,
        "How many processes serve, each with the limits below. A SQLite ledger takes one.",
        1,
        least=1,
        most=64,
    )
    trusted_proxy: tuple[str, ...] = _setting(
        Group.SERVER,
        "An address or network whose X-Forwarded-For is believed. May be given several times; in "
        "the environment, separated by spaces.",
        (),
    )
    tls_cert: str = _setting(
        Group.SERVER,
        "A PEM file with the certificate and its chain: only TLS is spoken then, 1.2 or newer. A "
        "renewed file is used within seconds.",
        "",
    )
    tls_key: str = _setting(
        Group.SERVER, "The PEM file with the certificate's key, without a passphrase.", ""
    )
    drain_seconds: int = _setting(
        Group.SERVER, "How long accepted requests may take to be answered after SIGTERM.", 30
    )
    body_bytes_max: int = _setting(
        Group.LIMITS, "The largest body; a larger one gets 413.", 8 * 1024 * 1024, least=1
    )
    lines_max: int = _setting(
        Group.LIMITS, "The most lines in a request; more get 400.", 10_000, least=1, most=10_000
    )
    connections_max: int = _setting(
        Group.LIMITS,
        "The most open connections. For another one the longest silent gives way, or it gets 503.",
        500,
        least=1,
    )
    header_count_max: int = _setting(
        Group.LIMITS, "The most headers in a request; more get 431.", 100, least=1
    )
    header_bytes_max: int = _setting(
        Group.LIMITS,
        "The largest request line and headers together; larger ones get 431.",
        32_768,
        least=1,
    )
    url_bytes_max: int = _setting(
        Group.LIMITS, "The longest URL; a longer one gets 414.", 8_192, least=1
    )
    header_seconds: int = _setting(
        Group.LIMITS, "How long a request's headers may take to arrive.", 10, least=1
    )
    body_seconds: int = _setting(
        Group.LIMITS, "How long a request's body may take to arrive.", 60, least=1
    )
    answer_seconds: int = _setting(
        Group.LIMITS, "How long a client may read nothing of its answer.", 60, least=1
    )
    keep_alive_seconds: int = _setting(
        Group.LIMITS, "How long a connection may be idle between requests.", 75, least=1
    )
    queue_max: int = _setting(
        Group.RECORDING,
        "The most requests waiting to be recorded; another one gets 503.",
        1024,
        least=1,
    )
    queue_lines_max: int = _setting(
        Group.RECORDING,
        "The most lines of all waiting requests together; beyond, another request gets 503.",
        200_000,
        least=1,
    )
    batch_max: int = _setting(
        Group.RECORDING, "The most requests recorded in one commit.", 64, least=1
    )
    batch_by: BatchBy = _setting(  # noqa: RUF009 - it makes a field
        Group.RECORDING,
        "What may share a commit: any requests, or those of one customer, as a distributed "
        "PostgreSQL wants it.",
        BatchBy.ANY,
    )
    writers: int = _setting(
        Group.RECORDING,
        "How many transactions a process has under way at once. 0 means two, or one where several "
        "processes serve. A SQLite ledger takes one.",
        0,
        most=16,
    )
    lock_wait_seconds: int = _setting(
        Group.RECORDING,
        "How long a payment, or a write of /v1, waits while another process holds the ledger, "
        "before it gets 503. One of /v1 waits a second at least.",
        5,
        most=86_400,
    )
    log_level: LogLevel = _setting(  # noqa: RUF009 - it makes a field
        Group.LOG, "The least that is logged. Failures always are.", LogLevel.INFO
    )
    log_successes: int = _setting(
        Group.LOG, "Log one in so many plain successes, and say so in the line.", 1, least=1
    )


class Setting(NamedTuple):
    """One setting as an operator meets it. ``default`` is ``MISSING`` where it must be given."""

    name: str
    kind: Any
    default: Any
    group: Group
    words: str
    least: int
    most: int | None

    @property
    def has_default(self) -> bool:
        """Whether it can be left out."""
        return self.default is not MISSING

    @property
    def option(self) -> str:
        """Its name on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return f"{ENVIRONMENT_PREFIX}{self.name.upper()}"


def list_settings() -> list[Setting]:
    """All settings, in the order in which they are declared."""
    kinds = get_type_hints(Settings)
    return [
        Setting(each.name, kinds[each.name], each.default, **each.metadata)
        for each in fields(Settings)
    ]
