"""Modules that the model's schema depends on, and that the image does not have: `.dockerignore` names them."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable
from pathlib import Path

from cogworks.schema.imports import imported_files


def excluded_modules(
    directory: str, references: Iterable[str | None], code: Container[str]
) -> list[str]:
    """Return the absolute paths of modules that a model imports, and that are not among the files of its code.

    Args:
        references: of the model and its training: ``run.py:Runner``.
        code: paths relative to the directory, with slashes.
    """
    root = Path(directory).resolve()
    found: set[Path] = set()
    for reference in references:
        if reference is not None:
            main = root / reference.partition(":")[0]
            # Where the analysis looks for modules (`schema.modules`).
            folders = tuple(dict.fromkeys((root, main.parent, root / "src")))
            found.update(path for path, _ in imported_files(main, folders))
    inside = {path: os.path.relpath(path, root).replace(os.sep, "/") for path in found}
    return sorted(str(path) for path, name in inside.items() if name not in code)
