"""Ask the worker for the model's own healthcheck: one question at a time, for all who want to know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cog._bridge.messages import Healthcheck, HealthcheckResult

TIMEOUT_S = 5.0
"""How long the model may take. Source: reference, section 1.3, as in upstream's runtimes."""

WORKER_GONE = "Healthcheck failed: the worker has ended"


class HealthChecker:
    """The healthcheck of one worker; its methods belong to the event loop.

    Whoever asks while a question is open shares its answer. A question that was not answered in
    time stays open until the answer comes: meanwhile everybody is told so at once, and the worker
    is not asked again. So neither questions nor waiting clients pile up.
    """

    def __init__(self, send: Callable[[Healthcheck], None], timeout_s: float = TIMEOUT_S) -> None:
        """Only keep how to ask; ``send`` never waits."""
        self._send = send
        self._timeout_s = timeout_s
        self._answer: asyncio.Future[str | None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def check(self) -> str | None:
        """Return what is wrong with the model, or None if nothing is; takes ``timeout_s`` at most."""
        answer = self._answer or self._ask()
        return await asyncio.shield(answer)  # One who leaves takes the answer from nobody.

    def on_result(self, message: HealthcheckResult) -> None:
        """Take the worker's answer; one that nobody waits for only ends the question."""
        self._end(message.error)

    def on_death(self) -> None:
        """Give up the question that is open, if there is one: its worker will not answer."""
        self._end(WORKER_GONE)

    def _ask(self) -> asyncio.Future[str | None]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str | None] = loop.create_future()
        self._answer = answer
        self._timer = loop.call_later(self._timeout_s, self._time_out, answer)
        self._send(Healthcheck(self._timeout_s))
        return answer

    def _time_out(self, answer: asyncio.Future[str | None]) -> None:
        if not answer.done():
            answer.set_result(
                "Healthcheck failed: user-defined healthcheck timed out after "
                f"{self._timeout_s:.1f} seconds"
            )

    def _end(self, error: str | None) -> None:
        answer, self._answer = self._answer, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if answer is not None and not answer.done():
            answer.set_result(error)
