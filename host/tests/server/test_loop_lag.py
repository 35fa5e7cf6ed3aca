"""A loop that is blocked is late by as long, and one that is not is on time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from cogworks.server.loop_lag import LoopLag

Play = Callable[..., Any]


def test_what_blocks_the_loop_is_measured(play: Play) -> None:
    async def scene() -> None:
        measured: asyncio.Queue[float] = asyncio.Queue()
        lag = LoopLag(measured.put_nowait, interval_s=0.01)
        lag.start()
        assert await measured.get() >= 0
        time.sleep(0.1)  # noqa: ASYNC251 - the subject: something that blocks
        while (await measured.get()) < 0.05:
            pass
        lag.close()

    play(scene())


def test_nothing_is_measured_after_the_end(play: Play) -> None:
    async def scene() -> None:
        measured: list[float] = []
        lag = LoopLag(measured.append, interval_s=0.0)
        lag.start()
        await asyncio.sleep(0.01)
        lag.close()
        lag.close()
        count = len(measured)
        await asyncio.sleep(0.01)
        assert 0 < count == len(measured)

    play(scene())


def test_a_measurement_that_ends_it_is_the_last(play: Play) -> None:
    async def scene() -> None:
        measured: list[float] = []

        def record(seconds: float) -> None:
            measured.append(seconds)
            lag.close()

        lag = LoopLag(record, interval_s=0.0)
        lag.start()
        await asyncio.sleep(0.01)
        assert len(measured) == 1

    play(scene())
