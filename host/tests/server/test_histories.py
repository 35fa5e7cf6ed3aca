"""What becomes of predictions whatever their worker does: by hand, and in random histories."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cog._bridge.messages import Done, Log, Metric, Output, Predict, Ready
from cogworks.errors import CogworksError
from cogworks.server.dispatch import Dispatcher
from cogworks.server.lifecycle import WorkerState
from cogworks.server.outputs import InlinedOutputs
from cogworks.server.pool import Pool
from cogworks.server.predictions import Canceled, Event, Failed, Prediction, Started, Succeeded
from cogworks.server.run import Run
from cogworks.server.settings import Settings
from cogworks.server.supervisor import Supervisor

ENDS = (Succeeded, Failed, Canceled)


class ScriptedWorker:
    """Stands in the place of a supervisor; says only what a test makes it say."""

    def __init__(self, slots: int = 1) -> None:
        self.state = WorkerState.READY
        self.ready: Ready | None = Ready(slots, is_async=slots > 1)
        self.reason: str | None = None
        self.has_full_disk = False
        self.given: list[str] = []
        self.canceled: list[str] = []
        self.killed: list[str] = []

    def predict(self, message: Predict, *, is_alone: bool) -> None:
        if self.has_full_disk:
            raise OSError(28, "No space left on device")
        self.given.append(message.id)

    def cancel(self, run_id: str) -> None:
        self.canceled.append(run_id)

    def kill(self, cause: str) -> None:
        self.killed.append(cause)

    def succeed(self) -> None:
        pass


class Scene:
    """A dispatcher on scripted workers, and what its observers saw of each prediction."""

    def __init__(self, *, slots: int = 1, **options: Any) -> None:
        self.double = ScriptedWorker(slots)
        self.worker = cast("Supervisor", self.double)
        self.pool = Pool([self.worker])
        self.ended: list[Run] = []
        self.dispatcher = Dispatcher(
            Settings(**options),
            on_log=lambda line: None,
            on_end=self.ended.append,
            on_change=lambda worker: None,
            outputs=InlinedOutputs(),
        )
        self.dispatcher.pool = self.pool
        self.seen: dict[str, tuple[list[Event], list[Event]]] = {}

    def begin(self, name: str = "p1") -> Run:
        run = Run(Prediction(name, {}, 0.0), name, {})
        first: list[Event] = []
        second: list[Event] = []
        self.seen[name] = (first, second)
        run.observers.append(lambda prediction, event: first.append(event))
        run.observers.append(lambda prediction, event: second.append(event))
        self.dispatcher.begin(run)
        return run

    def say(self, message: Output | Done | Log | Metric) -> None:
        self.dispatcher.on_message(self.worker, message)

    def die(self) -> None:
        """As the supervisor does: the state first, then the death, then the change."""
        self.double.state = WorkerState.WAITING
        self.dispatcher.on_death(self.worker, "worker died")
        self.dispatcher.on_change(self.worker)

    def come_back(self) -> None:
        self.double.state = WorkerState.READY
        self.dispatcher.on_change(self.worker)


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10):
            await scene()

    asyncio.run(bounded())


def file_output(path: Path | str) -> dict[str, Any]:
    return {"cog-file:1": {"path": str(path), "name": "page.txt", "remove": True}}


def test_a_metric_after_an_output_could_not_be_read_changes_nothing(tmp_path: Path) -> None:
    async def scene() -> None:
        it = Scene()
        run = it.begin()
        it.say(Output("p1", 0, "cog-file:1", file_output(tmp_path / "missing.txt")))
        await it.dispatcher.close()
        it.say(Metric("p1", "tokens", 3, "replace"))
        it.say(Log("p1", "stdout", "late"))
        it.say(Done("p1", "succeeded", streamed=True))
        result = await run.wait()
        assert result["status"] == "failed"
        assert "an output file cannot be read" in result["error"]
        assert "tokens" not in result["metrics"]
        assert it.pool.taken(it.worker) == 0

    play(scene)


def test_a_path_that_is_none_fails_the_prediction() -> None:
    async def scene() -> None:
        it = Scene()
        run = it.begin()
        it.say(Done("p1", "succeeded", "cog-file:1", files=file_output("a\0b")))
        assert "an output file cannot be read" in (await run.wait())["error"]

    play(scene)


def test_a_cancel_while_the_last_files_are_read_comes_too_late(tmp_path: Path) -> None:
    async def scene() -> None:
        it = Scene(cancel_timeout_s=0.0)
        page = tmp_path / "page.txt"
        page.write_text("x")
        run = it.begin()
        it.say(Done("p1", "succeeded", "cog-file:1", files=file_output(page)))
        it.dispatcher.cancel(run)
        await asyncio.sleep(0)
        assert (await run.wait())["status"] == "succeeded"
        assert it.double.canceled == []
        assert it.double.killed == []

    play(scene)


def test_a_deadline_of_a_cancel_ends_with_the_workers_part(tmp_path: Path) -> None:
    async def scene() -> None:
        it = Scene(cancel_timeout_s=60.0)
        page = tmp_path / "page.txt"
        page.write_text("x")
        run = it.begin()
        it.dispatcher.cancel(run)
        it.say(Done("p1", "succeeded", "cog-file:1", files=file_output(page)))
        assert [timer.cancelled() for timer in run.timers] == [True]
        await run.wait()

    play(scene)


@pytest.mark.parametrize("state", [WorkerState.DEFUNCT, WorkerState.SETUP_FAILED])
def test_what_waits_fails_when_no_worker_will_be_ready(state: WorkerState) -> None:
    async def scene() -> None:
        it = Scene(queue_size=2)
        it.begin("p1")
        waiting = it.begin("p2")
        it.die()
        assert not waiting.prediction.is_terminal
        it.double.state, it.double.reason = state, "it died too often"
        it.dispatcher.on_change(it.worker)
        result = await waiting.wait()
        assert result["error"] == "The model cannot be served: it died too often"
        assert it.dispatcher.runs == []

    play(scene)


def test_an_input_that_cannot_be_handed_over_takes_no_slot() -> None:
    async def scene() -> None:
        it = Scene()
        it.double.has_full_disk = True
        with pytest.raises(OSError, match="No space"):
            it.begin("p1")
        assert it.pool.taken(it.worker) == 0
        assert it.dispatcher.runs == []

    play(scene)


def test_one_that_waited_fails_when_it_cannot_be_handed_over() -> None:
    async def scene() -> None:
        it = Scene(queue_size=1)
        it.begin("p1")
        waiting = it.begin("p2")
        it.double.has_full_disk = True
        it.say(Done("p1", "succeeded", "fine"))
        assert "cannot be handed to the worker" in (await waiting.wait())["error"]
        assert it.pool.taken(it.worker) == 0

    play(scene)


STEPS = st.sampled_from(
    [
        "begin",
        "output",
        "page",
        "no page",
        "log",
        "metric",
        "done",
        "fail",
        "cancel",
        "death",
        "turn",
        "files",
    ]
)


class History:
    """Plays steps; predictions are chosen by number, those that are over among them."""

    def __init__(self, slots: int, tmp_path: Path) -> None:
        self.scene = Scene(slots=slots, queue_size=2)
        self.runs: list[Run] = []
        self.known = 0
        self._pages = tmp_path

    async def play(self, steps: list[tuple[str, int]]) -> None:
        for kind, number in steps:
            await self._step(kind, number)
            self._check_slots()
        if self.scene.double.state is not WorkerState.READY:
            self.scene.come_back()
        # Two deaths at most for each: whatever runs or waits comes to its end.
        for _ in range(2 * len(self.runs)):
            self.scene.die()
            self.scene.come_back()
        await self.scene.dispatcher.close()

    async def _step(self, kind: str, number: int) -> None:
        scene = self.scene
        if kind == "begin":
            name = f"p{len(scene.seen)}"
            try:
                self.runs.append(scene.begin(name))
            except CogworksError:
                del scene.seen[name]
                assert scene.pool.is_full()
                scene.seen[f"{name} refused"] = ([], [])
        elif kind == "turn":
            await asyncio.sleep(0)
        elif kind == "files":
            await scene.dispatcher.close()
        elif kind == "death":
            if scene.double.state is WorkerState.READY:
                scene.die()
            else:
                scene.come_back()
        elif self.runs:
            run = self.runs[number % len(self.runs)]
            if kind == "cancel":
                scene.dispatcher.cancel(run)
            elif run.run_id in scene.double.given and scene.double.state is WorkerState.READY:
                self._say(kind, run.run_id)

    def _say(self, kind: str, name: str) -> None:
        scene = self.scene
        page = self._pages / "page.txt"
        page.write_text("x")
        if kind in ("page", "no page"):
            path = page if kind == "page" else self._pages / "missing.txt"
            scene.say(Output(name, 0, "cog-file:1", file_output(path)))
        elif kind == "output":
            scene.say(Output(name, 0, "item"))
        elif kind == "log":
            scene.say(Log(name, "stdout", "words\n"))
        elif kind == "metric":
            scene.say(Metric(name, "steps", 1, "increment"))
        else:
            scene.say(Done(name, "succeeded" if kind == "done" else "failed", error="it failed"))

    def _check_slots(self) -> None:
        scene = self.scene
        assert scene.double.ready is not None
        assert 0 <= scene.pool.taken(scene.worker) <= scene.double.ready.slots


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 3), st.lists(st.tuples(STEPS, st.integers(0, 2)), min_size=12, max_size=40))
def test_every_history_ends_each_prediction_once_and_frees_its_slot(
    tmp_path_factory: pytest.TempPathFactory, slots: int, steps: list[tuple[str, int]]
) -> None:
    async def scene() -> None:
        history = History(slots, tmp_path_factory.mktemp("pages"))
        await history.play(steps)
        it = history.scene
        assert sorted(run.id for run in it.ended) == sorted(run.id for run in history.runs)
        for run in history.runs:
            first, second = it.seen[run.id]
            assert first == second
            assert [isinstance(event, ENDS) for event in first] == [False] * (len(first) - 1) + [
                True
            ]
            assert isinstance(first[0], (Started, *ENDS))
            assert await run.wait() == run.prediction.snapshot()
        assert it.dispatcher.runs == []
        assert it.pool.taken(it.worker) == 0

    play(scene)
