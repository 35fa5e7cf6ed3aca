"""Docker's daemon, with folders, a socket and a network of its own; several may run beside each other.

`--bridge=none` must not be used instead: such a daemon removes the bridge `docker0` of the others.
"""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.parts.bridge import bridge
from tests.parts.engine import Engine, plain_environment
from tests.parts.folder import storage_folder
from tests.parts.missing import find_program, need_root
from tests.parts.process import running

DEBIANS = ("/usr/bin",)
"""Where Debian has the client with BuildKit; another one, earlier on PATH, may lack it."""


@dataclass(frozen=True)
class Docker(Engine):
    """A daemon and the client that talks to it; ``host`` is for `DOCKER_HOST`."""

    host: str = ""


@contextmanager
def dockerd() -> Generator[Docker]:
    """Run a daemon while the block runs; it starts empty and leaves nothing.

    Raises:
        MissingPart: it is not installed, this is not root, or it does not start.
    """
    program = find_program("dockerd", "docker.io")
    client = find_program("docker", "docker.io", DEBIANS)
    need_root("dockerd")
    with bridge() as network, storage_folder("dockerd") as folder:
        host = f"unix://{folder / 'docker.sock'}"
        command = [
            program,
            *("--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
            *("--host", host, "--pidfile", str(folder / "pid"), "--bridge", network),
        ]
        environment = {
            **plain_environment(str(folder)),
            "DOCKER_HOST": host,
            "DOCKER_CONFIG": str(folder / "config"),
            "DOCKER_BUILDKIT": "1",
        }
        docker = Docker(client, environment, host)
        with running(command, folder / "log", lambda: _is_up(docker), turn=_turn):
            yield docker


@contextmanager
def _turn() -> Generator[None]:
    """Keep other processes of tests from starting or ending a daemon: two at once undo each other's iptables rules."""
    with Path(tempfile.gettempdir(), "cog-dockerd.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_up(docker: Docker) -> bool:
    return docker.run("version", check=False).returncode == 0
