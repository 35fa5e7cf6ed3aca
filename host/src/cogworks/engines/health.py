"""What in the cache of environments is of no use any more: environments that cannot run, and what was never finished."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from cogworks.engines.store import MARKER, NOT_ENVIRONMENTS, Store

OLD_AFTER_S = 24 * 3600.0
"""No build takes a day; what is younger may belong to one that runs."""


def find_write_problem(folder: Path) -> str:
    """Return why a folder cannot be written, or made if it is not there yet; empty if it can be.

    By writing a file: permissions do not tell of systems that are mounted read-only, of quotas, or
    of folders such as those of ``/proc``. Nothing is left of it.
    """
    made: list[Path] = []
    try:
        for path in reversed([folder, *folder.parents]):
            if not path.exists():
                path.mkdir()
                made.append(path)
        with tempfile.TemporaryFile(dir=folder, prefix=".health-") as file:
            file.write(b"written")
            file.flush()
    except OSError as error:
        return error.strerror or str(error)
    finally:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir()
    return ""


def broken_environments(cache_dir: Path) -> list[Path]:
    """Return environments that cannot run; those that are being made just now are none."""
    store = Store(cache_dir / "envs")
    return [
        path for path in _idle(cache_dir, store) if path.is_dir() and store.find(path.name) is None
    ]


def leftovers(cache_dir: Path, broken: Collection[Path]) -> list[Path]:
    """Return what was begun and never finished, outside broken environments.

    What another process is making just now is told apart by the lock of its environment, or by
    its age.
    """
    sound = [path for path in _idle(cache_dir, Store(cache_dir / "envs")) if path not in broken]
    return sorted(_leftovers(cache_dir, sound))


def _idle(cache_dir: Path, store: Store) -> list[Path]:
    """Return the folders of environments that nobody makes just now."""
    keys = [path for path in _children(cache_dir / "envs") if path.name not in NOT_ENVIRONMENTS]
    return [path for path in keys if not store.is_locked(path.name)]


def _leftovers(cache_dir: Path, sound: list[Path]) -> Iterator[Path]:
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


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
