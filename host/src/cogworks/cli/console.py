"""What people read: every line goes to stderr, so that stdout holds results alone.

A line has a symbol in front only where colours are on: they are off with `--no-color`,
`NO_COLOR`, `COG_NO_COLOR`, `TERM=dumb`, or when stderr is not a terminal.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence

_GRAY, _YELLOW, _RED = 90, 33, 31
SYMBOLS = {"info": ("⚙", _GRAY), "warning": ("⚠", _YELLOW), "error": ("✗", _RED)}
"""Level -> a symbol, and the number of its colour (ECMA-48, "Select Graphic Rendition")."""


class Console:
    """Writes lines for people on stderr."""

    def __init__(self, *, color: bool = False, debug: bool = False) -> None:
        self.color, self.debug = color, debug

    def info(self, text: str) -> None:
        """Say what is going on."""
        self._write("info", text)

    def detail(self, text: str) -> None:
        """Say more of what was said last."""
        print(f"  {text}", file=sys.stderr, flush=True)

    def warning(self, text: str) -> None:
        """Say what the user should know but need not act on."""
        self._write("warning", text if self.color else f"warning: {text}")

    def error(self, text: str) -> None:
        """Say why the command ends."""
        self._write("error", f"error: {text}")

    def account(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Say what a command has come to: a title, and rows of (what, how it is) in columns."""
        width = max(len(name) for name, _ in rows)
        self.info(title)
        for name, text in rows:
            self.detail(f"{name:{width}}  {text}")

    def _write(self, level: str, text: str) -> None:
        if self.color:
            symbol, number = SYMBOLS[level]
            text = f"\x1b[{number}m{symbol}\x1b[0m {text}"
        print(text, file=sys.stderr, flush=True)


class JsonConsole(Console):
    """Says the same to a program: one JSON object a line, as `tell_event` writes it."""

    def info(self, text: str) -> None:
        """Tell what is going on."""
        tell_event("info", text=text)

    def detail(self, text: str) -> None:
        """Tell more of what was said last."""
        tell_event("line", text=text)

    def warning(self, text: str) -> None:
        """Tell what the user should know."""
        tell_event("warning", text=text)

    def error(self, text: str) -> None:
        """Tell why the command ends."""
        tell_event("error", text=text)

    def account(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Tell what a command has come to, in one object."""
        tell_event("result", text=title, **dict(rows))


def tell_event(event: str, **fields: object) -> None:
    """Write one JSON object on a line of stderr; `event` says what it is, `time` is in seconds since 1970."""
    line = json.dumps({"event": event, "time": round(time.time(), 3), **fields})
    print(line, file=sys.stderr, flush=True)


def is_color_wanted(environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Return whether lines may have colours."""
    switched_off = bool(environ.get("NO_COLOR") or environ.get("COG_NO_COLOR"))
    return is_terminal and not switched_off and environ.get("TERM") != "dumb"
