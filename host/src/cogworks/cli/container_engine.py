"""From what was said about engines to one that answers, and to what a container gets of this machine."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from cogworks.cli.errors import OptionError
from cogworks.cli.options import LOCAL, EngineOptions
from cogworks.cli.state import State
from cogworks.server.settings import Settings

if TYPE_CHECKING:
    from cogworks.engines.containers.engine import ContainerEngine
    from cogworks.engines.containers.spec import Gpus

LARGEST_BODY = 1024**3
"""Of a request to a server in a container: a file input of 512 MiB is a data URL of 683."""


def chosen_names(choice: EngineOptions) -> Sequence[str]:
    """Return the names of the container engines that may be used, the preferred one first."""
    from cogworks.engines.containers.engine import NAMES

    return NAMES if choice.name is None or choice.name == LOCAL else (choice.name,)


def refuse_dockerfile(choice: EngineOptions) -> None:
    """Refuse what would make another image than the one that runs.

    Raises:
        OptionError: a Dockerfile was given.
    """
    if choice.dockerfile is not None:
        raise OptionError(
            f"--dockerfile: cog makes images without one. Run `docker build -f {choice.dockerfile} "
            "-t NAME .`, and then `cog run NAME`."
        )


def warn_of_bases(choice: EngineOptions, state: State) -> None:
    """Say which options have no effect on an image that is there already."""
    if choice.bases:
        state.console.warning(f"no effect on an image: {', '.join(choice.bases)}")


def wanted_gpus(choice: EngineOptions, *, model_asks: bool) -> Gpus | None:
    """Return the GPUs of a container: those of `--gpus`, else all for a model that asks for some."""
    from cogworks.engines.containers.errors import GpuError
    from cogworks.engines.containers.spec import Gpus, parse_gpus

    if choice.gpus is None:
        return Gpus(is_automatic=True) if model_asks else None
    try:
        return parse_gpus(choice.gpus)
    except GpuError as error:
        raise click.UsageError(f"--gpus: {error}") from error


def variables_for_one(state: State, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a container whose server is there for one prediction; `-e` wins.

    On one's own machine a model may fetch its inputs from one's own network, and every output that
    is yielded is shown at once.
    """
    found = {
        "LOG_FORMAT": "console",
        "COG_LOG_LEVEL": "debug" if state.console.debug else "warning",
        "COG_ALLOW_PRIVATE_URLS": "1",
        "COG_MAX_BODY": str(LARGEST_BODY),
        "COG_STREAM_ALL": "1",
        "COG_WORKERS": "1",
    }
    if "RUST_LOG" in state.environ:
        found["RUST_LOG"] = state.environ["RUST_LOG"]
    return {**found, **chosen}


def variables_for_many(
    state: State, chosen: Mapping[str, str], setup_timeout_s: float
) -> dict[str, str]:
    """Return the variables of a container that serves until it is told to end: the user's own settings of the server, then `-e`."""
    found = {"LOG_FORMAT": "console", "COG_ALLOW_PRIVATE_URLS": "1"}
    found |= {name: text for name, text in state.environ.items() if _is_of_the_server(name)}
    found["COG_SETUP_TIMEOUT"] = f"{setup_timeout_s:g}"
    if state.console.debug:
        found["COG_LOG_LEVEL"] = "debug"
    return {**found, **chosen}


def _is_of_the_server(name: str) -> bool:
    """Return whether a variable is a setting of the server that means the same in a container."""
    if name.startswith("OTEL_"):
        return True
    names = {one.metadata["env"] for one in dataclasses.fields(Settings)}
    return name in names - {"PORT", "KUBERNETES_SERVICE_HOST", "COG_READY_FILE"}


def require_near(engine: ContainerEngine) -> None:
    """Refuse an engine whose containers' ports are those of another machine.

    Raises:
        OptionError: it is one.
    """
    where = far_host(engine)
    if where is not None:
        raise OptionError(
            f"{engine.name} runs its containers on another machine ({where}), whose ports cannot be "
            "reached from here. Choose another engine by --engine, or unset DOCKER_HOST."
        )


def folder_user(engine: ContainerEngine) -> str:
    """Return whom a container runs as, so that what it writes into a mounted folder belongs to the user.

    Where the engine itself is the user's, root inside is the user outside. Empty for the image's own user: docker
    on other systems than Linux sees to the owner itself.
    """
    if sys.platform != "linux":
        return ""
    return "0:0" if _is_rootless(engine) else f"{os.getuid()}:{os.getgid()}"


def _is_rootless(engine: ContainerEngine) -> bool:
    from cogworks.engines.containers.command import ask
    from cogworks.engines.containers.engine import DOCKER

    field = (
        "{{.SecurityOptions}}" if engine.name == DOCKER else "rootless={{.Host.Security.Rootless}}"
    )
    said = ask(engine, ["info", "--format", field]).stdout
    return "rootless=true" in said or "name=rootless" in said


def far_host(engine: ContainerEngine) -> str | None:
    """Return the address of the machine that docker runs its containers on, if it is another one."""
    from cogworks.engines.containers.command import ask
    from cogworks.engines.containers.engine import DOCKER
    from cogworks.engines.redact import redact

    if engine.name != DOCKER:
        return None
    answer = ask(engine, ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"])
    host = answer.stdout.strip()
    is_near = not host.startswith(("tcp://", "ssh://", "http://", "https://")) or any(
        f"//{name}" in host for name in ("127.0.0.1", "localhost", "[::1]")
    )
    return None if answer.code != 0 or is_near else redact(host)


def without_gpus(state: State) -> None:
    """Tell that a container gets no GPU, though its model asks for one."""
    state.console.warning(
        "no GPU can be used in containers on this machine; the model runs without one. "
        "Ask for GPUs with --gpus to make that an error."
    )
