"""Where environments live, and how a complete one is told from a half-made one.

    envs/resolutions/<inputs key>/    requirements.txt or pylock.toml: what the inputs come to
    envs/inputs/<inputs key>.json     which environment those inputs have
    envs/<environment key>/environment.json      written last: names the complete environment
    envs/<environment key>/<random name>/        the virtual environment itself
    envs/locks/<key>.lock

Every build makes a directory of its own and is made valid by the one file that is written last,
so a build that was killed, or an installer that outlived its parent, can never be mistaken for a
complete environment. What such builds left behind is removed by the next build of that key.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from cogworks.engines.lease import Lease, note_use
from cogworks.engines.progress import Progress

MARKER = "environment.json"
NOT_ENVIRONMENTS = frozenset({"inputs", "locks", "resolutions"})
"""The other folders here."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment: its directory and its interpreter.

    Attributes:
        is_new: it was made just now.
        lease: nobody else removes it as long as this lives: whoever runs something in it keeps the lease.
    """

    directory: Path
    python: Path
    is_new: bool = field(default=False, compare=False)
    lease: Lease | None = field(default=None, compare=False, repr=False)


class Store:
    """The environments below one directory.

    Args:
        lease: claims the environments that are found or made, for whoever is going to use them.
    """

    def __init__(self, root: Path, lease: Lease | None = None) -> None:
        self._root, self._lease = root, lease

    def find_by_inputs(self, inputs_key: str) -> Environment | None:
        """Return the environment that these inputs have, if it is complete and still works."""
        path = self._inputs_file(inputs_key)
        key = _read_json(path).get("environment")
        if self._lease is not None:
            note_use(path)
        return self.find(key) if key else None

    def find(self, key: str) -> Environment | None:
        """Return an environment, if it is complete and its Python is still there."""
        self._claim(key)
        name = _read_json(self._root / key / MARKER).get("directory")
        if not name:
            return None
        directory = self._root / key / name
        python = interpreter_of(directory)
        # The interpreter is a link to a Python that may have been removed meanwhile.
        if not os.access(python, os.X_OK):
            return None
        if self._lease is not None:
            note_use(self._root / key / MARKER)
        return Environment(directory, python, lease=self._lease)

    def remember_inputs(self, inputs_key: str, key: str) -> None:
        """Note which environment some inputs have."""
        _write_json(self._inputs_file(inputs_key), {"environment": key})

    def resolution_directory(self, inputs_key: str) -> Path:
        """Return the directory for what the inputs come to; it may not exist yet."""
        return self._root / "resolutions" / inputs_key

    def new_directory(self, key: str) -> Path:
        """Remove what is left of earlier builds and return the path of a new environment."""
        self._claim(key)
        for leftover in self._children(key):
            if leftover.name == MARKER:
                leftover.unlink(missing_ok=True)
            else:
                shutil.rmtree(leftover, ignore_errors=True)
        directory = self._root / key / secrets.token_hex(3)
        directory.parent.mkdir(parents=True, exist_ok=True)
        return directory

    def complete(self, key: str, directory: Path) -> Environment:
        """Declare an environment complete; from now on it is reused."""
        _write_json(self._root / key / MARKER, {"directory": directory.name})
        return Environment(directory, interpreter_of(directory), is_new=True, lease=self._lease)

    @contextmanager
    def lock(self, key: str, progress: Progress) -> Generator[None]:
        """Hold the lock of a key; say so when another process has it."""
        from filelock import FileLock, Timeout

        path = self._root / "locks" / f"{key}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            progress.stage("Waiting for another process that makes this environment")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def is_locked(self, key: str) -> bool:
        """Tell whether a process holds the lock of a key just now."""
        from filelock import FileLock, Timeout

        path = self._root / "locks" / f"{key}.lock"
        if not path.exists():
            return False
        try:
            with FileLock(path).acquire(timeout=0):
                return False
        except (Timeout, OSError):
            return True

    def _claim(self, key: str) -> None:
        if self._lease is not None:
            self._lease.claim(self._root / key)

    def _inputs_file(self, inputs_key: str) -> Path:
        return self._root / "inputs" / f"{inputs_key}.json"

    def _children(self, key: str) -> list[Path]:
        try:
            return list((self._root / key).iterdir())
        except OSError:
            return []


def interpreter_of(directory: Path) -> Path:
    """Return where a virtual environment has its interpreter."""
    if sys.platform == "win32":
        return directory / "Scripts" / "python.exe"
    return directory / "bin" / "python"


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(3)}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_json(path: Path, values: dict[str, str]) -> None:
    write_atomically(path, json.dumps(values) + "\n")


def _read_json(path: Path) -> dict[str, str]:
    """Return the texts of a small file of our own; a damaged one counts as missing."""
    try:
        values: object = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(values, dict):
        return {}
    items = cast("dict[object, object]", values).items()
    return {str(name): value for name, value in items if isinstance(value, str)}
