"""Files that may be packed, read as plain ones: what their first bytes say counts, not their name."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import zstandard
from isal import igzip

BLOCK_BYTES = 1024 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
UNPACK_ERRORS = (OSError, EOFError, zstandard.ZstdError)
"""What reading a damaged file raises."""


@contextmanager
def opened(path: Path) -> Generator[IO[bytes]]:
    """Yield the plain bytes of a file, to be read once from its begin."""
    with path.open("rb") as file:
        magic = file.read(len(_ZSTD))
        file.seek(0)
        if magic.startswith(_GZIP):
            unzipped = igzip.IGzipFile(fileobj=file)  # type: ignore[no-untyped-call]
            yield cast("IO[bytes]", unzipped)
        elif magic == _ZSTD:
            decompressor = zstandard.ZstdDecompressor()
            yield cast("IO[bytes]", decompressor.stream_reader(file, read_across_frames=True))
        else:
            yield file


def is_packed(path: Path) -> bool:
    """Tell whether a file is packed."""
    with path.open("rb") as file:
        return file.read(len(_ZSTD)).startswith((_GZIP, _ZSTD))


def unpack(path: Path, target: Path) -> None:
    """Write the plain bytes of a file to a new one."""
    with opened(path) as source, target.open("xb") as file:
        shutil.copyfileobj(source, file, BLOCK_BYTES)
