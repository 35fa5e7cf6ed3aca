"""Wheels of packages that come as source: built here, or on the base; kept; and what is said where they cannot be."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cogworks.build.assemble import BuiltImage, How, assemble
from cogworks.build.base_image import find_base
from cogworks.build.cache import Cache
from cogworks.build.errors import BuildError, NoWheelError
from cogworks.build.stages.installer import PIP
from cogworks.build.stages.tools import StageOptions
from cogworks.oci.platform import parse_platform
from cogworks.oci.reference import Reference
from cogworks.project import load_project
from cogworks.registry.client import Client
from cogworks.testing.registry import FakeRegistry
from host.tests.build.bases import offline, push_base, write_server_wheels
from host.tests.build.conftest import write_wheel
from host.tests.engines.private_index import PASSWORD, private_index
from tests.parts.base_tree import cache_folder
from tests.parts.engine import Engine as Part
from tests.parts.fixtures import base_reference, buildah, debian, docker, real_registry

from .sources import FOLDER, NATIVE, write_source
from .test_image_stages import Shown

__all__ = ["base_reference", "buildah", "debian", "docker", "real_registry"]

pytestmark = pytest.mark.slow

CONFIG = 'build:\n  python_version: "3.11"\n  python_packages: [{packages}]\nrun: run.py:Runner\n'
RUN = "from cog import BaseRunner\n\n\nclass Runner(BaseRunner):\n    def run(self) -> str:\n        return ''\n"


class Bench:
    """A project that needs a package of which there is only a source."""

    def __init__(self, root: Path, base: Reference) -> None:
        self.root, self.base, self.shown = root, base, Shown()
        self.project, self.packages = root / "project", root / "packages"
        self.project.mkdir()
        self.need("pixel==1.0")
        (self.project / "run.py").write_text(RUN)
        self.server_packages = write_server_wheels(self.packages)
        for name, version in (("setuptools", "80.9.0"), ("wheel", "0.45.1")):
            write_wheel(self.packages, name, version)

    def need(self, *packages: str) -> None:
        listed = ", ".join(f'"{one}"' for one in packages)
        (self.project / "cog.yaml").write_text(CONFIG.format(packages=listed))

    def build(self, part: Part | None, cache: Cache, **variables: str) -> BuiltImage:
        environment = offline(self.root, self.packages)
        name = None
        if part is None:
            environment["PATH"] = str(self.root / "no-programs")
        else:
            name = Path(part.client).name
            environment |= part.environment
            environment["PATH"] = f"{Path(part.client).parent}:{os.environ['PATH']}"
        for given, value in variables.items():
            environment[given] = value
            if not value:
                del environment[given]
        how = How(bytecode=False, server_packages=self.server_packages, stages=StageOptions(name))
        platform = parse_platform(os.uname().machine)
        with Client() as client:
            base = find_base(lambda: client, self.base, platform, (3, 11), cache)
            project = load_project(self.project)
            return assemble(
                project, base, cache, self.shown, how, environment, connect=lambda: client
            )

    def cache(self, name: str = "cache") -> Cache:
        return Cache(self.root / name)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Bench]:
    """A bench whose base cannot run anything."""
    with FakeRegistry() as registry, Client() as client:
        yield Bench(tmp_path, push_base(client, registry.host))


@pytest.fixture
def bench(tmp_path: Path, base_reference: Reference) -> Bench:
    return Bench(tmp_path, base_reference)


def module(image: BuiltImage, name: str = "pixel") -> str:
    """Return the source of a module in an image."""
    for layer in image.layers:
        with tarfile.open(layer.cached.path) as archive:
            for info in archive:
                if info.name.endswith(f"site-packages/{name}/__init__.py"):
                    file = archive.extractfile(info)
                    assert file is not None
                    return file.read().decode()
    raise AssertionError(f"{name} is not in the image")


def test_pure_python_is_built_here_without_any_engine(small: Bench) -> None:
    write_source(small.packages, "pixel")
    first = small.build(None, small.cache())
    assert module(first) == "where = 'somewhere'\n"
    assert "Building a wheel of pixel 1.0" in small.shown.lines
    small.shown.lines.clear()
    again = small.build(None, small.cache())
    assert again.digest == first.digest
    assert not [line for line in small.shown.lines if "pixel" in line]
    assert small.build(None, small.cache("other")).digest == first.digest


def test_a_folder_that_the_pyproject_names_is_built_and_counts_with_all_that_is_in_it(
    small: Bench,
) -> None:
    with tarfile.open(write_source(small.root / "made", "pixel")) as archive:
        archive.extractall(small.project, filter="data")
    (small.project / "cog.yaml").write_text(
        'build:\n  python_version: "3.11"\n  python_requirements: pyproject.toml\nrun: run.py:Runner\n'
    )
    (small.project / "pyproject.toml").write_text(
        '[project]\nname = "p"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["pixel"]\n'
        '[tool.uv.sources]\npixel = { path = "pixel-1.0", editable = true }\n'
    )
    first = small.build(None, small.cache())
    assert module(first) == "where = 'somewhere'\n"
    assert "pixel==1.0" in first.config.run.labels["run.cog.pip_freeze"]
    assert small.build(None, small.cache("other")).digest == first.digest
    backend = small.project / "pixel-1.0" / "backend.py"
    backend.write_text(backend.read_text().replace("somewhere", "elsewhere"))
    assert module(small.build(None, small.cache())) == "where = 'elsewhere'\n"


def test_where_no_engine_is_there_the_error_says_what_would_be_done(small: Bench) -> None:
    write_source(small.packages, "pixel", tag=NATIVE, body=FOLDER)
    with pytest.raises(NoWheelError) as raised:
        small.build(None, small.cache())
    lines = str(raised.value).splitlines()
    assert lines[0].startswith("pixel 1.0 has no wheel for Python 3.11 on linux/")
    assert "it comes as source only" in lines[0]
    assert (
        lines[1] == "It could be built on the base image, but no engine for that can be used here:"
    )
    assert lines[2] == "  buildah is not installed"


def test_pure_python_that_does_not_build_says_why(small: Bench) -> None:
    body = "raise SystemExit('no such moon')"
    write_source(small.packages, "pixel", body=f"{body}; built = ''")
    with pytest.raises(NoWheelError) as raised:
        small.build(None, small.cache())
    text = str(raised.value)
    assert (
        "It cannot be built on this machine: pixel 1.0 cannot be built:\n  no such moon\n" in text
    )
    assert str(small.root) not in text
    assert "buildah is not installed" in text


def test_a_wheel_that_looks_pure_and_is_not_is_not_taken(small: Bench) -> None:
    tag = f"cp3{sys.version_info[1]}-none-MACHINE"
    path = write_source(small.packages, "pixel", tag=tag)
    with tarfile.open(path) as archive:
        members = [(info, archive.extractfile(info)) for info in archive if info.name[-2:] != ".c"]
        kept = [(info, file.read()) for info, file in members if file is not None]
    rewrite(path, kept)
    with pytest.raises(NoWheelError, match="no engine for that can be used here"):
        small.build(None, small.cache())


def rewrite(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))


@pytest.mark.network
def test_engines_build_the_same_wheel_on_the_base_and_it_is_kept(
    bench: Bench, docker: Part, buildah: Part
) -> None:
    fetch_pip(bench)
    write_source(bench.packages, "pixel", tag=NATIVE, body=FOLDER)
    write_source(bench.packages, "voxel", tag=NATIVE, body=FOLDER)
    bench.need("pixel==1.0", "voxel==1.0")
    first = bench.build(buildah, bench.cache())
    # Compilers write the folder into what they make.
    assert module(first) == "where = '/build/0/pixel-1.0'\n"
    assert module(first, "voxel") == "where = '/build/1/voxel-1.0'\n"
    assert "Building wheels with buildah: pixel 1.0, voxel 1.0" in bench.shown.lines
    second = bench.build(docker, bench.cache("other"))
    assert second.digest == first.digest
    assert bench.build(None, bench.cache()).digest == first.digest


@pytest.mark.network
@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("error: command 'gcc' failed: No such file or directory", "build-essential"),
        ("error: [Errno 2] No such file or directory: 'x86_64-linux-gnu-g++'", "build-essential"),
        ("x.c:1:10: fatal error: Python.h: No such file or directory", "python3-dev"),
    ],
)
def test_a_build_that_fails_is_shown_and_what_is_missing_explained(
    bench: Bench, buildah: Part, said: str, advice: str
) -> None:
    fetch_pip(bench)
    write_source(
        bench.packages, "pixel", tag=NATIVE, body=f"raise SystemExit({said!r}); built = ''"
    )
    with pytest.raises(BuildError) as raised:
        bench.build(buildah, bench.cache())
    lines = str(raised.value).splitlines()
    assert lines[0] == "pixel 1.0 failed with exit code 1: 'pip wheel pixel-1.0.tar.gz'"
    assert lines[-1].endswith(f"Add {advice} to build.system_packages.")


@pytest.mark.network
def test_build_tools_come_from_a_private_index_whose_password_is_nowhere(
    bench: Bench, buildah: Part
) -> None:
    fetch_pip(bench)
    served = bench.root / "served"
    write_wheel(served, "secrettool", "1.0", files={"secrettool.py": "X = 'used'\n"})
    body = "import secrettool; built = secrettool.X"
    write_source(bench.packages, "pixel", tag=NATIVE, body=body, requires="['secrettool']")
    with private_index(served) as url:
        image = bench.build(
            buildah, bench.cache(), UV_NO_INDEX="", UV_OFFLINE="", UV_DEFAULT_INDEX=url
        )
    assert module(image) == "where = 'used'\n"
    assert PASSWORD not in "\n".join(bench.shown.lines)
    for path in (bench.root / "cache").rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes(), path


def fetch_pip(bench: Bench) -> None:
    """Bring the real pip, once for all tests: it is what builds."""
    folder = cache_folder() / "pip"
    if not list(folder.glob("pip-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
        done = subprocess.run([*command, str(folder), PIP], check=False, capture_output=True)
        if done.returncode:
            pytest.skip("no index can be reached for pip")
    (wheel,) = folder.glob(f"{PIP.replace('==', '-')}-*.whl")
    (bench.packages / wheel.name).hardlink_to(wheel)
