"""Options that several commands share, declared once.

Global options are accepted before and after the command's name. Options that only a container
engine can use are accepted, so that scripts keep working, and named in one notice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import click

from cogworks.cli.errors import NotAvailable
from cogworks.cli.state import State

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]

CONTEXT_SETTINGS = {"max_content_width": 100}
REGISTRY = "registry"
"""Where a context keeps what `--registry` names."""
CONTAINER_ONLY = "container_only"
"""Where a context keeps the names of the given options that have no effect locally."""


def global_options(function: F) -> F:
    """Add `--debug`, `--no-color`, and the accepted `--profile` and `--registry`."""
    options = [
        click.option(
            "--debug",
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_use_debug,
            help="Show debug logs, and the traceback of an error.",
        ),
        click.option(
            "--no-color",
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_use_no_color,
            help="No colours, here and in what is started.",
        ),
        click.option("--profile", is_flag=True, hidden=True, expose_value=False),
        click.option(
            "--registry", metavar="HOST", hidden=True, expose_value=False, callback=_note_registry
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def file_option(function: F) -> F:
    """Add `-f`."""
    return click.option(
        "-f",
        "--file",
        "config_name",
        default="cog.yaml",
        show_default=True,
        metavar="NAME",
        help="Configuration file; looked for here and in the folders above.",
    )(function)


def environment_option(function: F) -> F:
    """Add `-e`."""
    return click.option(
        "-e",
        "--env",
        "environment",
        multiple=True,
        metavar="NAME=VALUE",
        help="Environment variable for the model; NAME alone passes yours on. May be repeated.",
    )(function)


def python_option(function: F) -> F:
    """Add `--python`."""
    return click.option(
        "--python",
        "python_version",
        envvar="COG_PYTHON",
        show_envvar=True,
        metavar="VERSION",
        help="Use another Python than cog.yaml's, where that one cannot be had.",
    )(function)


def setup_timeout_option(function: F) -> F:
    """Add `--setup-timeout`."""
    return click.option(
        "--setup-timeout",
        "setup_timeout_s",
        type=click.FloatRange(min=0, min_open=True),
        default=300,
        show_default=True,
        metavar="SECONDS",
        help="Longest time for starting the model and setup().",
    )(function)


def progress_option(function: F) -> F:
    """Add `--progress`."""
    return click.option(
        "--progress",
        "progress_style",
        type=click.Choice(["auto", "tty", "plain", "quiet"]),
        help="How to show the making of an environment. [default: BUILDKIT_PROGRESS, or auto]",
    )(function)


def engine_options(function: F) -> F:
    """Add `--engine`, `--progress` and the options of container engines."""
    options: list[Decorator[Any]] = [
        click.option(
            "--engine",
            type=click.Choice(["local", "docker", "podman"]),
            default="local",
            envvar="COG_ENGINE",
            show_default=True,
            show_envvar=True,
            expose_value=False,
            callback=_require_local,
            help="Where the model runs; `local` is an environment of its own on this machine.",
        ),
        progress_option,
        _container_option("--gpus", metavar="GPUS"),
        _container_option("--use-cuda-base-image", metavar="auto|true|false"),
        _container_option(
            "--use-cog-base-image",
            type=click.BOOL,
            is_flag=False,
            flag_value=True,
            metavar="[BOOL]",
        ),
        _container_option("--dockerfile", metavar="FILE", hidden=True),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def named_registry(context: click.Context) -> str | None:
    """Return the registry that `--registry` names, before or after the command's name."""
    return cast("str | None", context.meta.get(REGISTRY))


def ignored_options(context: click.Context) -> list[str]:
    """Return the given options that have no effect with the local engine."""
    return cast("list[str]", context.meta.get(CONTAINER_ONLY, []))


def publish_option(function: F) -> F:
    """Add `-p`, which a local command does not need: its ports are the machine's."""
    option = _container_option("-p", "--publish", metavar="[HOST:]PORT", multiple=True)
    return cast(F, option(function))


def _container_option(*names: str, **attributes: Any) -> Decorator[Any]:
    return click.option(
        *names,
        expose_value=False,
        callback=_note_ignored,
        help="For container engines; no effect with the local one.",
        **attributes,
    )


def _note_registry(context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[REGISTRY] = value


def _note_ignored(context: click.Context, option: click.Parameter, value: Any) -> None:
    if value not in (None, ()):
        context.meta.setdefault(CONTAINER_ONLY, []).append(option.opts[-1])


def _require_local(context: click.Context, option: click.Parameter, value: str) -> None:
    if value != "local" and not context.resilient_parsing:
        raise NotAvailable(
            f"the engine {value} is not available yet: container engines come with image support. "
            "Leave --engine and COG_ENGINE out to run the model on this machine."
        )


def _use_debug(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(State).use_debug()


def _use_no_color(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(State).use_no_color()


def web_url(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Return an option's http(s) URL as it is; anything else is a usage error."""
    if value is None:
        return None
    from cogworks.server.settings import parse_web_url

    try:
        return parse_web_url(value)
    except ValueError:
        raise click.BadParameter("expected an http(s) URL") from None
