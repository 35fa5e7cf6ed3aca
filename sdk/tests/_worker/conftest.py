"""A server for one worker, made of the standard library: real processes, sockets and pipes."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

import cog
from cog._bridge.messages import Done, Init, Message, Predict
from cog._bridge.version import PROTOCOL_VERSION
from cog._worker.channel import Channel

MODELS = Path(__file__).resolve().parents[3] / "fixtures" / "models"
TIMEOUT_S = 20.0


class Worker:
    """The server's side of a worker that runs one of the fixture models."""

    def __init__(
        self, model: Path, tree: Path, temp_dir: Path, environment: dict[str, str]
    ) -> None:
        data, their_data = socket.socketpair()
        control, their_control = socket.socketpair()
        for sock in (data, control):
            sock.settimeout(TIMEOUT_S)
        self._sockets = (data, control)
        their_lifeline, lifeline = os.pipe()
        self.lifeline = io.FileIO(lifeline, "w")
        descriptors = (their_data.fileno(), their_control.fileno(), their_lifeline)
        self.data = Channel(data, str(temp_dir))
        self.control = Channel(control)
        self._from_data = self.data.receive()
        self._from_control = self.control.receive()
        self.temp_dir = temp_dir
        self._printed = temp_dir / "printed"
        with self._printed.open("wb") as printed:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    str(tree),
                    "--bridge",
                    ",".join(map(str, descriptors)),
                ],
                cwd=model,
                env={**os.environ, "PYTHONPATH": "", **environment},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                pass_fds=descriptors,
                start_new_session=True,
            )
        their_data.close()
        their_control.close()
        os.close(their_lifeline)

    def init(self, **changes: Any) -> None:
        values: dict[str, Any] = {
            "protocol": PROTOCOL_VERSION,
            "ref": "run.py:Runner",
            "mode": "run",
            "slots": None,
            "temp_dir": str(self.temp_dir),
            **changes,
        }
        self.control.send(Init(**values))

    def next_control(self) -> Optional[Message]:
        return next(self._from_control, None)

    def next_data(self) -> Optional[Message]:
        return next(self._from_data, None)

    def predict(self, prediction_id: str = "p1", **inputs: Any) -> None:
        self.data.send(Predict(prediction_id, inputs))

    def until_done(self) -> list[Message]:
        """Return the messages of one prediction, ``Done`` the last."""
        messages: list[Message] = []
        while not (messages and isinstance(messages[-1], Done)):
            message = self.next_data()
            assert message is not None, f"the worker is gone: {self.printed()}"
            messages.append(message)
        return messages

    def result(self, **inputs: Any) -> Done:
        self.predict(**inputs)
        done = self.until_done()[-1]
        assert isinstance(done, Done)
        return done

    def send_bytes(self, data: bytes) -> None:
        self._sockets[0].sendall(data)

    def hang_up(self) -> None:
        for sock in self._sockets:
            sock.shutdown(socket.SHUT_RDWR)

    def printed(self) -> str:
        return self._printed.read_text()

    def wait_printed(self, text: str) -> None:
        """Wait until the model has printed it; a file has no events."""
        deadline = time.monotonic() + TIMEOUT_S
        while text not in self.printed():
            assert time.monotonic() < deadline, self.printed()
            time.sleep(0.001)

    def end(self) -> None:
        for sock in self._sockets:
            sock.close()
        self.process.kill()
        self.lifeline.close()
        self.process.wait(TIMEOUT_S)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the SDK, as the host makes one."""
    folder = tmp_path_factory.mktemp("sdk")
    package = Path(next(iter(cog.__path__)))
    shutil.copytree(package, folder / "cog", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "__main__.py").write_text("from cog._worker.main import main\n\nmain()\n")
    return folder


@pytest.fixture
def launch(tree: Path, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Start the worker of a fixture model; it is ended with the test."""
    workers: list[Worker] = []

    def start(model: str, **environment: str) -> Worker:
        temp_dir = tmp_path / f"worker{len(workers)}"
        temp_dir.mkdir()
        workers.append(Worker(MODELS / model, tree, temp_dir, environment))
        return workers[-1]

    yield start
    for worker in workers:
        worker.end()


@pytest.fixture
def ready(launch: Callable[..., Worker]) -> Callable[..., Worker]:
    """Start the worker of a fixture model and wait until it is set up."""

    def start(model: str, init: Optional[dict[str, Any]] = None, **environment: str) -> Worker:
        worker = launch(model, **environment)
        worker.init(**(init or {}))
        worker.next_control()
        assert type(worker.next_control()).__name__ == "Ready", worker.printed()
        return worker

    return start
