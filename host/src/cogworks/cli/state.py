"""What every command may ask for: the console, the environment variables, the global switches."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from cogworks.cli.console import Console, is_color_wanted


@dataclass
class State:
    """The state of one call of `cog`; the only reader of the process's environment in the CLI."""

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    console: Console = field(default_factory=Console)

    def __post_init__(self) -> None:
        """Decide about colours."""
        self.console.color = is_color_wanted(self.environ, is_terminal=sys.stderr.isatty())

    def use_debug(self) -> None:
        """Show tracebacks and debug logs."""
        self.console.debug = True

    def use_no_color(self) -> None:
        """Switch colours off here and in everything that is started."""
        self.console.color = False
        self.environ = {**self.environ, "NO_COLOR": "1"}
