"""`cog exec`: a command of the user's in the model's environment."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import click

from cogworks.cli.errors import CommandNotFound, quote
from cogworks.cli.options import (
    CONTEXT_SETTINGS,
    engine_choice,
    engine_options,
    environment_option,
    file_option,
    global_options,
    publish_option,
    python_option,
)
from cogworks.cli.prepare import Options, open_project, prepare
from cogworks.cli.state import State

NOT_EXECUTABLE = 126
"""What shells exit with for a file that is there but cannot be run."""

HELP = """Run a command in the model's environment.

It runs in the project's folder, with the model's Python and packages first, `import cog`
included, and cog.yaml's `environment`. `cog exec` exits with the command's exit code. Options
after COMMAND are the command's.

\b
Examples:
  cog exec python                       a prompt
  cog exec python -c 'import torch; print(torch.__version__)'
  cog exec bash                         a shell
  cog exec -e DEBUG=1 python train.py < data.csv
"""


@click.command(
    "exec",
    help=HELP,
    context_settings={**CONTEXT_SETTINGS, "allow_interspersed_args": False},
)
@click.argument("arguments", metavar="COMMAND [ARGS]...", nargs=-1, required=True)
@file_option
@environment_option
@python_option
@engine_options
@publish_option
@global_options
@click.pass_context
def command(
    context: click.Context,
    arguments: tuple[str, ...],
    config_name: str,
    environment: tuple[str, ...],
    python_version: str | None,
    progress_style: str | None,
) -> None:
    """Run a command in the model's environment."""
    state = context.ensure_object(State)
    choice = engine_choice(context)
    ignored = choice.container_only
    options = Options(config_name, environment, python_version, progress_style, ignored)
    project = open_project(state, options)
    if not choice.is_local:
        from cogworks.cli.container_exec import exec_in_container

        exec_in_container(project, arguments, state, options, choice)
    prepared = prepare(project, state, options)
    variables = {
        **prepared.environment,
        "PYTHONPATH": _python_path(prepared.environment, prepared.sdk_tree),
    }
    state.console.info(f"Running in the model's environment: {shlex.join(arguments)}")
    replace_process(arguments, variables, project.directory)


def replace_process(
    arguments: Sequence[str], environment: Mapping[str, str], directory: Path
) -> NoReturn:
    """Become the command: its stdin, signals and exit code are ours without further ado.

    Raises:
        CommandNotFound: there is no such command, or it is not executable.
    """
    name = arguments[0]
    os.chdir(directory)
    program = shutil.which(name, path=environment.get("PATH"))
    if program is None:
        if os.sep in name and Path(name).exists():
            raise CommandNotFound(f"{quote(name)} is not executable", NOT_EXECUTABLE)
        raise CommandNotFound(f"there is no command {quote(name)} in the model's environment")
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":
        sys.exit(
            subprocess.run([program, *arguments[1:]], env=dict(environment), check=False).returncode
        )
    restore_signals()
    try:
        os.execve(program, list(arguments), dict(environment))
    except OSError as error:
        message = f"cannot run {quote(program)}: {error.strerror}"
        raise CommandNotFound(message, NOT_EXECUTABLE) from error


def restore_signals() -> None:
    """Undo what Python ignores at its start: an ignored signal stays ignored in the command."""
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)


def _python_path(environment: Mapping[str, str], sdk_tree: Path) -> str:
    given = environment.get("PYTHONPATH")
    return f"{sdk_tree}{os.pathsep}{given}" if given else str(sdk_tree)
