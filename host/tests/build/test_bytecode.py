"""How many Pythons compile at once, and what they cannot do."""

from __future__ import annotations

import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cogworks.build.bytecode import Compiler, Seats
from cogworks.build.errors import BuildError

VERSION = ".".join(map(str, sys.version_info[:3]))
MODULES = [("one.py", "/opt/venv/one.py")]

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="stands in for a Python with a script"
)


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "one.whl", "w") as archive:
        archive.writestr("one.py", "x = 1\n")
    return tmp_path / "one.whl"


@pytest.mark.slow
def test_no_more_compile_at_once_than_there_are_seats(tmp_path: Path, wheel: Path) -> None:
    noted = tmp_path / "noted"
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\necho begins >>{noted}\n{sys.executable} "$@"\necho ends >>{noted}\n'
    )
    python.chmod(0o755)
    compiler = Compiler(python, VERSION, Seats(1))

    def compile_to(output: Path) -> None:
        compiler.compile(wheel, MODULES, output)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(compile_to, [tmp_path / str(number) for number in range(4)]))
    assert noted.read_text().split() == ["begins", "ends"] * 4


def test_by_default_there_is_a_seat_for_each_core() -> None:
    assert Seats(0).count >= 1
    assert Seats(3).count == 3


def test_seats_make_no_other_compiler() -> None:
    python = Path(sys.executable)
    assert Compiler(python, VERSION, Seats(1)) == Compiler(python, VERSION, Seats(2))


def test_a_python_that_fails_gives_its_seat_back(tmp_path: Path, wheel: Path) -> None:
    compiler = Compiler(tmp_path / "none", VERSION, Seats(1))
    for _ in range(2):
        with pytest.raises(BuildError, match=r"one.whl cannot be compiled"):
            compiler.compile(wheel, MODULES, tmp_path / "output")
