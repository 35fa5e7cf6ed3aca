"""The display of a build on a terminal: finished steps stay, the one that is going on moves below them."""

from __future__ import annotations

import time

from rich.console import Console as Terminal
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from cogworks.cli.build_display import LayerLine, Transfer
from cogworks.cli.console import Console
from cogworks.cli.sizes import shown_size

FRAMES_PER_S = 10
BAR_WIDTH = 30
WORTH_TELLING_S = 0.1
"""A step that took less leaves no line."""


class LiveBuild:
    """Shows a build on a terminal; nothing is drawn before something begins."""

    def __init__(self, console: Console, terminal: Terminal | None = None) -> None:
        self._console = console
        self._terminal = terminal or Terminal(
            stderr=True, no_color=not console.color, highlight=False
        )
        self._live: Live | None = None
        self._stage, self._detail = "", ""
        self._started = 0.0
        self._transfers: dict[str, Transfer] = {}
        self._sending_since = 0.0
        # One for all frames: a new one would always show the first.
        self._spinner = Spinner("dots")

    def stage(self, text: str) -> None:
        """Begin a step; the one before has ended."""
        self._finish_stage()
        self._stage, self._detail, self._started = text, "", time.monotonic()
        self._draw()

    def line(self, text: str) -> None:
        """Put a detail behind the step."""
        self._detail = text
        self._draw()

    def done(self, text: str) -> None:
        """Leave a line that says what has ended."""
        self._finish_stage()
        self._print(Text(text))

    def layer(self, line: LayerLine) -> None:
        """Leave a line for a layer that was made."""
        if line.is_new:
            text = Text("  ")
            text.append(line.title)
            text.append(f"  {shown_size(line.size_bytes)}", style="dim")
            self._print(text)

    def transfer(self, event: Transfer) -> None:
        """Move the bar of what is sent."""
        if not self._transfers:
            self._sending_since = time.monotonic()
        self._transfers[event.what] = event
        self._draw()

    def warning(self, text: str) -> None:
        """Print a warning above what moves."""
        self._print(Text.assemble(("⚠ ", "yellow"), text))

    def close(self) -> None:
        """Leave the terminal to others; idempotent."""
        if self._live is not None:
            self._live.update(Text(""))
            self._live.stop()
            self._live = None
        self._stage = ""
        self._transfers.clear()

    def _finish_stage(self) -> None:
        took = time.monotonic() - self._started
        if self._stage and took >= WORTH_TELLING_S:
            text = Text.assemble(("✔ ", "green"), self._stage)
            text.append(f"  {took:.1f} s", style="dim")
            self._print(text)
        self._stage = ""
        self._transfers.clear()

    def _print(self, text: Text) -> None:
        text.truncate(max(20, self._terminal.width - 1), overflow="ellipsis")
        self._terminal.print(text)

    def _draw(self) -> None:
        if self._live is None:
            self._live = Live(
                console=self._terminal,
                refresh_per_second=FRAMES_PER_S,
                transient=True,
                get_renderable=self._picture,
            )
            self._live.start()

    def _picture(self) -> RenderableType:
        if not self._stage:
            return Text("")
        text = Text(self._stage)
        took = time.monotonic() - self._started
        text.append(f"  {took:.0f} s" if took >= 1 else "", style="dim")
        text.append(f"  {self._detail}" if self._detail else "", style="dim")
        text.truncate(max(20, self._terminal.width - 4), overflow="ellipsis")
        row = Table.grid(padding=(0, 1))
        row.add_row(self._spinner, text)
        is_sending = any(not one.outcome for one in list(self._transfers.values()))
        return Group(row, self._bar()) if is_sending else row

    def _bar(self) -> RenderableType:
        listed = list(self._transfers.values())
        sent = sum(one.sent_bytes for one in listed)
        size = sum(one.size_bytes for one in listed)
        ended = sum(bool(one.outcome) for one in listed)
        took = max(time.monotonic() - self._sending_since, 0.001)
        row = Table.grid(padding=(0, 1))
        row.add_row(
            Text(f"  {ended}/{len(listed)}"),
            ProgressBar(total=max(size, 1), completed=sent, width=BAR_WIDTH),
            Text(f"{shown_size(sent)} of {shown_size(size)}  {shown_size(sent / took)}/s"),
        )
        return row
