"""Start a server, wait until it is ready, measure its memory, end it and all its processes."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.overhead.processes import (
    Process,
    find_tree,
    is_alive,
    measure_pss_bytes,
    measure_rss_bytes,
)

READY_TIMEOUT_S = 60.0
READY_POLL_S = 0.005
STOP_TIMEOUT_S = 10.0


class ServerFailed(Exception):
    """A server did not become ready or died; the message ends with its last words."""


@dataclass(frozen=True)
class Launch:
    """What to start: command, working directory, variables, CPUs, where its output goes."""

    command: Sequence[str]
    directory: Path
    variables: Mapping[str, str]
    cpus: frozenset[int]
    log: Path
    port: int
    health_path: str
    ready_text: str


class Server:
    """A running server; a context manager that leaves no process behind.

    ``cold_start_s`` is the time from the start of its process until it said that it is ready.
    """

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self.cold_start_s = 0.0

    def __enter__(self) -> Self:
        launch = self._launch
        with launch.log.open("wb") as log:
            started = time.perf_counter()
            self._process = subprocess.Popen(
                launch.command,
                cwd=launch.directory,
                env=dict(launch.variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Nothing else runs in this process that a fork could catch halfway.
                preexec_fn=lambda: os.sched_setaffinity(0, launch.cpus),
            )
        try:
            self._wait_ready(started + READY_TIMEOUT_S)
        except BaseException:
            self._stop()
            raise
        self.cold_start_s = time.perf_counter() - started
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._launch.port

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._launch.port}"

    def measure_memory_bytes(self) -> tuple[int, int]:
        """Return PSS and RSS of the server and all the processes below it."""
        tree = find_tree(self._process.pid)
        return measure_pss_bytes(tree), measure_rss_bytes(tree)

    def _wait_ready(self, deadline: float) -> None:
        while not self._is_ready():
            if self._process.poll() is not None:
                raise ServerFailed(f"exited with {self._process.returncode}: {self._last_words()}")
            if time.perf_counter() > deadline:
                raise ServerFailed(f"not ready after {READY_TIMEOUT_S:.0f} s: {self._last_words()}")
            time.sleep(READY_POLL_S)

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._launch.port, timeout=2)
        try:
            connection.request("GET", self._launch.health_path)
            response = connection.getresponse()
            return self._launch.ready_text in response.read().decode() and response.status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _stop(self) -> None:
        """Ask the server to end; kill what is left of its processes, each by its own number."""
        tree = find_tree(self._process.pid)
        with suppress(ProcessLookupError):
            self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_TIMEOUT_S)
        for process in tree:
            kill(process)
        self._process.wait(STOP_TIMEOUT_S)
        # The memory and the CPU of the next server must be its own: wait until all are gone.
        deadline = time.perf_counter() + STOP_TIMEOUT_S
        while any(is_alive(process) for process in tree) and time.perf_counter() < deadline:
            time.sleep(READY_POLL_S)

    def _last_words(self) -> str:
        return " ".join(self._launch.log.read_text(errors="replace").split())[-300:]


def kill(process: Process) -> None:
    """Kill a process unless it is gone."""
    if is_alive(process):
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


def find_free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
