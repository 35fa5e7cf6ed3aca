"""Packages that a `pyproject.toml` takes from folders of this machine: where they say what they depend on.

Source: uv's documentation, "Dependency sources" (path) and "Workspaces" (members).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

_METADATA = ("pyproject.toml", "setup.py", "setup.cfg")


def metadata_files(pyproject: Path) -> tuple[Path, ...]:
    """Return the files that decide what path sources and members of the workspace depend on; sorted.

    Args:
        pyproject: that of the project; one that cannot be read names nothing: uv says what is wrong with it.
    """
    folders = {folder.resolve() for folder in _folders(pyproject.parent, _uv_table(pyproject))}
    found = (folder / name for folder in folders for name in _METADATA)
    return tuple(sorted(path for path in found if path.is_file()))


def _folders(directory: Path, table: Mapping[str, Any]) -> Iterator[Path]:
    for source in _table(table, "sources").values():
        # A source may be several, each with a marker.
        several = cast("list[object]", source) if isinstance(source, list) else [source]
        for one in several:
            path = cast("dict[str, object]", one).get("path") if isinstance(one, dict) else None
            if isinstance(path, str):
                yield directory / path
    members = _table(table, "workspace").get("members")
    for pattern in cast("list[object]", members) if isinstance(members, list) else ():
        if isinstance(pattern, str) and pattern and not Path(pattern).is_absolute():
            yield from directory.glob(pattern)


def _uv_table(pyproject: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return _table(_table(document, "tool"), "uv")


def _table(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
