"""One prediction from the start of the worker to its end, as `cog run` shows it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cogworks.cli.outputs import Sink, Snapshot
from cogworks.cli.state import State
from cogworks.server.launch import WorkerLaunch
from cogworks.server.predictions import Event, OutputAdded, Prediction
from cogworks.server.process import WorkerProcess
from cogworks.server.service import LogLine, PredictionRequest, PredictionService
from cogworks.server.settings import Settings


@dataclass(frozen=True)
class Job:
    """A prediction to be made; ``processes`` are workers that have been started for it."""

    launch: WorkerLaunch
    settings: Settings
    document: dict[str, Any]
    inputs: Mapping[str, Any]
    context: Mapping[str, str]
    processes: Sequence[WorkerProcess] = ()


async def predict(job: Job, sink: Sink, state: State) -> None:
    """Set the model up, predict, and give the sink what comes; the worker is ended in any case.

    Raises:
        CogworksError: setup failed, or the prediction did not succeed.
    """
    _configure_logging(is_debug=state.console.debug)
    service = PredictionService(
        job.settings, job.launch, job.document, on_log=_print_log, processes=job.processes
    )
    starting = asyncio.create_task(service.start())
    try:
        # Shielded: a service that has half started could not be stopped.
        await asyncio.shield(starting)
        await service.wait_ready()
        state.console.info("Running prediction...")
        request = PredictionRequest(input=dict(job.inputs), context=dict(job.context))
        listener = _Listener(sink)
        run = service.submit(request, listener.hear)
        sink.finish(await listener.listen(run.wait()))
    finally:
        with contextlib.suppress(OSError):
            await starting
        await service.stop()


def _configure_logging(*, is_debug: bool) -> None:
    if is_debug:
        logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s: %(message)s")
    else:
        # What the server reports of its worker ends the command as an error; once is enough.
        logging.getLogger("cogworks.server").setLevel(logging.CRITICAL)


class _Listener:
    """Hands items to the sink; what goes wrong there ends the wait, not the service that calls."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._broken: asyncio.Future[Snapshot] = asyncio.get_running_loop().create_future()

    def hear(self, prediction: Prediction, event: Event) -> None:
        """Observe the prediction."""
        if not isinstance(event, OutputAdded) or self._broken.done():
            return
        try:
            self._sink.item(event.index, event.value)
        except Exception as error:  # A closed pipe, a full disk, broken base64.
            self._broken.set_exception(error)

    async def listen(self, end: Coroutine[Any, Any, Snapshot]) -> Snapshot:
        """Return the finished prediction, or raise what the sink raised before."""
        finished = asyncio.ensure_future(end)
        try:
            await asyncio.wait((finished, self._broken), return_when=asyncio.FIRST_COMPLETED)
            return await (self._broken if self._broken.done() else finished)
        finally:
            finished.cancel()
            self._broken.cancel()


def _print_log(line: LogLine) -> None:
    with contextlib.suppress(OSError):  # Nobody reads stderr any more; the result still counts.
        sys.stderr.write(line.text)
        sys.stderr.flush()
