from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from cogworks.build.errors import ContextError
from cogworks.build.file_hash import FileHashes, identity_of
from cogworks.build.packer import Member, with_parents
from cogworks.build.stored_layer import FileContent, StoredArchive, stored_archive
from cogworks.oci.digest import digest_of
from cogworks.oci.tar import File, archive

MIB = 1024 * 1024
SIZES = (3 * MIB + 5, 0, 512, MIB)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    noise = random.Random(1)
    paths = [tmp_path / f"{number}.bin" for number in range(len(SIZES))]
    for path, size in zip(paths, SIZES, strict=True):
        path.write_bytes(noise.randbytes(size))
        os.utime(path, (1, 1))
    return paths


def members(files: Sequence[Path]) -> list[Member]:
    return with_parents(
        (
            File(f"src/models/{path.name}", path.stat().st_size, executable=path.stem == "2"),
            FileContent(path, path.stat().st_size, identity_of(path)),
        )
        for path in files
    )


def stored(files: Sequence[Path], *, is_known: bool = True) -> tuple[StoredArchive, bool]:
    hashes = FileHashes(files[0].parent / "hashes")
    return stored_archive(members(files), hashes, is_known=is_known)


def test_it_is_the_archive_that_would_be_written(files: list[Path]) -> None:
    found, is_new = stored(files)
    written = b"".join(archive(members(files)))
    assert is_new
    assert b"".join(found.open()) == written
    assert (found.digest, found.size_bytes) == (digest_of(written), len(written))


def test_it_is_read_from_any_offset_on(files: list[Path]) -> None:
    found, _ = stored(files)
    written = b"".join(archive(members(files)))
    edges = (0, 1, 511, 512, 1024, 1536, MIB, 3 * MIB + 1541, len(written) - 1, len(written))
    chosen = [random.Random(2).randrange(len(written)) for _ in range(50)]
    for offset in (*edges, *chosen):
        assert b"".join(found.open(offset)) == written[offset:]


def test_its_digest_is_remembered_until_a_file_a_name_or_a_mode_changes(files: list[Path]) -> None:
    first, _ = stored(files)
    assert stored(files) == (first, False)
    assert stored(files, is_known=False) == (first, True)
    assert stored(files[:3])[1]
    files[1].write_bytes(b"")
    # It is empty as before, and was written just now: not to be remembered.
    assert stored(files) == (stored(files)[0], True)
    os.utime(files[1], (1, 1))
    assert [stored(files)[1] for _ in range(2)] == [True, False]
    files[1] = files[1].rename(files[1].with_name("2.x"))
    assert stored(files)[1]


@pytest.mark.parametrize("content", [b"x" * 600, b"x" * 512], ids=["longer", "as long"])
def test_a_file_that_has_changed_is_an_error_wherever_it_is_read(
    files: list[Path], content: bytes
) -> None:
    found, _ = stored(files)
    files[2].write_bytes(content)
    told = r"2\.bin changed while it was packed\. Build again"
    with pytest.raises(ContextError, match=told):
        list(found.open())
    files[2].unlink()
    with pytest.raises(ContextError, match=told):
        list(found.open())


def test_a_file_that_changes_while_it_is_read_is_an_error(files: list[Path]) -> None:
    blocks = stored(files)[0].open(1)
    next(blocks)
    next(blocks)
    files[0].write_bytes(b"x" * SIZES[0])
    with pytest.raises(ContextError, match=r"0\.bin changed while it was packed"):
        list(blocks)


def test_a_digest_that_cannot_be_noted_is_computed_again(files: list[Path]) -> None:
    (files[0].parent / "hashes").write_text("no folder")
    assert [stored(files)[1] for _ in range(2)] == [True, True]
