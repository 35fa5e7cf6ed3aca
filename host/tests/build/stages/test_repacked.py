"""Built wheels, packed anew: what does not belong to their content makes no difference."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from cogworks.build.errors import WheelError
from cogworks.build.stages.repacked import repack
from cogworks.build.wheel_archive import WheelArchive
from host.tests.build.conftest import write_wheel

FILES = {"pixel/__init__.py": "x = 1\n" * 1000, "pixel/run.sh": "exit\n", "a.py": ""}


def packed_otherwise(wheel: Path, folder: Path) -> Path:
    """Pack the files of a wheel in another order, at another time, another way, with folders between them."""
    folder.mkdir()
    other = folder / wheel.name
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(other, "w") as archive:
        archive.writestr("pixel/", "")
        for info in reversed(source.infolist()):
            entry = zipfile.ZipInfo(info.filename, (2024, 5, 6, 7, 8, 10))
            mode = stat.S_IFREG | (0o775 if info.external_attr >> 16 & 0o111 else 0o600)
            entry.external_attr = mode << 16
            data = source.read(info)
            if info.filename.endswith("RECORD"):
                data = b"\n".join(reversed(data.splitlines())) + b"\n"
            archive.writestr(entry, data, zipfile.ZIP_BZIP2)
    return other


def test_the_same_files_are_the_same_bytes(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "one", files=FILES, programs=["pixel/run.sh"])
    other = packed_otherwise(wheel, tmp_path / "other")
    assert other.read_bytes() != wheel.read_bytes()
    repack(wheel, tmp_path / "first")
    repack(other, tmp_path / "second")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_nothing_of_a_wheel_is_lost(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "one", files=FILES, programs=["pixel/run.sh"])
    target = tmp_path / wheel.name
    repack(wheel, target)
    with WheelArchive(wheel, wheel.name) as before, WheelArchive(target, target.name) as after:
        assert after.record == before.record
        for name in before.record:
            assert b"".join(after.chunks(name)) == b"".join(before.chunks(name))
            assert after.is_executable(name) == before.is_executable(name)
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[-1].endswith(".dist-info/RECORD")


def test_a_wheel_whose_record_is_wrong_is_refused(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, record="pixel/__init__.py,sha256=AAAA,6\n")
    with pytest.raises(WheelError):
        repack(wheel, tmp_path / "packed")
