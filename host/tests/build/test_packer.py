"""A layer is packed while it is read, and both end with the first mistake."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cogworks.build.codecs import BLOCK_BYTES
from cogworks.build.packer import write_archive
from cogworks.oci.layer import Codec

BLOCKS = [bytes([number]) * BLOCK_BYTES for number in range(5)]


@pytest.mark.parametrize(
    "chunks",
    [[], [b"x"], [BLOCKS[0]], [*BLOCKS[:2], b"x"], [b"x" * (BLOCK_BYTES - 1), b"yz"], BLOCKS],
    ids=["nothing", "little", "one block", "and a rest", "across", "several"],
)
def test_all_that_is_read_is_packed_and_hashed(chunks: list[bytes], tmp_path: Path) -> None:
    path, whole = tmp_path / "layer", b"".join(chunks)
    summary = write_archive(chunks, Codec.GZIP, path)
    packed = path.read_bytes()
    assert gzip.decompress(packed) == whole
    layer = summary.layer
    assert layer.diff_id.hex == hashlib.sha256(whole).hexdigest()
    assert layer.digest.hex == hashlib.sha256(packed).hexdigest()
    assert (layer.size_bytes, summary.tar_bytes) == (len(packed), len(whole))


@pytest.mark.parametrize("good", [0, 1, 3])
def test_what_goes_wrong_while_it_is_read_is_raised(good: int, tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield from BLOCKS[:good]
        raise OSError("damaged")

    with pytest.raises(OSError, match="damaged"):
        write_archive(chunks(), Codec.GZIP, tmp_path / "layer")
