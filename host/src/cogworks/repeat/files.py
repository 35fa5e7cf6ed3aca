"""What files are by their status: size, times and inode, as `build.file_hash` has them, but for many at once."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping

RACY_S, RACY_WHOLE_S = 0.1, 2.0
"""A file that changed less than this before it was looked at may change again within one tick of its clock; some file
systems know whole seconds only, every second one of them."""
_COARSE = 5
"""`CLOCK_REALTIME_COARSE`, which Python has no name for. Source: clock_gettime(2), linux/time.h."""
Identity = list[int]
"""Size, time of the last change, time of the last change of the status, inode."""


def identity_of(path: str, *, follow: bool = True) -> Identity | None:
    """Return what changes when a file is written, replaced or touched; None if it is not there."""
    try:
        found = os.stat(path, follow_symlinks=follow)
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def file_clock() -> float:
    """Return the time as file systems write it down, which is that of the system's last tick."""
    now_ns = time.clock_gettime_ns(_COARSE) if sys.platform == "linux" else time.time_ns()
    return now_ns / 1e9


def is_settled(identity: Identity, moment: float) -> bool:
    """Tell whether a file that changes from a moment on is going to be another one than it was."""
    changed_at = max(identity[1], identity[2])
    racy_s = RACY_WHOLE_S if changed_at % 1_000_000_000 == 0 else RACY_S
    return moment - changed_at / 1e9 > racy_s


def are_unchanged(recorded: Mapping[str, Identity | None], *, follow: bool = True) -> bool:
    """Tell whether files are what they were; those that were not there are still missing."""
    return all(identity_of(path, follow=follow) == known for path, known in recorded.items())


def identities(paths: Iterable[str], *, follow: bool = True) -> dict[str, Identity | None]:
    """Return what some files are."""
    return {path: identity_of(path, follow=follow) for path in paths}


def sha256_of(path: str) -> str:
    """Return the digest of a small file; nothing if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""


def stamp_of(folders: Iterable[str]) -> str:
    """Return a digest of the names, sizes and times of all files in some folders, such as those of our own code."""
    digest = hashlib.sha256()
    for folder in folders:
        for path, found in sorted(_files(folder)):
            digest.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _files(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name == "__pycache__" or entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            else:
                yield entry.path, entry.stat(follow_symlinks=False)
