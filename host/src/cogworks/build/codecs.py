"""How the bytes of a layer are packed, always from exact blocks of 1 MiB.

isal's output depends on how its input is cut, so the cutting is part of the format: one place does it. isal's bytes
differ between x86-64 and arm64; the `diff_id` does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

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
    # Each is loaded only where it is used: that takes longer than to pack a project's code.
    match codec:
        case Codec.GZIP:
            from isal import isal_zlib

            return isal_zlib.compressobj(  # pyright: ignore[reportUnknownMemberType]
                GZIP_LEVEL, wbits=_GZIP_WINDOW_BITS
            )
        case Codec.ZSTD:
            import zstandard

            # One thread: the output of several is another one.
            return zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True).compressobj()
        case Codec.NONE:
            return _Stored()


def in_blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in blocks of exactly ``BLOCK_BYTES``; the last one may be shorter."""
    pending: list[bytes | memoryview] = []
    size = 0
    for chunk in chunks:
        view = memoryview(chunk)
        while size + len(view) >= BLOCK_BYTES:
            taken = BLOCK_BYTES - size
            # Each byte is copied once: into its block.
            yield b"".join((*pending, view[:taken]))
            pending, size, view = [], 0, view[taken:]
        if view:
            pending.append(view)
            size += len(view)
    if pending:
        yield b"".join(pending)


def packed_ratio(sample: Iterable[bytes]) -> float:
    """Return how large a sample is after packing, as a share of what it was; 1.0 for nothing."""
    compressor, before, after = new_compressor(Codec.ZSTD), 0, 0
    for block in in_blocks(sample):
        before += len(block)
        after += len(compressor.compress(block))
    after += len(compressor.flush())
    return after / before if before else 1.0
