"""A prediction on its way: the one place that changes it, and everyone who watches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cog._bridge.messages import Done, Output
from cogworks.server.event_log import EventLog
from cogworks.server.handover import Handover
from cogworks.server.predictions import Event, Prediction
from cogworks.server.supervisor import Supervisor
from cogworks.server.uploads import UploadedFiles

Observer = Callable[[Prediction, Event], None]
"""Is told of each event right after it changed the prediction; must return at once."""


class Run:
    """One prediction, from its acceptance to its end.

    ``run_id`` names it on the bridge: never used twice, unlike the id that a client may choose.
    ``event_log`` is there where somebody may want to follow; with ``ends_with_followers`` nobody else
    waits for the end; ``handover`` is there where a next server must know of it. ``values`` are the checked inputs, ``digest`` tells them apart where the body shall not,
    ``worker`` has it once there was a slot. ``uploads`` came with the request, ``output_names`` are those of its files that were
    sent; a ``verdict`` is how it will end whatever the worker still says. ``accepted`` is the answer to a client that does not wait.
    """

    __slots__ = (
        "_body",
        "_callbacks",
        "_input",
        "_waiters",
        "accepted",
        "backlog",
        "digest",
        "ends_with_followers",
        "event_log",
        "handover",
        "is_answered",
        "is_cancel_requested",
        "is_killed",
        "is_late",
        "observers",
        "output_names",
        "prediction",
        "run_id",
        "timers",
        "trace",
        "uploads",
        "values",
        "verdict",
        "worker",
    )

    def __init__(self, prediction: Prediction, run_id: str, values: dict[str, Any]) -> None:
        """Begin; nobody watches yet, no slot is taken."""
        self.prediction = prediction
        self.run_id = run_id
        self.values = values
        self.digest: str | None = None
        self.accepted: bytes | None = None
        self.event_log: EventLog | None = None
        self.ends_with_followers = False
        self.handover: Handover | None = None
        self.trace: Mapping[str, str] = {}
        self.uploads: UploadedFiles | None = None
        self.worker: Supervisor | None = None
        self.observers: list[Observer] = []
        self.is_cancel_requested = False
        self.is_killed = False
        self.is_late = False
        self.is_answered = False
        self.timers: list[asyncio.TimerHandle] = []
        self.backlog: deque[Output | Done] | None = None
        self.verdict: Event | None = None
        self.output_names: set[str] = set()
        self._body: bytes | None = None
        self._input: msgspec.Raw | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._callbacks: list[Callable[[], None]] = []

    @property
    def id(self) -> str:
        """Return the prediction's id."""
        return self.prediction.id

    def apply(self, event: Event) -> None:
        """Change the prediction and tell who watches it.

        Raises:
            ProtocolError: the prediction is in no state for this event.
        """
        self.prediction.handle(event)
        for observer in self.observers:
            observer(self.prediction, event)

    def wake(self) -> None:
        """Let go of everyone who waits for the end."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def call_at_end(self, callback: Callable[[], None]) -> None:
        """Call once, as soon as ``wait_end`` would return; at once if it is over."""
        if self.prediction.is_terminal:
            callback()
        else:
            self._callbacks.append(callback)

    def body(self) -> bytes:
        """Return the prediction as clients see it, in JSON; written once when it is over."""
        if self._body is not None:
            return self._body
        if self.prediction.is_terminal and self._input is None:
            body = msgspec.json.encode(self.prediction.snapshot())
        else:
            body = msgspec.json.encode(self.snapshot())
        if self.prediction.is_terminal:
            self._body = body
        return body

    def snapshot(self) -> dict[str, Any]:
        """Return what ``body`` writes; the input is written already, once for all that follow."""
        if self._input is None:
            self._input = msgspec.Raw(msgspec.json.encode(self.prediction.input))
        return {**self.prediction.snapshot(), "input": self._input}

    async def wait_end(self) -> None:
        """Wait for the end."""
        if not self.prediction.is_terminal:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    async def wait(self) -> dict[str, Any]:
        """Wait for the end; return the prediction as clients see it."""
        await self.wait_end()
        return self.prediction.snapshot()
