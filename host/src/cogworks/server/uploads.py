"""Files that clients have uploaded: on disk before their prediction runs, removed after it.

Every request has a folder of its own below one folder of the server. Nothing but the random token
of a file, which the server has made and tells the worker, leads to it: a client that writes such
a token into JSON names no file. What a killed server leaves, the next one removes.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from cog._schema.kinds import is_dict, is_list
from cogworks.server.errors import DiskFullError, StoppingError
from cogworks.server.temporary_folder import UPLOADS_PREFIX, TemporaryFolder, make_folder

MAX_NAME_BYTES = 200
"""Of a file's name; with what goes before it, it still is one on all file systems."""

STAND_IN = "data:,"
"""What the schema, which knows of URLs alone, is shown in the place of an uploaded file."""

DEFAULT_NAME = "file"

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The disk is full, the quota of the user is, or a file is as large as files may be here."""


@contextlib.contextmanager
def full_disk_named() -> Generator[None]:
    """Let who writes files tell a full disk from other errors.

    Raises:
        DiskFullError: in place of the system's error.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError from error
        raise


@dataclass
class UploadedFile:
    """One file: where it is, how the client calls it, and the SHA-256 of what it holds.

    ``shown`` is the URL by which the client gave it, where that was part of a JSON request.
    """

    path: Path
    name: str
    digest: str = ""
    shown: msgspec.Raw | None = None


class FileSink:
    """Takes the content of one file, piece by piece; in threads, as disks may be slow."""

    def __init__(self, file: UploadedFile) -> None:
        """Create the file.

        Raises:
            OSError: that cannot be done.
        """
        self._file = file
        self._hash = hashlib.sha256() if file.shown is None else None
        # Buffered by whoever calls: pieces are large.
        self._target = file.path.open("xb", buffering=0)
        self.size_bytes = 0

    def write(self, data: bytes | memoryview) -> None:
        """Append to the file."""
        rest = memoryview(data)
        if self._hash is not None:
            self._hash.update(rest)
        self.size_bytes += len(rest)
        while rest:
            rest = rest[self._target.write(rest) :]

    def close(self) -> None:
        """End the file; again does nothing."""
        self._target.close()
        if self._hash is not None:
            self._file.digest = self._hash.hexdigest()


class UploadedFiles:
    """The files of one request, by token."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``, which is there from the first file on."""
        self.folder = folder
        self.is_taken = False
        self._files: dict[str, UploadedFile] = {}
        self._sinks: list[FileSink] = []

    def create(self, name: str, shown: msgspec.Raw | None = None) -> tuple[str, FileSink]:
        """Begin a file; return the token that stands for it and what takes its content.

        Args:
            shown: what clients are shown instead of its name.

        Raises:
            OSError: that cannot be done.
        """
        self.folder.mkdir(mode=0o700, exist_ok=True)
        name = safe_name(name)
        folder = self.folder / str(len(self._sinks))  # The model sees the name as it was given.
        folder.mkdir()
        file = UploadedFile(folder / name, name, shown=shown)
        sink = FileSink(file)
        self._sinks.append(sink)
        token = f"cog-upload:{uuid4().hex}"
        self._files[token] = file
        return token, sink

    def forget(self, token: str) -> None:
        """Leave a file out; it is removed with the others."""
        del self._files[token]

    @property
    def has_names(self) -> bool:
        """Tell whether clients are shown names in the place of files."""
        return any(file.shown is None for file in self._files.values())

    def close(self) -> None:
        """Close what is still open."""
        for sink in self._sinks:
            sink.close()

    def for_worker(self) -> dict[str, dict[str, Any]]:
        """Return what ``Predict`` says of the files."""
        return {
            token: {"path": str(file.path), "name": file.name}
            for token, file in self._files.items()
        }

    def shown(self, value: Any) -> Any:
        """Return inputs as clients see them: names, or what was given, in the place of tokens."""
        known = {token: file.shown or file.name for token, file in self._files.items()}
        return _replace(value, known)

    def checkable(self, value: Any) -> Any:
        """Return inputs as the schema knows them: URLs in the place of tokens."""
        return _replace(value, dict.fromkeys(self._files, STAND_IN))

    def comparable(self, value: Any) -> Any:
        """Return inputs that are equal if names and contents of files are."""
        known = {
            token: file.shown or [file.name, file.digest] for token, file in self._files.items()
        }
        return _replace(value, known)


class Uploads:
    """Owns the files of all requests, and their end."""

    def __init__(self) -> None:
        """Begin without a folder: most servers never need one."""
        self._root: TemporaryFolder | None = None
        self._is_closed = False
        self._numbers = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self) -> UploadedFiles:
        """Return a place for the files of one request; to be given to ``discard`` at its end.

        Raises:
            StoppingError: the server is shutting down.
            DiskFullError: there is no room for that.
            OSError: there is no folder for temporary files.
        """
        if self._is_closed:
            raise StoppingError
        if self._root is None:
            with full_disk_named():
                self._root = make_folder(UPLOADS_PREFIX)
        self._numbers += 1
        return UploadedFiles(self._root.path / str(self._numbers))

    def discard(self, files: UploadedFiles) -> None:
        """Remove the files of a request; at once for who asks, a little later for the disk."""
        task = asyncio.get_running_loop().create_task(_remove(files.folder))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Remove everything, and take nothing more."""
        self._is_closed = True
        await asyncio.gather(*self._tasks)
        if self._root is not None:
            await asyncio.to_thread(self._root.remove)


def safe_name(name: str) -> str:
    """Return the last part of a client's name for a file, without what paths cannot hold."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(character for character in last if character.isprintable())
    while len(os.fsencode(kept)) > MAX_NAME_BYTES:
        stem, suffix = os.path.splitext(kept)
        kept = stem[:-1] + suffix if len(stem) > 1 else kept[:-1]
    return DEFAULT_NAME if kept in ("", ".", "..") else kept


async def _remove(folder: Path) -> None:
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _replace(value: Any, known: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return known.get(value, value)
    if is_list(value):
        return [_replace(item, known) for item in value]
    if is_dict(value):
        return {key: _replace(item, known) for key, item in value.items()}
    return value
