"""Which Python compiles, and that it is asked once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cogworks.build.cache import Cache
from cogworks.build.compilers import find_compiler
from cogworks.build.target import Target
from cogworks.oci.platform import parse_platform

TARGET = Target((3, 12), parse_platform("linux/amd64"))

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="stands in for a Python with a script"
)


def stand_in(folder: Path, version: str) -> Path:
    """Write a program that answers as a Python does, and counts how often it is asked."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "python3.12"
    path.write_text(
        f"#!/bin/sh\necho asked >>{folder}/asked\nprintf '{version}\\n{path}\\n{folder}/os.py\\n'\n"
    )
    path.chmod(0o755)
    return path


def test_a_python_is_asked_once_and_again_when_it_is_another_one(tmp_path: Path) -> None:
    cache, bin_ = Cache(tmp_path / "cache"), tmp_path / "bin"
    environment = {"PATH": f"{bin_}:/usr/bin:/bin", "HOME": str(tmp_path)}
    path = stand_in(bin_, "3.12.1")
    for _ in range(2):
        found = find_compiler(cache, TARGET, environment)
        assert found is not None
        assert (found.python, found.version) == (path, "3.12.1")
    assert (bin_ / "asked").read_text().count("asked") == 1
    path.unlink()
    stand_in(bin_, "3.12.22")
    found = find_compiler(cache, TARGET, environment)
    assert found is not None
    assert found.version == "3.12.22"


def test_where_there_is_none_there_is_none(tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path)}
    assert find_compiler(Cache(tmp_path / "cache"), TARGET, environment) is None
