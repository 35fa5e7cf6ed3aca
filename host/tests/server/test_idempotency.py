"""One id is one prediction: never run a second time, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cogworks.server.errors import ConflictError
from cogworks.server.run import Run
from cogworks.server.service import PredictionRequest
from cogworks.server.store import MemoryStore, Record

pytestmark = pytest.mark.slow


class SlowStore(MemoryStore):
    """Looks at once, but answers each of the first searches only when its gate is opened."""

    def __init__(self, gates: int) -> None:
        super().__init__()
        self.gates = [asyncio.Event() for _ in range(gates)]
        self.searches = 0
        self._searched = asyncio.Event()

    async def find(self, prediction_id: str) -> Record | None:
        record = await super().find(prediction_id)
        self.searches += 1
        self._searched.set()
        if self.searches <= len(self.gates):
            await self.gates[self.searches - 1].wait()
        return record

    async def wait_search(self) -> None:
        await self._searched.wait()
        await asyncio.sleep(0)


def request(prediction_id: str, text: str = "x") -> PredictionRequest:
    return PredictionRequest({"text": text}, id=prediction_id)


def test_an_id_that_begins_and_ends_while_the_store_is_asked_does_not_run_again(
    stage: Any, play: Any
) -> None:
    async def scene() -> None:
        store = SlowStore(gates=2)
        async with stage("echo", store=store) as it:
            runs: set[Run] = set()

            async def ask() -> None:
                found = await it.service.find_or_submit(request("p1"))
                if isinstance(found, Run):
                    runs.add(found)
                    await found.wait_end()

            first, second = asyncio.create_task(ask()), asyncio.create_task(ask())
            await store.wait_search()
            store.gates[0].set()
            await first
            store.gates[1].set()
            await second
            assert len(runs) == 1

    play(scene())


def test_a_search_that_fails_holds_up_nobody(stage: Any, play: Any) -> None:
    async def scene() -> None:
        store = SlowStore(gates=1)
        async with stage("echo", store=store) as it:
            first = asyncio.create_task(it.service.find_or_submit(request("p1")))
            second = asyncio.create_task(it.service.find_or_submit(request("p1")))
            await store.wait_search()
            first.cancel()  # Its client has hung up.
            run = await second
            assert (await run.wait())["status"] == "succeeded"

    play(scene())


def test_another_input_is_a_conflict_before_and_after_the_end(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("echo") as it:
            run = await it.service.find_or_submit(request("p1"))
            with pytest.raises(ConflictError):
                await it.service.find_or_submit(request("p1", "y"))
            await run.wait_end()
            with pytest.raises(ConflictError):
                await it.service.find_or_submit(request("p1", "y"))

    play(scene())


def test_a_secret_counts_though_it_is_not_kept_and_the_next_server_cannot_tell(
    stage: Any, play: Any
) -> None:
    def ask(token: str) -> PredictionRequest:
        return PredictionRequest({"token": token}, id="p1")

    async def scene() -> None:
        store = MemoryStore()
        async with stage("secrets", store=store) as it:
            run = await it.service.find_or_submit(ask("geheim"))
            await run.wait_end()
            record = await it.service.find_or_submit(ask("geheim"))
            assert record.body == run.body()
            with pytest.raises(ConflictError, match="a different input"):
                await it.service.find_or_submit(ask("falsch"))
        async with stage("secrets", store=store) as it:
            for token in ("geheim", "falsch"):
                with pytest.raises(ConflictError, match="nobody can tell"):
                    await it.service.find_or_submit(ask(token))

    play(scene())


def test_nobody_can_check_a_guess_at_a_secret_by_its_digest(stage: Any, play: Any) -> None:
    async def scene() -> None:
        digests: set[str | None] = set()
        request = PredictionRequest({"token": "1234"}, id="p1")
        for _ in range(2):
            store = MemoryStore()
            async with stage("secrets", store=store) as it:
                run = await it.service.find_or_submit(request)
                await run.wait_end()
                record = await store.find("p1")
                assert record is not None
                digests.add(record.digest)
        assert len(digests) == 2  # Each server has a key of its own.
        assert all(digest and request.digest() not in digest for digest in digests)

    play(scene())
