"""A service on real workers that run the fixture models, and real servers on the loopback."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cogworks.server.launch import WorkerLaunch
from cogworks.server.sdk_tree import materialize
from cogworks.server.service import LogLine, PredictionService
from cogworks.server.settings import Settings
from cogworks.server.store import Store

MODELS = Path(__file__).resolve().parents[3] / "fixtures" / "models"
TIMEOUT_S = 30.0


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def sdk_tree(cache_dir: Path) -> Path:
    return materialize(cache_dir)


class Stage:
    """A running service and all that its model printed."""

    service: PredictionService

    def __init__(self) -> None:
        self.printed: list[LogLine] = []
        self._has_printed = asyncio.Event()

    async def wait_printed(self, text: str) -> None:
        """Wait until the model has printed it, whoever it belongs to."""
        while text not in "".join(line.text for line in self.printed):
            self._has_printed.clear()
            await self._has_printed.wait()

    def hear(self, line: LogLine) -> None:
        self.printed.append(line)
        self._has_printed.set()

    def text(self, prediction_id: str | None = None) -> str:
        return "".join(line.text for line in self.printed if line.prediction_id == prediction_id)


Play = Callable[..., Any]


@pytest.fixture
def stage(sdk_tree: Path) -> Callable[..., contextlib.AbstractAsyncContextManager[Stage]]:
    """Run a service on a fixture model: ``async with stage("echo") as it``."""

    @contextlib.asynccontextmanager
    async def start(
        model: str,
        *,
        ref: str = "run.py:Runner",
        document: dict[str, Any] | None = None,
        wait: bool = True,
        store: Store | None = None,
        variables: dict[str, str] | None = None,
        **settings: Any,
    ) -> AsyncGenerator[Stage]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("COG_", "PYTHON"))}
        environment |= variables or {}
        launch = WorkerLaunch(
            Path(sys.executable), sdk_tree, MODELS / model, ref, environment=environment
        )
        it = Stage()
        it.service = service = PredictionService(
            Settings(**settings), launch, document, on_log=it.hear, store=store
        )
        await service.start()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                if wait:
                    await service.wait_ready()
                yield it
        finally:
            await service.stop()

    return start


@pytest.fixture
def play() -> Callable[[Coroutine[Any, Any, None]], None]:
    """Run the coroutine of a test to its end."""
    return asyncio.run


class Server:
    """A server process and a client for it."""

    def __init__(self, process: subprocess.Popen[str], url: str, log: Path) -> None:
        self.process = process
        self.client = httpx2.Client(base_url=url, timeout=TIMEOUT_S)
        self.url = url
        self._log = log

    def predict(self, **inputs: Any) -> httpx2.Response:
        return self.client.post("/predictions", json={"input": inputs})

    def health(self) -> dict[str, Any]:
        body: dict[str, Any] = self.client.get("/health-check").json()
        return body

    def wait_for(self, *statuses: str) -> dict[str, Any]:
        """Return the health report once its status is one of these."""
        while (report := self.health())["status"] not in statuses:
            assert self.process.poll() is None, self.log()
        return report

    def log(self) -> str:
        return self._log.read_text()


@pytest.fixture
def launch_server(
    cache_dir: Path, sdk_tree: Path, tmp_path: Path
) -> Iterator[Callable[..., Server]]:
    """Start a server process on a fixture model; it is ended with the test."""
    servers: list[Server] = []

    def start(
        model: str,
        *arguments: str,
        ref: str = "run.py:Runner",
        wait: bool = True,
        module: str = "cogworks.server",
        **environment: str,
    ) -> Server:
        log = tmp_path / f"server{len(servers)}.log"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("COG_")}
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", module, "--host", "127.0.0.1", *arguments],
                cwd=MODELS / model,
                env={
                    **inherited,
                    "PORT": "0",
                    "COG_CACHE_DIR": str(cache_dir),
                    "COG_PREDICT_TYPE_STUB": ref,
                    **environment,
                },
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
        server = Server(process, _wait_url(process, log), log)
        servers.append(server)
        if wait:
            server.wait_for("READY")
        return server

    yield start
    for server in servers:
        server.client.close()
        if server.process.poll() is None:
            server.process.send_signal(signal.SIGTERM)
            try:
                server.process.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                server.process.kill()
                raise


def _wait_url(process: subprocess.Popen[str], log: Path) -> str:
    while (match := re.search(r"server on (http://\S+)", log.read_text())) is None:
        assert process.poll() is None, log.read_text()
    return match[1]
