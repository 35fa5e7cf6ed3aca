"""A worker as an operating-system process: spawned with its sockets and pipes, killed with its children.

Imports little, so that a server can start its worker before it loads its own heavy parts.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cog._bridge.messages import Init, encode
from cog._bridge.version import PROTOCOL_VERSION
from cogworks.server.launch import WorkerLaunch
from cogworks.server.settings import SECRET_VARIABLES


@dataclass(frozen=True)
class WorkerProcess:
    """A running worker, and the server's ends of what connects it.

    It leads a session and process group of its own: what it starts ends with it, and a Ctrl-C in
    the terminal does not reach it. ``started_at`` is in seconds of the monotonic clock.
    """

    popen: subprocess.Popen[bytes]
    data: socket.socket
    control: socket.socket
    stdout: int
    stderr: int
    temp_dir: Path
    started_at: float

    @property
    def pid(self) -> int:
        """Return the process id, which is also that of its group."""
        return self.popen.pid

    def kill(self) -> None:
        """End the worker and everything in its process group; nothing happens if it is gone."""
        if self.popen.returncode is None:
            _kill_group(self.pid)

    def wait(self) -> int:
        """Block until the worker is dead; return its exit code, negative for a signal.

        What is left of its group is killed while its number cannot belong to anybody else yet.
        """
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        _kill_group(self.pid)
        return self.popen.wait()

    def remove_temp_dir(self) -> None:
        """Delete what the worker left behind."""
        shutil.rmtree(self.temp_dir, ignore_errors=True)


def spawn(launch: WorkerLaunch, slots: int | None) -> WorkerProcess:
    """Start a worker and tell it which model to load.

    Args:
        slots: predictions at once; None leaves it to the model.

    Raises:
        OSError: the interpreter cannot be executed, or a limit of the system was hit.
    """
    temp_dir = Path(tempfile.mkdtemp(prefix="cog-worker-"))
    data, worker_data = socket.socketpair()
    control, worker_control = socket.socketpair()
    stdout, worker_stdout = os.pipe()
    stderr, worker_stderr = os.pipe()
    try:
        popen = subprocess.Popen(
            launch.command(worker_data.fileno(), worker_control.fileno()),
            cwd=launch.project_dir,
            env={**_without_secrets(launch.environment), "TMPDIR": str(temp_dir)},
            stdin=subprocess.DEVNULL,
            stdout=worker_stdout,
            stderr=worker_stderr,
            pass_fds=(worker_data.fileno(), worker_control.fileno()),
            start_new_session=True,
        )
    except BaseException:
        data.close()
        control.close()
        os.close(stdout)
        os.close(stderr)
        shutil.rmtree(temp_dir, ignore_errors=True)
        raise
    finally:
        worker_data.close()
        worker_control.close()
        os.close(worker_stdout)
        os.close(worker_stderr)
    init = Init(PROTOCOL_VERSION, launch.ref, launch.mode, slots, str(temp_dir))
    control.sendall(encode(init))
    return WorkerProcess(popen, data, control, stdout, stderr, temp_dir, time.monotonic())


def describe_exit(code: int, after_s: float) -> str:
    """Say how a worker ended, and why that usually happens."""
    age = f"after {after_s:.0f} s" if after_s >= 1 else f"after {after_s * 1000:.0f} ms"
    if code >= 0:
        return f"worker exited with code {code} {age}"
    try:
        name = f" ({signal.Signals(-code).name})"
    except ValueError:
        name = ""
    if -code == signal.SIGKILL:
        return f"worker was killed by signal 9 {age}, usually out of memory"
    return f"worker was killed by signal {-code}{name} {age}"


def _without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in SECRET_VARIABLES}


def _kill_group(pid: int) -> None:
    # Nobody may be left; macOS says "permission" where only zombies are.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
