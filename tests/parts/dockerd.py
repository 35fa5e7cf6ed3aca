"""Docker's daemon, with folders and a socket of its own; several may run beside each other and beside the machine's own.

They share the bridge `docker0`, which is made when the first one starts. `--bridge=none` must not be used: such a daemon
removes the bridge of the others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.parts.missing import find_program, need_root
from tests.parts.process import running

DEBIANS = ("/usr/bin",)
"""Where Debian has the client with BuildKit; another one, earlier on PATH, may lack it."""


@dataclass(frozen=True)
class Docker:
    """A daemon and the client that talks to it.

    Attributes:
        host: for `DOCKER_HOST`, `unix://...`.
        environment: what commands need to reach this daemon and no other.
    """

    client: str
    host: str
    environment: Mapping[str, str] = field(repr=False)

    def run(
        self,
        *arguments: str,
        input: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of docker's client to its end; an error has its output.

        Raises:
            AssertionError: it failed, unless ``check`` is false.
        """
        done = subprocess.run(
            [self.client, *arguments],
            input=input,
            env={**self.environment, **(environment or {})},
            capture_output=True,
            check=False,
        )
        output, errors = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
        assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {output}{errors}"
        return subprocess.CompletedProcess(done.args, done.returncode, output, errors)

    def remove(self, container: str) -> None:
        """Remove a container with its anonymous volumes, whether it runs or is there at all."""
        self.run("rm", "--force", "--volumes", container, check=False)


@contextmanager
def dockerd() -> Generator[Docker]:
    """Run a daemon while the block runs; it starts empty and leaves nothing.

    Raises:
        MissingPart: it is not installed, this is not root, or it does not start.
    """
    program = find_program("dockerd", "docker.io")
    client = find_program("docker", "docker.io", DEBIANS)
    need_root("dockerd")
    # Short, since the paths of sockets are.
    folder = Path(tempfile.mkdtemp(prefix="cog-dockerd-"))
    try:
        host = f"unix://{folder / 'docker.sock'}"
        command = [
            program,
            *("--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")),
            *("--host", host, "--pidfile", str(folder / "pid")),
        ]
        # No plugins, contexts or credentials of whoever runs the tests.
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        environment = {
            **kept,
            "HOME": str(folder),
            "DOCKER_HOST": host,
            "DOCKER_CONFIG": str(folder / "config"),
            "DOCKER_BUILDKIT": "1",
        }
        docker = Docker(client, host, environment)

        def is_up() -> bool:
            return docker.run("version", check=False).returncode == 0

        with running(command, folder / "log", is_up):
            yield docker
    finally:
        unmount_below(folder)
        shutil.rmtree(folder, ignore_errors=True)


def unmount_below(folder: Path) -> None:
    """Let go of what a daemon that was killed has left mounted."""
    mounts = (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())
    for mount in sorted((one for one in mounts if one.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
