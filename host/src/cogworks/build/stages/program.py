"""Programs of engines as child processes: followed line by line, ended as a whole if we are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cogworks.build.errors import StageError

KEPT_LINES = 400
"""The end of a program's output that is kept for an error."""
LINE_MAX_CHARS = 2000
GRACE_S = 10.0
"""How long a program may take to clean up when it is told to end; buildah removes its container then."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its exit code, and the end of what it printed."""

    code: int
    lines: tuple[str, ...]


def follow(
    command: Sequence[str],
    environment: Mapping[str, str],
    on_line: Callable[[str], None],
    *,
    data: Iterable[bytes] | None = None,
    directory: Path | None = None,
) -> Ended:
    """Run a program to its end; ``on_line`` hears each line of both its outputs.

    Args:
        data: what it reads.
        directory: where it works, instead of here.

    Raises:
        StageError: it cannot be started.
    """
    stdin = subprocess.DEVNULL if data is None else subprocess.PIPE
    process = _start(command, environment, stdin=stdin, stdout=subprocess.PIPE, directory=directory)
    kept: deque[str] = deque(maxlen=KEPT_LINES)

    def read() -> None:
        assert process.stdout is not None
        for raw in process.stdout:
            line = raw.decode("utf-8", "replace").rstrip()[:LINE_MAX_CHARS]
            kept.append(line)
            on_line(line)

    with _ending(process):
        if data is None:
            read()
        else:
            # Both directions at once, or a program that prints much while it reads would wait forever.
            reader = threading.Thread(target=read, daemon=True)
            reader.start()
            _feed(process, data)
            reader.join()
        return Ended(process.wait(), tuple(kept))


@contextmanager
def reading(
    command: Sequence[str], environment: Mapping[str, str], what: str
) -> Generator[IO[bytes]]:
    """Yield what a program prints, to be read while it works.

    Args:
        what: the begin of the error's sentence.

    Raises:
        StageError: it cannot be started, or failed.
    """
    with tempfile.TemporaryFile() as errors:
        process = _start(command, environment, stdout=subprocess.PIPE, stderr=errors)
        with _ending(process):
            assert process.stdout is not None
            yield process.stdout
            while process.stdout.read(1024 * 1024):
                pass  # What nobody wanted; else the program would wait for us.
            code = process.wait()
        if code:
            errors.seek(0)
            lines = errors.read().decode("utf-8", "replace").strip().splitlines()
            raise StageError(f"{what}: {lines[-1] if lines else f'exit code {code}'}")


def _start(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int,
    stderr: int | IO[bytes] = subprocess.STDOUT,
    directory: Path | None = None,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            env=dict(environment),
            cwd=directory,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            # Ctrl-C comes to us, and we tell it once; what it has started ends with it.
            process_group=None if sys.platform == "win32" else 0,
        )
    except OSError as error:
        name = Path(command[0]).name
        raise StageError(f"{name} cannot be started: {error.strerror}.") from error


def _feed(process: subprocess.Popen[bytes], data: Iterable[bytes]) -> None:
    assert process.stdin is not None
    # A program that ends early says why in its output.
    with suppress(BrokenPipeError):
        for block in data:
            process.stdin.write(block)
    with suppress(BrokenPipeError):
        process.stdin.close()


@contextmanager
def _ending(process: subprocess.Popen[bytes]) -> Generator[None]:
    """End the program, and what it has started, where the block ends before it."""
    try:
        yield
    finally:
        if process.poll() is None:
            _end(process)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S)
    if sys.platform == "win32":
        process.kill()
    else:
        # Also what it has left: its group lives on without it.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
