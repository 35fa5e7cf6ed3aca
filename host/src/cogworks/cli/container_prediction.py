"""One prediction in a container, from its start to its end: as `cog run IMAGE` shows it, and with a container engine."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from cogworks.cli.container_engine import without_gpus
from cogworks.cli.errors import PredictionRefused
from cogworks.cli.model_client import ModelClient
from cogworks.cli.prediction_call import Request
from cogworks.cli.state import State
from cogworks.engines.containers.container import Container, StartError, running

if TYPE_CHECKING:
    from cogworks.engines.containers.engine import ContainerEngine
    from cogworks.engines.containers.spec import ContainerSpec

T = TypeVar("T")

PORT = 5000
"""Where the server of an image listens, inside."""
TOKEN = "COG_API_TOKEN"
END_TOLD_WITHIN_S = 20.0
"""From a connection that breaks until an engine says that the container has ended."""


@dataclass(frozen=True)
class ContainerJob:
    """A prediction to be made in a container.

    Attributes:
        path: `/predictions` or `/trainings`.
        request: None where the document has to be asked for first.
        make_request: of a document.
        context: the prediction's.
    """

    engine: ContainerEngine
    spec: ContainerSpec
    path: str
    request: Request | None
    make_request: Callable[[Mapping[str, Any]], Request]
    context: Mapping[str, str]
    setup_timeout_s: float


class Handle:
    """Passes a second Ctrl-C on to the container that runs just now."""

    def __init__(self) -> None:
        self.container: Container | None = None

    def hurry(self) -> None:
        """Do not wait for the container to end by itself."""
        if self.container is not None:
            self.container.hurry()


async def predict_in_container(job: ContainerJob, state: State, handle: Handle) -> None:
    """Start the container, wait for the model, predict, give the sink what comes; the container goes in any case.

    Raises:
        CogworksError: the container or setup failed, or the prediction did not succeed.
    """
    state.console.info("Starting the container and running setup()...")
    try:
        await _predict(job, state, handle)
    except StartError as error:
        gpus = job.spec.gpus
        if gpus is None or not (gpus.is_automatic and error.lacks_gpu):
            raise
        without_gpus(state)
        await _predict(replace(job, spec=replace(job.spec, gpus=None)), state, handle)


async def _predict(job: ContainerJob, state: State, handle: Handle) -> None:
    relay = LogRelay()
    async with running(job.engine, job.spec, relay.add) as container:
        handle.container = container
        try:
            address = await container.find_address(PORT)
        except StartError:
            relay.drop()  # Its words are in the error.
            raise
        finally:
            relay.open()
        async with ModelClient(address, job.spec.environment.get(TOKEN)) as client:
            await unless_it_ends(container.until_end(), _converse(client, job, state))


async def _converse(client: ModelClient, job: ContainerJob, state: State) -> None:
    def tell(reason: str) -> None:
        state.console.warning(
            f"the model says that it is not healthy: {reason or 'without a reason'}"
        )

    await client.wait_ready(job.setup_timeout_s, tell)
    request = job.request or job.make_request(await client.document())
    state.console.info("Running prediction...")
    body = {"input": dict(request.inputs)}
    if job.context:
        body["context"] = dict(job.context)
    on_item = request.sink.item if request.is_iterator else None
    request.sink.finish(await client.predict(job.path, body, on_item))


async def unless_it_ends(
    until_end: Coroutine[Any, Any, None],
    main: Coroutine[Any, Any, T],
    told_within_s: float = END_TOLD_WITHIN_S,
) -> T:
    """Return what a coroutine returns; if the container ends before, that is the error.

    Args:
        until_end: waits for the end of the container, and raises.
        told_within_s: how long after a connection broke the engine may take to tell of an end.
    """
    import httpx2

    working = asyncio.ensure_future(main)
    ending = asyncio.ensure_future(until_end)
    try:
        await asyncio.wait((working, ending), return_when=asyncio.FIRST_COMPLETED)
        broken = working.exception() if working.done() else None
        if isinstance(broken, httpx2.TransportError):
            # A broken connection is how an end is seen first; a busy engine tells of it seconds later.
            await asyncio.wait((ending,), timeout=told_within_s)
        if ending.done():
            await ending
        if isinstance(broken, httpx2.TransportError):
            raise PredictionRefused(
                f"The connection to the model's server broke, and its container runs on: {broken}"
            ) from broken
        return await working
    finally:
        for task in (working, ending):
            task.cancel()
        await asyncio.wait((working, ending))


class LogRelay:
    """Passes a container's output on to stderr, once it is known that the container has started."""

    def __init__(self) -> None:
        self._held: bytes | None = b""

    def add(self, chunk: bytes) -> None:
        """Take what was printed."""
        if self._held is None:
            _write(chunk)
        else:
            self._held += chunk

    def open(self) -> None:
        """Pass on what was held back, and from now on everything at once."""
        held, self._held = self._held, None
        _write(held or b"")

    def drop(self) -> None:
        """Forget what was held back."""
        self._held = b""


def _write(data: bytes) -> None:
    with contextlib.suppress(OSError):  # Nobody reads stderr any more; the result still counts.
        sys.stderr.buffer.write(data)
        sys.stderr.flush()
