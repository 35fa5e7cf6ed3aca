"""A server that a test starts and ends: by its process, and by nothing else."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from tests.parts.missing import MissingPart, last_line

START_S, STEP_S = 30.0, 0.05
"""How long a starting server is asked whether it is there, and how often."""
STOP_S = 20.0


def free_port() -> int:
    """Return a port of loopback that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def running(
    command: Sequence[str],
    log: Path,
    is_up: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
    turn: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Generator[subprocess.Popen[bytes]]:
    """Run a server while the block runs; its output goes to the log.

    Args:
        is_up: whether it answers; asked again and again until it does.
        turn: held while it starts and while it ends.

    Raises:
        MissingPart: it does not start here; the last line of its log is in the sentence.
    """
    with turn():
        process = _start(command, log, environment)
        try:
            _wait_until_up(process, command[0], log, is_up)
        except BaseException:
            _end(process)
            raise
    try:
        yield process
    finally:
        with turn():
            _end(process)


def _start(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [*_tied_to_us(), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
        )


def _tied_to_us() -> tuple[str, ...]:
    """Return what makes a server end with the tests, also if these are killed."""
    setpriv = shutil.which("setpriv")
    return () if setpriv is None else (setpriv, "--pdeathsig", "TERM")


def _wait_until_up(
    process: subprocess.Popen[bytes], name: str, log: Path, is_up: Callable[[], bool]
) -> None:
    pause = threading.Event()
    for _ in range(int(START_S / STEP_S)):
        if process.poll() is not None:
            raise MissingPart(f"{name} does not start here: {last_line(log)}")
        if is_up():
            return
        pause.wait(STEP_S)
    raise MissingPart(f"{name} does not answer after {START_S:.0f} s: {last_line(log)}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
