"""The entry of the `cog` command: the group, its global options, and what errors become.

results                 stdout, exit 0
CogworksError           `error: ...` on stderr, exit 1 (`--debug` adds the traceback)
wrong options           usage and `error: ...`, exit 2
Ctrl-C, SIGTERM         exit 130, 143, after everything that was started has ended
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

from cogworks._version import __version__
from cogworks.cli.commands import LazyGroup
from cogworks.cli.options import global_options
from cogworks.cli.signals import Stopped, stop_on_signals
from cogworks.cli.state import State
from cogworks.cli.streams import discard_stdout, open_missing_streams, tolerate_encodings
from cogworks.errors import CogworksError

FAILED, USAGE, INTERRUPTED = 1, 2, 130

HELP = """Package machine-learning models, run them and serve them.

\b
Examples:
  cog init                          start a project in this folder
  cog run -i image=@photo.jpg       run a prediction
  cog serve                         serve the model on http://localhost:8393
  cog exec python                   a Python prompt in the model's environment

`cog COMMAND --help` explains a command.
"""


@click.group("cog", cls=LazyGroup, help=HELP, context_settings={"max_content_width": 100})
@click.version_option(__version__, message="cog version %(version)s")
@global_options
def cli() -> None:
    """Take the global options; the commands are in ``cogworks.cli.commands``."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run `cog` and exit."""
    open_missing_streams()
    tolerate_encodings()
    state = State(arguments=sys.argv[1:] if arguments is None else arguments)
    try:
        with stop_on_signals(state.on_stop):
            result = cli.main(arguments, prog_name="cog", standalone_mode=False, obj=state)
            code = result if isinstance(result, int) else 0
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt, Stopped) as error:
        code = _report(error, state)
    sys.exit(code)


def _report(error: BaseException, state: State) -> int:
    """Say what went wrong, in one sentence, and return the exit code."""
    if isinstance(error, Stopped):
        return error.exit_code
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        discard_stdout()
        return FAILED
    if state.console.debug:
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, click.UsageError):
        return _report_usage(error, state)
    if isinstance(error, click.ClickException):
        state.console.error(error.format_message())
        return error.exit_code
    if isinstance(error, CogworksError):
        state.console.error(str(error))
        return error.exit_code
    state.console.error(f"{_describe(error)}. Run the command with --debug to see where.")
    return FAILED


def _report_usage(error: click.UsageError, state: State) -> int:
    if error.ctx is not None:
        click.echo(error.ctx.get_usage(), err=True)
        click.echo(f"Try '{error.ctx.command_path} --help' for help.\n", err=True)
    state.console.error(error.format_message())
    return USAGE


def _describe(error: BaseException) -> str:
    """Return a sentence for an error that nobody expected."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return f"unexpected {type(error).__name__}: {error}"
