"""Predictions end to end without HTTP, on real workers."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any

import pytest

from cogworks.server.errors import (
    AtCapacityError,
    InvalidInputError,
    NotReadyError,
    SetupFailedError,
    StoppingError,
)
from cogworks.server.lifecycle import WorkerState
from cogworks.server.predictions import OutputAdded, Prediction, Started, Succeeded
from cogworks.server.service import PredictionRequest

pytestmark = pytest.mark.slow


def request(**inputs: Any) -> PredictionRequest:
    return PredictionRequest(inputs)


def test_a_prediction_succeeds_with_its_output_and_logs(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("prints") as it:
            result = await it.service.submit(request()).wait()
            assert result["status"] == "succeeded"
            assert result["output"] == "printed"
            assert sorted(result["logs"].splitlines()) == [
                "from a child",
                "from print",
                "from stderr",
                "from the descriptor",
                "no newline at the end",
            ]

    play(scene())


def test_a_megabyte_of_logs_arrives_whole(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("prints") as it:
            result = await it.service.submit(request(megabytes=2)).wait()
            assert result["logs"].count("x") >= 2 * 1024 * 1023

    play(scene())


def test_what_setup_prints_belongs_to_setup(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("echo") as it:
            assert it.service.workers[0].setup.logs == "setting up\n"
            result = await it.service.submit(request(text="x")).wait()
            assert result["logs"] == ""

    play(scene())


def test_the_observer_sees_every_event_in_order(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("yields") as it:
            seen: list[Any] = []

            def see(prediction: Prediction, event: Any) -> None:
                seen.append(event)

            run = it.service.submit(request(count=2), see)
            await run.wait()
            assert [type(event) for event in seen] == [Started, OutputAdded, OutputAdded, Succeeded]
            assert [event.value for event in seen[1:3]] == ["item 0", "item 1"]

    play(scene())


def test_async_predictions_run_at_once_with_their_own_logs(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("echo_async") as it:
            runs = [it.service.submit(request(text=str(n), delay=0.2)) for n in range(8)]
            assert it.service.is_busy()
            with pytest.raises(AtCapacityError):
                it.service.submit(request(text="one too many"))
            for number, run in enumerate(runs):
                result = await run.wait()
                assert result["output"] == f"hello {number}"
                assert result["logs"] == f"working on {number}\ndone with {number}"
            assert not it.service.is_busy()

    play(scene())


def test_a_slot_is_free_when_the_result_is_known(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("echo") as it:
            for _ in range(200):
                await it.service.submit(request(text="x")).wait()

    play(scene())


def test_a_model_that_fails_is_told_with_its_reason_and_traceback(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("misbehaves") as it:
            result = await it.service.submit(request(how="raise")).wait()
            assert result["status"] == "failed"
            assert result["error"] == "this model always fails"
            assert "Traceback" in result["logs"]
            assert "predict_time" in result["metrics"]

    play(scene())


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("os._exit", "worker exited with code 7 after"),
        ("kill", "worker was killed by signal 9 after"),
        ("segfault", "worker was killed by signal 11 (SIGSEGV) after"),
    ],
)
def test_a_dead_worker_fails_its_prediction_with_the_reason_and_is_replaced(
    stage: Any, play: Any, how: str, reason: str
) -> None:
    async def scene() -> None:
        async with stage("misbehaves") as it:
            result = await it.service.submit(request(how=how)).wait()
            assert result["status"] == "failed"
            assert reason in result["error"]
            await it.service.wait_ready()
            assert (await it.service.submit(request()).wait())["output"] == "fine"

    play(scene())


def test_a_kill_during_a_prediction_is_noticed_at_once(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("sleeps") as it:
            run = it.service.submit(request(seconds=60))
            await it.wait_printed("sleeping")
            killed_at = time.monotonic()
            os.kill(it.service.workers[0].pid, signal.SIGKILL)
            result = await run.wait()
            assert time.monotonic() - killed_at < 1
            assert result["error"].startswith("worker was killed by signal 9")
            await it.service.wait_ready()
            assert (await it.service.submit(request(seconds=0)).wait())["status"] == "succeeded"

    play(scene())


def test_a_child_that_holds_the_descriptors_does_not_hide_the_death(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("forks") as it:
            result = await it.service.submit(request(die=True)).wait()
            assert "worker exited with code 1" in result["error"]

    play(scene())


def test_three_deaths_in_a_row_are_enough(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("setup_exits", wait=False, max_deaths=2) as it:
            with pytest.raises(SetupFailedError, match="worker exited with code 9") as caught:
                await it.service.wait_ready()
            assert caught.value.logs == "last words\n"
            assert it.service.workers[0].state is WorkerState.DEFUNCT
            with pytest.raises(NotReadyError, match="worker exited with code 9"):
                it.service.submit(request())

    play(scene())


def test_a_setup_that_raises_is_reported_with_its_logs(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("setup_raises", wait=False) as it:
            with pytest.raises(SetupFailedError, match="weights are corrupt") as caught:
                await it.service.wait_ready()
            assert caught.value.logs.startswith("loading weights\nTraceback")

    play(scene())


def test_a_setup_that_hangs_is_ended_at_its_deadline(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("setup_hangs", wait=False, setup_timeout_s=1.0) as it:
            with pytest.raises(SetupFailedError, match="did not finish within 1 s") as caught:
                await it.service.wait_ready()
            assert caught.value.logs == "waiting for something\n"

    play(scene())


def test_a_missing_interpreter_is_a_setup_failure(stage: Any, play: Any, sdk_tree: Any) -> None:
    from pathlib import Path

    from cogworks.server.launch import WorkerLaunch
    from cogworks.server.service import PredictionService
    from cogworks.server.settings import Settings

    async def scene() -> None:
        launch = WorkerLaunch(Path("/nonexistent/python"), sdk_tree, Path.cwd(), "run.py")
        service = PredictionService(Settings(), launch, None, on_log=print)
        await service.start()
        with pytest.raises(SetupFailedError, match="cannot be started"):
            await service.wait_ready()
        await service.stop()

    play(scene())


def test_before_setup_has_finished_nothing_is_taken(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("setup_hangs", wait=False) as it:
            with pytest.raises(NotReadyError, match="Setup has not finished yet"):
                it.service.submit(request())

    play(scene())


def test_inputs_are_checked_against_the_live_schema_where_there_is_no_other(
    stage: Any, play: Any
) -> None:
    async def scene() -> None:
        async with stage("echo") as it:
            with pytest.raises(InvalidInputError, match="text: Field required"):
                it.service.submit(request())

    play(scene())


def test_a_cancel_ends_the_prediction_and_frees_the_slot(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("sleeps") as it:
            run = it.service.submit(request(seconds=60))
            await it.wait_printed("sleeping")
            it.service.cancel(run)
            it.service.cancel(run)
            assert (await run.wait())["status"] == "canceled"
            assert (await it.service.submit(request(seconds=0)).wait())["status"] == "succeeded"
            it.service.cancel(run)

    play(scene())


def test_a_model_that_ignores_the_cancel_is_killed_after_the_deadline(
    stage: Any, play: Any
) -> None:
    async def scene() -> None:
        async with stage("ignores_cancel", cancel_timeout_s=0.2) as it:
            run = it.service.submit(request())
            await it.wait_printed("ignoring")
            it.service.cancel(run)
            assert (await run.wait())["status"] == "canceled"
            await it.service.wait_ready()

    play(scene())


def test_files_go_in_and_come_out_and_leave_nothing(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("files") as it:
            url = "data:text/plain;base64,c2hvdXQ="
            result = await it.service.submit(request(document=url)).wait()
            assert result["output"] == "data:text/plain;base64,U0hPVVQ="
            temp_dir = it.service.workers[0].temp_dir
            assert [path for path in temp_dir.rglob("*") if path.is_file()] == []

    play(scene())


def test_an_input_longer_than_a_frame_reaches_the_model(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("echo") as it:
            text = "x" * (65 * 1024 * 1024)
            result = await it.service.submit(request(text=text)).wait()
            assert result["output"] == "hello " + text

    play(scene())


def test_several_workers_run_a_sync_model_at_once(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("sleeps", workers=2) as it:
            while len(it.service.ready_workers) < 2:  # noqa: ASYNC110 - one ready is an event, two are not
                await asyncio.sleep(0.01)
            runs = [it.service.submit(request(seconds=0.3)) for _ in range(2)]
            assert it.service.is_busy()
            assert len({run.worker for run in runs}) == 2
            for run in runs:
                assert (await run.wait())["status"] == "succeeded"

    play(scene())


def test_secrets_are_not_shown(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("secrets") as it:
            result = await it.service.submit(request(token="geheim")).wait()
            assert result["output"] == 6
            assert "geheim" not in str(result)

    play(scene())


def test_context_and_metrics_make_the_round(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("measures") as it:
            result = await it.service.submit(PredictionRequest({}, {"who": "me"})).wait()
            assert result["output"] == "me"
            assert result["metrics"]["tokens"] == {"in": 3, "out": 3}
            assert result["metrics"]["steps"] == ["a", "b"]

    play(scene())


def test_a_client_may_use_its_id_again(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("echo") as it:
            for _ in range(2):
                run = it.service.submit(PredictionRequest({"text": "x"}, id="mine"))
                assert (await run.wait())["id"] == "mine"

    play(scene())


def test_a_stop_lets_predictions_finish_within_the_grace(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("sleeps") as it:
            run = it.service.submit(request(seconds=0.3))
            stopping = asyncio.create_task(it.service.stop(10.0))
            await asyncio.sleep(0)
            with pytest.raises(StoppingError):
                it.service.submit(request(seconds=0))
            temp_dir = it.service.workers[0].temp_dir
            await stopping
            assert (await run.wait())["status"] == "succeeded"
            assert it.service.workers[0].pid is None
            assert not temp_dir.exists()

    play(scene())


def test_a_stop_without_grace_leaves_nobody_waiting(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("ignores_cancel") as it:
            run = it.service.submit(request())
            await it.wait_printed("ignoring")
            await it.service.stop()
            assert (await run.wait())["status"] in ("canceled", "failed")

    play(scene())


def test_a_stop_right_after_a_death_starts_nothing_new(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("misbehaves") as it:
            await it.service.submit(request(how="os._exit")).wait()
            while it.service.workers[0].state is WorkerState.WAITING:  # noqa: ASYNC110 - one turn at a time
                await asyncio.sleep(0)
            await it.service.stop()
            assert it.service.workers[0].pid is None

    play(scene())


def test_a_restart_replaces_the_worker(stage: Any, play: Any) -> None:
    async def scene() -> None:
        async with stage("echo") as it:
            before = it.service.workers[0].pid
            await it.service.restart_workers()
            await it.service.wait_ready()
            assert it.service.workers[0].pid != before
            assert (await it.service.submit(request(text="x")).wait())["output"] == "hello x"

    play(scene())
