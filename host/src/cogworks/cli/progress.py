"""Shows what takes time, on stderr; the engine tells it by the protocol ``Progress``.

    LiveProgress    a terminal: a spinner with the last line and the time
    PlainProgress   a log, a pipe: every line
    QuietProgress   nothing

Nothing is shown, and rich is not even loaded, until something takes time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import click

from cogworks.cli.console import Console

if TYPE_CHECKING:
    from rich.status import Status


class Display(Protocol):
    """A progress display that the CLI ends when something else is to be printed."""

    def stage(self, text: str) -> None:
        """Begin a stage."""
        ...

    def line(self, text: str) -> None:
        """Tell a detail of the stage."""
        ...

    def done(self, text: str) -> None:
        """End the stage."""
        ...

    def close(self) -> None:
        """Leave the terminal to others; idempotent."""
        ...


class QuietProgress:
    """Shows nothing."""

    def stage(self, text: str) -> None:
        """Ignore it."""

    def line(self, text: str) -> None:
        """Ignore it."""

    def done(self, text: str) -> None:
        """Ignore it."""

    def close(self) -> None:
        """Nothing to close."""


class PlainProgress:
    """Prints every line as it comes."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def stage(self, text: str) -> None:
        """Print what begins."""
        self._console.info(text)

    def line(self, text: str) -> None:
        """Print a detail, indented."""
        click.echo(f"  {text}", err=True)

    def done(self, text: str) -> None:
        """Print what has ended."""
        self._console.info(text)

    def close(self) -> None:
        """Nothing to close."""


class LiveProgress:
    """One line that moves: the stage, how long it has taken, its last detail."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._stage = ""
        self._started = 0.0

    def stage(self, text: str) -> None:
        """Begin a line."""
        self._stage = text
        self._started = time.monotonic()
        self._show("")

    def line(self, text: str) -> None:
        """Put a detail behind the stage."""
        self._show(text)

    def done(self, text: str) -> None:
        """Replace the line by what has ended."""
        self.close()
        self._console.info(text)

    def close(self) -> None:
        """Take the line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _show(self, detail: str) -> None:
        from rich.console import Console as RichConsole
        from rich.status import Status
        from rich.text import Text

        elapsed = time.monotonic() - self._started
        text = Text(f"{self._stage} ({elapsed:.0f} s)" if elapsed >= 1 else self._stage)
        text.append(f"  {detail}" if detail else "", style="dim")
        text.truncate(max(20, _terminal_width() - 4), overflow="ellipsis")
        if self._status is None:
            terminal = RichConsole(stderr=True, no_color=not self._console.color)
            self._status = Status(text, console=terminal)
            self._status.start()
        else:
            self._status.update(text)


def choose_progress(style: str | None, environ: Mapping[str, str], console: Console) -> Display:
    """Return the display for `--progress`, else `BUILDKIT_PROGRESS`, else what stderr can show."""
    chosen = style or environ.get("BUILDKIT_PROGRESS", "auto")
    if chosen == "quiet":
        return QuietProgress()
    is_capable = sys.stderr.isatty() and environ.get("TERM") != "dumb"
    if chosen == "tty" or (chosen != "plain" and is_capable):
        return LiveProgress(console)
    return PlainProgress(console)


def _terminal_width() -> int:
    import shutil

    return shutil.get_terminal_size().columns
