"""Run the ``uv`` program: its output is followed line by line, its errors become sentences."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cogworks.engines.errors import EngineError
from cogworks.engines.pip_settings import read_pip_settings, uv_variables
from cogworks.engines.redact import redact

KEPT_LINES = 200
"""The end of uv's output that is kept for an error message."""
SHOWN_LINES = 30
"""The most lines of uv that an error message shows."""

FOREIGN_SETTINGS = (
    *("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "UV_PYTHON", "UV_PROJECT"),
    *("UV_PROJECT_ENVIRONMENT", "UV_SYSTEM_PYTHON", "UV_BREAK_SYSTEM_PACKAGES", "UV_TARGET"),
    *("UV_PREFIX", "UV_WORKING_DIR"),
)
"""Variables that point uv at an environment other than the one we make."""

_NOISE = ("warning:", "error:", "hint:", "  ", "Using ", "Creating virtual", "Activate with")
"""Beginnings of lines that are no progress: details, errors (raised later), advice for a shell."""

_BOX = re.compile(r"^[ ]*(?:[×✗]|[│├╰╭][─]*[▶]?)[ ]?")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run of uv ended: its exit code, its standard output, and the end of its messages."""

    code: int
    output: str
    messages: tuple[str, ...]

    @property
    def explanation(self) -> str:
        """What uv said went wrong, trimmed for a person; its progress lines are left out."""
        return explain(self.messages)


class Uv:
    """The uv program with the environment variables it runs under.

    Args:
        environment: None lets it inherit those of this process.
    """

    def __init__(self, environment: Mapping[str, str] | None) -> None:
        from uv import find_uv_bin

        try:
            self._binary = find_uv_bin()
        except FileNotFoundError as error:
            message = "the uv program is missing; install Cogworks again, with its dependencies"
            raise EngineError(message) from error
        self._environment: dict[str, str] | None = None
        if environment is not None:
            own = clean_environment(environment)
            self._environment = own | uv_variables(read_pip_settings(own), own)

    def run(
        self, arguments: Sequence[str], directory: Path, on_line: Callable[[str], None]
    ) -> Outcome:
        """Run uv to its end; ``on_line`` gets what it tells meanwhile, warnings left out.

        When this is interrupted, uv is killed before the interruption goes on.
        """
        # Standard output goes to a file: it may be long, and nobody reads it while uv works.
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            process = subprocess.Popen(  # A group of its own: what uv starts ends with it.
                [os.fspath(self._binary), *arguments, "--color=never", "--no-progress"],
                cwd=directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                process_group=None if sys.platform == "win32" else 0,
            )
            try:
                messages = _follow(process, on_line)
            except BaseException:
                _kill(process)
                raise
            output.seek(0)
            return Outcome(process.returncode, output.read(), messages)


def _follow(process: subprocess.Popen[str], on_line: Callable[[str], None]) -> tuple[str, ...]:
    """Wait for the end of a process and return the end of what it wrote to standard error."""
    assert process.stderr is not None
    messages: deque[str] = deque(maxlen=KEPT_LINES)
    with process.stderr:
        for line in process.stderr:
            shown = redact(line.rstrip())
            messages.append(shown)
            if shown and not is_noise(shown):
                on_line(shown.strip())
    process.wait()
    return tuple(messages)


def _kill(process: subprocess.Popen[str]) -> None:
    """End a process and everything it started, such as the build of a package."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those that point uv at a foreign environment."""
    return {name: value for name, value in environment.items() if name not in FOREIGN_SETTINGS}


def ignore_line(line: str) -> None:
    """Take a line that nobody needs to see."""


def is_noise(line: str) -> bool:
    """Tell whether a line of uv says nothing to someone who waits for an environment."""
    return line.startswith(_NOISE)


def explain(messages: Sequence[str]) -> str:
    """Return the error in uv's messages: everything from its first error line on, without frames."""
    start = next((i for i, line in enumerate(messages) if _starts_error(line)), 0)
    lines = [_BOX.sub("", line).rstrip() for line in messages[start:]]
    lines = [re.sub(r"^(error: |\s+cause: )", "", line) for line in lines]
    kept = [line for line in lines if line.strip() and not line.startswith("warning:")]
    if len(kept) > SHOWN_LINES:
        half = SHOWN_LINES // 2
        left_out = f"… {len(kept) - 2 * half} lines left out …"
        kept = [*kept[:half], left_out, *kept[-half:]]
    return "\n".join(kept) or "uv gave no reason"


def _starts_error(line: str) -> bool:
    return line.startswith("error:") or line.lstrip().startswith(("×", "✗"))
