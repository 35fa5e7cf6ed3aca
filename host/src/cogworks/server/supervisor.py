"""Owns one worker: starts it, listens to it, notices its death, says why, and starts the next."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol

from cog._bridge.messages import (
    Cancel,
    Done,
    HealthcheckResult,
    Hello,
    Log,
    Message,
    Metric,
    Output,
    Predict,
    Ready,
    SetupFailed,
    Shutdown,
)
from cog._bridge.version import PROTOCOL_VERSION
from cogworks.server.healthcheck import HealthChecker
from cogworks.server.launch import WorkerLaunch
from cogworks.server.lifecycle import (
    Died,
    Lifecycle,
    Restarted,
    SetUp,
    SetupBroke,
    Stopped,
    Succeeded,
    WorkerState,
)
from cogworks.server.link import Link
from cogworks.server.process import WorkerProcess, spawn
from cogworks.server.settings import Settings
from cogworks.server.worker_exits import CLOSED_BRIDGE, describe_exit

LAST_WORDS_S = 0.25
"""How long the channels of a dead worker may stay open, held by a child, before they are cut."""

CUT_OFF_S = 1.0
"""How long a worker may live on without one of its channels; one that ends closes them last."""

STOP_S = 5.0
"""How long a worker may take to leave after it was asked to."""

MAX_SETUP_LOG_CHARACTERS = 1024 * 1024
"""How much of what setup prints is kept; the end of it, where the reason of a failure is."""

logger = logging.getLogger(__name__)


class WorkerClient(Protocol):
    """Who is told what happens to a worker; the service."""

    def on_message(self, worker: Supervisor, message: Message) -> None:
        """A message about a prediction."""

    def on_output(self, worker: Supervisor, source: str, text: str) -> None:
        """Text that the worker printed after setup."""

    def on_setup_output(self, worker: Supervisor, source: str, text: str) -> None:
        """Text that the worker printed before it was ready."""

    def on_death(self, worker: Supervisor, reason: str) -> None:
        """The worker's process is gone; a new one may come."""

    def on_change(self, worker: Supervisor) -> None:
        """The worker's state is another one now."""

    async def wait_files(self) -> None:
        """Return once nothing is read any more of what dead workers have left."""


class SetupReport:
    """What is known of the present worker's setup; times in seconds since the epoch."""

    def __init__(self, age_s: float = 0.0) -> None:
        """Begin now, or ``age_s`` ago: a worker is started before the server's own parts are loaded."""
        self.started_at = time.time() - age_s
        self.completed_at: float | None = None
        self.error: str | None = None
        self.is_counted = False
        self._logs: deque[str] = deque()
        self._log_characters = 0
        self._is_log_cut = False

    @property
    def logs(self) -> str:
        """Return what was printed until the worker was ready, or the end of it."""
        text = "".join(self._logs)
        self._logs = deque([text])
        if not self._is_log_cut:
            return text
        return f"[logs cut: the last {MAX_SETUP_LOG_CHARACTERS} characters]\n" + text

    def add_log(self, text: str) -> None:
        """Keep what was printed, or its end."""
        self._logs.append(text)
        self._log_characters += len(text)
        while (excess := self._log_characters - MAX_SETUP_LOG_CHARACTERS) > 0:
            self._is_log_cut = True
            first = self._logs.popleft()
            if len(first) > excess:
                self._logs.appendleft(first[excess:])
            self._log_characters -= min(len(first), excess)

    def complete(self, error: str | None = None) -> None:
        """Note the end of setup; the first one counts."""
        if self.completed_at is None:
            self.completed_at = time.time()
            self.error = error


class Supervisor:
    """One worker over all its lives."""

    def __init__(
        self,
        launch: WorkerLaunch,
        settings: Settings,
        client: WorkerClient,
        process: WorkerProcess | None = None,
    ) -> None:
        """Only note what to start; ``process`` is the first one where it runs already."""
        self._launch = launch
        self._settings = settings
        self._client = client
        self._process = process
        self._lifecycle = Lifecycle(settings.max_deaths)
        self._link = self._new_link()
        self._health = HealthChecker(lambda message: self._link.send_control(message))
        self._exited = asyncio.Event()
        self._cause: str | None = None
        self._timers: set[asyncio.TimerHandle] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.setup = SetupReport()
        self.ready: Ready | None = None
        self.reason: str | None = None
        self.python = self.sdk = ""
        self.restarts = 0

    @property
    def state(self) -> WorkerState:
        """Return where the worker stands."""
        return self._lifecycle.state

    @property
    def pid(self) -> int | None:
        """Return the id of the present process, if there is one."""
        return self._process.pid if self._process else None

    @property
    def temp_dir(self) -> Path | None:
        """Return the folder for the temporary files of the present process."""
        return self._process.temp_dir if self._process else None

    async def start(self) -> None:
        """Start the first process."""
        await self._start_process(self._process)

    def predict(self, message: Predict, *, is_alone: bool) -> None:
        """Hand a prediction over; ``is_alone`` if the worker has no other."""
        self._link.send_data(message, now=is_alone)

    def cancel(self, run_id: str) -> None:
        """Ask for the end of a prediction."""
        self._link.send_control(Cancel(run_id))

    @property
    def has_healthcheck(self) -> bool:
        """Tell whether there is a healthcheck of the model's own to be asked for at the moment."""
        ready = self.ready
        return self.state is WorkerState.READY and ready is not None and ready.has_healthcheck

    async def healthcheck(self) -> str | None:
        """Ask the model's own healthcheck; return what is wrong, None if nothing or not asked."""
        if not self.has_healthcheck:
            return None
        return await self._health.check()

    def succeed(self) -> None:
        """Note that a prediction ended in order: deaths before it do not count any more."""
        if self._lifecycle.has_deaths and self.state is WorkerState.READY:
            self._lifecycle.handle(Succeeded())

    def kill(self, cause: str) -> None:
        """End the process at once, for a reason that its predictions are told; a new one follows."""
        if self._process is not None:
            self._cause = f"worker was killed: {cause}"
            self._process.kill()

    async def stop(self) -> None:
        """End the worker for good, orderly if it can be, by force if not."""
        self._lifecycle.handle(Stopped())
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        if self._process is not None:
            await self._end_process()
        await asyncio.gather(*self._tasks)

    async def restart(self) -> None:
        """Replace the worker, whatever its state: the project's files have changed."""
        await self.stop()
        self._lifecycle = Lifecycle(self._settings.max_deaths)
        await self._start_process(None)

    async def _end_process(self) -> None:
        self._link.send_control(Shutdown())
        try:
            async with asyncio.timeout(STOP_S):
                await self._exited.wait()
        except TimeoutError:
            self.kill(f"it did not leave within {STOP_S:g} s")
            await self._exited.wait()

    async def _start_process(self, process: WorkerProcess | None) -> None:
        if self.state is not WorkerState.STARTING:
            return  # Asked to stop since the restart was ordered.
        self.setup = SetupReport(time.monotonic() - process.started_at if process else 0.0)
        self.ready = None
        self.reason = self._cause = None
        self._exited.clear()
        try:
            process = process or spawn(self._launch, self._settings.max_concurrency)
        except OSError as error:
            self._fail_setup(f"the worker cannot be started: {error}")
            return
        self._process = process
        self._link = self._new_link()
        self._link.spill_dir = process.temp_dir
        await self._link.open(process.data, process.control, process.stdout, process.stderr)
        self._watch(process)
        if self._settings.setup_timeout_s:
            self._later(self._settings.setup_timeout_s, self._on_setup_timeout, process)
        logger.info("worker started pid=%d", process.pid)
        self._client.on_change(self)

    def _new_link(self) -> Link:
        return Link(self._on_message, self._on_output, self._on_broken, self._on_channel_end)

    def _watch(self, process: WorkerProcess) -> None:
        loop = asyncio.get_running_loop()

        def wait() -> None:
            code = process.wait()
            loop.call_soon_threadsafe(self._on_exit, process, code)

        threading.Thread(target=wait, name=f"wait-{process.pid}", daemon=True).start()

    def _on_message(self, message: Message) -> None:
        match message:
            case Done() | Output() | Log() | Metric():  # Nearly all that comes.
                self._client.on_message(self, message)
            case Hello(protocol, python, sdk):
                self.python, self.sdk = python, sdk
                if protocol != PROTOCOL_VERSION:
                    self._on_broken(
                        f"the SDK {sdk} speaks version {protocol} of the bridge, this server version "
                        f"{PROTOCOL_VERSION}; install the same version of both"
                    )
            case Ready() if self.state is WorkerState.STARTING:
                self.ready = message
                self.setup.complete()
                self._lifecycle.handle(SetUp())
                self._client.on_change(self)
            case SetupFailed(error):
                self._fail_setup(error)
            case Ready():
                pass  # Asked to stop meanwhile.
            case HealthcheckResult():
                self._health.on_result(message)
            case _:
                self._client.on_message(self, message)

    def _on_output(self, source: str, text: str) -> None:
        if self.ready is None:
            self.setup.add_log(text)
            self._client.on_setup_output(self, source, text)
        else:
            self._client.on_output(self, source, text)

    def _on_broken(self, reason: str) -> None:
        self._fail_setup(reason)
        self.kill(reason)

    def _on_channel_end(self) -> None:
        process = self._process
        if process is not None and self.state is not WorkerState.STOPPED:
            self._later(CUT_OFF_S, self._end_cut_off, process)

    def _end_cut_off(self, process: WorkerProcess) -> None:
        """End a process that lives on without its connection: nobody can use it any more."""
        if process is not self._process:
            return
        if self.state is WorkerState.SETUP_FAILED:
            process.kill()  # Threads that the model has started keep it alive.
        else:
            self.kill(CLOSED_BRIDGE)

    def _on_setup_timeout(self, process: WorkerProcess) -> None:
        if process is self._process:
            self._link.drain_output()
            if self._fail_setup(
                f"setup did not finish within {self._settings.setup_timeout_s:g} s"
            ):
                process.kill()

    def _fail_setup(self, error: str) -> bool:
        """Note the failure of setup; return False if setup is not what the worker is at."""
        if self.state is not WorkerState.STARTING:
            return False
        self.setup.complete(error)
        self.reason = error
        self._lifecycle.handle(SetupBroke())
        logger.error("setup failed: %s", error)
        self._client.on_change(self)
        return True

    def _on_exit(self, process: WorkerProcess, code: int) -> None:
        reason = self._cause or describe_exit(code, time.monotonic() - process.started_at)
        if self._link.has_ended():
            self._bury(process, reason)
        else:
            self._spawn_task(self._bury_soon(process, reason))

    async def _bury_soon(self, process: WorkerProcess, reason: str) -> None:
        """Give the last words time to arrive, but no more than they need: predictions still come."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                await self._link.wait_end()
        self._bury(process, reason)

    def _bury(self, process: WorkerProcess, reason: str) -> None:
        """Clean up behind a dead process, tell what it leaves undone, and order the next one."""
        self._link.close()
        self._health.on_death()
        self._process = None
        was_expected = self.state in (WorkerState.STOPPED, WorkerState.SETUP_FAILED)
        (logger.info if was_expected else logger.error)("%s", reason)
        actions = self._lifecycle.handle(Died())
        if not was_expected:
            self.setup.complete(reason)
        if self.state is WorkerState.DEFUNCT:
            self.reason = reason
        self._client.on_death(self, reason)
        for action in actions:
            self._later(action.after_s, self._begin_restart)
        self._exited.set()
        self._client.on_change(self)
        self._spawn_task(self._clear(process))

    async def _clear(self, process: WorkerProcess) -> None:
        """Remove the temporary files, but not under who reads the outputs of a last prediction."""
        await self._client.wait_files()
        await asyncio.to_thread(process.remove_temp_dir)

    def _begin_restart(self) -> None:
        if self.state is WorkerState.WAITING:
            self._lifecycle.handle(Restarted())
            self.restarts += 1
            self._spawn_task(self._start_process(None))

    def _spawn_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _later(self, after_s: float, callback: Callable[..., Any], *arguments: Any) -> None:
        """Call back unless the worker is stopped before."""
        loop = asyncio.get_running_loop()

        def call() -> None:
            self._timers.discard(timer)
            callback(*arguments)

        timer = loop.call_later(after_s, call)
        self._timers.add(timer)
