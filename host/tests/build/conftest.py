"""Wheels and projects that the tests make themselves; nothing comes from a network."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from cogworks.build.cache import Cache
from cogworks.build.wheel_set import WheelFile
from cogworks.oci.digest import Digest

MakeWheel = Callable[..., WheelFile]


def write_wheel(
    folder: Path,
    name: str = "pixel",
    version: str = "1.0",
    *,
    files: Mapping[str, bytes | str] | None = None,
    programs: Sequence[str] = (),
    entry_points: str = "",
    tag: str = "py3-none-any",
    record: str | None = None,
    requires: Sequence[str] = (),
    metadata: str = "",
) -> Path:
    """Write a wheel whose RECORD is right unless ``record`` is another text."""
    info = f"{name}-{version}.dist-info"
    content = dict(files if files is not None else {f"{name}/__init__.py": "x = 1\n"})
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    content[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}{metadata}"
    )
    content[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n"
    )
    if entry_points:
        content[f"{info}/entry_points.txt"] = entry_points
    data = {
        path: text.encode() if isinstance(text, str) else text for path, text in content.items()
    }
    lines = [f"{path},{_hash(each)},{len(each)}" for path, each in data.items()]
    text = "\n".join([*lines, f"{info}/RECORD,,", ""]) if record is None else record
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, each in {**data, f"{info}/RECORD": text.encode()}.items():
            entry = zipfile.ZipInfo(member, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100755 if member in programs else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, each)
    return path


def wheel_file(path: Path) -> WheelFile:
    digest = Digest(hashlib.sha256(path.read_bytes()).hexdigest())
    return WheelFile(path.name.partition("-")[0], path.name, digest, path, path.stat().st_size)


def _hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()
    return f"sha256={digest.rstrip('=')}"


@pytest.fixture
def make_wheel(tmp_path: Path) -> MakeWheel:
    def make(*arguments: str, **options: object) -> WheelFile:
        return wheel_file(write_wheel(tmp_path / "wheels", *arguments, **options))  # type: ignore[arg-type]

    return make


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")
