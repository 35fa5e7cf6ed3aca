"""Options that several commands share, declared once.

Global options are accepted before and after the command's name. Options that have no effect with
the chosen engine are accepted, so that scripts keep working, and named in one notice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

from cogworks.cli.state import State

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]

LOCAL = "local"
CONTEXT_SETTINGS = {"max_content_width": 100}
REGISTRY = "registry"
"""Where a context keeps what `--registry` names."""
ENGINE = "engine"
"""Where a context keeps what was said about engines: an ``EngineOptions``."""


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


@dataclass
class EngineOptions:
    """What was said about engines.

    Attributes:
        name: `local`, `docker` or `podman`; None where neither an option nor a variable says.
        is_explicit: by the option, not by the variable.
        container_only: the given options that have no effect with the local engine.
        cuda_base: whether a GPU project rests on nvidia/cuda: `auto`, `true` or `false`.
        bases: the given options that choose the base of an image to be built.
    """

    name: str | None = None
    is_explicit: bool = False
    gpus: str | None = None
    dockerfile: str | None = None
    published: tuple[str, ...] = ()
    cuda_base: str = "auto"
    cog_base: bool | None = None
    container_only: list[str] = field(default_factory=list[str])
    bases: list[str] = field(default_factory=list[str])

    @property
    def is_local(self) -> bool:
        """Whether a project runs on this machine, without a container."""
        return self.name in (None, LOCAL)


def engine_options(function: F) -> F:
    """Add `--engine`, `--progress` and the options of container engines."""
    options: list[Decorator[Any]] = [
        click.option(
            "--engine",
            type=click.Choice([LOCAL, "docker", "podman"]),
            envvar="COG_ENGINE",
            show_envvar=True,
            expose_value=False,
            callback=_note_engine,
            help="Where the model runs; `local` is an environment of its own on this machine. "
            "[default: local; for an image, docker or podman]",
        ),
        progress_option,
        _container_option(
            "--gpus",
            metavar="all|N|device=IDS",
            help="GPUs for the container. [default: all, for a model that asks for them]",
        ),
        _container_option(
            "--use-cuda-base-image",
            metavar="auto|true|false",
            help="Whether a GPU project in a container rests on nvidia/cuda. [default: auto]",
        ),
        _container_option(
            "--use-cog-base-image",
            type=click.BOOL,
            is_flag=False,
            flag_value=True,
            metavar="[BOOL]",
            help="Accepted, without effect: layers are shared without such images.",
        ),
        _container_option("--dockerfile", metavar="FILE", hidden=True),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def engine_choice(context: click.Context) -> EngineOptions:
    """Return what was said about engines."""
    return cast("EngineOptions", context.meta.setdefault(ENGINE, EngineOptions()))


def named_registry(context: click.Context) -> str | None:
    """Return the registry that `--registry` names, before or after the command's name."""
    return cast("str | None", context.meta.get(REGISTRY))


def publish_option(function: F) -> F:
    """Add `-p`, which a local command does not need: its ports are the machine's."""
    option = _container_option(
        "-p",
        "--publish",
        metavar="[HOST:]PORT",
        multiple=True,
        help="A port of the container, reached by the same number here. [default host: 127.0.0.1]",
    )
    return cast(F, option(function))


def _container_option(*names: str, **attributes: Any) -> Decorator[Any]:
    return click.option(*names, expose_value=False, callback=_note_container_option, **attributes)


def _note_engine(context: click.Context, option: click.Parameter, value: str | None) -> None:
    choice = engine_choice(context)
    choice.name = value
    source = context.get_parameter_source(option.name or "")
    choice.is_explicit = source is ParameterSource.COMMANDLINE


def _note_container_option(context: click.Context, option: click.Parameter, value: Any) -> None:
    if value in (None, ()):
        return
    choice, name = engine_choice(context), option.opts[-1]
    choice.container_only.append(name)
    match option.name:
        case "gpus":
            choice.gpus = value
        case "dockerfile":
            choice.dockerfile = value
        case "publish":
            choice.published = value
        case "use_cuda_base_image":
            # The format takes any other word for true.
            choice.cuda_base = value if value in ("auto", "false") else "true"
            choice.bases.append(name)
        case _:
            choice.cog_base = value
            choice.bases.append(name)


def _note_registry(context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[REGISTRY] = value


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
