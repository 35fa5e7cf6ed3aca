"""The one place that touches the file system: finds and reads a project's files."""

from __future__ import annotations

from pathlib import Path

from cogworks.project.errors import ConfigError, ConfigNotFoundError, TextError
from cogworks.project.model import Project
from cogworks.project.parse import Examined, examine_text, parse_project

MAX_LEVELS = 100
"""How many directories upward a configuration is looked for, as the format has it."""
MAX_FILE_BYTES = 1024 * 1024
"""Limit of a configuration or requirements file; real ones have a few KiB."""


def load_project(start: Path, filename: str = "cog.yaml") -> Project:
    """Return the project that ``start`` lies in: the nearest ``filename`` there or above.

    Raises:
        ConfigNotFoundError: there is none.
        ConfigError: it has problems.
    """
    config_path = find_config(start, filename)
    return parse_project(_read_config(config_path), config_path, DiskFiles())


def examine_project(start: Path, filename: str = "cog.yaml") -> Examined:
    """Return everything that is known of the project that ``start`` lies in, and its problems.

    Raises:
        ConfigNotFoundError: there is none.
    """
    config_path = find_config(start, filename)
    try:
        text = read_text(config_path)
    except TextError as error:
        return Examined(Project(config_path.parent, config_path), (error.problem,))
    return examine_text(text, config_path, DiskFiles())


def find_config(start: Path, filename: str) -> Path:
    """Return the absolute path of the nearest ``filename`` in ``start`` or above it."""
    directory = start.absolute()
    for parent in [directory, *directory.parents][:MAX_LEVELS]:
        if (parent / filename).is_file():
            return parent / filename
    raise ConfigNotFoundError(filename, directory)


class DiskFiles:
    """The files beside a configuration, on disk."""

    def is_file(self, path: Path) -> bool:
        """Tell whether there is a regular file."""
        return path.is_file()

    def has_dependencies(self, pyproject: Path) -> bool:
        """Tell whether there is a ``pyproject.toml`` with a ``[project]`` table."""
        try:
            data = pyproject.read_bytes()
        except OSError:
            return False
        # Parsing is left to whoever uses the file; a header is enough to tell its purpose.
        return any(line.strip().startswith(b"[project]") for line in data.splitlines())

    def read_text(self, path: Path) -> str:
        """Return the text of a file, as ``read_text`` below."""
        return read_text(path)

    def resolve(self, path: Path) -> Path:
        """Return the absolute path with symbolic links followed."""
        return path.resolve()


def read_text(path: Path) -> str:
    """Return the text of a file: UTF-8, a byte order mark removed, line ends as they are.

    Raises:
        TextError: it cannot be read, is too big or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise TextError(1, f"the file cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise TextError(1, f"the file is bigger than {MAX_FILE_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"the file is not UTF-8 text (byte 0x{data[error.start]:02x})"
        raise TextError(line, message) from error


def _read_config(path: Path) -> str:
    try:
        return read_text(path)
    except TextError as error:
        raise ConfigError(path.name, [error.problem]) from error
