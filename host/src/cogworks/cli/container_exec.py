"""`cog exec` with a container engine: this process becomes docker's or podman's, which has the terminal and the signals."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

import click

from cogworks.cli.container_engine import without_gpus
from cogworks.cli.dev_image import prepare_container
from cogworks.cli.environment import parse_environment
from cogworks.cli.options import EngineOptions
from cogworks.cli.prepare import Options
from cogworks.cli.state import State

if TYPE_CHECKING:
    from cogworks.engines.containers.engine import ContainerEngine
    from cogworks.engines.containers.spec import ContainerSpec, Port
    from cogworks.project import Project

AS_A_SHELL_DOES = ("sh", "-c", 'exec "$@"', "sh")
"""So that a command that is not there, or cannot be run, has the exit code of shells: 127, 126."""


def exec_in_container(
    project: Project,
    arguments: Sequence[str],
    state: State,
    options: Options,
    choice: EngineOptions,
) -> NoReturn:
    """Run a command in the project's container; its exit code is ours.

    Raises:
        CogworksError: no engine answers, or the image cannot be built.
    """
    from cogworks.engines.containers.spec import Terminal

    ports = tuple(map(parse_published, choice.published))
    chosen = parse_environment(options.environment, state.environ)
    engine, spec = prepare_container(project, None, state, options, choice)
    terminal = Terminal(has_stdin=True, is_tty=sys.stdin.isatty() and sys.stdout.isatty())
    given = {"TERM": state.environ["TERM"]} if terminal.is_tty and "TERM" in state.environ else {}
    spec = replace(
        spec,
        command=(*AS_A_SHELL_DOES, *arguments),
        environment={**spec.environment, **given, **chosen},
        ports=ports,
        terminal=terminal,
    )
    if spec.gpus is not None and spec.gpus.is_automatic and not _has_gpus(engine, spec):
        without_gpus(state)
        spec = replace(spec, gpus=None)
    state.console.info(
        f"Running in a container of {engine.name}, with the project mounted: {shlex.join(arguments)}"
    )
    _become(engine, spec)


def parse_published(text: str) -> Port:
    """Return the port of `-p PORT` or `-p HOST:PORT`, an IPv6 address in brackets; the same number on both sides.

    Raises:
        UsageError: it is none.
    """
    from cogworks.engines.containers.spec import LOOPBACK, Port

    host, _, port = text.rpartition(":")
    is_number = port.isascii() and port.isdigit() and 1 <= int(port) <= 65535
    is_bare_ipv6 = ":" in host and not (host.startswith("[") and host.endswith("]"))
    if not is_number or is_bare_ipv6 or (":" in text and not host.strip("[]")):
        raise click.UsageError(
            f"-p {text[:80]}: expected PORT or HOST:PORT, with a port from 1 to 65535 and "
            "an IPv6 address in brackets"
        )
    return Port(int(port), int(port), host.strip("[]") or LOOPBACK)


def _has_gpus(engine: ContainerEngine, spec: ContainerSpec) -> bool:
    """Find out whether a container with GPUs starts; an interactive one cannot be tried again."""
    from cogworks.engines.containers.command import ask
    from cogworks.engines.containers.spec import Terminal, run_command

    trial = replace(
        spec,
        entrypoint="true",
        command=(),
        environment={},
        ports=(),
        mounts=(),
        terminal=Terminal(),
    )
    _, *command = run_command(engine, trial, _name())
    return ask(engine, command).code == 0


def _become(engine: ContainerEngine, spec: ContainerSpec) -> NoReturn:
    """Become the engine's program; when that ends, in whatever way, the container is removed."""
    from cogworks.cli.exec import restore_signals
    from cogworks.engines.containers.lifeline import Lifeline
    from cogworks.engines.containers.spec import client_environment, run_command

    name = _name()
    command = run_command(engine, spec, name)
    environment = client_environment(engine, spec)
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":
        import subprocess

        sys.exit(subprocess.run(command, env=environment, check=False).returncode)
    lifeline = Lifeline(engine, name)
    lifeline.pass_on()
    restore_signals()
    _exec(command, environment)


def _exec(command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    os.execve(command[0], list(command), dict(environment))


def _name() -> str:
    return f"cog-{secrets.token_hex(6)}"
