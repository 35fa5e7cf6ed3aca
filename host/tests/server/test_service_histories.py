"""Whatever a worker does, everybody sees the same end of each prediction, once.

A service on scripted workers, with everyone who may watch: the response, a webhook, the events of
a stream and the store.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from cog._bridge.messages import Cancel, Done, Log, Metric, Output, Predict, Shutdown
from cogworks.errors import CogworksError
from cogworks.server.event_log import Subscription
from cogworks.server.launch import WorkerLaunch
from cogworks.server.lifecycle import WorkerState
from cogworks.server.run import Run
from cogworks.server.service import PredictionRequest, PredictionService
from cogworks.server.settings import Settings
from cogworks.server.store import MemoryStore, Store
from cogworks.server.store.sqlite import SqliteStore
from cogworks.server.webhooks import Webhooks
from cogworks.testing import ScriptedWorker

pytestmark = pytest.mark.slow

TIMEOUT_S = 20.0
TERMINAL = ("succeeded", "failed", "canceled")
STEPS = st.sampled_from(
    ["begin", "output", "log", "print", "metric", "done", "fail", "obey", "cancel", "death", "turn"]
)
LAUNCH = WorkerLaunch(Path("/nonexistent"), Path("/nonexistent"), Path("/nonexistent"), "x.py:X")


class Receiver:
    """Takes webhooks, as an ASGI application."""

    def __init__(self) -> None:
        self.told: defaultdict[str, list[bytes]] = defaultdict(list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.told[json.loads(body)["id"]].append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


class History:
    """Plays steps on two workers; predictions are chosen by number, those that are over too."""

    def __init__(self, slots: int, store: Store) -> None:
        self.slots = slots
        self.workers = [ScriptedWorker(), ScriptedWorker()]
        self.receiver = Receiver()
        transport = httpx2.ASGITransport(app=self.receiver)
        self.client = httpx2.AsyncClient(transport=transport)
        self.store = store
        self.webhooks = Webhooks(
            interval_s=0.0,
            auth_token=None,
            secret=None,
            user_agent="test",
            client=self.client,
            on_told=store.forget_webhook,
        )
        self.service = PredictionService(
            Settings(workers=2, queue_size=3, max_deaths=1),
            LAUNCH,
            None,
            on_log=lambda line: None,
            processes=self.workers,
            store=store,
            webhooks=self.webhooks,
        )
        self.runs: list[Run] = []
        self.streams: dict[str, Subscription] = {}
        self.given: dict[str, ScriptedWorker] = {}
        self.asked_to_cancel: set[str] = set()
        self.bodies: dict[str, bytes] = {}

    async def play(self, steps: Sequence[tuple[str, int]]) -> None:
        await self.service.start()
        for worker in self.workers:
            worker.get_ready(self.slots)
        await self.service.wait_ready()
        for kind, number in steps:
            self._step(kind, number)
            for _ in range(3):
                await asyncio.sleep(0)
            self._listen()
        await self._finish()

    def _listen(self) -> None:
        """Hear what the server wants of the workers."""
        for worker in self.workers:
            for message in worker.receive_data():
                assert isinstance(message, Predict)
                assert message.id not in self.given, "handed over twice"
                self.given[message.id] = worker
            for message in worker.receive_control():
                if isinstance(message, Cancel):
                    self.asked_to_cancel.add(message.id)
                else:
                    assert isinstance(message, Shutdown)

    def _step(self, kind: str, number: int) -> None:
        if kind == "begin":
            self._begin()
        elif kind == "death":
            self.workers[number % 2].die(-9)
        elif kind == "print":
            self.workers[number % 2].write("printed\n")
        elif self.runs:
            run = self.runs[number % len(self.runs)]
            if kind == "cancel":
                self.service.cancel(run)
            elif kind != "turn" and run.run_id in self.given:
                self._say(kind, run.run_id)

    def _begin(self) -> None:
        name = f"p{len(self.runs)}"
        request = PredictionRequest({}, id=name, is_async=True, webhook="http://receiver.test/")
        try:
            run = self.service.submit(request)
        except CogworksError:
            return
        self.runs.append(run)
        assert run.event_log is not None
        self.streams[name] = run.event_log.subscribe()

    def _say(self, kind: str, name: str) -> None:
        messages: dict[str, Any] = {
            "output": Output(name, 0, "item"),
            "log": Log(name, "stdout", "words\n"),
            "metric": Metric(name, "steps", 1, "increment"),
            "done": Done(name, "succeeded", "fine"),
            "fail": Done(name, "failed", error="it failed"),
            "obey": Done(name, "canceled"),
        }
        if kind != "obey" or name in self.asked_to_cancel:
            self.given[name].send_data(messages[kind])

    async def _finish(self) -> None:
        """End all that runs: by its worker's word, or by its worker's death."""
        while open_runs := [run for run in self.runs if not run.prediction.is_terminal]:
            for run in open_runs:
                if run.run_id in self.given and not self.given[run.run_id].is_dead:
                    self.given[run.run_id].send_data(Done(run.run_id, "succeeded", "late"))
            await asyncio.sleep(0)
            self._listen()
        pairs = list(zip(self.workers, self.service.workers, strict=True))
        while any(it.is_dead and seen.state is WorkerState.READY for it, seen in pairs):
            await asyncio.sleep(0)
            self._listen()
        for run in self.runs:
            await run.wait_end()
            self.bodies[run.id] = run.body()
        assert await self.webhooks.drain(TIMEOUT_S) == []

    async def close(self) -> None:
        for worker in self.workers:
            worker.die(0)
        await self.service.stop()
        await self.client.aclose()


async def check(history: History) -> None:
    """Compare what everybody saw."""
    for run in history.runs:
        body = history.bodies[run.id]
        assert json.loads(body)["status"] in TERMINAL
        told = history.receiver.told[run.id]
        ends = [item for item in told if json.loads(item)["status"] in TERMINAL]
        assert ends == [body], "the webhook"
        assert told[-1] == body
        assert read_ends(history.streams[run.id]) == [body], "the stream"
        record = await history.store.find(run.id)
        assert record is not None
        assert record.body == body, "the store"
        assert history.service.find_run(run.id) is None


def read_ends(stream: Subscription) -> list[bytes]:
    text = b""
    while parts := stream.read():
        text += b"".join(parts)
    events = [event.split(b"\n") for event in text.split(b"\n\n") if event]
    assert [event[0] for event in events] == [b"id: %d" % n for n in range(1, len(events) + 1)]
    return [event[2][len(b"data: ") :] for event in events if event[1] == b"event: completed"]


def check_slots(history: History) -> None:
    """Every slot of a worker that lives takes a prediction at once."""
    alive = [worker for worker in history.workers if not worker.is_dead]
    free = len(alive) * history.slots
    for number in range(free):
        run = history.service.submit(PredictionRequest({}, id=f"last-{number}"))
        assert run.worker is not None
    assert not alive or history.service.is_busy()


@settings(max_examples=60, deadline=None)
@given(
    slots=st.integers(1, 2),
    is_durable=st.booleans(),
    steps=st.lists(st.tuples(STEPS, st.integers(0, 3)), min_size=8, max_size=40),
)
def test_everybody_sees_the_same_end_once_and_the_slot_is_free(
    tmp_path_factory: pytest.TempPathFactory,
    slots: int,
    is_durable: bool,
    steps: list[tuple[str, int]],
) -> None:
    async def scene() -> None:
        path = tmp_path_factory.mktemp("store") / "runs.db"
        history = History(slots, SqliteStore(path) if is_durable else MemoryStore())
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await history.play(steps)
                await check(history)
                check_slots(history)
        finally:
            await history.close()

    asyncio.run(scene())
