"""Who uses what of the cache just now, so that nobody else removes it.

    leases/gate         held shared while something is claimed, exclusively while something is removed
    leases/<name>       of one user, locked as long as it lives: what it uses, one path a line

The system gives up the lock of a process that dies, however it dies, and so its claims. A claim takes some
microseconds. Whoever removes things sees all claims and keeps new ones waiting meanwhile, so it has to be quick: it
moves aside what has to go, and deletes it afterwards. Where nothing can be written, nothing is claimed: what is there
can be used all the same.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import fcntl

FOLDER, GATE = "leases", "gate"
TOUCH_AFTER_S = 24 * 3600.0
"""The last use of something is noted this often: once a day is enough to tell what is not used any more."""
CLAIMS_MAX_BYTES = 16 * 1024 * 1024
"""More than this was not written by a user of the cache."""


class Lease:
    """What one user of the cache claims; it ends with this object or with the process.

    It outlives `exec`: a program that takes the place of this one keeps what this one claimed.
    """

    def __init__(self, cache_dir: Path) -> None:
        self._cache_dir = cache_dir
        self._descriptor: int | None = None
        self._opening = threading.Lock()
        # Not the module `secrets`: to load it takes longer than what else is done here.
        self.name = f"{os.getpid()}-{os.urandom(6).hex()}"
        """Nobody else has it, on this machine or on another one; what is unfinished may be named after it."""

    def claim(self, *paths: Path) -> None:
        """Keep others from removing some files or folders of the cache, whether they are there already or not.

        Claim first and look then: what is there after the claim stays.
        """
        lines = "".join(f"{path.relative_to(self._cache_dir)}\n" for path in paths)
        with suppress(OSError), _gate(self._cache_dir, is_shared=True):
            os.write(self._open(), lines.encode())

    def _open(self) -> int:
        """Return the file of this lease; the caller holds the gate, so nobody sees it before it is locked."""
        with self._opening:
            if self._descriptor is None:
                path = self._cache_dir / FOLDER / self.name
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
                self._descriptor = os.open(path, flags, 0o666)
                weakref.finalize(self, _give_up, path, self._descriptor)
                _lock(self._descriptor)
                # Python starts programs without it in any case; only `exec` passes it on.
                os.set_inheritable(self._descriptor, True)
            return self._descriptor


@dataclass(frozen=True, slots=True)
class Claims:
    """What all users of a cache claim just now.

    Attributes:
        names: those of the leases that live.
        paths: relative to the cache's folder.
    """

    names: frozenset[str]
    paths: frozenset[str]

    def cover(self, path: Path, cache_dir: Path) -> bool:
        """Tell whether something, or a folder that it is in, is claimed."""
        relative = path.relative_to(cache_dir)
        return any(str(each) in self.paths for each in (relative, *relative.parents))


def read_claims(cache_dir: Path) -> Claims:
    """Return what is claimed at this moment."""
    with suppress(OSError), _gate(cache_dir, is_shared=True):
        return _read(cache_dir)
    return Claims(frozenset(), frozenset())


@contextmanager
def claims_held(cache_dir: Path) -> Generator[Claims]:
    """Yield what is claimed; inside the `with`, which should be short, nothing else can be.

    Raises:
        OSError: the cache cannot be written.
    """
    with _gate(cache_dir, is_shared=False):
        yield _read(cache_dir, remove_dead=True)


def is_locked(path: Path) -> bool:
    """Tell whether somebody holds the lock of a file; its times stay what they are."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return _is_locked(descriptor)
    finally:
        os.close(descriptor)


def note_use(path: Path) -> None:
    """Let a file tell by its time that it was used today."""
    with suppress(OSError):
        if time.time() - path.stat().st_mtime > TOUCH_AFTER_S:
            os.utime(path)


def _give_up(path: Path, descriptor: int) -> None:
    with suppress(OSError):
        path.unlink()
    os.close(descriptor)


@contextmanager
def _gate(cache_dir: Path, *, is_shared: bool) -> Generator[None]:
    path = cache_dir / FOLDER / GATE
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock(descriptor, is_shared=is_shared)
        yield
    finally:
        os.close(descriptor)


def _read(cache_dir: Path, *, remove_dead: bool = False) -> Claims:
    names, paths = set[str](), set[str]()
    for entry in os.scandir(cache_dir / FOLDER):
        if entry.name == GATE:
            continue
        with suppress(OSError), open(entry.path, "rb") as file:
            if _is_locked(file.fileno()):
                names.add(entry.name)
                paths.update(file.read(CLAIMS_MAX_BYTES).decode(errors="replace").splitlines())
            elif remove_dead:
                os.unlink(entry.path)
    return Claims(frozenset(names), frozenset(paths))


# On Windows, files that are open cannot be removed: there the system itself keeps what is used.


def _lock(descriptor: int, *, is_shared: bool = False) -> None:
    if sys.platform != "win32":
        fcntl.flock(descriptor, fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX)


def _is_locked(descriptor: int) -> bool:
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
