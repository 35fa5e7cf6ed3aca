"""What can be wrong with a project's files; every message names the file, the line and the key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cogworks.errors import CogworksError

LONGEST_QUOTE = 80
"""Offending text is cut at this many characters in messages."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in one place; ``line`` counts from 1, ``key`` may be empty."""

    line: int
    key: str
    message: str

    def render(self, filename: str) -> str:
        """Return ``cog.yaml:7: build.gpu: expected true or false, found the number 3``."""
        where = f"{filename}:{self.line}"
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class ConfigError(CogworksError):
    """The configuration has problems; ``problems`` holds all of them in the order of the file."""

    def __init__(self, filename: str, problems: Iterable[Problem]) -> None:
        """Build the message: one line a problem."""
        self.filename = filename
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(problem.render(filename) for problem in self.problems))


class RequirementsError(CogworksError):
    """A requirements file has problems; ``problems`` pairs each with the name of its file."""

    def __init__(self, problems: Iterable[tuple[str, Problem]]) -> None:
        """Build the message: one line a problem."""
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.render(name) for name, problem in self.problems))


class TextError(CogworksError):
    """A file is not readable text; ``problem`` says where and why."""

    def __init__(self, line: int, message: str) -> None:
        """Keep the problem; whoever knows the name of the file turns it into its own error."""
        self.problem = Problem(line, "", message)
        super().__init__(message)


class ConfigNotFoundError(CogworksError):
    """There is no configuration file in ``directory`` or above it."""

    def __init__(self, filename: str, directory: Path) -> None:
        """Name what was looked for and where."""
        self.filename = filename
        self.directory = directory
        super().__init__(f"{filename} not found in {directory} (or in any parent directories)")


def quote(text: str) -> str:
    """Return ``text`` in double quotes on one line, cut at ``LONGEST_QUOTE`` characters."""
    flat = " ".join(text.split())
    return f'"{flat}"' if len(flat) <= LONGEST_QUOTE else f'"{flat[: LONGEST_QUOTE - 1]}…"'
