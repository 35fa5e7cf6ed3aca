"""Write the members of a layer to a file, packed, with both of its digests, in bounded memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from cogworks.build.codecs import BLOCK_BYTES, in_blocks, new_compressor
from cogworks.build.errors import AbandonedError
from cogworks.oci.digest import Digest
from cogworks.oci.layer import Codec, Layer
from cogworks.oci.tar import Directory, Entry, archive

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

PACKER_VERSION = 1
"""Part of every layer's key: whoever changes a byte of a layer raises it."""

OWN_PREFIXES = frozenset({"opt", "src"})
"""Where our layers may have entries; a directory `lib` over a base's symbolic link would break the image."""

Member: TypeAlias = "tuple[Entry, Iterable[bytes]]"


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written to a file.

    Attributes:
        facts: what later builds want to know of the content without unpacking it; JSON.
    """

    layer: Layer
    tar_bytes: int
    facts: Mapping[str, object] = field(default_factory=dict[str, object])


def write_layer(members: Iterable[Member], codec: Codec, path: Path) -> Summary:
    """Pack members below our own prefixes, sorted by path, into a new file; parents have to be among them.

    Raises:
        TarError: a member is out of order or unsafe.
        OSError: the file cannot be written.
    """
    return write_archive(archive(_checked(members)), codec, path)


def write_archive(chunks: Iterable[bytes], codec: Codec, path: Path) -> Summary:
    """Pack the bytes of a tar archive into a new file; what is in it is the caller's business.

    Raises:
        AbandonedError: the file was removed meanwhile.
        OSError: the file cannot be written.
    """
    plain, packed = hashlib.sha256(), hashlib.sha256()
    compressor, tar_bytes, size = new_compressor(codec), 0, 0
    with path.open("xb") as file, ExitStack() as stack:
        hasher: ThreadPoolExecutor | None = None
        hashed: Future[None] | None = None
        for block in stack.enter_context(closing(_read_ahead(in_blocks(chunks)))):
            if hashed is not None:
                hashed.result()
            if os.fstat(file.fileno()).st_nlink == 0:
                raise AbandonedError("The file that is being written was taken away.")
            if hasher is None and len(block) == BLOCK_BYTES:
                hasher = stack.enter_context(_one_thread())
            if hasher is None:
                plain.update(block)
            else:
                hashed = hasher.submit(plain.update, block)
            tar_bytes += len(block)
            ready = compressor.compress(block)
            packed.update(ready)
            size += file.write(ready)
        ready = compressor.flush()
        packed.update(ready)
        size += file.write(ready)
    layer = Layer(Digest(packed.hexdigest()), Digest(plain.hexdigest()), size, codec)
    return Summary(layer, tar_bytes)


def _read_ahead(blocks: Iterator[bytes]) -> Generator[bytes]:
    """Yield blocks; the next one is unpacked from its wheel while this one is packed into the layer."""
    block = next(blocks, b"")
    if len(block) < BLOCK_BYTES:
        yield block
        return
    with _one_thread() as reader:
        while block:
            coming = reader.submit(next, blocks, b"")
            yield block
            block = coming.result()


def _one_thread() -> ThreadPoolExecutor:
    """Return what reads, or computes a digest, beside the compressor: all work without the interpreter's lock.

    An archive of one block is not worth a thread, nor the loading of what makes it.
    """
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1)


def with_parents(members: Iterable[Member]) -> list[Member]:
    """Return members sorted by path, with the directories above them; a path that is there twice stays so."""
    listed = list(members)
    there = {entry.path for entry, _ in listed}
    parents = {parent for path in there for parent in _parents(path)} - there
    listed += [(Directory(path), ()) for path in parents]
    return sorted(listed, key=lambda member: member[0].path)


def _parents(path: str) -> Iterator[str]:
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)


def _checked(members: Iterable[Member]) -> Iterator[Member]:
    for entry, content in members:
        assert entry.path.split("/", 1)[0] in OWN_PREFIXES, entry.path
        yield entry, content
