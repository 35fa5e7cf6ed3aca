"""Folders for temporary files of workers and of requests, and the removal of those that nobody owns any more.

The server that made a folder keeps it locked (``flock``) for as long as it lives. The kernel lets go
of the lock however the server ends, so a folder that can be locked is one that a killed server has
left behind, and the next server removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import stat
import tempfile
from pathlib import Path

WORKER_PREFIX = "cogworks-worker-"
"""Of the folders that workers work in."""

UPLOADS_PREFIX = "cog-uploads-"
"""Of the folders for what clients have uploaded."""

MAX_SWEPT = 1000
"""How many folders of others are looked at, of each kind, at a time."""

logger = logging.getLogger(__name__)


class TemporaryFolder:
    """A folder that only its owner may remove."""

    def __init__(self, path: Path, lock: int) -> None:
        """Own ``path``; ``lock`` is a descriptor that holds its lock."""
        self.path = path
        self._lock = lock

    def remove(self) -> None:
        """Delete the folder with all that is in it; again does nothing."""
        lock, self._lock = self._lock, -1
        if lock >= 0:
            _remove_tree(self.path)
            os.close(lock)


def make_folder(prefix: str) -> TemporaryFolder:
    """Make a folder that is locked before anybody could take it for an old one.

    Args:
        prefix: of its name; one of those that are swept.

    Raises:
        OSError: the disk is full, or the system's folder for temporary files cannot be used.
    """
    while True:
        path = Path(tempfile.mkdtemp(prefix=prefix))
        try:
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # Another server was sweeping just then,
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(lock, path):
                return TemporaryFolder(path, lock)
        os.close(lock)  # or now.


def remove_stale_folders(parent: Path | None = None) -> int:
    """Remove the folders that killed servers of this user have left; return how many.

    Args:
        parent: where to look; the system's folder for temporary files unless given.
    """
    count = 0
    with contextlib.suppress(OSError):
        where = parent or Path(tempfile.gettempdir())
        for prefix in (WORKER_PREFIX, UPLOADS_PREFIX):
            paths = sorted(where.glob(f"{prefix}*"))[:MAX_SWEPT]
            count += sum(_remove_if_stale(path) for path in paths)
    if count:
        logger.info("removed %d folders whose server was killed", count)
    return count


def _remove_if_stale(path: Path) -> bool:
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False  # Gone, no folder, or somebody else's.
    try:
        if os.fstat(lock).st_uid != os.getuid():
            return False
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove_tree(path)
    except OSError:
        return False  # Its server lives.
    finally:
        os.close(lock)
    return not path.exists()


def _is_at(lock: int, path: Path) -> bool:
    """Tell whether the locked folder is still the one at ``path``."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(lock), os.lstat(path))
    return False


def _remove_tree(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():
        _make_writable(path)
        shutil.rmtree(path, ignore_errors=True)


def _make_writable(path: Path) -> None:
    """Open the folders that a model has locked away, top down."""
    for folder, names, _ in os.walk(path):
        for name in ("", *names):
            with contextlib.suppress(OSError):
                target = os.path.join(folder, name)
                if stat.S_ISDIR(os.lstat(target).st_mode):
                    os.chmod(target, stat.S_IRWXU)
