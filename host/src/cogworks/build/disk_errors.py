"""What the disk refuses while an image is made, as one sentence that says what to do."""

from __future__ import annotations

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cogworks.build.errors import BuildError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def disk_errors_told(folder: Path, what: str = "the layers cannot be made") -> Generator[None]:
    """Turn an error of the system into one of the build.

    Args:
        folder: the cache's, for an error that names no file.
        what: the begin of the sentence.

    Raises:
        BuildError: instead of the `OSError`.
    """
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        advice = "Set COG_CACHE_DIR to a folder that can be written, and build again."
        if error.errno in _FULL:
            advice = "What is complete is kept; make room or set COG_CACHE_DIR, and build again."
        raise BuildError(f"{what}: {where}: {error.strerror or error}. {advice}") from error
