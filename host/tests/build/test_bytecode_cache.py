"""Compiled modules of wheels that are kept."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from cogworks.build.bytecode import Compiler
from cogworks.build.bytecode_cache import KeepingCompiler
from cogworks.build.cache import Cache

VERSION = ".".join(map(str, sys.version_info[:3]))
MODULES = [("one.py", "/opt/venv/one.py"), ("broken.py", "/opt/venv/broken.py")]

pytestmark = pytest.mark.slow


class Bench:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.wheel = root / "one.whl"
        with zipfile.ZipFile(self.wheel, "w") as archive:
            archive.writestr("one.py", "x = 1\n")
            archive.writestr("broken.py", "x = = 1\n")

    def compiler(self, python: str = sys.executable, *, is_reused: bool = True) -> KeepingCompiler:
        cache = Cache(self.root / "cache", is_reused=is_reused)
        return KeepingCompiler(Path(python), VERSION, cache=cache)

    def compile(self, compiler: Compiler, name: str = "scratch") -> bytes:
        found = compiler.compile(self.wheel, MODULES, self.root / name)
        assert list(found.index) == ["one.py"]
        return b"".join(found.chunks("one.py"))

    @property
    def kept(self) -> Path:
        (path,) = (p for p in (self.root / "cache/oci/bytecode").iterdir() if not p.suffix)
        return path


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_wheel_is_compiled_once_and_to_the_same_bytes(bench: Bench) -> None:
    plain = bench.compile(Compiler(Path(sys.executable), VERSION), "plain")
    assert bench.compile(bench.compiler()) == plain
    # A Python that is not there could not compile it again.
    assert bench.compile(bench.compiler("/nowhere/python")) == plain


def test_what_is_damaged_is_compiled_again(bench: Bench) -> None:
    first = bench.compile(bench.compiler())
    bench.kept.chmod(0o644)
    bench.kept.write_bytes(b"damaged")
    assert bench.compile(bench.compiler(), "again") == first
    bench.kept.with_suffix(".json").write_text("{}")
    assert bench.compile(bench.compiler(), "and again") == first


def test_no_cache_compiles_again(bench: Bench) -> None:
    bench.compile(bench.compiler())
    with pytest.raises(Exception, match="cannot be compiled"):
        bench.compile(bench.compiler("/nowhere/python", is_reused=False), "again")


def test_other_paths_in_the_image_are_other_modules(bench: Bench) -> None:
    compiler = bench.compiler()
    bench.compile(compiler)
    elsewhere = [("one.py", "/opt/cogworks/one.py")]
    found = compiler.compile(bench.wheel, elsewhere, bench.root / "elsewhere")
    assert b"/opt/cogworks/one.py" in b"".join(found.chunks("one.py"))
