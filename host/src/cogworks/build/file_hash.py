"""The sha256 of files, remembered for as long as size, time and inode stay what they were."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event

from cogworks.build.errors import AbandonedError
from cogworks.engines.lease import note_use

BLOCK_BYTES = 1024 * 1024
RACY_S = 2.0
"""A file that changed less than this before it was read may change again within one tick of its clock."""


Identity = list[int]
"""Size, time of the last change, time of the last change of the status, inode."""


class FileHashes:
    """Digests of files, and of what is made of files, noted in a folder of small files.

    Args:
        stop: set where nobody waits for digests any more.
    """

    def __init__(self, root: Path, stop: Event | None = None) -> None:
        self._root, self._stop = root, stop or Event()

    def sha256(self, path: Path) -> str:
        """Return the digest of a file's content, reading it only if it changed.

        Raises:
            OSError: it cannot be read.
        """
        identity = identity_of(path)
        noted = self._noted(self.entry(path), [identity])
        if noted is not None:
            return noted
        with path.open("rb", buffering=0) as file:
            found = self.digest_of(iter(partial(file.read, BLOCK_BYTES), b""))
        self.note([(path, identity)], "", found)
        return found

    def digest_of(self, blocks: Iterable[bytes]) -> str:
        """Return the sha256 of what is read; gigabytes take seconds.

        Raises:
            AbandonedError: nobody waits for it any more.
        """
        digest = hashlib.sha256()
        for block in blocks:
            if self._stop.is_set():
                raise AbandonedError("Nothing more is read: the build ends.")
            digest.update(block)
        return digest.hexdigest()

    def remember(self, path: Path, sha256: str) -> None:
        """Note the digest of a file that is known, because it was computed while it was written."""
        self._write(self.entry(path), [identity_of(path)], sha256)

    def find(self, paths: Sequence[Path], purpose: str) -> str | None:
        """Return the digest of what is made of some files for a purpose, if it was noted and they are what they were.

        Raises:
            OSError: a file is not there.
        """
        return self._noted(self._entry(paths, purpose), [identity_of(one) for one in paths])

    def note(self, files: Sequence[tuple[Path, Identity]], purpose: str, sha256: str) -> None:
        """Note the digest of what was just read of files that were so before.

        Not if one may have changed meanwhile. What cannot be noted, as on a full disk, is computed again the next time.
        """
        now_s = time.time()
        with suppress(OSError):
            if all(
                now_s - one[1] / 1e9 > RACY_S and identity_of(path) == one for path, one in files
            ):
                paths = [path for path, _ in files]
                self._write(self._entry(paths, purpose), [one for _, one in files], sha256)

    def entry(self, path: Path) -> Path:
        """Return where the digest of a file is noted."""
        return self._entry([path], "")

    def _entry(self, paths: Sequence[Path], purpose: str) -> Path:
        named = b"\0".join((*(os.fsencode(one.absolute()) for one in paths), purpose.encode()))
        return self._root / f"{hashlib.sha256(named).hexdigest()}.json"

    def _noted(self, entry: Path, identities: Sequence[Identity]) -> str | None:
        with suppress(OSError, ValueError, KeyError, TypeError):
            noted = json.loads(entry.read_bytes())
            if noted["stat"] == identities:
                note_use(entry)
                return str(noted["sha256"])
        return None

    def _write(self, entry: Path, identities: Sequence[Identity], sha256: str) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        temporary = entry.with_suffix(f".{os.urandom(4).hex()}.tmp")
        try:
            temporary.write_text(json.dumps({"stat": identities, "sha256": sha256}))
            temporary.replace(entry)
        finally:
            temporary.unlink(missing_ok=True)


def identity_of(path: Path) -> Identity:
    """Return what changes when a file is written, replaced or touched.

    Raises:
        OSError: it is not there.
    """
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
