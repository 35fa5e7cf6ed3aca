"""Run the author's ``healthcheck``, one at a time, and send what it says.

It never runs on the thread that reads the control channel, so cancels do not wait for it, and
never twice at once, so one that hangs keeps one thread and no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import Awaitable
from typing import Any, Callable, Optional

from cog._bridge.messages import HealthcheckResult
from cog._worker.run import describe

RETURNED_FALSE = "Healthcheck failed: user-defined healthcheck returned False"

Send = Callable[[HealthcheckResult], None]


class HealthcheckRunner:
    """Asks the model how it is.

    A coroutine function runs on the loop of an asynchronous model; everything else in a thread,
    where a synchronous model's coroutines get a loop of their own.
    """

    def __init__(
        self,
        method: Callable[[], Any],
        loop: Optional[asyncio.AbstractEventLoop],
        send: Send,
    ) -> None:
        """Prepare; ``loop`` is that of an asynchronous model, ``send`` may be called by any thread."""
        self._method = method
        self._loop = loop
        self._send = send
        self._lock = threading.Lock()
        self._is_running = False
        self._task: Any = None  # The loop itself holds its tasks only weakly.

    def start(self, timeout_s: float) -> None:
        """Begin a check unless one still runs; returns at once.

        Args:
            timeout_s: after this long an asynchronous check is canceled; a thread cannot be.
        """
        with self._lock:
            if self._is_running:
                return
            self._is_running = True
        if self._loop is not None and inspect.iscoroutinefunction(self._method):
            work = self._check_on_loop(timeout_s)
            self._task = asyncio.run_coroutine_threadsafe(work, self._loop)
            return
        thread = threading.Thread(
            target=self._check_in_thread, args=(timeout_s,), name="cog-healthcheck", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:  # The model has used up the threads of this process.
            self._finish(_failure(error))

    async def _check_on_loop(self, timeout_s: float) -> None:
        self._finish(await _check(self._method, timeout_s))

    def _check_in_thread(self, timeout_s: float) -> None:
        try:
            result = self._method()
            error = self._await(result, timeout_s) if inspect.isawaitable(result) else judge(result)
        except BaseException as raised:
            error = _failure(raised)
        self._finish(error)

    def _await(self, result: Awaitable[Any], timeout_s: float) -> Optional[str]:
        """Wait for what a function that is not ``async`` returned, on the loop where it belongs."""
        work = _check(lambda: result, timeout_s)
        if self._loop is None:
            return asyncio.run(work)
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _finish(self, error: Optional[str]) -> None:
        # Before the answer: the server may ask again as soon as it has it.
        self._is_running = False
        with contextlib.suppress(OSError):  # The server is gone; the control thread sees to that.
            self._send(HealthcheckResult(error))


def judge(result: Any) -> Optional[str]:
    """Return the error that a result stands for: only a false truth value is one, None is not."""
    is_truth_value = type(result).__name__ in ("bool", "bool_")  # Python's own, and NumPy's.
    return RETURNED_FALSE if is_truth_value and not result else None


def timed_out(timeout_s: float) -> str:
    """Return the error of a check that took too long."""
    return f"Healthcheck failed: user-defined healthcheck timed out after {timeout_s:.1f} seconds"


async def _check(method: Callable[[], Awaitable[Any]], timeout_s: float) -> Optional[str]:
    """Return the error, if any; None for a model that is well."""
    task = asyncio.ensure_future(_call(method))
    await asyncio.wait({task}, timeout=timeout_s)
    if not task.done():
        task.cancel()
        # Not over before its last line is: a check that does not heed the cancel is waited for.
        await asyncio.wait({task})
        return timed_out(timeout_s)
    return task.result()


async def _call(method: Callable[[], Awaitable[Any]]) -> Optional[str]:
    # Here and not where the task is waited for: a SystemExit that leaves a task ends the loop.
    try:
        return judge(await method())
    except BaseException as error:
        return _failure(error)


def _failure(error: BaseException) -> str:
    return f"Healthcheck failed: {describe(error)}"
