"""The worker's folder for temporary files, made again where the model has removed it."""

from __future__ import annotations

import contextlib
import fcntl
import os

_locks: list[int] = []
"""Descriptors that hold the locks of folders that were made here, until the process ends."""


def ensure_folder(path: str) -> None:
    """Make the folder unless it is there.

    The server holds the lock of the one that it has made. Another that nobody has locked would look
    like one that a killed server has left, and the next server that starts would remove it.
    """
    while not os.path.isdir(path):
        with contextlib.suppress(FileExistsError):
            os.makedirs(path, 0o700)
        with contextlib.suppress(FileNotFoundError):  # It was removed before it was locked.
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # Waits for a server that is just removing it.
            _locks.append(descriptor)
