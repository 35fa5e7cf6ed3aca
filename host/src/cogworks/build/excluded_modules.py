"""Modules that the model imports, and that the image does not have: `.dockerignore` names them.

Its schema depends on them all the same: it is read from the project's folder.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path

from cogworks.oci.errors import quoted


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


def excluded_notices(
    directory: str, references: Iterable[str | None], code: Container[str]
) -> Iterator[str]:
    """Yield what to say of such modules; arguments as above."""
    given = [one for one in references if one is not None]
    mains = {one.partition(":")[0] for one in given}
    modules = imported_modules(directory, given)
    for path in excluded_modules(modules, code):
        name = modules[path]
        what = "is the model itself" if name in mains else "is imported by the model"
        yield f"{quoted(name)} {what}, and .dockerignore keeps it out of the image."
