"""What the environment of a project depends on, and the key that stands for all of it.

Two runs with the same key may share an environment; a key changes with the content of anything
that decides which packages are chosen: requirements and what they include, archives, the Python
version, the platform, and uv's own settings.
"""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cogworks.engines.local_sources import metadata_files
from cogworks.engines.redact import redact
from cogworks.project.errors import RequirementsError, TextError
from cogworks.project.files import DiskFiles
from cogworks.project.model import Project
from cogworks.project.requirements import Requirements, parse_packages, parse_requirements

FORMAT = 1
"""Raised when environments made by older versions must not be reused."""
KEY_LENGTH = 16
"""Hexadecimal digits of a key: 64 bits, and short enough for the paths in scripts."""

UV_SETTINGS = (
    *("UV_CONSTRAINT", "UV_DEFAULT_INDEX", "UV_EXCLUDE_NEWER", "UV_EXTRA_INDEX_URL"),
    *("UV_FIND_LINKS", "UV_INDEX", "UV_INDEX_STRATEGY", "UV_INDEX_URL", "UV_NO_BINARY"),
    *("UV_NO_BUILD", "UV_OVERRIDE", "UV_PRERELEASE", "UV_RESOLUTION"),
    "UV_TORCH_BACKEND",
)
"""Environment variables of uv that decide which packages are chosen."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is to be installed: ``requirements``, or the project of ``pyproject``.

    ``lock`` is the ``uv.lock`` beside the pyproject, where there is one. ``artifacts_digest``
    stands for the content of local archives, and of what local folders say that they depend on.
    ``key`` stands for all inputs. ``has_strategy`` is true where the user has told uv how to choose
    between several indexes.
    """

    python_version: str
    key: str
    requirements: Requirements
    pyproject: Path | None = None
    lock: Path | None = None
    artifacts_digest: str = ""
    has_strategy: bool = False


def collect_inputs(
    project: Project, python_version: str, environment: Mapping[str, str] | None
) -> Inputs:
    """Return the inputs of a project's environment.

    Raises:
        RequirementsError: the project's requirements have problems.
    """
    source = project.build.requirements_file
    pyproject = source if source is not None and source.suffix == ".toml" else None
    requirements = Requirements() if pyproject else read_requirements(project)
    lock = _existing(pyproject.with_name("uv.lock")) if pyproject else None
    artifacts = hashlib.sha256()
    for artifact in (*requirements.artifacts, *(metadata_files(pyproject) if pyproject else ())):
        artifacts.update(_file_digest(artifact).encode())
    digest = hash_all(
        [
            f"format {FORMAT}",
            f"python {python_version}",
            f"platform {platform_name()}",
            f"requirements {requirements.lines} {requirements.options} {requirements.switches}",
            f"artifacts {artifacts.hexdigest()}",
            *_tool_settings(project.directory, pyproject, lock, environment),
        ]
    )
    return Inputs(
        python_version=python_version,
        key=digest,
        requirements=requirements,
        pyproject=pyproject,
        lock=lock,
        artifacts_digest=artifacts.hexdigest(),
        has_strategy=_has_strategy(project.directory, environment),
    )


def read_requirements(project: Project) -> Requirements:
    """Return the requirements of a project that has no pyproject.toml for them."""
    if project.build.requirements_file is None:
        packages = project.build.python_packages
        return parse_packages(packages, project.config_path.name, project.directory)
    return parse_requirements(project.build.requirements_file, project.directory, DiskFiles())


def platform_name() -> str:
    """Return the part of a key that keeps environments of different machines apart."""
    return f"{sys.platform} {platform.machine()}"


def hash_all(parts: Iterable[str]) -> str:
    """Return the key of some texts; their borders count."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape")
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()[:KEY_LENGTH]


def _tool_settings(
    directory: Path,
    pyproject: Path | None,
    lock: Path | None,
    environment: Mapping[str, str] | None,
) -> list[str]:
    """Return what uv reads by itself; credentials do not count, for they change over time."""
    parts = [
        f"{name}={redact(value)}"
        for name in UV_SETTINGS
        if (value := (environment or {}).get(name))
    ]
    for file in (pyproject, lock, directory / "uv.toml"):
        if file is not None and file.is_file():
            parts.append(f"{file.name} {_file_digest(file)}")
    beside = directory / "pyproject.toml"
    tool_table = _read_bytes(beside)
    if pyproject is None and b"[tool.uv" in tool_table:
        parts.append(f"tool table {hashlib.sha256(tool_table).hexdigest()}")
    if re.search(rb"\b(path|workspace)\s*=", tool_table):
        # Local sources are written relative to the project.
        parts.append(f"directory {directory}")
    return parts


def _has_strategy(directory: Path, environment: Mapping[str, str] | None) -> bool:
    files = (directory / "uv.toml", directory / "pyproject.toml")
    return "UV_INDEX_STRATEGY" in (environment or {}) or any(
        b"index-strategy" in _read_bytes(file) for file in files
    )


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        problem = TextError(1, f"the file cannot be read: {error.strerror}").problem
        raise RequirementsError([(str(path), problem)]) from error


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None
