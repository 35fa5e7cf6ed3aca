"""Predictions on workers: slots and the queue before them, what workers report, and the end.

A slot is given back before anybody learns of the end, so that a client's next request finds it
free. Everything that happens to a prediction goes through ``Run.apply``, in order.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cog._bridge.messages import CANCELED, SUCCEEDED, Done, Log, Message, Metric, Output, Predict
from cogworks.server.errors import AtCapacityError, NotReadyError, QueueFullError
from cogworks.server.files import remove_files
from cogworks.server.lifecycle import WorkerState
from cogworks.server.outputs import InterruptedOutputError, OutputFileError, OutputFiles
from cogworks.server.pool import Pool
from cogworks.server.predictions import (
    Canceled,
    Event,
    Failed,
    LogAdded,
    MetricRecorded,
    OutputAdded,
    Started,
    Succeeded,
)
from cogworks.server.run import Run
from cogworks.server.settings import Settings
from cogworks.server.supervisor import Supervisor

NOT_READY = (
    "Setup has not finished yet. Wait until it has finished, or GET /health-check for status."
)

MAX_DELIVERIES = 256
"""Predictions whose files are on their way at once. With more, no slot counts as free: what a slow
receiver has not taken yet fills the disk."""

_DOWN = (WorkerState.SETUP_FAILED, WorkerState.DEFUNCT)
"""A worker that stands so will not be ready again by itself."""

DEADLINE_KILL_S = 5.0
"""How long a prediction that is over its deadline may take to end, where COG_CANCEL_TIMEOUT says nothing."""

_OF_PREDICTIONS = (Done, Output, Log, Metric)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LogLine:
    """Text that the model printed; ``prediction_id`` is None where nobody can know whose it is."""

    prediction_id: str | None
    source: str
    text: str


class Dispatcher:
    """Hands runs to workers and workers' messages to runs.

    ``on_log`` gets all that is printed, ``on_end`` each run that is over, ``on_change`` the
    workers whose state has changed.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        on_log: Callable[[LogLine], None],
        on_end: Callable[[Run], None],
        on_change: Callable[[Supervisor], None],
        outputs: OutputFiles,
    ) -> None:
        """Begin without workers; ``pool`` must be set before the first run."""
        self._outputs = outputs
        self.pool = Pool(())
        self._settings = settings
        self._on_log = on_log
        self._on_end = on_end
        self._on_change = on_change
        self._runs: dict[str, Run] = {}
        self._queue: deque[Run] = deque()
        self._delivering: dict[Run, asyncio.Task[None]] = {}

    @property
    def runs(self) -> list[Run]:
        """Return the runs whose files are on their way, that workers have, and that wait, in order."""
        done = [run for run in self._delivering if run.run_id not in self._runs]
        return [*done, *self._runs.values(), *self._queue]

    @property
    def queue_depth(self) -> int:
        """Return how many runs wait for a slot."""
        return len(self._queue)

    def begin(self, run: Run) -> None:
        """Start a run on a free slot, or let it wait for one.

        Raises:
            NotReadyError: no worker is ready.
            AtCapacityError, QueueFullError: there is no room.
        """
        worker = self.pool.find_worker()
        if len(self._delivering) >= MAX_DELIVERIES:
            worker = None
        if worker is not None and not self._queue:
            self._start(run, worker)
        elif not self.pool.is_ready():
            raise NotReadyError(self.why_not_ready())
        elif not self._settings.queue_size:
            raise AtCapacityError
        elif len(self._queue) >= self._settings.queue_size:
            raise QueueFullError(self._settings.queue_size)
        else:
            self._queue.append(run)

    def cancel(self, run: Run) -> None:
        """Ask for the end of a run; again, or too late, does nothing."""
        if run.is_cancel_requested or run.prediction.is_terminal:
            return
        is_interrupted = self._outputs.interrupt(run)
        if is_interrupted:
            run.verdict = Canceled(time.time())
        if run.worker is not None and run.run_id not in self._runs:  # Its files are on their way.
            run.is_cancel_requested = is_interrupted
            return
        run.is_cancel_requested = True
        if run.worker is None:
            self._queue.remove(run)
            self._finish(run, Canceled(time.time()))
            return
        run.worker.cancel(run.run_id)
        self._after(run, self._settings.cancel_timeout_s, self._kill)

    def leave(self, run: Run) -> None:
        """Note that a follower has left: what nobody else waits for ends, after the grace."""
        grace_s = self._settings.stream_leave_grace_s
        if grace_s and not run.prediction.is_terminal:
            self._after(run, grace_s, self._end_unfollowed)
        else:
            self._end_unfollowed(run)

    def _end_unfollowed(self, run: Run) -> None:
        log = run.event_log
        if run.ends_with_followers and log is not None and not log.subscriber_count:
            self.cancel(run)

    def wait(self, run: Run) -> None:
        """Let a run wait that an earlier server has accepted, whatever the limit and before new ones."""
        self._queue.append(run)

    def fail(self, run: Run, reason: str) -> None:
        """End a run that no worker has."""
        if run in self._queue:
            self._queue.remove(run)
        self._finish(run, Failed(time.time(), reason))

    def let_go(self, run: Run) -> bool:
        """Leave a run as it is, for another server; return False if it is at its end already."""
        if run.worker is None:
            self._queue.remove(run)
        elif run.run_id in self._runs:
            run.worker.cancel(run.run_id)
            self._release(run, run.worker)
        else:
            return False
        run.wake()
        return True

    async def close(self) -> None:
        """Wait for the files that are still on their way."""
        await self.wait_files()
        await self._outputs.close()

    async def wait_files(self) -> None:
        """Wait for the files that are being read at the moment."""
        await asyncio.gather(*self._delivering.values())

    def why_not_ready(self) -> str:
        """Say why predictions are refused while no worker is ready."""
        reasons = [worker.reason for worker in self.pool.workers if worker.reason]
        return f"The model cannot be served: {reasons[0]}" if reasons else NOT_READY

    def _start(self, run: Run, worker: Supervisor) -> None:
        is_alone = self.pool.taken(worker) == 0
        run.worker = worker
        self.pool.acquire(worker)
        self._runs[run.run_id] = run
        message = Predict(run.run_id, run.values, run.prediction.context)
        if run.uploads is not None:
            message = replace(message, files=run.uploads.for_worker())
        try:
            worker.predict(message, is_alone=is_alone)
        except OSError:  # A long input goes through a file.
            self._release(run, worker)
            raise
        run.apply(Started(time.time()))
        if self._settings.predict_timeout_s is not None:
            self._after(run, self._settings.predict_timeout_s, self._expire)

    def _start_waiting(self) -> None:
        while self._queue:
            worker = self.pool.find_worker()
            if worker is None or len(self._delivering) >= MAX_DELIVERIES:
                return
            run = self._queue.popleft()
            try:
                self._start(run, worker)
            except OSError as error:
                reason = f"the input cannot be handed to the worker: {error}"
                self._finish(run, Failed(time.time(), reason))

    def _fail_waiting(self) -> None:
        """Fail what waits for a slot if no worker will ever have one."""
        if all(worker.state in _DOWN for worker in self.pool.workers):
            while self._queue:
                self._finish(self._queue.popleft(), Failed(time.time(), self.why_not_ready()))

    # -- deadlines ----------------------------------------------------------------------------

    def _after(self, run: Run, seconds: float | None, action: Callable[[Run], None]) -> None:
        if seconds is not None:
            run.timers.append(asyncio.get_running_loop().call_later(seconds, action, run))

    def _expire(self, run: Run) -> None:
        run.is_late = not run.is_cancel_requested
        self.cancel(run)
        if self._settings.cancel_timeout_s is None:
            self._after(run, DEADLINE_KILL_S, self._kill)

    def _kill(self, run: Run) -> None:
        """End a prediction that does not heed its cancel, and its worker with it."""
        run.is_killed = True
        if run.worker is not None:
            run.worker.kill("a canceled prediction did not end in time")

    # -- what workers tell (WorkerClient) -----------------------------------------------------

    def on_message(self, worker: Supervisor, message: Message) -> None:
        """Turn a message of the bridge into events of its prediction."""
        if not isinstance(message, _OF_PREDICTIONS):
            logger.warning("message ignored: %s", type(message).__name__)
            return
        run = self._runs.get(message.id)
        if run is None:
            # A thread that the model left behind still reports on a prediction that is over.
            if isinstance(message, Log):
                self._on_log(LogLine(None, message.source, message.text))
            return
        match message:
            case Done():
                worker.succeed()
                self._release(run, worker)
                self._deliver(run, message)
                self._start_waiting()
            case Output():
                self._deliver(run, message)
            case Log(_, source, text):
                self._add_log(run, source, text)
            case Metric(_, name, value, mode):
                if run.verdict is None and not run.prediction.is_terminal:
                    run.apply(MetricRecorded(name, value, mode))

    def on_output(self, worker: Supervisor, source: str, text: str) -> None:
        """Attribute printed text: to the only prediction of the worker, else to nobody."""
        runs = [run for run in self._runs.values() if run.worker is worker]
        if len(runs) == 1:
            self._add_log(runs[0], source, text)
        else:
            self._on_log(LogLine(None, source, text))

    def on_setup_output(self, worker: Supervisor, source: str, text: str) -> None:
        """Pass on what setup prints."""
        self._on_log(LogLine(None, source, text))

    def on_death(self, worker: Supervisor, reason: str) -> None:
        """Fail what the worker was working on, with the reason."""
        for run in [run for run in self._runs.values() if run.worker is worker]:
            self._release(run, worker)
            was_stopped = run.is_cancel_requested and worker.state is WorkerState.STOPPED
            is_canceled = run.is_killed or was_stopped
            end = Canceled(time.time()) if is_canceled else Failed(time.time(), reason)
            self._finish(run, run.verdict or end)

    def on_change(self, worker: Supervisor) -> None:
        """Tell the owner, and use a worker that has become ready, or give up where none will."""
        self._on_change(worker)
        self._start_waiting()
        self._fail_waiting()

    # -- the end of a prediction --------------------------------------------------------------

    def _release(self, run: Run, worker: Supervisor) -> None:
        del self._runs[run.run_id]
        self.pool.release(worker)
        # What is left to do is the server's own: no deadline of it may end the worker.
        for timer in run.timers:
            timer.cancel()

    def _deliver(self, run: Run, message: Output | Done) -> None:
        """Apply a message now, or after the files of earlier ones have been read."""
        if run.backlog is not None:
            run.backlog.append(message)
        elif message.files:
            run.backlog = deque([message])
            task = asyncio.get_running_loop().create_task(self._work_off(run, run.backlog))
            self._delivering[run] = task
        else:
            self._apply(run, message, self._value(message))

    async def _work_off(self, run: Run, backlog: deque[Output | Done]) -> None:
        try:
            while backlog:
                message = backlog.popleft()
                if message.files and run.verdict is None and not run.prediction.is_terminal:
                    await self._deliver_files(run, message)
                else:
                    await asyncio.to_thread(remove_files, message.files)
                    self._apply(run, message, self._value(message))
            run.backlog = None
        finally:
            del self._delivering[run]
        self._start_waiting()

    async def _deliver_files(self, run: Run, message: Output | Done) -> None:
        """Bring the files of a message to clients; where that fails, the run has no other end."""
        try:
            value = await self._outputs.deliver(run, self._value(message), message.files)
        except OutputFileError as error:
            run.verdict = Failed(time.time(), str(error))
            if run.run_id in self._runs and run.worker is not None:
                # The slot is not free before the model has ended; nobody needs what it still makes.
                run.worker.cancel(run.run_id)
                self._after(run, self._settings.cancel_timeout_s, self._kill)
            value = None
        except InterruptedOutputError:
            value = None
        self._apply(run, message, value)

    def _value(self, message: Output | Done) -> Any:
        return message.value if isinstance(message, Output) else message.output

    def _apply(self, run: Run, message: Output | Done, value: Any) -> None:
        if run.prediction.is_terminal:
            return
        if run.verdict is not None:
            if isinstance(message, Done):
                self._finish(run, run.verdict)
        elif isinstance(message, Output):
            run.apply(OutputAdded(message.index, value))
        elif message.status == SUCCEEDED:
            has_files = bool(message.files)
            self._finish(run, Succeeded(time.time(), value, message.streamed, has_files))
        elif message.status == CANCELED:
            self._finish(run, Canceled(time.time()))
        else:
            self._finish(run, Failed(time.time(), message.error or "the model failed"))

    def _finish(self, run: Run, event: Event) -> None:
        if run.prediction.is_terminal:
            return
        for timer in run.timers:
            timer.cancel()
        if run.is_late and isinstance(event, Canceled):
            limit_s = self._settings.predict_timeout_s
            event = Failed(event.at, f"the prediction took longer than {limit_s:g} s")
        run.apply(event)
        self._on_end(run)
        run.wake()

    def _add_log(self, run: Run, source: str, text: str) -> None:
        if not run.prediction.is_terminal:
            run.apply(LogAdded(source, text))
        self._on_log(LogLine(run.id, source, text))
