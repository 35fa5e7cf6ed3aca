"""A prediction on its way: the one place that changes it, and everyone who watches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from cog._bridge.messages import Done, Output
from cogworks.server.predictions import Event, Prediction
from cogworks.server.supervisor import Supervisor

Observer = Callable[[Prediction, Event], None]
"""Is told of each event right after it changed the prediction; must return at once."""


class Run:
    """One prediction in one slot of one worker.

    ``run_id`` names it on the bridge: never used twice, unlike the id that a client may choose.
    """

    def __init__(
        self, prediction: Prediction, run_id: str, worker: Supervisor, observer: Observer | None
    ) -> None:
        """Begin; the observer sees every event from the first on."""
        self.prediction = prediction
        self.run_id = run_id
        self.worker = worker
        self.observers: list[Observer] = [] if observer is None else [observer]
        self.is_cancel_requested = False
        self.is_killed = False
        self.kill_timer: asyncio.TimerHandle | None = None
        self.backlog: deque[Output | Done] | None = None
        self._waiters: list[asyncio.Future[None]] = []

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
        if self.prediction.is_terminal:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)

    async def wait(self) -> dict[str, Any]:
        """Wait for the end; return the prediction as clients see it."""
        if not self.prediction.is_terminal:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
        return self.prediction.snapshot()
