"""Modules that the model's schema depends on, and that the image does not have: `.dockerignore` names them."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Mapping
from pathlib import Path


def imported_modules(directory: str, references: Iterable[str | None]) -> dict[str, str]:
    """Return the modules that a model imports: absolute path -> path relative to the directory, with slashes.

    Args:
        references: of the model and its training: ``run.py:Runner``.
    """
    # It comes with all of the analysis: whoever asks here has that loaded, or has time.
    from cogworks.schema.imports import imported_files

    root = Path(directory).resolve()
    found: set[Path] = set()
    for reference in references:
        if reference is not None:
            main = root / reference.partition(":")[0]
            # Where the analysis looks for modules (`schema.modules`).
            folders = tuple(dict.fromkeys((root, main.parent, root / "src")))
            found.update(path for path, _ in imported_files(main, folders))
    return {str(path): os.path.relpath(path, root).replace(os.sep, "/") for path in found}


def excluded_modules(modules: Mapping[str, str], code: Container[str]) -> list[str]:
    """Return the absolute paths of those modules that are not among the files of the code.

    Args:
        code: paths relative to the directory, with slashes.
    """
    return sorted(path for path, name in modules.items() if name not in code)
