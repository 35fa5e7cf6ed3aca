"""Registries to talk to: the fake one, and Debian's where it is installed; and clients that do not wait."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import httpx2
import pytest

from cogworks.registry.client import Client
from cogworks.registry.patience import Patience
from cogworks.testing.registry import FakeRegistry

STARTS = 100
"""How often a starting registry is asked whether it is there, 0.1 s apart."""


@pytest.fixture
def waits() -> list[float]:
    """Return where the clients of this test note their waits, instead of waiting."""
    return []


@pytest.fixture
def patience(waits: list[float]) -> Patience:
    """Return the usual patience, without the waits."""
    return Patience(pause=lambda seconds, _: waits.append(seconds), jitter=lambda: 1.0)


@pytest.fixture
def client(patience: Patience) -> Iterator[Client]:
    """Return a client that nobody knows."""
    with Client(patience=patience) as client:
        yield client


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    """Return a fake registry for everybody."""
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture(scope="session")
def real_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start Debian's docker-registry and return its host."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not installed (Debian: apt-get install docker-registry)")
    folder = tmp_path_factory.mktemp("docker-registry")
    yield from serve_registry(program, folder)


def serve_registry(program: str, folder: Path) -> Generator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "config.yml"
    config.write_text(
        "{version: 0.1, log: {level: error}, "
        f"storage: {{filesystem: {{rootdirectory: {folder / 'data'}}}, delete: {{enabled: true}}}}, "
        f'http: {{addr: "127.0.0.1:{port}"}}}}'
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(config)], stdout=log, stderr=log)
        try:
            host = f"127.0.0.1:{port}"
            wait_until_it_answers(host, process)
            yield host
        finally:
            process.terminate()
            process.wait(10)


def wait_until_it_answers(host: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(STARTS):
        try:
            httpx2.get(f"http://{host}/v2/", timeout=5)
            return
        except httpx2.TransportError:
            if process.poll() is not None:
                break
            threading.Event().wait(0.1)
    pytest.fail("docker-registry did not start")


@pytest.fixture(
    params=["fake", pytest.param("docker-registry", marks=pytest.mark.slow)],
)
def any_host(request: pytest.FixtureRequest) -> str:
    """Return the host of each registry that the contract is for."""
    if request.param == "fake":
        fake: FakeRegistry = request.getfixturevalue("registry")
        return fake.host
    real: str = request.getfixturevalue("real_registry")
    return real


@pytest.fixture
def repository_name(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Return a function that makes names of this test's own, since the real registry lives on."""
    own = "".join(c if c.isalnum() else "-" for c in request.node.name.lower())
    return lambda name: f"t/{'-'.join(part for part in own.split('-') if part)}/{name}"
