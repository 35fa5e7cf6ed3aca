"""The state of the cache of environments: its size, and what in it is of no use any more."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cogworks.engines.store import MARKER, Store

MAX_COUNTED_FILES = 300_000
"""Counting sizes ends here, after a few seconds; an environment with torch has 30 000 files."""
OLD_AFTER_S = 24 * 3600.0
"""No build takes a day; what is younger may belong to one that runs."""
NOT_ENVIRONMENTS = frozenset({"inputs", "locks", "resolutions"})


@dataclass(frozen=True, slots=True)
class Health:
    """What was seen: ``broken`` environments cannot run; ``leftovers`` were never finished."""

    is_writable: bool
    broken: tuple[Path, ...]
    leftovers: tuple[Path, ...]
    size_bytes: int
    is_size_partial: bool


def survey(cache_dir: Path) -> Health:
    """Look at a cache; one that is not there yet is healthy if it could be made."""
    envs = cache_dir / "envs"
    store = Store(envs)
    keys = [path for path in _children(envs) if path.name not in NOT_ENVIRONMENTS]
    idle = [path for path in keys if not store.is_locked(path.name)]
    size, is_partial = _size(cache_dir)
    broken = tuple(path for path in idle if path.is_dir() and store.find(path.name) is None)
    sound = [path for path in idle if path not in broken]
    return Health(
        is_writable=_is_writable(cache_dir),
        broken=broken,
        leftovers=tuple(sorted(_leftovers(cache_dir, sound))),
        size_bytes=size,
        is_size_partial=is_partial,
    )


def repair(cache_dir: Path) -> None:
    """Remove what ``survey`` found, each environment under its lock."""
    store = Store(cache_dir / "envs")
    health = survey(cache_dir)
    for path in health.broken:
        with store.lock(path.name, _Silent()):
            if store.find(path.name) is None:
                shutil.rmtree(path, ignore_errors=True)
    for path in health.leftovers:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


class _Silent:
    """Hears of waiting for a lock and says nothing."""

    def stage(self, text: str) -> None:
        """Nothing to show."""

    def line(self, text: str) -> None:
        """Nothing to show."""

    def done(self, text: str) -> None:
        """Nothing to show."""


def _leftovers(cache_dir: Path, sound: list[Path]) -> Iterator[Path]:
    """Yield what was begun and never finished.

    What another process is making just now is told apart by the lock of its environment, or by
    its age.
    """
    for environment in sound:
        finished = {MARKER, *_finished_names(environment)}
        yield from (path for path in _children(environment) if path.name not in finished)
    for folder, prefix in (("sdk", ".partial-"), ("envs/resolutions", "new-")):
        for path in _children(cache_dir / folder):
            if path.name.startswith(prefix) and _is_old(path):
                yield path
    for path in _children(cache_dir / "envs" / "inputs"):
        if path.suffix == ".tmp" and _is_old(path):
            yield path


def _finished_names(environment: Path) -> Iterator[str]:
    found = Store(environment.parent).find(environment.name)
    if found is not None:
        yield found.directory.name


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > OLD_AFTER_S
    except OSError:
        return False


def _is_writable(folder: Path) -> bool:
    existing = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _size(folder: Path) -> tuple[int, bool]:
    total, count = 0, 0
    for place, _, files in os.walk(folder):
        for name in files:
            count += 1
            if count > MAX_COUNTED_FILES:
                return total, True
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return total, False


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
