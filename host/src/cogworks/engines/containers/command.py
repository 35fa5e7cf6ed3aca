"""Commands of docker and podman as child processes: run to their end, their errors made sentences."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cogworks.engines.containers.engine import ContainerEngine
from cogworks.engines.containers.errors import CommandFailedError, ContainerError, reason

ANSWER_TIMEOUT_S = 60.0
"""For questions: a daemon that answers at all does so in milliseconds, unless its disk is busy."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    stdout: str
    stderr: str


def ask(
    engine: ContainerEngine, arguments: Sequence[str], timeout_s: float = ANSWER_TIMEOUT_S
) -> Answer:
    """Run a command to its end, whatever that is.

    Raises:
        ContainerError: the program cannot be started, or takes too long.
    """
    try:
        done = subprocess.run(
            [engine.program, *arguments],
            # A relative DOCKER_CONFIG or certificate path would mean another file elsewhere, so it stays here.
            env=dict(engine.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ContainerError(f"{engine.name} did not answer within {timeout_s:g} s") from error
    except OSError as error:
        name = Path(engine.program).name
        raise ContainerError(f"{name} cannot be started: {error.strerror}") from error
    return Answer(done.returncode, done.stdout, done.stderr)


def run(
    engine: ContainerEngine, arguments: Sequence[str], timeout_s: float = ANSWER_TIMEOUT_S
) -> str:
    """Run a command to its end; return what it printed.

    Raises:
        CommandFailedError: it failed.
        ContainerError: it cannot be started, or takes too long.
    """
    answer = ask(engine, arguments, timeout_s)
    if answer.code != 0:
        said = reason(answer.stderr or answer.stdout)
        raise CommandFailedError(engine.name, arguments, answer.code, said)
    return answer.stdout
