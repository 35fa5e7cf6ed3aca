"""Which commit and which version a project is: of a CI's variables, or of git."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import Popen

GIT_TIMEOUT_S = 10.0
REVISION = "org.opencontainers.image.revision"
VERSION = "org.opencontainers.image.version"
_ASKED = {
    REVISION: ("GITHUB_SHA", ("rev-parse", "HEAD")),
    VERSION: ("GITHUB_REF_NAME", ("describe", "--tags", "--dirty")),
}
"""Label -> the CI's variable, and what git is asked where that is not set."""


def find_revision(directory: str | Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of the commit and the version, if there are some."""
    has_git = is_in_repository(directory, environment)
    # Both at once: git reads its index for the second.
    asked = {
        label: _start_git(directory, arguments)
        for label, (variable, arguments) in _ASKED.items()
        if has_git and not environment.get(variable)
    }
    found = {
        label: environment.get(variable) or _answer(asked.get(label))
        for label, (variable, _) in _ASKED.items()
    }
    return {name: value for name, value in found.items() if value}


def is_in_repository(directory: str | Path, environment: Mapping[str, str]) -> bool:
    """Tell whether git may know a folder; where it cannot, there is no need to start it."""
    if "GIT_DIR" in environment:
        return True
    folder, before = os.path.realpath(directory), ""
    while folder != before:
        # A bare repository has no `.git` in it.
        if any(os.path.exists(os.path.join(folder, name)) for name in (".git", "objects")):
            return True
        folder, before = os.path.dirname(folder), folder
    return False


def _start_git(directory: str | Path, arguments: tuple[str, ...]) -> Popen[str] | None:
    from subprocess import DEVNULL, PIPE, Popen

    with suppress(OSError):
        return Popen(
            ["git", *arguments],
            cwd=directory,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=DEVNULL,
            encoding="utf-8",
            errors="replace",
        )
    return None


def _answer(git: Popen[str] | None) -> str:
    """Return what git says; nothing where there is no git, no repository or no tag."""
    if git is None:
        return ""
    from subprocess import TimeoutExpired

    with git:
        try:
            said = git.communicate(timeout=GIT_TIMEOUT_S)[0]
        except TimeoutExpired:
            git.kill()
            return ""
        return said.strip() if git.returncode == 0 else ""
