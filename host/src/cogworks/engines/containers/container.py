"""A container that lives as long as a block of code: started, listened to, and gone afterwards in any case.

the block ends, or fails      asked to end, killed after the grace, removed
the task is cancelled         the same; `hurry` skips the grace
this process is killed        removed by its lifeline
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import signal
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cogworks.engines.containers.engine import ContainerEngine
from cogworks.engines.containers.errors import ContainerError, reason
from cogworks.engines.containers.lifeline import Lifeline, removal
from cogworks.engines.containers.spec import ContainerSpec, client_environment, run_command

STOP_GRACE_S = 3.0
"""How long a container that is told to end may take. Source: Cog."""
END_S = 10.0
"""How long an engine may take beyond that."""
STEP_S = 0.05
"""How often an engine is asked for what it is about to do."""
TAIL_BYTES = 8192
ENGINE_CODES = (125, 126, 127)
"""What `docker run` and `podman run` exit with where nothing was started; a program may exit with them, too."""
_ENGINE_WORDS = re.compile(r"^(docker: |Error: )", re.MULTILINE)

OnOutput = Callable[[bytes], object]
_NO_GPU = ("could not select device driver", "cdi device", "nvidia-container-cli", "nvidia.com/gpu")
"""How engines say that there is no GPU, or nothing that hands it on."""


class StartError(ContainerError):
    """The engine did not start the container.

    Attributes:
        lacks_gpu: for want of a GPU, or of what hands it on.
    """

    def __init__(self, engine: ContainerEngine, said: str) -> None:
        self.lacks_gpu = any(text in said.lower() for text in _NO_GPU)
        super().__init__(f"{engine.name} did not start the container: {reason(said)}")


class ContainerExited(ContainerError):
    """The container ended by itself, too early."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"Container exited unexpectedly {describe_exit(code)}.")


def describe_exit(code: int) -> str:
    """Say how a container ended."""
    if code == 128 + signal.SIGKILL:
        return "(it was killed, usually because memory ran out)"
    if 128 < code < 128 + 64:
        with contextlib.suppress(ValueError):
            return f"(by {signal.Signals(code - 128).name})"
    return f"with code {code}"


@dataclass
class _Tail:
    """The end of what was printed."""

    data: bytes = b""

    def add(self, chunk: bytes) -> None:
        self.data = (self.data + chunk)[-TAIL_BYTES:]

    def __str__(self) -> str:
        return self.data.decode("utf-8", "replace")


class Container:
    """A container that was started by this process; see ``running``."""

    def __init__(
        self, engine: ContainerEngine, name: str, process: asyncio.subprocess.Process
    ) -> None:
        self.engine = engine
        self.name = name
        self._process = process
        self._tail = _Tail()
        self._hurried = asyncio.Event()
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def hurry(self) -> None:
        """Do not wait for the container any longer; it is ended at once."""
        self._hurried.set()

    async def wait(self) -> int:
        """Wait until the container has ended by itself; return its exit code.

        Raises:
            StartError: it has never started.
        """
        code = await asyncio.shield(self._ended)
        if self._has_not_started(code):
            raise StartError(self.engine, str(self._tail))
        return code

    def _has_not_started(self, code: int) -> bool:
        return code in ENGINE_CODES and _ENGINE_WORDS.search(str(self._tail)) is not None

    @property
    def exit_code(self) -> int | None:
        """How the container ended; None while it runs."""
        return self._ended.result() if self._ended.done() else None

    async def send_signal(self, name: str) -> None:
        """Send a signal, such as `HUP`, to the container's first process."""
        await self._ask(["kill", "--signal", name, self.name])

    async def until_end(self) -> None:
        """Wait for an end that is none: an error tells of it."""
        raise ContainerExited(await self.wait())

    async def find_address(self, port: int) -> str:
        """Return where a published port is reached, `127.0.0.1:32768`, once the container runs.

        Raises:
            ContainerError: it does not start, or has ended.
        """
        while True:
            if self._ended.done():
                await self.until_end()
            printed = await self._ask(["port", self.name, f"{port}/tcp"])
            if printed:
                return printed.split()[0]
            await asyncio.wait([self._ended], timeout=STEP_S)

    async def _ask(self, arguments: Sequence[str]) -> str:
        """Return what a command prints; nothing if it fails."""
        return await _finish(self.engine, [self.engine.program, *arguments])

    async def _listen(self, on_output: OnOutput) -> None:
        """Pass on what the container prints until its end."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        streams = (self._process.stdout, self._process.stderr)
        await asyncio.gather(*(self._pump(stream, on_output) for stream in streams))
        self._ended.set_result(await self._process.wait())

    async def _pump(self, stream: asyncio.StreamReader, on_output: OnOutput) -> None:
        while chunk := await stream.read(65536):
            self._tail.add(chunk)
            on_output(chunk)

    async def _stop(self, grace_s: float) -> None:
        """End the container, and wait until the engine has removed it."""
        if not self._ended.done():
            stopping = asyncio.create_task(self._ask_to_stop(grace_s))
            hurried = asyncio.create_task(self._hurried.wait())
            waited: list[asyncio.Future[Any]] = [self._ended, hurried]
            first = asyncio.FIRST_COMPLETED
            await asyncio.wait(waited, timeout=grace_s + END_S, return_when=first)
            stopping.cancel()
            hurried.cancel()
            await asyncio.wait([stopping, hurried])
        if self._ended.done() and self._ended.result() not in ENGINE_CODES:
            return
        await self._remove()
        if not self._ended.done():
            _kill(self._process)
            await self._process.wait()

    async def _ask_to_stop(self, grace_s: float) -> None:
        command = ["stop", "-t", f"{grace_s:.0f}", self.name]
        # It may be in the making: then there is nothing to stop yet.
        while not self._ended.done() and not await self._ask(command):
            await asyncio.wait([self._ended], timeout=STEP_S)

    async def _remove(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_finish(self.engine, removal(self.engine, self.name)), END_S)


@contextlib.asynccontextmanager
async def running(
    engine: ContainerEngine,
    spec: ContainerSpec,
    on_output: OnOutput,
    stop_grace_s: float = STOP_GRACE_S,
) -> AsyncGenerator[Container]:
    """Run a container while the block runs.

    Args:
        on_output: is given what it prints, on either stream; must not raise.

    Raises:
        ContainerError: the engine's program cannot be started. What else goes wrong is told by the container's methods.
    """
    name = f"cog-{secrets.token_hex(6)}"
    lifeline = Lifeline(engine, name)
    try:
        process = await _spawn(
            engine, run_command(engine, spec, name), client_environment(engine, spec)
        )
        container = Container(engine, name, process)
        listening = asyncio.create_task(container._listen(on_output))
        try:
            yield container
        finally:
            await container._stop(stop_grace_s)
            listening.cancel()
            await asyncio.wait([listening])
    finally:
        lifeline.release()


async def _finish(engine: ContainerEngine, command: Sequence[str]) -> str:
    """Run a command to its end; return what it printed, or nothing if it failed."""
    starting = asyncio.create_task(_spawn(engine, command))
    try:
        process = await asyncio.shield(starting)
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process = (
            await starting
        )  # asyncio's own way to break off a start is that of `Process.kill`.
        _kill(process)
        await process.wait()
        raise
    return output.decode("utf-8", "replace").strip() if process.returncode == 0 else ""


def _kill(process: asyncio.subprocess.Process) -> None:
    """End a command and all that it has started; nothing happens if it has ended.

    Not by ``Process.kill``: that collects the exit code of one that has just ended, and asyncio, which waits for it in a
    thread, then prints a warning that it got lost.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


async def _spawn(
    engine: ContainerEngine, command: Sequence[str], environment: dict[str, str] | None = None
) -> asyncio.subprocess.Process:
    """Start a command that a Ctrl-C in the terminal does not reach: its owner decides."""
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            env=environment or dict(engine.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise ContainerError(f"{engine.program} cannot be started: {error.strerror}") from error
