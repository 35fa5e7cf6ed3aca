"""`cog serve` with a container engine: the project's server in a container, its port on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cogworks.cli.container_engine import far_host, variables_for_many, without_gpus
from cogworks.cli.container_prediction import PORT, TOKEN, Handle, LogRelay
from cogworks.cli.dev_image import prepare_container
from cogworks.cli.environment import parse_environment
from cogworks.cli.model_client import ModelClient
from cogworks.cli.options import EngineOptions
from cogworks.cli.prepare import Options
from cogworks.cli.signals import Stopped, run_until_stopped
from cogworks.cli.state import State
from cogworks.engines.containers.container import Container, StartError, running
from cogworks.engines.containers.spec import HOST_NAME, ContainerSpec, Port
from cogworks.server.serve import AddressError

if TYPE_CHECKING:
    from cogworks.engines.containers.engine import ContainerEngine
    from cogworks.project import Project

COMMAND = ("python", "-m", "cog.server.http", "--no-announce")
LISTENS_S = 30.0
"""How long the server in the container may take until it listens; the model is set up afterwards."""
ALL_ADDRESSES = ("0.0.0.0", "::")
LOOPBACKS = ("127.0.0.1", "::1", "localhost")
BEYOND_GRACE_S = 10.0
"""What the end of a server may take beside its predictions: webhooks, workers."""


@dataclass(frozen=True)
class Serving:
    """What the options of `serve` said."""

    host: str
    port: int
    store: str | None
    upload_url: str | None
    reload: bool
    setup_timeout_s: float


def serve_project(
    project: Project,
    document: dict[str, Any],
    serving: Serving,
    state: State,
    options: Options,
    choice: EngineOptions,
) -> int:
    """Serve until Ctrl-C, SIGTERM or `POST /shutdown`; return the exit code.

    Raises:
        CogworksError: no engine answers, the image cannot be built, or the container does not start.
    """
    chosen = parse_environment(options.environment, state.environ)
    _check_address(serving.host, serving.port)
    engine, spec = prepare_container(project, document, state, options, choice)
    _warn_of_places(engine, serving, state)
    variables = variables_for_many(state, chosen, serving.setup_timeout_s)
    spec = replace(
        spec,
        command=_command(serving),
        environment={**spec.environment, **variables},
        ports=(Port(PORT, serving.port, _address(serving.host)),),
        reaches_host=serving.upload_url is not None,
    )
    watched = project.directory if serving.reload else None
    server = _Server(engine, spec, serving.host, watched, state, Handle())
    # Its end is the way to end it: only what the container says of itself is a failure.
    with contextlib.suppress(Stopped):
        run_until_stopped(server.run(), hurry=server.handle.hurry)
    container = server.handle.container
    code = container.exit_code if container is not None else None
    return 1 if code == 1 else 0


@dataclass(frozen=True)
class _Server:
    """A container that serves, and what is told of it."""

    engine: ContainerEngine
    spec: ContainerSpec
    host: str
    watched: Path | None
    state: State
    handle: Handle

    async def run(self) -> None:
        """Run until the container ends by itself."""
        try:
            await self._run(self.spec)
        except StartError as error:
            gpus = self.spec.gpus
            if gpus is None or not (gpus.is_automatic and error.lacks_gpu):
                raise
            without_gpus(self.state)
            await self._run(replace(self.spec, gpus=None))

    async def _run(self, spec: ContainerSpec) -> None:
        relay = LogRelay()
        grace_s = _grace_s(spec)
        async with running(self.engine, spec, relay.add, grace_s) as container:
            self.handle.container = container
            try:
                address = await container.find_address(PORT)
            except StartError:
                relay.drop()  # Its words are in the error.
                raise
            finally:
                relay.open()
            ending = asyncio.ensure_future(container.wait())
            others = [
                asyncio.ensure_future(self._announce(address, spec)),
                asyncio.ensure_future(self._reload_on_change(container)),
            ]
            try:
                await ending
            finally:
                for task in (ending, *others):
                    task.cancel()
                await asyncio.wait((ending, *others))

    async def _announce(self, address: str, spec: ContainerSpec) -> None:
        """Tell the address once the server listens, or when it should have."""
        async with ModelClient(address, spec.environment.get(TOKEN)) as client:
            await client.wait_listening(LISTENS_S)
        port = address.rpartition(":")[2]
        name = "localhost" if self.host in (*ALL_ADDRESSES, *LOOPBACKS) else self.host
        name = f"[{name}]" if ":" in name else name
        self.state.console.info(f"Serving at http://{name}:{port}")

    async def _reload_on_change(self, container: Container) -> None:
        if self.watched is None:
            return
        from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType] - a union of its own

        from cogworks.server.reload import SourceFilter

        async for changes in awatch(self.watched, watch_filter=SourceFilter()):
            names = sorted({Path(path).name for _, path in changes})
            self.state.console.info(f"changed: {', '.join(names[:5])}; restarting the model")
            await container.send_signal("HUP")


def _command(serving: Serving) -> tuple[str, ...]:
    command = [*COMMAND]
    if serving.store is not None:
        command += ["--store", serving.store]
    if serving.upload_url is not None:
        command += ["--upload-url", serving.upload_url]
    if serving.reload:
        command += ["--reload-on-hangup"]
    return tuple(command)


def _check_address(host: str, port: int) -> None:
    """Find out in advance, and say in plain words, that an address cannot be listened on."""
    try:
        family, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(place)
    except OSError as error:
        raise AddressError(host, port, error) from error


def _address(host: str) -> str:
    """Return an address of this machine for a name of it: engines publish ports at addresses."""
    return str(socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0][4][0])


def _warn_of_places(engine: ContainerEngine, serving: Serving, state: State) -> None:
    """Tell of addresses that mean another machine in a container than outside."""
    where = far_host(engine)
    if where is not None:
        state.console.warning(f"{engine.name} runs the container on another machine: {where}")
    name = urlsplit(serving.upload_url or "").hostname
    if name in LOOPBACKS:
        state.console.warning(
            f"--upload-url: {name} is the container itself there; this machine is {HOST_NAME}"
        )


def _grace_s(spec: ContainerSpec) -> float:
    """Return how long the server may take to end: what it gives its predictions, and a little more."""
    from cogworks.server.settings import Settings

    return Settings.from_environment(spec.environment).shutdown_grace_s + BEYOND_GRACE_S
