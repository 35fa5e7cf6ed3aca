"""Which Python compiles, and that it is asked once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cogworks.build.cache import Cache
from cogworks.build.compilers import find_compiler
from cogworks.build.target import Target
from cogworks.oci.platform import parse_platform

OTHER = (3, sys.version_info[1] + 1)
"""One that this Python is not."""
TARGET = Target(OTHER, parse_platform("linux/amd64"))
VERSION = TARGET.python_version

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="stands in for a Python with a script"
)


def stand_in(folder: Path, version: str) -> Path:
    """Write a program that answers as a Python does, and counts how often it is asked."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"python{VERSION}"
    path.write_text(
        f"#!/bin/sh\necho asked >>{folder}/asked\nprintf '{version}\\n{path}\\n{folder}/os.py\\n'\n"
    )
    path.chmod(0o755)
    return path


def test_a_python_is_asked_once_and_again_when_it_is_another_one(tmp_path: Path) -> None:
    cache, bin_ = Cache(tmp_path / "cache"), tmp_path / "bin"
    environment = {"PATH": f"{bin_}:/usr/bin:/bin", "HOME": str(tmp_path)}
    path = stand_in(bin_, f"{VERSION}.1")
    for _ in range(2):
        found = find_compiler(cache, TARGET, environment)
        assert found is not None
        assert (found.python, found.version) == (path, f"{VERSION}.1")
    assert (bin_ / "asked").read_text().count("asked") == 1
    path.unlink()
    stand_in(bin_, f"{VERSION}.22")
    found = find_compiler(cache, TARGET, environment)
    assert found is not None
    assert found.version == f"{VERSION}.22"


def test_the_python_that_runs_this_compiles_for_its_own_version(tmp_path: Path) -> None:
    target = Target(sys.version_info[:2], parse_platform("linux/amd64"))
    environment = {"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path)}
    for _ in range(2):
        found = find_compiler(Cache(tmp_path / "cache"), target, environment)
        assert found is not None
        assert found.python == Path(sys.executable)
        assert found.version == ".".join(map(str, sys.version_info[:3]))


def test_where_there_is_none_there_is_none(tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path)}
    assert find_compiler(Cache(tmp_path / "cache"), TARGET, environment) is None
