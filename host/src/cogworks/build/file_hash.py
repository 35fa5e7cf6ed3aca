"""The sha256 of files, remembered for as long as size, time and inode stay what they were."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

RACY_S = 2.0
"""A file that changed less than this before it was read may change again within one tick of its clock."""


class FileHashes:
    """Digests of files, noted in a folder of small files."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def sha256(self, path: Path) -> str:
        """Return the digest of a file's content, reading it only if it changed.

        Raises:
            OSError: it cannot be read.
        """
        stat = path.stat()
        with suppress(OSError, ValueError, KeyError, TypeError):
            noted = json.loads(self.entry(path).read_bytes())
            if noted["stat"] == _identity(stat):
                return str(noted["sha256"])
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        is_settled = time.time() - stat.st_mtime > RACY_S
        if is_settled and _identity(path.stat()) == _identity(stat):
            self._write(path, stat, found)
        return found

    def remember(self, path: Path, sha256: str) -> None:
        """Note the digest of a file that is known, because it was computed while it was written."""
        self._write(path, path.stat(), sha256)

    def entry(self, path: Path) -> Path:
        """Return where the digest of a file is noted."""
        name = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()
        return self._root / f"{name}.json"

    def _write(self, path: Path, stat: os.stat_result, sha256: str) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        entry = self.entry(path)
        temporary = entry.with_suffix(f".{secrets.token_hex(4)}.tmp")
        try:
            temporary.write_text(json.dumps({"stat": _identity(stat), "sha256": sha256}))
            temporary.replace(entry)
        finally:
            temporary.unlink(missing_ok=True)


def identity_of(path: Path) -> list[int]:
    """Return what changes when a file is written, replaced or touched."""
    return _identity(path.stat())


def _identity(stat: os.stat_result) -> list[int]:
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
