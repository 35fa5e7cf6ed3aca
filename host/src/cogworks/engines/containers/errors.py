"""What can go wrong with docker and podman."""

from __future__ import annotations

from collections.abc import Sequence

from cogworks.engines.errors import EngineError
from cogworks.engines.redact import redact

SHOWN_CHARACTERS = 500
"""How much of what a program said is repeated in a message."""
_PREFIXES = (
    "Error response from daemon: ",
    "error during connect: ",
    "Error: ",
    "ERROR: ",
    "docker: ",
)


class ContainerError(EngineError):
    """A container engine could not do what it was told."""


class EngineUnreachableError(ContainerError):
    """There is no container engine that answers; the message says why of each."""


class GpuError(ContainerError):
    """GPUs were asked for in words that mean nothing."""


class CommandFailedError(ContainerError):
    """A command of docker or podman failed; ``said`` is its reason, ``code`` its exit code."""

    def __init__(self, program: str, arguments: Sequence[str], code: int, said: str) -> None:
        self.code = code
        self.said = said
        verb = " ".join(_verb(arguments))
        super().__init__(f"`{program} {verb}` failed: {said or f'exit code {code}'}")


def reason(text: str) -> str:
    """Return what a program said went wrong: its last line, without what every error begins with."""
    lines = [line.strip() for line in text.splitlines()]
    # Hints for people at a prompt come last, and mean nothing here.
    lines = [line for line in lines if line and not line.startswith(("See '", "Run 'docker"))]
    last = lines[-1] if lines else ""
    while prefix := next((one for one in _PREFIXES if last.startswith(one)), ""):
        last = last.removeprefix(prefix)
    last = redact(last)
    return last if len(last) <= SHOWN_CHARACTERS else last[: SHOWN_CHARACTERS - 1] + "…"


def _verb(arguments: Sequence[str]) -> list[str]:
    """Return the words of a command before its first option: `image inspect`."""
    words: list[str] = []
    for word in arguments[:2]:
        if word.startswith("-"):
            break
        words.append(word)
    return words if words[:1] in (["image"], ["container"], ["context"]) else words[:1]
