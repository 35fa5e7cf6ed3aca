"""Notice clients that go away while their predictions run, at next to no cost for the quick ones.

To listen for the end of a connection takes a task. Most predictions of a quick model are over
before it could begin, so only those that have lasted a while are watched; one timer serves all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from cogworks.server.run import Run

if TYPE_CHECKING:
    from starlette.types import Receive

TICK_S = 0.02
"""A prediction is watched once it has lasted between one and two of these."""


class Patience:
    """Knows the predictions that a client waits for; ``on_left`` is told whose client has left."""

    def __init__(self, on_left: Callable[[Run], None]) -> None:
        """Begin with none."""
        self._on_left = on_left
        self._new: dict[Run, Receive] = {}
        self._older: dict[Run, Receive] = {}
        self._watchers: dict[Run, asyncio.Task[None]] = {}
        self._is_ticking = False

    def begin(self, run: Run, receive: Receive) -> None:
        """Note that a client waits for ``run``; ``receive`` tells when it leaves."""
        self._new[run] = receive
        if not self._is_ticking:
            self._is_ticking = True
            asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def end(self, run: Run) -> None:
        """Note that nobody waits any more."""
        if self._new.pop(run, None) or self._older.pop(run, None):
            return
        watcher = self._watchers.pop(run, None)
        if watcher is not None:
            watcher.cancel()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        for run, receive in self._older.items():
            self._watchers[run] = loop.create_task(self._watch(run, receive))
        self._older, self._new = self._new, {}
        self._is_ticking = bool(self._older)
        if self._is_ticking:
            loop.call_later(TICK_S, self._tick)

    async def _watch(self, run: Run, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._on_left(run)
