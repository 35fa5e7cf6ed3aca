"""A layer that is stored as it is: an archive that is on no disk, read from the project's files whenever it is needed.

Weights that no codec makes smaller would only be copied into the cache, byte for byte, to be copied out of it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cogworks.build.codecs import BLOCK_BYTES
from cogworks.build.errors import ContextError
from cogworks.build.file_hash import FileHashes, Identity, identity_of
from cogworks.build.packer import PACKER_VERSION, Member
from cogworks.oci.digest import Digest
from cogworks.oci.tar import END, header, padding


@dataclass(frozen=True, slots=True)
class FileContent:
    """The content of a file, which has to stay what it was when the archive was planned: a digest more would take long.

    Its size, times and inode are compared before it is read and afterwards.
    """

    path: Path
    size_bytes: int
    identity: Identity

    def __iter__(self) -> Iterator[bytes]:
        return self.read()

    def read(self, offset: int = 0) -> Iterator[bytes]:
        """Yield the content from an offset on.

        Raises:
            ContextError: the file has changed.
            OSError: it cannot be read.
        """
        self._check()
        yield from read_file(self.path, self.size_bytes, offset)
        self._check()

    def _check(self) -> None:
        try:
            is_same = identity_of(self.path) == self.identity
        except FileNotFoundError:
            is_same = False
        if not is_same:
            raise changed(self.path)


def read_file(path: Path, size_bytes: int, offset: int = 0) -> Iterator[bytes]:
    """Yield a file in blocks up to a size: less than that only if it has become shorter."""
    left = size_bytes - offset
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        while left and (block := file.read(min(BLOCK_BYTES, left))):
            left -= len(block)
            yield block


Part = bytes | FileContent


@dataclass(frozen=True)
class StoredArchive:
    """A tar archive as bytes and files one after another; a ``registry.blobs.Blob``."""

    digest: Digest
    size_bytes: int
    parts: tuple[Part, ...]

    def open(self, offset: int = 0) -> Iterator[bytes]:
        """Yield its bytes from an offset on; nothing before it is read.

        Raises:
            ContextError: a file has changed since the archive was planned.
            OSError: a file cannot be read.
        """
        yield from _read(self.parts, offset)


def stored_archive(
    members: Iterable[Member], hashes: FileHashes, *, is_known: bool
) -> tuple[StoredArchive, bool]:
    """Return the archive of members sorted by path, and whether its digest was computed now: all of it was read.

    Args:
        hashes: remembers the digest for as long as the files stay what they are.
        is_known: whether what is remembered is used.

    Raises:
        ContextError: a file has changed since it was looked at.
        OSError: a file cannot be read.
    """
    parts = tuple(_parts(members))
    files = [one for one in parts if isinstance(one, FileContent)]
    rest = b"".join(one for one in parts if isinstance(one, bytes))
    size = len(rest) + sum(one.size_bytes for one in files)
    purpose = f"archive {PACKER_VERSION} {hashlib.sha256(rest).hexdigest()}"
    known = hashes.find([one.path for one in files], purpose) if is_known else None
    if known is not None:
        return StoredArchive(Digest(known), size, parts), False
    digest = hashes.digest_of(_read(parts, 0))
    hashes.note([(one.path, one.identity) for one in files], purpose, digest)
    return StoredArchive(Digest(digest), size, parts), True


def changed(path: Path) -> ContextError:
    """Return the error that says that a file changed in the middle of a build."""
    return ContextError(f"{path} changed while it was packed. Build again.")


def _parts(members: Iterable[Member]) -> Iterator[Part]:
    for entry, content in members:
        yield header(entry)
        if isinstance(content, FileContent):
            yield content
            yield padding(content.size_bytes)
    yield END


def _read(parts: Iterable[Part], offset: int) -> Iterator[bytes]:
    for part in parts:
        size = len(part) if isinstance(part, bytes) else part.size_bytes
        if offset >= size:
            offset -= size
            continue
        if isinstance(part, bytes):
            yield part[offset:]
        else:
            yield from part.read(offset)
        offset = 0
