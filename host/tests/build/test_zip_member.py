from __future__ import annotations

import io
import os
import zipfile
import zlib
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.build.zip_member import READ_BYTES, WRITE_BYTES, IsalError, can_read, read_member


def pack(content: bytes, method: int = zipfile.ZIP_DEFLATED, name: str = "a") -> BinaryIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("before", b"x" * 100)
        archive.writestr(name, content)
    return file


def unpack(file: BinaryIO, name: str = "a") -> bytes:
    with zipfile.ZipFile(file) as archive:
        info = archive.getinfo(name)
    return b"".join(read_member(file, info))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    "size", [0, 1, READ_BYTES, WRITE_BYTES - 1, WRITE_BYTES, WRITE_BYTES + 1, 3 * WRITE_BYTES]
)
def test_what_was_packed_comes_back(method: int, size: int) -> None:
    for content in (os.urandom(size), bytes(size), os.urandom(size // 4) * 4):
        assert unpack(pack(content, method)) == content


@given(st.lists(st.tuples(st.binary(max_size=50), st.integers(1, 5000)), max_size=20))
def test_anything_comes_back(parts: list[tuple[bytes, int]]) -> None:
    content = b"".join(data * times for data, times in parts)
    assert unpack(pack(content)) == content


def test_names_are_read_as_they_are_written() -> None:
    assert unpack(pack(b"x", name="größe/ñ"), "größe/ñ") == b"x"


def test_however_well_it_was_packed_little_is_in_memory() -> None:
    file = pack(bytes(50 * WRITE_BYTES))
    with zipfile.ZipFile(file) as archive:
        info = archive.getinfo("a")
    sizes = [len(block) for block in read_member(file, info)]
    assert max(sizes) <= WRITE_BYTES
    assert sum(sizes) == 50 * WRITE_BYTES


def test_more_than_the_directory_says_is_not_unpacked() -> None:
    file = pack(bytes(50 * WRITE_BYTES))
    with zipfile.ZipFile(file) as archive:
        info = archive.getinfo("a")
    info.file_size = 2 * WRITE_BYTES
    blocks = read_member(file, info)
    assert len(next(blocks)) == WRITE_BYTES
    with pytest.raises(zipfile.BadZipFile, match="bad CRC-32 or size for file 'a'"):
        list(blocks)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_flipped_bit_anywhere_is_noticed_or_changes_nothing(method: int) -> None:
    content = b"0123456789" * 20
    file = pack(content, method)
    with zipfile.ZipFile(file) as archive:
        info = archive.getinfo("a")
    file.seek(0)
    data = file.read()
    start = info.header_offset + 30 + len("a")
    noticed = 0
    for at in range(start, start + info.compress_size):
        broken = bytearray(data)
        broken[at] ^= 1
        try:
            # The last byte of a packed member has bits that mean nothing.
            assert b"".join(read_member(io.BytesIO(bytes(broken)), info)) == content
        except (zipfile.BadZipFile, IsalError):
            noticed += 1
    assert noticed >= info.compress_size - 1


def test_what_is_cut_off_is_noticed() -> None:
    file = pack(os.urandom(1000))
    with zipfile.ZipFile(file) as archive:
        info = archive.getinfo("a")
    for size in (10, info.header_offset + 10, info.header_offset + 500):
        file.truncate(size)
        with pytest.raises(zipfile.BadZipFile):
            list(read_member(file, info))


def test_a_header_of_another_file_is_refused() -> None:
    file = pack(b"content")
    with zipfile.ZipFile(file) as archive:
        info = archive.getinfo("a")
    info.header_offset = 0
    with pytest.raises(zipfile.BadZipFile, match="differ"):
        list(read_member(file, info))
    info.header_offset = 4
    with pytest.raises(zipfile.BadZipFile, match="magic"):
        list(read_member(file, info))


def test_other_ways_of_packing_and_passwords_are_left_to_others() -> None:
    with zipfile.ZipFile(pack(b"x", zipfile.ZIP_BZIP2)) as archive:
        assert not can_read(archive.getinfo("a"))
    with zipfile.ZipFile(pack(b"x")) as archive:
        info = archive.getinfo("a")
    assert can_read(info)
    info.flag_bits |= 1
    assert not can_read(info)


def test_zlib_and_isal_mean_the_same_checksum() -> None:
    content = os.urandom(100)
    with zipfile.ZipFile(pack(content)) as archive:
        assert zlib.crc32(content) == archive.getinfo("a").CRC
