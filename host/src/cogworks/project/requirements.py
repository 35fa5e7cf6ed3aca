"""Requirements files: what to hand to the resolver, and what cannot be taken along.

A project must build the same way on a laptop and in an image, so everything that a requirements
file points at has to be a registry, a URL, or a file inside the project. Includes (``-r``) and
constraints (``-c``) inside the project are followed; archives inside the project are taken by
their content. The packages ``cog`` and ``coglet`` are dropped: we bring ``cog`` ourselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cogworks.project.errors import Problem, RequirementsError, TextError, quote

OWN_PACKAGES = frozenset(("cog", "coglet"))

_ARCHIVE = r"\.(?:whl|zip|tar\.gz|tgz|tar\.bz2|tar\.xz)"
_LOCAL_ARCHIVE = re.compile(rf"(?P<path>[^@]*?{_ARCHIVE})(?P<rest>\s*[;\[].*|\s+-.*)?", re.I)
_DIRECT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*@\s*(?P<target>.+)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OPTION = re.compile(r"(?P<name>--[a-z-]+|-[a-zA-Z])(?:\s*=\s*|\s+|(?<=^-[a-zA-Z])|$)(?P<value>.*)")
_TRAILING_INDEX = re.compile(r"\s(--(?:extra-index-url|index-url|find-links))(?:\s*=\s*|\s+)(\S+)")
_LONG_NAMES = {
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-f": "--find-links",
    "-i": "--index-url",
}
_HOISTED = frozenset(("--index-url", "--extra-index-url", "--find-links", "--no-index"))
_SWITCHES = {
    "--pre": "--prerelease=allow",
    "--require-hashes": "--require-hashes",
}
_IGNORED = frozenset(("--prefer-binary", "--use-feature", "--no-cache-dir", "--progress-bar"))


class RequirementFiles(Protocol):
    """What parsing needs from the file system."""

    def read_text(self, path: Path) -> str:
        """Return the text of a file; ``TextError`` when it is not readable text."""
        ...

    def is_file(self, path: Path) -> bool:
        """Tell whether there is a regular file."""
        ...

    def resolve(self, path: Path) -> Path:
        """Return the absolute path with symbolic links followed."""
        ...


@dataclass(frozen=True, slots=True)
class Requirements:
    """What the requirements of a project come to.

    ``lines`` and ``options`` are lines for a new requirements file: requirements, and the options
    that must stand above them. ``switches`` are command-line options of the resolver.
    ``artifacts`` are archives and constraint files whose content matters; ``notices`` are whole
    sentences for the user.
    """

    lines: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    artifacts: tuple[Path, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def has_hashes(self) -> bool:
        """Whether the author pins packages by hash."""
        return "--require-hashes" in self.switches or any("--hash" in line for line in self.lines)


def parse_requirements(path: Path, directory: Path, files: RequirementFiles) -> Requirements:
    """Return the requirements that a file names, its includes followed.

    Args:
        directory: the project's; nothing outside it may be pointed at.

    Raises:
        RequirementsError: with every problem of the file and its includes.
    """
    parser = _Parser(directory, files)
    parser.read(path)
    return parser.result()


def parse_packages(packages: tuple[str, ...], config_name: str, directory: Path) -> Requirements:
    """Return the requirements of ``build.python_packages``; the same rules hold, without files."""
    parser = _Parser(directory, _NoFiles())
    parser.read_lines("\n".join(packages), directory / config_name)
    return parser.result()


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line number, text): continuations joined, comments and blank lines removed."""
    pending: list[str] = []
    start = 1
    for number, raw in enumerate([*text.splitlines(), ""], 1):
        if not pending:
            start = number
        if raw.endswith("\\") and not raw.lstrip().startswith("#"):
            pending.append(raw[:-1])
            continue
        line = re.sub(r"(^|\s+)#.*$", "", "".join([*pending, raw])).strip()
        pending = []
        if line:
            yield start, line


@dataclass(slots=True)
class _Parser:
    """Collects lines and problems over a file and its includes."""

    directory: Path
    files: RequirementFiles
    lines: list[str] = field(default_factory=list[str])
    options: list[str] = field(default_factory=list[str])
    switches: list[str] = field(default_factory=list[str])
    artifacts: list[Path] = field(default_factory=list[Path])
    notices: list[str] = field(default_factory=list[str])
    problems: list[tuple[str, Problem]] = field(default_factory=list[tuple[str, Problem]])
    seen: set[Path] = field(default_factory=set[Path])

    def result(self) -> Requirements:
        """Return what was collected, or raise all problems."""
        if self.problems:
            raise RequirementsError(self.problems)
        return Requirements(
            lines=tuple(self.lines),
            options=tuple(dict.fromkeys(self.options)),
            switches=tuple(dict.fromkeys(self.switches)),
            artifacts=tuple(dict.fromkeys(self.artifacts)),
            notices=tuple(self.notices),
        )

    def read(self, path: Path) -> None:
        """Take the lines of one file; a file is taken once, so includes cannot run in circles."""
        resolved = self.files.resolve(path)
        if resolved in self.seen:
            return
        self.seen.add(resolved)
        try:
            text = self.files.read_text(path)
        except TextError as error:
            self.problems.append((self.shown(path), error.problem))
            return
        self.read_lines(text, path)

    def read_lines(self, text: str, path: Path) -> None:
        """Take the lines of a text that stands in the file ``path``."""
        for number, line in logical_lines(text):
            place = _Place(self, path, number)
            if line.startswith("-"):
                place.option(line)
            else:
                place.requirement(line)

    def shown(self, path: Path) -> str:
        """Return how messages name a file: relative to the project where it lies inside."""
        inside = path.is_relative_to(self.directory)
        return path.relative_to(self.directory).as_posix() if inside else str(path)


@dataclass(frozen=True, slots=True)
class _Place:
    """One logical line of one file."""

    parser: _Parser
    path: Path
    number: int

    def option(self, line: str) -> None:
        """Take a line that starts with a dash."""
        match = _OPTION.fullmatch(line)
        name = _LONG_NAMES.get(match["name"], match["name"]) if match else line
        value = match["value"].strip() if match else ""
        is_remote = "://" in value
        if name == "--editable":
            self._editable(line, value)
        elif name in ("--requirement", "--constraint") and is_remote:
            self.parser.lines.append(f"{name} {value}")
        elif name in ("--requirement", "--constraint"):
            self._include(name, value)
        elif name == "--find-links" and not is_remote:
            self._complain(line, "a local --find-links folder cannot be taken into an image")
        elif name in _HOISTED:
            self.parser.options.append(f"{name} {value}".strip())
        elif name in ("--no-binary", "--only-binary"):
            self.parser.options.append(f"{name} {value}")
        elif name == "--trusted-host":
            self.parser.switches.append(f"--allow-insecure-host={value}")
        elif name in _SWITCHES:
            self.parser.switches.append(_SWITCHES[name])
        elif name not in _IGNORED:
            self._complain(line, "this option has no meaning here")

    def requirement(self, line: str) -> None:
        """Take a line that names a package, an archive or a URL."""
        for option, value in _TRAILING_INDEX.findall(line):
            if option == "--find-links" and "://" not in value:
                self._complain(line, "a local --find-links folder cannot be taken into an image")
                return
            self.parser.options.append(f"{option} {value}")
        line = _TRAILING_INDEX.sub("", line).strip()
        direct = _DIRECT.fullmatch(line)
        archive = _LOCAL_ARCHIVE.fullmatch(line) if "://" not in line else None
        name = _NAME.match(line)
        if line.lower().startswith("file:"):
            self._complain(line, "file: URLs are not supported; write the path of the archive")
        elif direct is not None:
            self._direct(line, direct["name"], direct["target"])
        elif archive is not None:
            self._archive(line, archive["path"].strip(), archive["rest"])
        elif _is_directory(line):
            self._complain(line, "a directory cannot be installed; build a wheel of it")
        elif name is not None and _normalize(name[0]) in OWN_PACKAGES and not _is_url(line):
            self._drop(line)
        else:
            self.parser.lines.append(line)

    def _direct(self, line: str, name: str, target: str) -> None:
        if target.lower().startswith("file:"):
            self._complain(line, "file: URLs are not supported; write the path of the archive")
        elif not _is_url(target):
            self._complain(line, "a local path needs a line of its own, without a name")
        elif _normalize(name) in OWN_PACKAGES:
            self._drop(line)
        else:
            self.parser.lines.append(line)

    def _archive(self, line: str, text: str, rest: str | None) -> None:
        if rest:
            message = "options, hashes, markers and extras are not supported on a local archive"
            self._complain(line, message)
            return
        path = self._inside(line, text)
        if path is None:
            return
        distribution = path.name.partition("-")[0]
        if _normalize(distribution) in OWN_PACKAGES:
            self._drop(line)
            return
        self.parser.artifacts.append(path)
        self.parser.lines.append(str(path))

    def _include(self, name: str, value: str) -> None:
        path = self._inside(f"{name} {value}", value)
        if path is None:
            return
        if name == "--requirement":
            self.parser.read(path)
        else:
            self.parser.artifacts.append(path)
            self.parser.lines.append(f"{name} {path}")

    def _inside(self, line: str, text: str) -> Path | None:
        """Return the resolved path of a file inside the project, or None after a complaint."""
        files = self.parser.files
        path = self.path.parent / text
        if not files.is_file(path):
            self._complain(line, "file does not exist")
            return None
        resolved = files.resolve(path)
        if not resolved.is_relative_to(files.resolve(self.parser.directory)):
            self._complain(line, "must be inside the project directory")
            return None
        return resolved

    def _editable(self, line: str, value: str) -> None:
        if _is_url(value):
            self.parser.lines.append(f"-e {value}")
        elif value.rstrip("/") != ".":
            self._complain(line, "only `-e .` is supported; the project is importable without it")

    def _drop(self, line: str) -> None:
        where = f"{self.parser.shown(self.path)}:{self.number}"
        self.parser.notices.append(
            f"{where}: {quote(line)} is left out: Cogworks brings its own `cog` package"
        )

    def _complain(self, line: str, message: str) -> None:
        shown = quote(re.sub(r"(://)[^/@\s]*@", r"\1***@", line))
        problem = Problem(self.number, "", f"{shown}: {message}")
        self.parser.problems.append((self.parser.shown(self.path), problem))


class _NoFiles:
    """Stands in where lines come without files: nothing is there."""

    def read_text(self, path: Path) -> str:
        """Nothing can be read."""
        raise FileNotFoundError(path)

    def is_file(self, path: Path) -> bool:
        """There is no file."""
        return False

    def resolve(self, path: Path) -> Path:
        """Return the path itself."""
        return path


def _is_url(text: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://|git\+", text) is not None


def _is_directory(line: str) -> bool:
    """Tell whether a line names a folder: no name of a package has a slash, and a URL has a scheme before it."""
    return re.match(r"[^\s:;\[]*/|\.{1,2}$", line) is not None


def _normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
