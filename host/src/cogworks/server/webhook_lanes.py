"""How many deliveries there may be at once: in all, and to one receiver.

Who waits for a receiver takes no place of the others, so that a dead one delays only itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

MOST_AT_ONCE = 256
"""Deliveries in all: a fair part of the 1024 descriptors that a process may usually have."""

MOST_PER_RECEIVER = 32
"""Deliveries to one receiver: an eighth of all, so that it takes eight dead ones to delay the rest."""


class _Lane:
    def __init__(self, width: int) -> None:
        self.places = asyncio.Semaphore(width)
        self.users = 0


class Lanes:
    """Gives out places; a receiver's lane exists only while somebody uses it or waits for it."""

    def __init__(self, total: int = MOST_AT_ONCE, per_receiver: int = MOST_PER_RECEIVER) -> None:
        """Begin with every place free."""
        self._total = asyncio.Semaphore(total)
        self._per_receiver = per_receiver
        self._lanes: dict[str, _Lane] = {}

    @contextlib.asynccontextmanager
    async def place(self, receiver: str) -> AsyncGenerator[None]:
        """Hold a place, once there is one, as long as the context lasts."""
        lane = self._lanes.get(receiver)
        if lane is None:
            lane = self._lanes[receiver] = _Lane(self._per_receiver)
        lane.users += 1
        try:
            async with lane.places, self._total:
                yield
        finally:
            lane.users -= 1
            if not lane.users:
                del self._lanes[receiver]
