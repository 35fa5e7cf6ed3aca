"""Shows a build and a push, on stderr.

LiveBuild     a terminal: what is done stays, what is going on moves (`live_build.py`)
PlainBuild    a log, a pipe: a line for each step and layer, and for an upload one every few seconds
JsonBuild     a program: a JSON object a line
QuietBuild    nothing but warnings
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import click

from cogworks.cli.console import Console, tell_event
from cogworks.cli.progress import Display
from cogworks.cli.sizes import shown_size

TELL_EVERY_S = 5.0
"""How often a log hears of an upload."""
STYLES = ("auto", "tty", "plain", "json", "quiet")


@dataclass(frozen=True, slots=True)
class LayerLine:
    """A layer that is there; ``is_new`` if it was made just now."""

    title: str
    size_bytes: int
    is_new: bool
    digest: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """So many bytes of a blob, or of an archive, have been sent; ``outcome`` is set when that is over."""

    what: str
    sent_bytes: int
    size_bytes: int
    outcome: str = ""


class BuildDisplay(Display, Protocol):
    """A display of builds."""

    def layer(self, line: LayerLine) -> None:
        """Show a layer that is there."""
        ...

    def transfer(self, event: Transfer) -> None:
        """Show how far an upload is; may be called by several threads, one at a time."""
        ...

    def warning(self, text: str) -> None:
        """Show what the user should know, without disturbing the rest."""
        ...


class QuietBuild:
    """Shows warnings only."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def stage(self, text: str) -> None:
        """Ignore it."""

    def line(self, text: str) -> None:
        """Ignore it."""

    def done(self, text: str) -> None:
        """Ignore it."""

    def close(self) -> None:
        """Nothing to close."""

    def layer(self, line: LayerLine) -> None:
        """Ignore it."""

    def transfer(self, event: Transfer) -> None:
        """Ignore it."""

    def warning(self, text: str) -> None:
        """Print it."""
        self._console.warning(text)


class PlainBuild(QuietBuild):
    """Prints every step as it comes."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(console)
        self._clock = clock
        self._told_at = clock()
        self._sent: dict[str, Transfer] = {}

    def stage(self, text: str) -> None:
        """Print what begins."""
        self._console.info(text)

    def line(self, text: str) -> None:
        """Print a detail, indented."""
        click.echo(f"  {text}", err=True)

    def done(self, text: str) -> None:
        """Print what has ended."""
        self._console.info(text)

    def layer(self, line: LayerLine) -> None:
        """Print a layer that was made; those that were there already are not worth a line."""
        if line.is_new:
            self.line(f"{line.title}: {shown_size(line.size_bytes)}")

    def transfer(self, event: Transfer) -> None:
        """Print what has arrived, and now and then how far all of it is."""
        self._sent[event.what] = event
        if event.outcome == "existed":
            return
        if event.outcome:
            self.line(f"{event.what}: {shown_size(event.size_bytes)}, {event.outcome}")
        elif self._clock() - self._told_at >= TELL_EVERY_S:
            self._told_at = self._clock()
            open_ones = [one for one in self._sent.values() if not one.outcome]
            sent = sum(one.sent_bytes for one in open_ones)
            size = sum(one.size_bytes for one in open_ones)
            self.line(f"{shown_size(sent)} of {shown_size(size)} sent")


class JsonBuild:
    """Prints one JSON object a line, as `console.tell_event` does."""

    def stage(self, text: str) -> None:
        """Tell what begins."""
        tell_event("stage", text=text)

    def line(self, text: str) -> None:
        """Tell a detail."""
        tell_event("line", text=text)

    def done(self, text: str) -> None:
        """Tell what has ended."""
        tell_event("done", text=text)

    def close(self) -> None:
        """Nothing to close."""

    def layer(self, line: LayerLine) -> None:
        """Tell of a layer."""
        tell_event(
            "layer", title=line.title, size=line.size_bytes, new=line.is_new, digest=line.digest
        )

    def transfer(self, event: Transfer) -> None:
        """Tell how far an upload is."""
        tell_event(
            "transfer",
            what=event.what,
            sent=event.sent_bytes,
            size=event.size_bytes,
            outcome=event.outcome,
        )

    def warning(self, text: str) -> None:
        """Tell what the user should know."""
        tell_event("warning", text=text)


class LateBuild:
    """Passes on what happens, but begins a stage only when something takes time in it: nothing is shown of what is there."""

    def __init__(self, display: BuildDisplay) -> None:
        self._display = display
        self._stage = ""

    def stage(self, text: str) -> None:
        """Keep what begins until it turns out to be work."""
        self._stage = text

    def line(self, text: str) -> None:
        """Tell a detail of work."""
        self._begin()
        self._display.line(text)

    def done(self, text: str) -> None:
        """Tell what has ended."""
        self._begin()
        self._display.done(text)

    def close(self) -> None:
        """Close the display."""
        self._display.close()

    def layer(self, line: LayerLine) -> None:
        """Show a layer that was made."""
        if line.is_new:
            self._begin()
            self._display.layer(line)

    def transfer(self, event: Transfer) -> None:
        """Show how far an upload is."""
        self._begin()
        self._display.transfer(event)

    def warning(self, text: str) -> None:
        """Print it."""
        self._display.warning(text)

    def _begin(self) -> None:
        if self._stage:
            self._display.stage(self._stage)
            self._stage = ""


def choose_build_display(
    style: str | None, environ: Mapping[str, str], console: Console
) -> BuildDisplay:
    """Return the display for `--progress`, else `BUILDKIT_PROGRESS`, else what stderr can show."""
    if is_json_wanted(style, environ):
        return JsonBuild()
    chosen = _chosen(style, environ)
    if chosen == "quiet":
        return QuietBuild(console)
    is_capable = sys.stderr.isatty() and environ.get("TERM") != "dumb"
    if chosen == "tty" or (chosen != "plain" and is_capable):
        from cogworks.cli.live_build import LiveBuild

        return LiveBuild(console)
    return PlainBuild(console)


def is_json_wanted(style: str | None, environ: Mapping[str, str]) -> bool:
    """Tell whether a program reads what is shown."""
    return _chosen(style, environ) in ("json", "rawjson")


def _chosen(style: str | None, environ: Mapping[str, str]) -> str:
    return style or environ.get("BUILDKIT_PROGRESS") or "auto"
