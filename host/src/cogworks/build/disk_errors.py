"""What the disk refuses while layers are made, as one sentence that says what to do."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cogworks.build.errors import BuildError


@contextmanager
def disk_errors_told(folder: Path) -> Generator[None]:
    """Turn an error of the system into one of the build.

    Args:
        folder: the cache's, for an error that names no file.

    Raises:
        BuildError: instead of the `OSError`.
    """
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        raise BuildError(
            f"the layers cannot be made: {where}: {error.strerror or error}. "
            "What is complete is kept; make room or set COG_CACHE_DIR, and build again."
        ) from error
