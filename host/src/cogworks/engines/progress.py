"""What an engine tells while it works; the command line shows it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives what happens while an environment is made.

    Nothing is told when an environment is reused. Texts are single lines without secrets. When
    the work fails, ``done`` is not called: the error says the rest.
    """

    def stage(self, text: str) -> None:
        """Start a stage: ``Finding Python 3.11``, ``Installing packages``."""
        ...

    def line(self, text: str) -> None:
        """Show one line of the tool that works on the current stage."""
        ...

    def done(self, text: str) -> None:
        """All stages are over: ``Environment ready in 3.2 s``."""
        ...


class Details:
    """Shows stages as details of another one, beside which they happen."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def stage(self, text: str) -> None:
        """Show what begins."""
        self._progress.line(text)

    def line(self, text: str) -> None:
        """Show a detail."""
        self._progress.line(text)

    def done(self, text: str) -> None:
        """Show what has ended."""
        self._progress.line(text)
