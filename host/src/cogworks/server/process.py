"""A worker as an operating-system process: spawned with its sockets and pipes, killed with its children.

Imports little, so that a server can start its worker before it loads its own heavy parts.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cogworks.server.launch import WorkerLaunch
from cogworks.server.settings import SECRET_VARIABLES
from cogworks.server.temporary_folder import WORKER_PREFIX, TemporaryFolder, make_folder


@dataclass(frozen=True)
class WorkerProcess:
    """A running worker, and the server's ends of what connects it.

    It leads a session and process group of its own: what it starts ends with it, and a Ctrl-C in
    the terminal does not reach it. When ``lifeline`` is closed, which a server that is killed does
    too, the kernel kills that group. ``started_at`` is in seconds of the monotonic clock.
    """

    popen: subprocess.Popen[bytes]
    data: socket.socket
    control: socket.socket
    stdout: int
    stderr: int
    lifeline: io.FileIO
    folder: TemporaryFolder
    started_at: float

    @property
    def pid(self) -> int:
        """Return the process id, which is also that of its group."""
        return self.popen.pid

    @property
    def temp_dir(self) -> Path:
        """Return the worker's own folder for temporary files."""
        return self.folder.path

    def kill(self) -> None:
        """End the worker and everything in its process group; nothing happens if it is gone."""
        if self.popen.returncode is None:
            _kill_group(self.pid)

    def wait(self) -> int:
        """Block until the worker is dead; return its exit code, negative for a signal.

        What is left of its group is killed while its number cannot belong to anybody else yet.
        """
        if self.popen.returncode is None:
            with contextlib.suppress(ChildProcessError):  # Another thread was quicker.
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
                _kill_group(self.pid)
        code = self.popen.wait()
        self.lifeline.close()
        return code

    def remove_temp_dir(self) -> None:
        """Delete what the worker left behind."""
        self.folder.remove()

    def end(self) -> None:
        """Kill the worker if it lives and leave nothing of it; again does nothing."""
        self.kill()
        self.wait()
        self.remove_temp_dir()


def spawn(launch: WorkerLaunch, slots: int | None) -> WorkerProcess:
    """Start a worker and tell it which model to load.

    Args:
        slots: predictions at once; None leaves it to the model.

    Raises:
        OSError: the interpreter cannot be executed, or a limit of the system was hit.
    """
    folder = make_folder(WORKER_PREFIX)
    data, worker_data = socket.socketpair()
    control, worker_control = socket.socketpair()
    stdout, worker_stdout = os.pipe()
    stderr, worker_stderr = os.pipe()
    worker_lifeline, lifeline = os.pipe()
    descriptors = (worker_data.fileno(), worker_control.fileno(), worker_lifeline)
    try:
        popen = subprocess.Popen(
            launch.command(*descriptors),
            cwd=launch.project_dir,
            env={**_without_secrets(launch.environment), "TMPDIR": str(folder.path)},
            stdin=subprocess.DEVNULL,
            stdout=worker_stdout,
            stderr=worker_stderr,
            pass_fds=descriptors,
            start_new_session=True,
        )
    except BaseException:
        data.close()
        control.close()
        os.close(stdout)
        os.close(stderr)
        os.close(lifeline)
        folder.remove()
        raise
    finally:
        worker_data.close()
        worker_control.close()
        os.close(worker_stdout)
        os.close(worker_stderr)
        os.close(worker_lifeline)
    tie = io.FileIO(lifeline, "w")
    process = WorkerProcess(popen, data, control, stdout, stderr, tie, folder, time.monotonic())
    _introduce(process, launch, slots)
    return process


def _introduce(process: WorkerProcess, launch: WorkerLaunch, slots: int | None) -> None:
    # Imported here: the worker starts meanwhile.
    from cog._bridge.messages import Init, encode
    from cog._bridge.version import PROTOCOL_VERSION

    init = Init(PROTOCOL_VERSION, launch.ref, launch.mode, slots, str(process.temp_dir))
    # A worker that has ended already is noticed by whoever waits for it.
    with contextlib.suppress(BrokenPipeError):
        process.control.sendall(encode(init))


def _without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in SECRET_VARIABLES}


def _kill_group(pid: int) -> None:
    # Nobody may be left; macOS says "permission" where only zombies are.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
