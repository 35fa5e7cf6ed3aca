"""Which files of a project are run when its main file is imported, found by their text alone."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

MAX_FILES = 500
"""Files that are looked at; a project's own code has fewer."""

MAX_BYTES = 1024 * 1024
"""Larger files are data, not code that changes another module's constants."""

_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#;]+)|import[ \t]+([^\n#;]+))",
    re.MULTILINE,
)


def imported_files(main: Path, folders: tuple[Path, ...]) -> Iterator[tuple[Path, bytes]]:
    """Yield the files that ``main`` imports, directly or not, and their contents, itself first.

    Imports that never run (in functions, under conditions) count too.
    """
    seen = {main}
    todo = deque(seen)
    while todo and len(seen) <= MAX_FILES:
        path = todo.popleft()
        try:
            data = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
        except OSError:
            continue
        yield path, data
        new = [file for file in _imports(path, data, folders) if file not in seen]
        seen.update(new)
        todo.extend(dict.fromkeys(new))


def _imports(path: Path, data: bytes, folders: tuple[Path, ...]) -> Iterator[Path]:
    for module, names, modules in _IMPORT.findall(data):
        if modules:
            for item in modules.split(b","):
                yield from _files(item.split()[0].decode(errors="replace"), folders)
            continue
        text = module.decode(errors="replace")
        name = text.lstrip(".")
        level = len(text) - len(name)
        below = (path.parents[level - 1],) if 0 < level <= len(path.parents) else folders
        yield from _files(name, below)
        for item in names.strip(b"() \t\n").split(b","):
            words = item.split()
            if words:
                inner = words[0].decode(errors="replace")
                yield from _files(f"{name}.{inner}" if name else inner, below)


def _files(name: str, folders: tuple[Path, ...]) -> Iterator[Path]:
    """Yield what ``import a.b`` runs: ``a/__init__.py`` and ``a/b.py``, of the first folder."""
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return
    for folder in folders:
        found = list(_files_below(parts, folder))
        if found:
            yield from found
            return


def _files_below(parts: list[str], folder: Path) -> Iterator[Path]:
    for part in parts:
        folder = folder / part
        for file in (folder / "__init__.py", folder.with_suffix(".py")):
            if file.is_file():
                yield file
                break
