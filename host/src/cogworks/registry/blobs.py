"""What can be uploaded: bytes, a file, what an iterator gives, a blob of another registry.

A blob can be opened again and from any offset, since an upload may break and be taken up again; none is held in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cogworks.oci.digest import Digest, digest_of
from cogworks.oci.manifest import Descriptor
from cogworks.oci.reference import Repository
from cogworks.registry.errors import RegistryError, SourceBrokenError
from cogworks.registry.patience import is_passing

if TYPE_CHECKING:
    from cogworks.registry.client import Client

BLOCK_BYTES = 1024 * 1024


class Blob(Protocol):
    """Bytes of known digest and size."""

    @property
    def digest(self) -> Digest:
        """What names it."""
        ...

    @property
    def size_bytes(self) -> int:
        """How many bytes it has."""
        ...

    def open(self, offset: int = 0) -> Iterator[bytes]:
        """Yield its bytes from an offset on; may be called several times."""
        ...


@dataclass(frozen=True)
class BytesBlob:
    """Bytes in memory: configurations and other small things."""

    data: bytes = field(repr=False)

    @property
    def digest(self) -> Digest:
        """What names it."""
        return digest_of(self.data)

    @property
    def size_bytes(self) -> int:
        """How many bytes it has."""
        return len(self.data)

    def open(self, offset: int = 0) -> Iterator[bytes]:
        """Yield its bytes from an offset on."""
        if offset < len(self.data):
            yield self.data[offset:]


@dataclass(frozen=True)
class FileBlob:
    """A file whose digest and size are known."""

    path: Path
    digest: Digest
    size_bytes: int

    def open(self, offset: int = 0) -> Iterator[bytes]:
        """Yield the file's bytes from an offset on."""
        with self.path.open("rb", buffering=0) as file:
            file.seek(offset)
            while block := file.read(BLOCK_BYTES):
                yield block


@dataclass(frozen=True)
class IteratorBlob:
    """What a function yields, each time the same; an offset means that the beginning is made and dropped."""

    digest: Digest
    size_bytes: int
    make: Callable[[], Iterable[bytes]]

    def open(self, offset: int = 0) -> Iterator[bytes]:
        """Yield the bytes from an offset on."""
        for block in self.make():
            kept = block[offset:]
            offset = max(0, offset - len(block))
            if kept:
                yield kept


@dataclass(frozen=True)
class RemoteBlob:
    """A blob of another repository: streamed from there, without a file in between."""

    client: Client
    repository: Repository
    descriptor: Descriptor

    @property
    def digest(self) -> Digest:
        """What names it."""
        return self.descriptor.digest

    @property
    def size_bytes(self) -> int:
        """How many bytes it has."""
        return self.descriptor.size_bytes

    def open(self, offset: int = 0) -> Iterator[bytes]:
        """Yield the bytes from an offset on.

        Raises:
            SourceBrokenError: the registry fails, or the connection breaks, too often.
        """
        try:
            yield from self.client.open_blob(self.repository, self.descriptor, offset)
        except RegistryError as error:
            if is_passing(error):
                raise SourceBrokenError(str(error)) from error
            raise
