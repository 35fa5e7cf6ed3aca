"""One question at a time: shared, bounded, and never asked twice over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from cog._bridge.messages import Healthcheck, HealthcheckResult
from cogworks.server.healthcheck import WORKER_GONE, HealthChecker
from cogworks.server.service import PredictionRequest

Play = Callable[..., Any]


def begin(checker: HealthChecker, count: int = 1) -> list[asyncio.Task[str | None]]:
    return [asyncio.create_task(checker.check()) for _ in range(count)]


def test_the_answer_is_shared_by_all_who_ask_meanwhile(play: Play) -> None:
    async def scene() -> None:
        sent: list[Healthcheck] = []
        checker = HealthChecker(sent.append)
        waiting = begin(checker, 100)
        await asyncio.sleep(0)
        checker.on_result(HealthcheckResult("ill"))
        assert await asyncio.gather(*waiting) == ["ill"] * 100
        assert sent == [Healthcheck(5.0)]

    play(scene())


def test_each_answer_is_for_one_question(play: Play) -> None:
    async def scene() -> None:
        sent: list[Healthcheck] = []
        checker = HealthChecker(sent.append)
        for error in ("ill", None, "ill again"):
            (waiting,) = begin(checker)
            await asyncio.sleep(0)
            checker.on_result(HealthcheckResult(error))
            assert await waiting == error
        assert len(sent) == 3

    play(scene())


def test_an_answer_that_is_there_at_once_is_taken(play: Play) -> None:
    async def scene() -> None:
        checker = HealthChecker(lambda _: checker.on_result(HealthcheckResult()))
        assert await checker.check() is None

    play(scene())


def test_who_leaves_takes_the_answer_from_nobody(play: Play) -> None:
    async def scene() -> None:
        checker = HealthChecker(lambda _: None)
        leaves, stays = begin(checker, 2)
        await asyncio.sleep(0)
        leaves.cancel()
        await asyncio.wait({leaves})
        checker.on_result(HealthcheckResult())
        assert await stays is None

    play(scene())


def test_without_an_answer_everybody_is_told_so_and_the_worker_not_asked_again(play: Play) -> None:
    text = "Healthcheck failed: user-defined healthcheck timed out after 0.1 seconds"

    async def scene() -> None:
        sent: list[Healthcheck] = []
        checker = HealthChecker(sent.append, timeout_s=0.1)
        assert await asyncio.gather(*begin(checker, 3)) == [text] * 3
        started_at = asyncio.get_running_loop().time()
        for _ in range(3):
            assert await checker.check() == text
        assert asyncio.get_running_loop().time() - started_at < 0.1
        assert len(sent) == 1

    play(scene())


def test_a_late_answer_only_lets_the_next_one_ask_anew(play: Play) -> None:
    async def scene() -> None:
        sent: list[Healthcheck] = []
        checker = HealthChecker(sent.append, timeout_s=0.01)
        assert await checker.check() is not None
        checker.on_result(HealthcheckResult("too late to matter"))
        (waiting,) = begin(checker)
        await asyncio.sleep(0)
        checker.on_result(HealthcheckResult())
        assert await waiting is None
        assert len(sent) == 2

    play(scene())


def test_a_worker_that_dies_leaves_nobody_waiting(play: Play) -> None:
    async def scene() -> None:
        sent: list[Healthcheck] = []
        checker = HealthChecker(sent.append)
        (waiting,) = begin(checker)
        await asyncio.sleep(0)
        checker.on_death()
        assert await waiting == WORKER_GONE
        begin(checker)
        await asyncio.sleep(0)
        assert len(sent) == 2  # The next worker is asked for itself.
        checker.on_death()

    play(scene())


def test_an_answer_to_no_question_is_ignored(play: Play) -> None:
    async def scene() -> None:
        checker = HealthChecker(lambda _: None)
        checker.on_result(HealthcheckResult("nobody asked"))
        checker.on_death()
        (waiting,) = begin(checker)
        await asyncio.sleep(0)
        checker.on_result(HealthcheckResult())
        assert await waiting is None

    play(scene())


@pytest.mark.slow
@pytest.mark.parametrize("model", ["healthcheck", "healthcheck_async"])
def test_a_real_worker_is_asked_while_it_works(play: Play, stage: Any, model: str) -> None:
    async def scene() -> None:
        async with stage(model) as it:
            (worker,) = it.service.workers
            assert await worker.healthcheck() is None
            await it.service.submit(PredictionRequest({"how": "false"})).wait()
            text = "Healthcheck failed: user-defined healthcheck returned False"
            assert await worker.healthcheck() == text
            run = it.service.submit(PredictionRequest({"how": "wait"}))
            while await worker.healthcheck() is not None:
                pass  # Until the prediction has begun.
            it.service.cancel(run)
            await run.wait()

    play(scene())


@pytest.mark.slow
def test_a_model_without_a_healthcheck_is_well(play: Play, stage: Any) -> None:
    async def scene() -> None:
        async with stage("echo") as it:
            (worker,) = it.service.workers
            assert await worker.healthcheck() is None

    play(scene())
