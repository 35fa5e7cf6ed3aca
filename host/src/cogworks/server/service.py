"""Predictions end to end, without HTTP: from a request to a slot, to a worker, to the last event."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cog._bridge.messages import CANCELED, SUCCEEDED, Done, Log, Message, Metric, Output, Predict
from cogworks.server.errors import (
    AtCapacityError,
    InvalidInputError,
    NotReadyError,
    SetupFailedError,
    StoppingError,
)
from cogworks.server.files import inline_files
from cogworks.server.ids import new_id
from cogworks.server.launch import WorkerLaunch
from cogworks.server.lifecycle import WorkerState
from cogworks.server.pool import Pool
from cogworks.server.predictions import (
    Canceled,
    Event,
    Failed,
    LogAdded,
    MetricRecorded,
    OutputAdded,
    Prediction,
    Started,
    Succeeded,
)
from cogworks.server.process import WorkerProcess
from cogworks.server.run import Observer, Run
from cogworks.server.settings import Settings
from cogworks.server.supervisor import Supervisor
from cogworks.server.validation import InputSchema

CANCEL_S = 5.0
"""How long predictions that are canceled at shutdown may take to end."""

NOT_READY = (
    "Setup has not finished yet. Wait until it has finished, or GET /health-check for status."
)

_OF_PREDICTIONS = (Done, Output, Log, Metric)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PredictionRequest:
    """What a client asks for; ``id`` is the client's own, if it chose one."""

    input: dict[str, Any] = field(default_factory=dict[str, Any])
    context: dict[str, str] = field(default_factory=dict[str, str])
    id: str | None = None


@dataclass(frozen=True)
class LogLine:
    """Text that the model printed; ``prediction_id`` is None where nobody can know whose it is."""

    prediction_id: str | None
    source: str
    text: str


class PredictionService:
    """Owns the workers and every prediction that has not ended."""

    def __init__(
        self,
        settings: Settings,
        launch: WorkerLaunch,
        document: dict[str, Any] | None,
        *,
        on_log: Callable[[LogLine], None],
        processes: Sequence[WorkerProcess] = (),
    ) -> None:
        """Prepare; ``document`` is None where only the live model can tell its schema.

        Args:
            processes: workers that run already, to be taken over.
        """
        self._settings = settings
        self._mode = launch.mode
        self._on_log = on_log
        first = [*processes, *[None] * settings.workers][: settings.workers]
        self._pool = Pool(Supervisor(launch, settings, self, process) for process in first)
        self._runs: dict[str, Run] = {}
        self._run_numbers = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._is_stopping = False
        self._static_document = document
        self._set_document(document)

    # -- life ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the workers; they are ready some time later."""
        for worker in self._pool.workers:
            await worker.start()

    async def wait_ready(self) -> None:
        """Wait until a worker is ready.

        Raises:
            SetupFailedError: none will be.
        """
        while not self._pool.is_ready():
            down = [w for w in self._pool.workers if w.reason is not None]
            if len(down) == len(self._pool.workers):
                raise SetupFailedError(down[0].reason or "", down[0].setup.logs)
            self._changed.clear()
            await self._changed.wait()

    async def restart_workers(self) -> None:
        """Replace every worker, as the model has changed, and its schema too; what they work on fails."""
        self._static_document = None
        for worker in self._pool.workers:
            await worker.restart()

    async def stop(self, grace_s: float = 0.0) -> None:
        """Take nothing new, let what runs finish within ``grace_s``, cancel the rest, end the workers."""
        self._is_stopping = True
        await self._wait_idle(grace_s)
        for run in list(self._runs.values()):
            self._cancel(run)
        await self._wait_idle(CANCEL_S if grace_s else 0.0)
        await asyncio.gather(*(worker.stop() for worker in self._pool.workers))
        await asyncio.gather(*self._tasks)

    async def _wait_idle(self, within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await asyncio.gather(*(run.wait() for run in self._runs.values()))

    # -- what others may know -----------------------------------------------------------------

    @property
    def document(self) -> dict[str, Any] | None:
        """Return the OpenAPI document; None while only the worker could tell it."""
        return self._document

    @property
    def workers(self) -> tuple[Supervisor, ...]:
        """Return the workers, for health and tests."""
        return self._pool.workers

    @property
    def ready_workers(self) -> list[Supervisor]:
        """Return the workers that have been set up."""
        return self._pool.ready_workers

    def is_busy(self) -> bool:
        """Tell whether there are workers but no free slot."""
        return self._pool.is_ready() and self._pool.is_full()

    def is_ready(self) -> bool:
        """Tell whether predictions can come."""
        return self._pool.is_ready() and not self._is_stopping

    # -- predictions --------------------------------------------------------------------------

    def submit(self, request: PredictionRequest, observer: Observer | None = None) -> Run:
        """Start a prediction now.

        Raises:
            InvalidInputError: the input does not fit; checked first, as far as the schema is known.
            NotReadyError, StoppingError: no worker can take it.
            AtCapacityError: no slot is free.
        """
        values = self._check(request)
        worker = self._find_worker()
        prediction_id = request.id or new_id()
        prediction = Prediction(
            prediction_id, self._schema.redact(values), time.time(), request.context
        )
        self._run_numbers += 1
        run_id = prediction_id if request.id is None else f"{prediction_id}.{self._run_numbers}"
        run = Run(prediction, run_id, worker, observer)
        is_alone = self._pool.taken(worker) == 0
        self._pool.acquire(worker)
        self._runs[run_id] = run
        worker.predict(Predict(run_id, values, request.context), is_alone=is_alone)
        run.apply(Started(time.time()))
        return run

    def cancel(self, run: Run) -> None:
        """Ask for the end of a prediction; again, or too late, does nothing."""
        if run.run_id in self._runs:
            self._cancel(run)

    def _check(self, request: PredictionRequest) -> dict[str, Any]:
        values, unknown = self._schema.split_unknown(request.input)
        if unknown:
            logger.warning("unknown inputs ignored: %s", ", ".join(unknown))
        problems = self._schema.problems(values)
        if problems:
            raise InvalidInputError(problems)
        return values

    def _find_worker(self) -> Supervisor:
        if self._is_stopping:
            raise StoppingError
        worker = self._pool.find_worker()
        if worker is None:
            if self._pool.is_ready():
                raise AtCapacityError
            raise NotReadyError(self._why_not_ready())
        return worker

    def _why_not_ready(self) -> str:
        reasons = [worker.reason for worker in self._pool.workers if worker.reason]
        return f"The model cannot be served: {reasons[0]}" if reasons else NOT_READY

    def _cancel(self, run: Run) -> None:
        if run.is_cancel_requested:
            return
        run.is_cancel_requested = True
        run.worker.cancel(run.run_id)
        if self._settings.cancel_timeout_s:
            loop = asyncio.get_running_loop()
            run.kill_timer = loop.call_later(self._settings.cancel_timeout_s, self._kill, run)

    def _kill(self, run: Run) -> None:
        """End a prediction that does not heed its cancel, and its worker with it."""
        run.is_killed = True
        run.worker.kill("a canceled prediction did not end in time")

    # -- what workers tell (WorkerClient) -----------------------------------------------------

    def on_message(self, worker: Supervisor, message: Message) -> None:
        """Turn a message of the bridge into events of its prediction."""
        if not isinstance(message, _OF_PREDICTIONS):
            logger.warning("message ignored: %s", type(message).__name__)
            return
        run = self._runs.get(message.id)
        if run is None:
            return  # A thread that the model left behind still reports on a prediction that is over.
        match message:
            case Done():
                self._on_done(run, message)
            case Output():
                self._deliver(run, message)
            case Log(_, source, text):
                self._add_log(run, source, text)
            case Metric(_, name, value, mode):
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
            self._release(run)
            was_stopped = run.is_cancel_requested and worker.state is WorkerState.STOPPED
            is_canceled = run.is_killed or was_stopped
            self._finish(run, Canceled(time.time()) if is_canceled else Failed(time.time(), reason))

    def on_change(self, worker: Supervisor) -> None:
        """Wake who waits for a state; take over the live schema where there is no other."""
        if worker.ready is not None and self._static_document is None:
            self._set_document(worker.ready.schema)
        self._changed.set()

    # -- the end of a prediction --------------------------------------------------------------

    def _on_done(self, run: Run, message: Done) -> None:
        run.worker.succeed()
        self._release(run)
        self._deliver(run, message)

    def _release(self, run: Run) -> None:
        """Free the slot: before anybody learns of the end, so that a next request finds it free."""
        del self._runs[run.run_id]
        self._pool.release(run.worker)
        if run.kill_timer is not None:
            run.kill_timer.cancel()

    def _deliver(self, run: Run, message: Output | Done) -> None:
        """Apply a message now, or after the files of earlier ones have been read."""
        if run.backlog is not None:
            run.backlog.append(message)
        elif message.files:
            run.backlog = deque([message])
            task = asyncio.get_running_loop().create_task(self._work_off(run, run.backlog))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._apply(run, message, self._value(message))

    async def _work_off(self, run: Run, backlog: deque[Output | Done]) -> None:
        while backlog:
            message = backlog.popleft()
            value = self._value(message)
            if message.files:
                try:
                    value = await asyncio.to_thread(inline_files, value, message.files)
                except OSError as error:
                    self._finish(
                        run, Failed(time.time(), f"an output file cannot be read: {error}")
                    )
            self._apply(run, message, value)
        run.backlog = None

    def _value(self, message: Output | Done) -> Any:
        return message.value if isinstance(message, Output) else message.output

    def _apply(self, run: Run, message: Output | Done, value: Any) -> None:
        if run.prediction.is_terminal:
            return
        if isinstance(message, Output):
            run.apply(OutputAdded(message.index, value))
        elif message.status == SUCCEEDED:
            self._finish(run, Succeeded(time.time(), value, message.streamed))
        elif message.status == CANCELED:
            self._finish(run, Canceled(time.time()))
        else:
            self._finish(run, Failed(time.time(), message.error or "the model failed"))

    def _finish(self, run: Run, event: Event) -> None:
        if not run.prediction.is_terminal:
            run.apply(event)

    def _add_log(self, run: Run, source: str, text: str) -> None:
        run.apply(LogAdded(source, text))
        self._on_log(LogLine(run.id, source, text))

    def _set_document(self, document: dict[str, Any] | None) -> None:
        self._document = document
        self._schema = InputSchema(document, self._mode)
