"""What files are by their status: size, times and inode, as `build.file_hash` has them, but for many at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping

Identity = list[int]
"""Size, time of the last change, time of the last change of the status, inode."""


def identity_of(path: str, *, follow: bool = True) -> Identity | None:
    """Return what changes when a file is written, replaced or touched; None if it is not there."""
    try:
        found = os.stat(path, follow_symlinks=follow)
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def are_unchanged(recorded: Mapping[str, Identity | None], *, follow: bool = True) -> bool:
    """Tell whether files are what they were; those that were not there are still missing."""
    return all(identity_of(path, follow=follow) == known for path, known in recorded.items())


def identities(paths: Iterable[str], *, follow: bool = True) -> dict[str, Identity | None]:
    """Return what some files are."""
    return {path: identity_of(path, follow=follow) for path in paths}


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
