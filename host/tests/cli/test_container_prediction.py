from __future__ import annotations

import asyncio

import httpx2
import pytest

from cogworks.cli.container_prediction import unless_it_ends
from cogworks.cli.errors import PredictionRefused
from cogworks.engines.containers.container import ContainerExited


async def broken() -> None:
    raise httpx2.RemoteProtocolError("Server disconnected without sending a response.")


async def end_soon() -> None:
    for _ in range(10):
        await asyncio.sleep(0)
    raise ContainerExited(3)


async def run_on() -> None:
    await asyncio.Event().wait()


def test_a_broken_connection_is_explained_by_the_end_that_is_told_later() -> None:
    with pytest.raises(ContainerExited, match="exited unexpectedly with code 3"):
        asyncio.run(unless_it_ends(end_soon(), broken()))


def test_a_broken_connection_to_a_container_that_runs_on_says_so() -> None:
    with pytest.raises(PredictionRefused, match="broke, and its container runs on: Server disc"):
        asyncio.run(unless_it_ends(run_on(), broken(), told_within_s=0))
