from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.compilers import find_compiler
from cogworks.build.errors import AbandonedError, BuildError, LockError, WheelError
from cogworks.build.grouping import OWN_LAYER_BYTES
from cogworks.build.layers import (
    NamedLayer,
    Options,
    ProjectLayers,
    make_layers,
    run_steps,
)
from cogworks.build.packer import write_archive
from cogworks.build.resolve import LOCK_NAME
from cogworks.build.target import Target
from cogworks.oci.layer import Codec
from cogworks.oci.platform import parse_platform
from cogworks.project import load_project

from .conftest import write_wheel

pytestmark = pytest.mark.slow

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
TARGET = Target(sys.version_info[:2], parse_platform("linux/amd64"))
CONFIG = f"""\
build:
  python_version: "{VERSION}"
  python_requirements: requirements.txt
run: run.py:Runner
"""
METADATA = {"openapi_schema.json": b"{}"}


class Quiet:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def line(self, text: str) -> None:
        pass

    def done(self, text: str) -> None:
        pass


class Bench:
    def __init__(self, root: Path) -> None:
        self.root, self.progress = root, Quiet()
        self.project, self.packages = root / "project", root / "packages"
        self.project.mkdir(parents=True)
        self.packages.mkdir()
        self.write("requirements.txt", "pixel==1.0\ncog==0.9\n")
        self.write("run.py", "x = 1\n")
        self.write("cog.yaml", CONFIG)
        write_wheel(self.packages, "pixel", requires=["color>=1", "cog"])
        write_wheel(self.packages, "color", "2.0")
        write_wheel(self.packages, "cog", "0.9")

    def write(self, name: str, text: str) -> None:
        (self.project / name).write_text(text)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "PIP_CONFIG_FILE": "/dev/null",
            "UV_NO_INDEX": "1",
            "UV_OFFLINE": "1",
            "UV_FIND_LINKS": str(self.packages),
            "UV_CACHE_DIR": str(self.root / "uv-cache"),
        }

    def build(
        self, cache: str = "cache", *, jobs: int = 0, keep_lock: bool = False
    ) -> ProjectLayers:
        there = Cache(self.root / cache)
        compiler = find_compiler(there, TARGET, self.environment)
        path = f"/usr/local/bin/python{VERSION}"
        options = Options(path, compiler, jobs=jobs, keep_lock=keep_lock)
        project = load_project(self.project)
        return make_layers(
            project,
            TARGET,
            there,
            self.progress,
            options,
            METADATA,
            self.environment,
        )


def titles(made: ProjectLayers) -> list[str]:
    return [one.title for one in made.layers]


def all_names(made: ProjectLayers) -> set[str]:
    names = set[str]()
    for one in made.layers:
        with tarfile.open(one.cached.path) as archive:
            names.update(archive.getnames())
    return names


def test_a_project_becomes_layers_and_a_second_build_does_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first = bench.build()
    assert titles(first) == ["environment", "color and 1 more", "code", "metadata"]
    library = f"opt/venv/lib/python{VERSION}/site-packages"
    names = all_names(first)
    assert {f"{library}/pixel/__init__.py", f"{library}/color/__init__.py", "src/run.py"} <= names
    assert not any(name.startswith(f"{library}/cog") for name in names)
    assert any("left out" in notice and "cog==0.9" in notice for notice in first.notices)
    bench.progress.stages.clear()
    second = bench.build()
    assert bench.progress.stages == ["Packing layers"]
    assert not any(one.cached.is_new for one in second.layers)


def test_caches_clones_and_core_counts_do_not_change_a_digest(tmp_path: Path) -> None:
    one = Bench(tmp_path / "one").build(jobs=1)
    two = Bench(tmp_path / "two" / "elsewhere").build("other-cache", jobs=4)
    assert [each.cached.layer for each in one.layers] == [each.cached.layer for each in two.layers]


def test_a_code_edit_makes_one_new_layer(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.build()
    bench.write("run.py", "x = 2\n")
    made = bench.build()
    assert [one.title for one in made.layers if one.cached.is_new] == ["code"]


def test_the_lock_is_kept_beside_cog_yaml_and_used_as_long_as_it_is_current(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.build(keep_lock=True)
    lock = bench.project / LOCK_NAME
    text = lock.read_text()
    assert "input-hash" in text
    assert sorted(path.name for path in bench.project.iterdir()) == sorted(
        ["cog.yaml", LOCK_NAME, "requirements.txt", "run.py"]
    )
    # A newer package that would fit does not come in by itself, not even on another machine.
    write_wheel(bench.packages, "color", "3.0")
    shutil.rmtree(tmp_path / "uv-cache")
    bench.build("another-machine")
    assert lock.read_text() == text
    bench.write("requirements.txt", "pixel==1.0\ncolor==3.0\n")
    made = bench.build(keep_lock=True)
    assert any("/color-3.0.dist-info/RECORD" in name for name in all_names(made))


def test_requirements_that_do_not_exist_are_told_with_the_name_of_the_file(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.write("requirements.txt", "does-not-exist==1\n")
    with pytest.raises(LockError, match=r"the packages of requirements\.txt cannot be resolved"):
        bench.build()
    assert not list((tmp_path / "cache").rglob("pylock.*"))


def test_a_local_wheel_of_the_project_is_taken(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    local = write_wheel(bench.project / "wheels", "mine", "0.1")
    bench.write("requirements.txt", f"./wheels/{local.name}\n")
    made = bench.build()
    assert any("/mine-0.1.dist-info/RECORD" in name for name in all_names(made))


def test_a_pyproject_is_resolved_and_with_a_uv_lock_its_versions_hold(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.write("cog.yaml", CONFIG.replace("requirements.txt", "pyproject.toml"))
    bench.write(
        "pyproject.toml",
        f'[project]\nname = "mine"\nversion = "0"\nrequires-python = ">={VERSION}"\n'
        'dependencies = ["pixel", "cog"]\n',
    )
    assert any("/color-2.0.dist-info/RECORD" in name for name in all_names(bench.build()))
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "lock", "--quiet"], cwd=bench.project, env=bench.environment, check=True)
    write_wheel(bench.packages, "color", "3.0")
    names = all_names(bench.build("another-cache"))
    assert any("/color-2.0.dist-info/RECORD" in name for name in names)
    assert not any("/cog-" in name for name in names)


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.build()
    (bench.project / "noise.bin").write_bytes(os.urandom(3_000_000))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(BuildError, match=r"the layers cannot be made: .*File too large"):
            bench.build()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list((tmp_path / "cache/oci/tmp").iterdir())
    made = bench.build()
    assert [one.title for one in made.layers if one.cached.is_new] == ["code"]


MEMORY = """
import sys
from pathlib import Path
from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.code_layer import weights_layer
from cogworks.build.context import read_context
from cogworks.oci.layer import Codec
context = read_context(Path(sys.argv[1]))
made = weights_layer(Cache(Path(sys.argv[2])), context, context.weights, Codec.GZIP)
# Not ru_maxrss: that counts the memory of the process that started this one, too.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(int(peak.split()[1]) // 1024, made.layer.size_bytes)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
def test_two_gigabytes_of_weights_take_little_memory(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    with (project / "weights.bin").open("wb") as file:
        file.truncate(2 * 1024**3)
    command = [sys.executable, "-c", MEMORY, str(project), str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    peak_mib, size = map(int, done.stdout.split())
    assert peak_mib < 200
    assert 0 < size < 100_000_000


@pytest.mark.network
def test_real_wheels_of_the_configured_index_become_a_layer(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.write("requirements.txt", "packaging\nmarkupsafe\n")
    target = Target((3, 12), parse_platform("linux/arm64"))
    options = Options("/usr/local/bin/python3.12", bytecode=False)
    cache = Cache(tmp_path / "cache")
    try:
        made = make_layers(
            load_project(bench.project),
            target,
            cache,
            bench.progress,
            options,
            METADATA,
            dict(os.environ),
        )
    except LockError as error:
        pytest.skip(f"no index can be reached: {str(error).splitlines()[0]}")
    names = all_names(made)
    assert any(name.endswith("aarch64-linux-gnu.so") for name in names)
    assert "opt/venv/lib/python3.12/site-packages/packaging/__init__.py" in names


def test_layers_that_are_known_need_no_wheels(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first = bench.build()
    shutil.rmtree(tmp_path / "cache" / "oci" / "wheels")
    second = bench.build()
    assert [one.cached.layer for one in second.layers] == [one.cached.layer for one in first.layers]
    assert second.freeze == first.freeze
    assert not (tmp_path / "cache" / "oci" / "wheels" / "sha256").exists()


def test_only_the_wheels_of_a_new_layer_come_here(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    size = OWN_LAYER_BYTES + 1000
    write_wheel(bench.packages, "large", "1.0", files={"large/data": os.urandom(size)})
    bench.write("requirements.txt", "pixel==1.0\nlarge\n")
    bench.build()
    wheels = tmp_path / "cache" / "oci" / "wheels" / "sha256"
    shutil.rmtree(wheels)
    bench.write("requirements.txt", "pixel==1.0\ncolor==2.0\nlarge\n")
    bench.build()
    assert not wheels.exists()
    write_wheel(bench.packages, "extra", "1.0")
    bench.write("requirements.txt", "pixel==1.0\nextra\nlarge\n")
    made = bench.build()
    assert titles(made)[-3] == "color and 2 more"
    assert len(list(wheels.iterdir())) == 3


def test_what_others_write_ends_when_one_step_fails(tmp_path: Path) -> None:
    cache, is_writing = Cache(tmp_path), threading.Event()

    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield bytes(1024 * 1024)
            is_writing.set()
        raise AssertionError("it was written to the end")

    def fail() -> CachedLayer:
        assert is_writing.wait(30)
        raise BuildError("no")

    def write() -> CachedLayer:
        return cache.layer(
            "0" * 64, Codec.GZIP, lambda path: write_archive(endless(), Codec.GZIP, path)
        )

    steps = [("one that fails", fail), ("a large one", write)]
    with pytest.raises(BuildError, match="no"):
        run_steps(steps, 2, give_up=cache.abandon)
    assert list((tmp_path / "oci" / "tmp").iterdir()) == []
    assert list((tmp_path / "oci").rglob("blobs/*/*")) == []
    with pytest.raises(AbandonedError), cache.temporary():
        pass


def test_what_comes_last_is_waited_for_and_what_goes_wrong_there_ends_the_rest() -> None:
    told: list[str] = []
    assert run_steps([], 1, last=lambda: told.append("looked")) == ()
    assert told == ["looked"]

    def fail() -> None:
        raise WheelError("pixel", "is damaged")

    with pytest.raises(WheelError, match="is damaged"):
        run_steps([], 1, None, lambda: told.append("gave up"), fail)


def test_weights_are_not_read_to_their_end_once_the_build_has_failed(tmp_path: Path) -> None:
    bench, cache = Bench(tmp_path), Cache(tmp_path / "cache")
    with (bench.project / "weights.bin").open("wb") as file:
        file.truncate(4 * 1024**3)

    def stop(layer: NamedLayer) -> None:
        raise KeyboardInterrupt

    options = Options(f"/usr/local/bin/python{VERSION}", bytecode=False, on_layer=stop)
    with pytest.raises(KeyboardInterrupt):
        make_layers(
            *(load_project(bench.project), TARGET, cache, bench.progress),
            *(options, METADATA, bench.environment),
        )
    known = [json.loads(path.read_text())["title"] for path in cache.root.glob("keys/*.json")]
    assert not [title for title in known if "weights" in title]
    assert list((cache.root / "tmp").iterdir()) == []
