"""What people read: every line goes to stderr, so that stdout holds results alone.

A line has a symbol in front only where colours are on: they are off with `--no-color`,
`NO_COLOR`, `COG_NO_COLOR`, `TERM=dumb`, or when stderr is not a terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import click

SYMBOLS = {"info": ("⚙", "bright_black"), "warning": ("⚠", "yellow"), "error": ("✗", "red")}


@dataclass
class Console:
    """Writes lines for people on stderr."""

    color: bool = False
    debug: bool = False

    def info(self, text: str) -> None:
        """Say what is going on."""
        self._write("info", text)

    def warning(self, text: str) -> None:
        """Say what the user should know but need not act on."""
        self._write("warning", text if self.color else f"warning: {text}")

    def error(self, text: str) -> None:
        """Say why the command ends."""
        self._write("error", f"error: {text}")

    def _write(self, level: str, text: str) -> None:
        if self.color:
            symbol, color = SYMBOLS[level]
            text = f"{click.style(symbol, fg=color)} {text}"
        click.echo(text, err=True, color=self.color)


def is_color_wanted(environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Return whether lines may have colours."""
    switched_off = bool(environ.get("NO_COLOR") or environ.get("COG_NO_COLOR"))
    return is_terminal and not switched_off and environ.get("TERM") != "dumb"
