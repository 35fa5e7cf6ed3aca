"""What a check is, and what it may look at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cogworks.cli.checkup.changes import Changes
from cogworks.cli.checkup.source import SourceText
from cogworks.cli.findings import Finding

if TYPE_CHECKING:
    from cogworks.project import Examined, Project

MAX_SOURCES = 1000
"""Files of Python that are looked at; a model has a few dozen."""
SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages"})


class CannotFix(Exception):
    """A fix is left to the author; the message says why, as a part of a sentence."""


@dataclass(frozen=True)
class Result:
    """What a check found; ``note`` says something when all is well, or why it did not look.

    ``details`` are lines for all cases.
    """

    findings: tuple[Finding, ...] = ()
    note: str = ""
    is_skipped: bool = False
    details: tuple[str, ...] = ()


class Context:
    """The project and the machine, as they are now; made anew after every fix."""

    def __init__(
        self, start: Path, config_name: str, environ: Mapping[str, str], cache_dir: Path
    ) -> None:
        self._start = start
        self.config_name = config_name
        self.environ = environ
        self.cache_dir = cache_dir

    def renewed(self) -> Context:
        """Return a context that has read nothing yet."""
        return Context(self._start, self.config_name, self.environ, self.cache_dir)

    @cached_property
    def examined(self) -> Examined | None:
        """The configuration with its problems; None if there is none."""
        from cogworks.project import ConfigNotFoundError, examine_project

        try:
            return examine_project(self._start, self.config_name)
        except ConfigNotFoundError:
            return None

    @property
    def project(self) -> Project | None:
        """What is known of the project; None without a configuration that can be read."""
        if self.examined is None or not (self.examined.known.lines or not self.examined.problems):
            return None
        return self.examined.known

    @property
    def directory(self) -> Path:
        """The folder of the configuration, or where the command was called."""
        return self._start if self.examined is None else self.examined.known.directory

    def sources_with(self, word: bytes) -> Iterator[SourceText]:
        """Yield the project's files of Python that hold a word, environments left out.

        Only those are parsed: reading a thousand files takes a moment, parsing them seconds.
        """
        if self.examined is None:
            return
        for path in _python_files(self.directory):
            source = SourceText.read(path, self.directory, word)
            if source is not None:
                yield source

    def source(self, name: str) -> SourceText | None:
        """Return the file of a reference, parsed; None if that is not possible."""
        return SourceText.read(self.directory / name, self.directory)


@dataclass(frozen=True)
class Check:
    """One line of the report: ``find`` looks, ``fix`` returns what to write instead.

    ``fix`` raises ``CannotFix`` where the author has to decide.
    """

    name: str
    group: str
    description: str
    find: Callable[[Context], Result]
    fix: Callable[[Context], Changes] | None = None


def _python_files(directory: Path) -> Iterator[Path]:
    count = 0
    for folder, folders, files in os.walk(directory):
        folders[:] = sorted(name for name in folders if _is_looked_into(Path(folder) / name))
        for name in sorted(files):
            if name.endswith(".py"):
                count += 1
                if count > MAX_SOURCES:
                    return
                yield Path(folder) / name


def _is_looked_into(folder: Path) -> bool:
    name = folder.name
    if name.startswith(".") or name in SKIPPED_FOLDERS:
        return False
    return not (folder / "pyvenv.cfg").exists()
