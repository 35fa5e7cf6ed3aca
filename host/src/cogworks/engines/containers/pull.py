"""Pull an image by docker or podman, shown so that people can read it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence

from cogworks.engines.containers.engine import DOCKER, ContainerEngine
from cogworks.engines.containers.errors import ContainerError, reason
from cogworks.engines.progress import Progress

FORMATS_PLATFORM = "linux/amd64"
"""What images of the format are made for, whatever the machine is."""
_OTHER_PLATFORM = ("no matching manifest", "no image found")
_FORBIDDEN = ("denied", "unauthorized", "authentication required", "no basic auth")
_MISSING = ("manifest unknown", "not found", "does not exist", "name unknown")
_BEGUN, _ENDED = (
    ("Pulling fs layer", "Already exists", "Copying blob"),
    ("Pull complete", "Already"),
)


class PullError(ContainerError):
    """An image cannot be pulled."""

    def __init__(self, engine: ContainerEngine, name: str, said: str) -> None:
        self.said = said
        registry = name.partition("/")[0] if "." in name.partition("/")[0] else ""
        message = f"{engine.name} cannot pull {name}: {reason(said).rstrip('.')}."
        lower = said.lower()
        if any(text in lower for text in _FORBIDDEN):
            login = f" {registry}" if registry else ""
            message += f" It may not exist, or ask you to `cog login{login}`."
        elif any(text in lower for text in _MISSING):
            message += " Check its name and its tag."
        super().__init__(message)


def pull_image(
    engine: ContainerEngine, name: str, progress: Progress, terminal: int | None = None
) -> None:
    """Pull an image for the engine's own platform, or else for that of the format.

    Args:
        progress: hears of it, unless docker draws on a terminal by itself, with bars for the bytes of every layer.
        terminal: its descriptor.

    Raises:
        PullError: it cannot be pulled; the message says why.
        ContainerError: the program cannot be started.
    """
    if engine.name != DOCKER:
        terminal = None  # Podman has no errors apart from what it draws.
    try:
        _pull(engine, [name], name, progress, terminal)
    except PullError as error:
        if not any(text in error.said.lower() for text in _OTHER_PLATFORM):
            raise
        _pull(engine, ["--platform", FORMATS_PLATFORM, name], name, progress, terminal)


def _pull(
    engine: ContainerEngine,
    arguments: Sequence[str],
    name: str,
    progress: Progress,
    terminal: int | None,
) -> None:
    command = [engine.program, "pull", *arguments]
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                command,
                env=dict(engine.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if terminal is None else terminal,
                stderr=subprocess.STDOUT if terminal is None else errors,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise ContainerError(f"{engine.program} cannot be started: {error.strerror}") from error
        with process:
            try:
                said = _follow(process, name, progress)
            except BaseException:
                process.kill()
                raise
        errors.seek(0)
        said += errors.read().decode("utf-8", "replace")
    if process.returncode != 0:
        raise PullError(engine, name, said)


def _follow(process: subprocess.Popen[str], name: str, progress: Progress) -> str:
    """Count the layers that have come; return what was printed."""
    if process.stdout is None:
        return ""
    progress.stage(f"Pulling {name}")
    lines: list[str] = []
    begun = ended = 0
    for line in process.stdout:
        lines.append(line)
        begun += any(text in line for text in _BEGUN)
        if any(text in line for text in _ENDED):
            ended += 1
            progress.line(f"{ended} of {begun} layers")
    process.wait()
    if process.returncode == 0:
        progress.done(f"Pulled {name}")
    return "".join(lines)
