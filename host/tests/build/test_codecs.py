from __future__ import annotations

import gzip
import hashlib
import random

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cogworks.build.codecs import BLOCK_BYTES, in_blocks, new_compressor, packed_ratio
from cogworks.oci.layer import Codec


def pack(codec: Codec, chunks: list[bytes]) -> bytes:
    compressor = new_compressor(codec)
    packed = [compressor.compress(block) for block in in_blocks(chunks)]
    return b"".join([*packed, compressor.flush()])


DATA = random.Random(1).randbytes(BLOCK_BYTES) + b"0123456789abcdef" * 100_000


def unpack(codec: Codec, data: bytes) -> bytes:
    match codec:
        case Codec.GZIP:
            return gzip.decompress(data)
        case Codec.ZSTD:
            return zstandard.ZstdDecompressor().decompressobj().decompress(data)
        case Codec.NONE:
            return data


@pytest.mark.parametrize("codec", list(Codec))
def test_what_is_packed_comes_back(codec: Codec) -> None:
    assert unpack(codec, pack(codec, [DATA])) == DATA


@pytest.mark.parametrize("codec", list(Codec))
def test_how_the_input_is_cut_does_not_change_a_byte(codec: Codec) -> None:
    cuts = [DATA[start : start + 700_001] for start in range(0, len(DATA), 700_001)]
    assert pack(codec, cuts) == pack(codec, [DATA])


def test_gzip_carries_no_time_and_no_name() -> None:
    assert pack(Codec.GZIP, [b"x"])[:10].hex() == "1f8b08000000000000ff"


def test_zstd_has_golden_bytes() -> None:
    digest = hashlib.sha256(pack(Codec.ZSTD, [bytes(3 * BLOCK_BYTES)])).hexdigest()
    assert digest == "a5e79967bc4dcd047c31e662940a3823824306cd69f6ee54b37ca0032983df38"


@given(st.lists(st.integers(0, 3 * BLOCK_BYTES), max_size=4))
def test_blocks_are_exact_and_lose_nothing(sizes: list[int]) -> None:
    chunks = [bytes([index]) * size for index, size in enumerate(sizes)]
    blocks = list(in_blocks(chunks))
    assert b"".join(blocks) == b"".join(chunks)
    assert all(len(block) == BLOCK_BYTES for block in blocks[:-1])
    assert all(0 < len(block) <= BLOCK_BYTES for block in blocks)


def test_noise_is_not_worth_packing_and_zeros_are() -> None:
    assert packed_ratio([random.Random(2).randbytes(BLOCK_BYTES)]) > 0.99
    assert packed_ratio([bytes(BLOCK_BYTES)]) < 0.01
    assert packed_ratio([]) == 1.0
