"""How the bytes of a layer are packed, always from exact blocks of 1 MiB.

isal's output depends on how its input is cut, so the cutting is part of the format: one place does it. isal's bytes
differ between x86-64 and arm64; the `diff_id` does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import zstandard
from isal import isal_zlib

from cogworks.oci.layer import Codec

BLOCK_BYTES = 1024 * 1024
"""What a compressor is fed at once."""

GZIP_LEVEL = 1
"""Of isal; 0 and 3 are slower or larger, and differ between machines."""
ZSTD_LEVEL = 1
_GZIP_WINDOW_BITS = 31
"""A window of 32 KiB with a gzip header, whose time is 0."""


class Compressor(Protocol):
    """Packs blocks one after another."""

    def compress(self, data: bytes, /) -> bytes:
        """Return what is ready so far."""
        ...

    def flush(self) -> bytes:
        """Return the rest."""
        ...


class _Stored:
    """Packs nothing."""

    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


def new_compressor(codec: Codec) -> Compressor:
    """Return a compressor for one layer."""
    match codec:
        case Codec.GZIP:
            return isal_zlib.compressobj(  # pyright: ignore[reportUnknownMemberType]
                GZIP_LEVEL, wbits=_GZIP_WINDOW_BITS
            )
        case Codec.ZSTD:
            # One thread: the output of several is another one.
            return zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True).compressobj()
        case Codec.NONE:
            return _Stored()


def in_blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in blocks of exactly ``BLOCK_BYTES``; the last one may be shorter."""
    pending = bytearray()
    for chunk in chunks:
        # Large chunks come from large files: they are cut without being copied together first.
        pending += chunk
        if len(pending) < BLOCK_BYTES:
            continue
        whole = len(pending) - len(pending) % BLOCK_BYTES
        view = bytes(pending[:whole])
        del pending[:whole]
        for start in range(0, whole, BLOCK_BYTES):
            yield view[start : start + BLOCK_BYTES]
    if pending:
        yield bytes(pending)


def packed_ratio(sample: Iterable[bytes]) -> float:
    """Return how large a sample is after packing, as a share of what it was; 1.0 for nothing."""
    compressor, before, after = new_compressor(Codec.ZSTD), 0, 0
    for block in in_blocks(sample):
        before += len(block)
        after += len(compressor.compress(block))
    after += len(compressor.flush())
    return after / before if before else 1.0
