"""Run a program of a model's environment that only has to look, so that it can do little harm.

Everywhere: a time limit; a session and process group of its own, killed as a whole; nothing on
standard input; what it prints goes to a file; a home and a folder for temporary files that are
removed; only the variables that are given. On Linux, where the kernel lets a user do it, also:
no network, and no process that outlives it. ``docs/cli.md`` says the same to users.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""What a program needs of its user's environment variables; tokens are none of its business."""
MAX_PRINTED_BYTES = 1024 * 1024
"""How much of what the program printed is read back: the end."""
_USER = ("--user", "--map-current-user")
_ISOLATIONS = (
    (*_USER, "--net", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"),
    (*_USER, "--net"),
)
"""Options of ``unshare``, best first; containers and hardened kernels often refuse some."""
_PROBE_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How the program ended: exit code, negative for a signal, None for the time limit."""

    code: int | None
    printed: str


@dataclass(frozen=True, slots=True)
class Isolation:
    """How processes are kept apart: the words in front of a command."""

    prefix: tuple[str, ...] = ()

    @property
    def has_no_network(self) -> bool:
        """Whether the program sees no network."""
        return "--net" in self.prefix

    @property
    def has_processes(self) -> bool:
        """Whether the program's processes are a world of their own, with a shell as their first."""
        return "--pid" in self.prefix

    def wrap(self, command: Sequence[str]) -> list[str]:
        """Return the command that runs ``command`` isolated."""
        if not self.has_processes:
            return [*self.prefix, *command]
        # The first process of a world cannot be killed by its own signals; so a shell is the first.
        return [*self.prefix, "/bin/sh", "-c", '"$@"; exit $?', "sh", *command]


def find_isolation() -> Isolation:
    """Return the best isolation that this machine lets a user have."""
    program = shutil.which("unshare") if sys.platform == "linux" else None
    if program is None:
        return Isolation()
    for options in _ISOLATIONS:
        try:
            probe = subprocess.run(
                [program, *options, "--", "/bin/sh", "-c", "exit 0"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PROBE_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if probe.returncode == 0:
            return Isolation((program, *options, "--"))
    return Isolation()


def run_sandboxed(
    command: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    timeout_s: float,
    isolation: Isolation,
    descriptors: Iterable[int] = (),
) -> Ended:
    """Run a command to its end, or to the time limit; nothing of it is left afterwards.

    Args:
        environment: beside ``HOME`` and the temporary folder, all variables that it gets.
        descriptors: files that it may write to.

    Raises:
        OSError: it cannot be started.
    """
    with (
        tempfile.TemporaryDirectory(prefix="cog-sandbox-", ignore_cleanup_errors=True) as home,
        tempfile.TemporaryFile() as printed,
    ):
        process = subprocess.Popen(
            isolation.wrap(command),
            cwd=directory,
            env={**environment, "HOME": home, "TMPDIR": home},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            pass_fds=tuple(descriptors),
            start_new_session=True,
        )
        code = _wait(process, timeout_s)
        if code is not None and code > 128 and isolation.has_processes:
            code = 128 - code  # As a shell tells of a signal.
        return Ended(code, _read_end(printed))


def _wait(process: subprocess.Popen[bytes], timeout_s: float) -> int | None:
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        # Also when we are interrupted. The group outlives its leader if that left children.
        if sys.platform == "win32":
            process.kill()
        else:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _read_end(file: BinaryIO) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MAX_PRINTED_BYTES))
    return file.read().decode("utf-8", "replace")
