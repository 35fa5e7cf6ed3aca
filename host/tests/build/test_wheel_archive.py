from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from cogworks.build.errors import WheelError
from cogworks.build.wheel_archive import WheelArchive

from .conftest import write_wheel


def read_all(path: Path) -> dict[str, bytes]:
    with WheelArchive(path, path.name) as wheel:
        return {member: b"".join(wheel.chunks(member)) for member in wheel.members}


def test_a_good_wheel_is_read(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, files={"pixel/a.py": "a = 1\n"})
    assert read_all(path)["pixel/a.py"] == b"a = 1\n"


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../up.py",
        "pixel/../../up.py",
        "pixel\\a.py",
        "C:\\a.py",
        "./a.py",
        "a//b.py",
    ],
)
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    path = write_wheel(tmp_path, files={name: "x"})
    with pytest.raises(WheelError, match=r"outside its folder|not a portable file name"):
        read_all(path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    path = write_wheel(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        entry = zipfile.ZipInfo("pixel/link")
        entry.external_attr = (kind | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(WheelError, match=r"is a link or a device"):
        read_all(path)


def test_a_file_that_is_not_what_record_says_is_refused(tmp_path: Path) -> None:
    info = "pixel-1.0.dist-info"
    good = read_all(write_wheel(tmp_path / "good"))[f"{info}/RECORD"].decode()
    bad = write_wheel(tmp_path / "bad", files={"pixel/__init__.py": "x = 2\n"}, record=good)
    with pytest.raises(WheelError, match=r"'pixel/__init__.py' is not what RECORD says it is"):
        read_all(bad)


def test_a_file_without_a_record_is_refused(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("pixel/smuggled.py", "evil = True\n")
    with pytest.raises(WheelError, match=r"RECORD has no hash of 'pixel/smuggled.py'"):
        read_all(path)


def test_a_record_of_a_missing_file_is_refused(tmp_path: Path) -> None:
    info = "pixel-1.0.dist-info"
    good = read_all(write_wheel(tmp_path / "good"))[f"{info}/RECORD"].decode()
    record = f"pixel/gone.py,sha256=abc,3\n{good}"
    with pytest.raises(WheelError, match=r"'pixel/gone.py' is in RECORD but not in the archive"):
        read_all(write_wheel(tmp_path / "bad", record=record))


def test_weak_hashes_are_refused(tmp_path: Path) -> None:
    record = "pixel/__init__.py,md5=abc,3\n"
    with pytest.raises(WheelError, match=r"RECORD uses 'md5'"):
        read_all(write_wheel(tmp_path, record=record))


def test_a_flipped_byte_is_noticed(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, files={"pixel/data.bin": bytes(range(256)) * 40})
    data = bytearray(path.read_bytes())
    start = data.index(b"pixel/data.bin") + len("pixel/data.bin")
    data[start + 20] ^= 0x10
    path.write_bytes(data)
    with pytest.raises(WheelError, match=r"cannot be unpacked|is not what RECORD says"):
        read_all(path)


def test_a_truncated_wheel_is_no_wheel(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(WheelError, match=r"it is not a wheel"):
        read_all(path)


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    path = write_wheel(tmp_path)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match=r"Duplicate"):
        archive.writestr("pixel/__init__.py", "x = 1\n")
    with pytest.raises(WheelError, match=r"'pixel/__init__.py' is in it twice"):
        read_all(path)


def test_metadata_of_another_package_is_refused(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, "other")
    renamed = path.rename(tmp_path / "pixel-1.0-py3-none-any.whl")
    with pytest.raises(WheelError, match=r"'other-1.0.dist-info' belongs to another package"):
        read_all(renamed)
