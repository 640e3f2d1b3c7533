"""The parts of ``docs`` that the code itself can tell.

Law of this file: what stands between a page's two marks is made here and compared by a test. Run
this file to write it anew; everything outside the marks is written by hand.
"""

from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import typer

from paydown.api.neighbours import CREATE_BILLING, DETAILS
from paydown.cli import app
from paydown.config import list_settings
from paydown.domain.model import Bundle
from paydown.openapi.document import OPERATIONS
from paydown.openapi.routes import ROUTES
from paydown.telemetry import Metrics

DOCS = Path(__file__).parents[2] / "docs"
MARKS = (
    "<!-- by tests/repo/references.py: begin -->\n",
    "<!-- by tests/repo/references.py: end -->\n",
)


def render_settings() -> str:
    """Every setting: its option, its variable, what it may be, its default and its words."""
    rows = [("option", "variable", "values", "default", "what it sets")]
    for setting in list_settings():
        rows.append(
            (
                f"`{setting.option}`",
                f"`{setting.variable}`",
                _say_values(setting.kind, setting.least, setting.most),
                _say_default(setting.default) if setting.has_default else "must be given",
                setting.words,
            )
        )
    return _table(rows)


def render_cli() -> str:
    """Every command with its arguments and options."""
    return "\n".join(_describe("paydown", typer.main.get_command(app)))


def render_metrics() -> str:
    """Every metric of ours, as Prometheus shows it, with its labels and their words."""
    rows = [("metric", "type", "labels", "what it measures")]
    metrics = Metrics()
    for collector in dict.fromkeys(metrics.registry._collector_to_names):
        for family in collector.describe() if hasattr(collector, "describe") else ():
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = ", ".join(f"`{label}`" for label in collector._labelnames)
            rows.append((f"`{name}`", family.type, labels, family.documentation))
    return _table(rows)


def render_bundles() -> str:
    """Every bundle, and the calls and routes that it opens."""
    return _table([("bundle", "opens"), *((f"`{each}`", _say_opened(each)) for each in Bundle)])


PAGES: dict[str, Callable[[], str]] = {
    "reference/settings.md": render_settings,
    "reference/cli.md": render_cli,
    "reference/metrics.md": render_metrics,
    "how-to/credentials.md": render_bundles,
}


def render_page(name: str) -> str:
    """The whole page, with what stands between its marks made anew."""
    before, begin, rest = (DOCS / name).read_text().partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    assert begin, name
    assert end, name
    return f"{before}{begin}\n{PAGES[name]()}\n{end}{after}"


def _say_opened(bundle: Bundle) -> str:
    reads = [route for route in ROUTES if route.method == "GET"]
    calls = [f"`POST {each.path}`" for each in OPERATIONS if each.bundle is bundle]
    calls += [f"`{e.method} {e.path}`" for e in (CREATE_BILLING, DETAILS) if e.bundle is bundle]
    routes = [route for route in ROUTES if route.bundle is bundle]
    if routes == reads:
        return ", ".join([*calls, "every `GET` of `/v1`"])
    return ", ".join([*calls, *(f"`{each.method} {each.path}`" for each in routes)])


def _describe(path: str, command: Any) -> Iterator[str]:
    """The command and all below it. Typer carries the classes that it hands out, untyped."""
    yield f"## {path}\n"
    yield f"{command.help}\n"
    usage = " ".join(command.collect_usage_pieces(_context(command)))
    yield f"```\n{path} {usage}\n```\n"
    rows = [("argument or option", "values", "default", "what it does")]
    rows += [_describe_parameter(each, command) for each in command.params]
    if len(rows) > 1:
        yield _table(rows)
    for name, below in getattr(command, "commands", {}).items():
        yield from _describe(f"{path} {name}", below)


def _describe_parameter(parameter: Any, command: Any) -> tuple[str, str, str, str]:
    is_option = parameter.param_type_name == "option"
    name = ", ".join(parameter.opts) if is_option else parameter.human_readable_name
    default = "must be given" if parameter.required else _say_default(parameter.default)
    kind = parameter.type
    shown = kind.get_metavar(parameter, _context(command)) or kind.name
    values = parameter.metavar or _plain(shown)
    words = parameter.help
    if parameter.envvar:
        words += f" Variable: `{parameter.envvar}`."
    return f"`{name}`", "" if is_option and parameter.is_flag else values, default, words


def _context(command: Any) -> Any:
    return command.make_context(command.name, [], resilient_parsing=True)


def _plain(values: str) -> str:
    """What may be given, in a reader's words rather than Python's."""
    shown = values.strip("[]<>").removesuffix(" range").replace("|", ", ")
    return {"str": "text", "int": "number", "directory": "folder"}.get(shown, shown)


def _say_values(kind: Any, least: int, most: int | None) -> str:
    if kind is int:
        return f"{least} or more" if most is None else f"{least} to {most}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(each.value for each in kind)
    return "text" if kind is str else "text, repeatable"


def _say_default(default: Any) -> str:
    if default is None or default in ((), [], "") or default is False:
        return ""
    return f"`{default.value if isinstance(default, Enum) else default}`"


def _table(rows: list[tuple[str, ...]]) -> str:
    head, *body = (f"| {' | '.join(' '.join(cell.split()) for cell in row)} |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body, ""])


if __name__ == "__main__":
    for page in PAGES:
        (DOCS / page).write_text(render_page(page))
