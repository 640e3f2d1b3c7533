"""``paydown serve`` and ``paydown demo``, whose options are the settings.

Law of this file: no option of a server is named here. ``Settings`` declares them all.
"""

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_origin

import typer

from paydown import demo as demonstration
from paydown.bootstrap import run_server
from paydown.cli.output import Output, answering
from paydown.config import Setting, Settings, list_settings
from paydown.server import write_authority

Command = Callable[..., None]


def _parameter(setting: Setting) -> inspect.Parameter:
    """The setting as an option, for Typer to read."""
    many = get_origin(setting.kind) is tuple
    option = typer.Option(
        setting.option,
        envvar=setting.variable,
        help=setting.words,
        rich_help_panel=setting.group.value,
        min=setting.least if setting.kind is int else None,
        max=setting.most if setting.kind is int else None,
        metavar="URL" if setting.name == "database" else None,
    )
    kind: Any = list[str] if many else setting.kind
    default: Any = setting.default if setting.has_default else inspect.Parameter.empty
    return inspect.Parameter(
        setting.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=list(default) if many else default,
        annotation=Annotated[kind, option],
    )


def _with_settings(*, without: frozenset[str] = frozenset()) -> Callable[[Command], Command]:
    """Give a command that takes ``**values`` an option for every setting."""

    def decorate(command: Command) -> Command:
        own = [
            parameter
            for parameter in inspect.signature(command).parameters.values()
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        options = [
            _parameter(setting) for setting in list_settings() if setting.name not in without
        ]
        parameters = [*own, *options]
        # Typer reads the signature, which typing knows no way to set.
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        return command

    return decorate


@_with_settings()
def serve(**values: Any) -> None:
    """Serve the calls, /v1 and the pages until SIGTERM, then answer what was accepted and end."""
    with answering(as_json=False) as output:
        settings = _read(values)
        scheme = "https" if settings.tls_cert else "http"
        run_server(settings, on_listening=_say_listening(output, scheme))


@_with_settings(without=frozenset({"database", "tls_cert", "tls_key"}))
def demo(
    *,
    data: Annotated[
        Path,
        typer.Option(
            file_okay=False, help="Where the demo is kept; one that is there is served again."
        ),
    ] = Path("demo"),
    **values: Any,
) -> None:
    """Serve a demo customer: 40 contacts, 150 billing items, two logins, and a payment to paste."""
    with answering(as_json=False) as output:
        made = output.settle(demonstration.prepare(data))
        settings = _read({**values, "database": made.database})

        def on_listening(host: str, port: int) -> None:
            demonstration.publish(made, host=host, port=port)
            program = _find_program()
            for line in demonstration.introduce(made, host=host, port=port, program=program):
                output.stdout.print(line, soft_wrap=True)

        run_server(settings, on_listening=on_listening)


def _find_program() -> str:
    """What to type in this folder to run what is running now."""
    script, here = Path(sys.argv[0]).absolute(), Path.cwd()
    if not script.is_file():
        return "paydown"
    # A bare name would be looked for on the shell's path, not in the folder.
    return str(script.relative_to(here) if here in script.parent.parents else script)


def _read(values: dict[str, Any]) -> Settings:
    settled: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return Settings(**settled)


def _say_listening(output: Output, scheme: str) -> Callable[[str, int], None]:
    def on_listening(host: str, port: int) -> None:
        address = write_authority(host, port)
        output.stderr.print(f"Paydown listens on {scheme}://{address}, docs at /docs.")

    return on_listening
