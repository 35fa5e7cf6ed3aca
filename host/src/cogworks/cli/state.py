"""What every command may ask for: the console, the environment variables, the global switches."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from cogworks.cli.console import Console, is_color_wanted
from cogworks.repeat.files import file_clock


class State:
    """The state of one call of `cog`; the only reader of the process's environment in the CLI.

    Attributes:
        arguments: what it was called with, before anything is made of it.
        began_at: when it began, in seconds since 1970, as file systems see it.
        called_with: the variables that it was called with; ``environ`` may differ by what the options say.
        is_terminal: whether people read what it says.
        on_stop: what a signal calls before the command unwinds (``signals.stop_on_signals``).
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        console: Console | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        """Decide about colours."""
        self.began_at = file_clock()
        self.arguments = tuple(arguments)
        self.environ = dict(os.environ) if environ is None else environ
        self.called_with = self.environ
        self.is_terminal = sys.stderr.isatty()
        self.console = Console() if console is None else console
        self.on_stop: list[Callable[[], object]] = []
        self.console.color = is_color_wanted(self.environ, is_terminal=self.is_terminal)

    def use_debug(self) -> None:
        """Show tracebacks and debug logs."""
        self.console.debug = True

    def use_no_color(self) -> None:
        """Switch colours off here and in everything that is started."""
        self.console.color = False
        self.environ = {**self.environ, "NO_COLOR": "1"}
