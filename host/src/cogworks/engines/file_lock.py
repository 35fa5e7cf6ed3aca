"""A lock that is a file: one process, or one thread, holds it; the system releases it when its holder dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl


@contextmanager
def file_locked(path: Path) -> Generator[None]:
    """Hold the lock while the block runs; whoever else wants it waits. The file stays.

    Raises:
        OSError: the file cannot be written.
    """
    if sys.platform == "win32":
        from filelock import FileLock

        with FileLock(path):
            yield
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
