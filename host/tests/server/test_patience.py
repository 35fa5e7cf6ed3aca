"""Who leaves is noticed, who stays is left alone."""

from __future__ import annotations

import asyncio
from typing import Any

from cogworks.server import patience
from cogworks.server.patience import Patience


class Client:
    """A connection that ends when it is told to."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.is_watched = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        self.is_watched.set()
        await self.left.wait()
        return {"type": "http.disconnect"}


def test_a_client_that_leaves_is_told_of(play: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(patience, "TICK_S", 0.001)

    async def scene() -> None:
        told: asyncio.Queue[Any] = asyncio.Queue()
        client: Any = Client()
        run: Any = object()
        waiting = Patience(told.put_nowait)
        waiting.begin(run, client.receive)
        await client.is_watched.wait()
        client.left.set()
        assert await told.get() is run
        waiting.end(run)

    play(scene())


def test_a_quick_prediction_is_never_watched(play: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(patience, "TICK_S", 0.001)

    async def scene() -> None:
        told: list[Any] = []
        quick: Any = Client()
        slow: Any = Client()
        waiting = Patience(told.append)
        first: Any = object()
        second: Any = object()
        waiting.begin(first, quick.receive)
        waiting.end(first)
        waiting.begin(second, slow.receive)
        await slow.is_watched.wait()
        waiting.end(second)
        await asyncio.sleep(0)
        assert not quick.is_watched.is_set()
        assert told == []

    play(scene())
