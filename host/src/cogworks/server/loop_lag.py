"""Measure how late the event loop is: what blocks it delays every client at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

INTERVAL_S = 0.5
"""How often it is looked at: twice a second costs an idle server nothing that can be measured."""


class LoopLag:
    """A timer that tells ``record`` by how many seconds it was late, again and again."""

    def __init__(self, record: Callable[[float], None], interval_s: float = INTERVAL_S) -> None:
        """Only keep what is needed."""
        self._record = record
        self._interval_s = interval_s
        self._due_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin; to be called on the event loop that is measured."""
        loop = asyncio.get_running_loop()
        self._due_at = loop.time() + self._interval_s
        self._timer = loop.call_at(self._due_at, self._measure)

    def close(self) -> None:
        """End; again does nothing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _measure(self) -> None:
        late_s = asyncio.get_running_loop().time() - self._due_at
        self.start()  # First: whoever is told may end it.
        self._record(max(late_s, 0.0))
