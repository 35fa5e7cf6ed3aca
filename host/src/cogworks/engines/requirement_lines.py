"""The requirements that a project names itself, whatever kind of file they stand in: what a base is chosen by."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from cogworks.engines.inputs import read_requirements
from cogworks.project.model import Project
from cogworks.project.named_packages import NamedPackage, named_packages


def requirement_lines(project: Project) -> tuple[str, ...]:
    """Return a project's requirement lines; those of a `pyproject.toml` are pinned to what its `uv.lock` says.

    Raises:
        RequirementsError: a requirements file has problems. A `pyproject.toml` that cannot be read names nothing: uv
            says what is wrong with it.
    """
    source = project.build.requirements_file
    if source is None or source.suffix != ".toml":
        return read_requirements(project).lines
    table = _table(_read(source), "project")
    listed = table.get("dependencies")
    lines = (
        [one for one in cast("list[object]", listed) if isinstance(one, str)]
        if isinstance(listed, list)
        else []
    )
    return tuple(_pinned(lines, project.build.python_minor, _locked(source.with_name("uv.lock"))))


def project_packages(project: Project, machine: str) -> dict[str, NamedPackage]:
    """Return the packages that a project names for an image of an architecture (`x86_64`), by name; errors as above."""
    return named_packages(requirement_lines(project), project.build.python_minor, machine)


def _pinned(
    lines: Iterable[str], python: tuple[int, int], locked: Mapping[str, str]
) -> Iterator[str]:
    for line in lines:
        yield line
        for name, package in named_packages([line], python).items():
            if package.version is None and not package.is_located and name in locked:
                yield f"{name}=={locked[name]}"


def _locked(lock: Path) -> dict[str, str]:
    """Return the versions of a lock; a package that has several of them is left out."""
    found: dict[str, set[str]] = {}
    listed = _read(lock).get("package")
    for one in cast("list[object]", listed) if isinstance(listed, list) else ():
        entry = cast("dict[str, Any]", one) if isinstance(one, dict) else {}
        name, version = entry.get("name"), entry.get("version")
        if isinstance(name, str) and isinstance(version, str):
            found.setdefault(name, set()).add(version)
    return {name: next(iter(versions)) for name, versions in found.items() if len(versions) == 1}


def _table(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
