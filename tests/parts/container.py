"""A container of one of our images, started, asked over HTTP, and always removed."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import httpx2

from tests.parts.engine import Engine

READY_S, STEP_S = 60.0, 0.1
"""How long a server may take until it is ready, and how often it is asked."""


@dataclass(frozen=True)
class Container:
    """A container whose port 5000 is at ``url``."""

    engine: Engine
    name: str
    url: str

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._inspect("{{.State.Running}}") == "true"

    @property
    def exit_code(self) -> int:
        """How it ended."""
        return int(self._inspect("{{.State.ExitCode}}"))

    @property
    def logs(self) -> str:
        """What it has written so far, both streams."""
        done = self.engine.run("logs", self.name)
        return done.stdout + done.stderr

    def run(self, *command: str) -> str:
        """Run a command inside and return what it prints."""
        return self.engine.run("exec", self.name, *command).stdout

    def wait_until_ready(self) -> None:
        """Wait until the server takes predictions.

        Raises:
            AssertionError: it does not in time, or has ended; its logs are in the message.
        """
        pause = threading.Event()
        ends_at = time.monotonic() + READY_S
        while time.monotonic() < ends_at:
            try:
                if httpx2.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return
            except httpx2.TransportError:
                # Until the server listens, docker's proxy takes connections and drops them.
                assert self.is_running, self.logs
            pause.wait(STEP_S)
        raise AssertionError(f"not ready after {READY_S:.0f} s: {self.logs}")

    def stop(self, grace_s: int = 30) -> float:
        """Send SIGTERM, wait for the end, and return the seconds that took; it is killed after the grace."""
        started_at = time.monotonic()
        self.engine.run("stop", "--time", str(grace_s), self.name)
        return time.monotonic() - started_at

    def _inspect(self, field: str) -> str:
        return self.engine.run("inspect", "--format", field, self.name).stdout.strip()


@contextmanager
def container(engine: Engine, image: str, options: Sequence[str] = ()) -> Generator[Container]:
    """Run an image in the background while the block runs.

    Args:
        options: for `run`, before the image.
    """
    name = f"cog-test-{uuid4().hex[:12]}"
    publish = ("--publish", "127.0.0.1::5000")
    try:
        engine.run("run", "--detach", "--name", name, *publish, *options, image)
        address = engine.run("port", name, "5000/tcp").stdout.strip()
        yield Container(engine, name, f"http://{address}")
    finally:
        engine.remove(name)
