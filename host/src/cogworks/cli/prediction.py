"""One prediction from the start of the worker to its end, as `cog run` shows it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cogworks.cli.outputs import Sink
from cogworks.cli.state import State
from cogworks.server.launch import WorkerLaunch
from cogworks.server.predictions import OutputAdded
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
        run = service.submit(request, lambda _, event: _tell(sink, event))
        sink.finish(await run.wait())
    finally:
        with contextlib.suppress(OSError):
            await starting
        await service.stop()


def _tell(sink: Sink, event: object) -> None:
    if isinstance(event, OutputAdded):
        sink.item(event.index, event.value)


def _print_log(line: LogLine) -> None:
    sys.stderr.write(line.text)
    sys.stderr.flush()
