"""The text that tells an engine what to run: understood by every builder since docker 20.10; pure.

No `# syntax` line, no here-documents, no `COPY --link`, no named contexts: nothing has to be fetched to read it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cogworks.build.errors import StageError
from cogworks.oci.errors import quoted
from cogworks.project.model import SecretMount

_PLAIN = re.compile(r"[^\s,\"'$\\\0]+")
"""What stands in a mount option as it is, for every builder."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a shell.

    Attributes:
        where: what its error begins with, as `cog.yaml:7: build.run[0]`.
        shown: what its error shows of it.
    """

    command: str
    where: str
    mounts: tuple[SecretMount, ...] = ()
    shown: str = ""

    @property
    def text(self) -> str:
        """What an error shows of it."""
        return self.shown or self.command


def containerfile(base: str, steps: Sequence[Step], files: Sequence[str] = ()) -> str:
    """Return the text: files of the context are copied to the root, then the steps run one after another.

    Raises:
        StageError: a mount cannot be written down.
    """
    lines = [f"FROM {base}", *(f"COPY {name} /{name}" for name in files)]
    lines += [run_instruction(step) for step in steps]
    return "\n".join([*lines, ""])


def run_instruction(step: Step) -> str:
    """Return the line that runs a step.

    Raises:
        StageError: a mount cannot be written down.
    """
    mounts = [f"--mount=type=secret,id={one.id},target={one.target}" for one in step.mounts]
    for one in step.mounts:
        for word in (one.id, one.target):
            if not _PLAIN.fullmatch(word):
                raise StageError(
                    f"{step.where}: {quoted(word)} cannot be part of a mount: no spaces, commas, quotes, "
                    "dollar signs or backslashes."
                )
    # A backslash at the end would take the next step for its continuation.
    command = step.command.strip().rstrip("\\").rstrip()
    return " ".join(["RUN", *mounts, command])
