"""Predictions end to end, without HTTP: checked, found again by their id, run, and kept."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from cogworks.server.dispatch import Dispatcher, LogLine
from cogworks.server.errors import (
    InvalidInputError,
    NotReadyError,
    SetupFailedError,
    StoppingError,
)
from cogworks.server.event_log import EventLog
from cogworks.server.form_values import FormSchema
from cogworks.server.idempotency import Digests
from cogworks.server.ids import new_id
from cogworks.server.launch import WorkerLaunch
from cogworks.server.levels import read_levels
from cogworks.server.metrics import Metrics
from cogworks.server.outputs import open_outputs
from cogworks.server.paging import list_page
from cogworks.server.pool import Pool
from cogworks.server.prediction_request import ALL_EVENTS, PredictionRequest
from cogworks.server.predictions import Prediction
from cogworks.server.process import WorkerProcess
from cogworks.server.ready_file import make_ready_file
from cogworks.server.run import Observer, Run
from cogworks.server.settings import Settings
from cogworks.server.store import MemoryStore, Record, Store
from cogworks.server.succession import Succession
from cogworks.server.supervisor import Supervisor
from cogworks.server.temporary_folder import remove_stale_folders
from cogworks.server.uploads import UploadedFiles, Uploads
from cogworks.server.validation import InputSchema
from cogworks.server.webhooks import Webhooks

CANCEL_S = 5.0
"""How long predictions that are canceled at shutdown may take to end."""

WEBHOOKS_S = 10.0
"""How long webhooks may take to be delivered at shutdown."""

logger = logging.getLogger(__name__)

__all__ = ["ALL_EVENTS", "LogLine", "PredictionRequest", "PredictionService"]


class PredictionService:
    """Owns the workers, every prediction that has not ended, and the store of those that have."""

    def __init__(
        self,
        settings: Settings,
        launch: WorkerLaunch,
        document: dict[str, Any] | None,
        *,
        on_log: Callable[[LogLine], None],
        processes: Sequence[WorkerProcess] = (),
        store: Store | None = None,
        webhooks: Webhooks | None = None,
        watchers: Sequence[Callable[[Run], None]] = (),
    ) -> None:
        """Prepare; ``document`` is None where only the live model can tell its schema.

        Args:
            processes: workers that run already, to be taken over.
            watchers: are told of each run that is made, to observe it or to change its ``trace``.
        """
        self._settings = settings
        self._mode = launch.mode
        self._dispatcher = Dispatcher(
            settings,
            on_log=on_log,
            on_end=self._on_end,
            on_change=self._on_change,
            outputs=open_outputs(settings.upload_url, lambda: self.metrics.record_upload_failure()),
        )
        first = [*processes, *[None] * settings.workers][: settings.workers]
        self._pool = Pool(Supervisor(launch, settings, self._dispatcher, p) for p in first)
        self._dispatcher.pool = self._pool
        self._store = store or MemoryStore()
        self._webhooks = webhooks
        self._watchers = tuple(watchers)
        self._by_id: dict[str, Run] = {}
        self._id_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.metrics = Metrics()
        self.uploads = Uploads()
        self._digests = Digests()
        self._run_numbers = 0
        self._succession = Succession(
            self._store, self._dispatcher, webhooks, retry_lost=settings.retry_lost
        )
        self._changed = asyncio.Event()
        self._is_stopping = False
        self._ready_file = make_ready_file(settings)
        self._sweeping: list[asyncio.Task[int]] = []
        self._static_document = document
        self._set_document(document)

    # -- life ---------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the store and start the workers; they are ready some time later.

        Raises:
            StoreError: the store cannot be used.
        """
        self._sweeping = [asyncio.create_task(asyncio.to_thread(remove_stale_folders))]
        lost = await self._store.open()
        await self._succession.tell_ends()  # Those of the lost ones are not among them yet.
        for record in lost:
            self._succession.take_over(record, self._new_run_id(record.id), self._adopt)
        if self._document is not None:
            self._succession.check(self._schema)
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
        self._ready_file.update(is_ready=False)
        await asyncio.gather(*self._sweeping)
        self._succession.leave([run for run in self._dispatcher.runs if run.worker is None])
        await self._wait_idle(grace_s)
        if self._settings.retry_lost:
            self._succession.leave(self._dispatcher.runs)
        for run in self._dispatcher.runs:
            self._dispatcher.cancel(run)
        await self._wait_idle(CANCEL_S if grace_s else 0.0)
        await asyncio.gather(*(worker.stop() for worker in self._pool.workers))
        await self._dispatcher.close()
        await self.uploads.close()
        if self._webhooks is not None:
            for lost in await self._webhooks.drain(WEBHOOKS_S if grace_s else 0.0):
                if self._store.is_durable:
                    logger.warning("webhook is left to the next server prediction=%s", lost.id)
                else:
                    logger.error("webhook not delivered prediction=%s", lost.id)
            await self._webhooks.close()
        await self._store.close()

    async def _wait_idle(self, within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await asyncio.gather(*(run.wait_end() for run in self._dispatcher.runs))

    # -- what others may know -----------------------------------------------------------------

    @property
    def document(self) -> dict[str, Any] | None:
        """Return the OpenAPI document; None while only the worker could tell it."""
        return self._document

    def is_streaming(self) -> bool:
        """Tell whether the author has opted in to streaming, by ``@streaming``, or the operator for all."""
        if self._settings.stream_all:
            return True
        paths = (self._document or {}).get("paths", {})
        return bool(paths.get("/predictions", {}).get("post", {}).get("x-cog-streaming"))

    @property
    def form(self) -> FormSchema:
        """Return what a form must know of the inputs.

        Raises:
            NotReadyError: no worker has told them yet.
        """
        if self._document is None:
            raise NotReadyError(self._dispatcher.why_not_ready())
        return self._schema.form

    @property
    def takes_files_apart(self) -> bool:
        """Tell whether files may be taken out of JSON: not where a next server may need the whole."""
        return self._document is not None and not self._store.is_durable

    @property
    def mode(self) -> str:
        """Return ``run`` or ``train``."""
        return self._mode

    @property
    def workers(self) -> tuple[Supervisor, ...]:
        """Return the workers, for health and tests."""
        return self._pool.workers

    @property
    def ready_workers(self) -> list[Supervisor]:
        """Return the workers that have been set up."""
        return self._pool.ready_workers

    def render_metrics(self) -> Callable[[], bytes]:
        """Return what writes the metrics of this moment; it takes milliseconds, in any thread."""
        self.metrics.worker_restarts = sum(worker.restarts for worker in self._pool.workers)
        levels = read_levels(self._dispatcher, self._by_id.values(), is_ready=self.is_ready())
        return partial(self.metrics.render, levels)

    def is_busy(self) -> bool:
        """Tell whether there are workers but no free slot."""
        return self._pool.is_ready() and self._pool.is_full()

    def is_ready(self) -> bool:
        """Tell whether predictions can come."""
        return self._pool.is_ready() and not self._is_stopping

    # -- predictions --------------------------------------------------------------------------

    async def find_or_submit(self, request: PredictionRequest) -> Run | Record:
        """Return the prediction that the request's id names, or else start it: never a second time.

        Raises:
            ConflictError: it exists, with another input.
            CogworksError: as ``submit``.
        """
        if request.id is None and not request.is_async:
            return self.submit(request)
        found = await self._find_or_submit(request)
        if request.is_async and self._store.is_durable:
            # Its client is told that it will be done, and this server may be gone in a moment.
            await self._store.flush(found.id)
        return found

    async def _find_or_submit(self, request: PredictionRequest) -> Run | Record:
        if request.id is None:
            return self.submit(request)
        # Its holder alone may start this id: else one that the store does not know yet could begin
        # and end while another request asks the store for it, and then run a second time.
        lock = self._id_locks.setdefault(request.id, asyncio.Lock())
        async with lock:
            known = self._by_id.get(request.id) or await self._store.find(request.id)
            if known is None:
                return self.submit(request)
        self._digests.check_same(known, request, self._schema)
        return known

    def submit(self, request: PredictionRequest, observer: Observer | None = None) -> Run:
        """Start a prediction, or let it wait for a slot where the settings allow that.

        Raises:
            InvalidInputError: the input does not fit; checked first, as far as the schema is known.
            NotReadyError, StoppingError: no worker can take it.
            AtCapacityError, QueueFullError: no slot is free.
        """
        values = self._check(request.input, request.files)
        if self._is_stopping:
            raise StoppingError
        run = self._new_run(request, values)
        self._equip(run, request, observer)
        if self._store.is_durable and (request.is_async or request.id or request.webhook):
            has_secrets = self._schema.has_secrets(values)
            self._succession.remember(run, request, has_secrets=has_secrets)
        if request.is_async:
            run.accepted = run.body()
        self._by_id[run.id] = run
        try:
            self._dispatcher.begin(run)
        except BaseException:
            del self._by_id[run.id]
            raise
        if run.uploads is not None:
            run.uploads.is_taken = True
        if run.handover is not None and run.worker is None:
            self._succession.keep(run)  # Those that have begun are kept already.
        return run

    def _equip(self, run: Run, request: PredictionRequest, observer: Observer | None) -> None:
        """Let everybody watch who wants to."""
        for watch in self._watchers:
            watch(run)
        if observer is not None:
            run.observers.append(observer)
        if request.webhook is not None and self._webhooks is not None:
            self._webhooks.attach(run, request.webhook, request.events)
        if request.is_async or request.is_streamed or request.id is not None:
            run.event_log = EventLog(
                run.id, run.body, capacity=self._settings.stream_history_capacity
            )
            run.observers.append(run.event_log.observe)
            run.ends_with_followers = request.is_streamed

    def _adopt(self, run: Run, request: PredictionRequest) -> None:
        self._equip(run, request, None)
        self._by_id[run.id] = run

    def cancel(self, run: Run) -> None:
        """Ask for the end of a prediction; again, or too late, does nothing."""
        self._dispatcher.cancel(run)

    def leave(self, run: Run) -> None:
        """Note that a follower has left: what nobody else waits for ends, after the grace."""
        self._dispatcher.leave(run)

    def find_run(self, prediction_id: str) -> Run | None:
        """Return a prediction that has not ended."""
        return self._by_id.get(prediction_id)

    async def find_body(self, prediction_id: str) -> bytes | None:
        """Return a prediction as clients see it, in JSON, as long as it is known."""
        run = self._by_id.get(prediction_id)
        if run is not None:
            return run.body()
        record = await self._store.find(prediction_id)
        return record.body if record is not None else None

    async def list_bodies(self, limit: int, cursor: str | None) -> tuple[list[bytes], str | None]:
        """Return predictions, those in flight first, and where the next page begins.

        Raises:
            CursorError: the cursor is none of ours.
        """
        return await list_page(self._by_id.values(), self._store, limit, cursor)

    def _new_run(self, request: PredictionRequest, values: dict[str, Any]) -> Run:
        prediction_id = request.id or new_id()
        files = request.files
        shown = self._schema.redact(values if files is None else files.shown(values))
        prediction = Prediction(prediction_id, shown, time.time(), request.context)
        run_id = prediction_id if request.id is None else self._new_run_id(prediction_id)
        run = Run(prediction, run_id, values)
        run.trace = request.trace
        run.uploads = files
        if request.id is not None or shown is not values:
            run.digest = self._digests.of(request, values, self._schema)
        return run

    def _new_run_id(self, prediction_id: str) -> str:
        self._run_numbers += 1
        return f"{prediction_id}.{self._run_numbers}"

    def _check(self, inputs: dict[str, Any], files: UploadedFiles | None = None) -> dict[str, Any]:
        values, unknown = self._schema.split_unknown(inputs)
        if unknown:
            logger.warning("unknown inputs ignored: %s", ", ".join(unknown))
        problems = self._schema.problems(values if files is None else files.checkable(values))
        if problems:
            raise InvalidInputError(problems)
        return values

    def _on_end(self, run: Run) -> None:
        """Count and keep a prediction that is over."""
        self._by_id.pop(run.id, None)
        if run.uploads is not None:
            self.uploads.discard(run.uploads)
        self.metrics.record_end(run.prediction)
        self._succession.keep(run)

    def _on_change(self, worker: Supervisor) -> None:
        """Wake who waits for a state; take over the live schema where there is no other."""
        setup = worker.setup
        if setup.completed_at is not None and not setup.is_counted:
            setup.is_counted = True
            seconds = setup.completed_at - setup.started_at
            self.metrics.record_setup(seconds, succeeded=setup.error is None)
        if worker.ready is not None and self._static_document is None:
            self._set_document(worker.ready.schema)
        self._ready_file.update(is_ready=self.is_ready())
        if worker.ready is not None:
            self._succession.check(self._schema)
        self._changed.set()

    def _set_document(self, document: dict[str, Any] | None) -> None:
        self._document = document
        self._schema = InputSchema(document, self._mode)
