"""Parts that a test needs and this machine may not have: each is missing for one clear reason."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


class MissingPart(Exception):
    """A part cannot be had here; the sentence says why, and what to do. Tests skip with it, benchmarks stop."""


def find_program(name: str, package: str, folders: tuple[str, ...] = ()) -> str:
    """Return the path of a program.

    Args:
        package: that of Debian which has it.
        folders: where to look first, before ``PATH``.

    Raises:
        MissingPart: it is not installed.
    """
    # Programs of administrators are not on everybody's PATH.
    path = os.pathsep.join((*folders, os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    found = shutil.which(name, path=path)
    if found is None:
        raise MissingPart(f"{name} is not installed (Debian: apt-get install {package})")
    return found


def need_root(what: str) -> None:
    """Stop unless this process is root's.

    Raises:
        MissingPart: it is not.
    """
    if os.geteuid() != 0:
        raise MissingPart(f"{what} needs root")


def last_line(path: Path) -> str:
    """Return the last line of a log that is not empty, for a sentence."""
    lines = path.read_text(errors="replace").strip().splitlines() if path.exists() else []
    return lines[-1].strip() if lines else "it said nothing"
