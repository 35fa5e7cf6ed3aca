"""How large files and folders are, each inode once; what cannot be read counts as nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from cogworks.housekeeping.entry import Size


def measure(paths: Iterable[Path]) -> Size:
    """Return the size of files and folders together."""
    total = freed = 0
    linked: dict[tuple[int, int], tuple[int, int, int]] = {}
    for found in _all_files(paths):
        if found.st_nlink == 1:
            total += found.st_size
            freed += found.st_size
        else:
            # Installers link files instead of copying them; those with a name elsewhere stay on the disk.
            key = (found.st_dev, found.st_ino)
            seen = linked.get(key, (0, 0, 0))[0]
            linked[key] = (seen + 1, found.st_nlink, found.st_size)
    for seen, links, size in linked.values():
        total += size
        freed += size if seen >= links else 0
    return Size(total, freed)


def modified_at(path: Path) -> float | None:
    """Return when a file or folder was changed; None if it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def children(folder: Path) -> list[Path]:
    """Return what is in a folder, sorted; nothing if it is not there."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _all_files(paths: Iterable[Path]) -> Iterator[os.stat_result]:
    waiting = [os.fspath(path) for path in paths]
    while waiting:
        path = waiting.pop()
        try:
            found = os.lstat(path)
            if not stat.S_ISDIR(found.st_mode):
                yield found
                continue
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        yield entry.stat(follow_symlinks=False)
        except OSError:
            continue
