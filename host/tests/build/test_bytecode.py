"""How many Pythons compile at once, and what they cannot do."""

from __future__ import annotations

import marshal
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import CodeType

import pytest

from cogworks.build.bytecode import (
    MODULES_MAX,
    Compiled,
    Compiler,
    Seats,
    is_worth_compiling,
)
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


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """Return a Python that notes when it begins and ends."""
    path, noted = tmp_path / "python", tmp_path / "noted"
    path.write_text(
        f'#!/bin/sh\necho begins >>{noted}\n{sys.executable} "$@"\necho ends >>{noted}\n'
    )
    path.chmod(0o755)
    return path


@pytest.mark.slow
def test_many_modules_are_done_by_several_processes_and_how_many_at_once_changes_no_byte(
    tmp_path: Path, python: Path
) -> None:
    count = 2 * MODULES_MAX + 1
    names = [f"m{number:04}.py" for number in range(count)]
    with zipfile.ZipFile(tmp_path / "many.whl", "w") as archive:
        archive.writestr(names[0], "no python")
        for name in names[1:]:
            archive.writestr(name, f"def f(a, b='{name}'):\n    return a, 'common', 3.5\n")
    modules = [(name, f"/opt/venv/{name}") for name in names]

    def compiled(seats: int) -> Compiled:
        output = tmp_path / str(seats)
        return Compiler(python, VERSION, Seats(seats)).compile(
            tmp_path / "many.whl", modules, output
        )

    one, three = compiled(1), compiled(3)
    assert (tmp_path / "noted").read_text().split().count("begins") == 2 * 3
    assert one.index == three.index
    assert set(names) - one.index.keys() == {names[0]}
    assert one.path.read_bytes() == three.path.read_bytes()
    for name in (names[1], names[MODULES_MAX], names[-1]):
        code = marshal.loads(b"".join(three.chunks(name))[16:])
        assert isinstance(code, CodeType)
        assert code.co_filename == f"/opt/venv/{name}"
    assert {path.name for path in tmp_path.iterdir()} == {"1", "3", "many.whl", "noted", "python"}


@pytest.mark.parametrize(
    ("member", "is_worth"),
    [
        ("a.py", True),
        ("a/b.py", True),
        ("a/b.pyi", False),
        ("a/tests/b.py", False),
        ("tests/a/b.py", False),
        ("a/tests.py", True),
        ("a/testing/b.py", True),
        ("a/test/b.py", True),
    ],
)
def test_tests_are_not_compiled(member: str, is_worth: bool) -> None:
    assert is_worth_compiling(member) is is_worth


@pytest.mark.slow
def test_no_more_compile_at_once_than_there_are_seats(
    tmp_path: Path, wheel: Path, python: Path
) -> None:
    compiler = Compiler(python, VERSION, Seats(1))

    def compile_to(output: Path) -> None:
        compiler.compile(wheel, MODULES, output)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(compile_to, [tmp_path / str(number) for number in range(4)]))
    assert (tmp_path / "noted").read_text().split() == ["begins", "ends"] * 4


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
