"""Builds on machines where something is wrong, that are killed, or that run side by side: no harm is done that lasts."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cogworks.registry.client import Client
from cogworks.testing import FakeRegistry
from host.tests.build.bases import base_layers, push_base
from host.tests.build.conftest import write_wheel
from tests.parts.docker_registry import docker_registry
from tests.parts.fixtures import skipping
from tests.parts.image_spec import problems_of

from .build_desk import CONFIG, Desk, message_of

pytestmark = pytest.mark.slow

MIB = 1024 * 1024


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def desk(tmp_path: Path, registry: FakeRegistry) -> Desk:
    return Desk(tmp_path, registry.host)


def build(desk: Desk, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return desk.run("build", "--base-image", desk.base, "--no-load", *options, **environ)


def digest_of(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def set_disk_size(desk: Desk) -> Iterator[Callable[[int], None]]:
    """Return a function that sets the size of the disk with the cache, in MiB."""
    folder = desk.root / "cache"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "cog-tests", str(folder)]
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")

    def resize(size_mib: int) -> None:
        options = f"remount,size={size_mib}m"
        subprocess.run(["mount", "-o", options, str(folder)], check=True)

    try:
        yield resize
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize(("size_mib", "code_mib"), [(1, 8), (4, 8), (2, 0), (5, 0), (7, 0)])
def test_a_full_disk(
    desk: Desk, set_disk_size: Callable[[int], None], size_mib: int, code_mib: int
) -> None:
    set_disk_size(size_mib)
    (desk.project / "noise.bin").write_bytes(os.urandom(code_mib * MIB))
    told = message_of(build(desk))
    assert "No space left on device" in told
    assert "make room or set COG_CACHE_DIR" in told
    assert desk.leftovers() == []
    set_disk_size(100)
    digest_of(build(desk))


def test_a_cache_that_cannot_be_written(desk: Desk) -> None:
    (desk.root / "file").write_text("")
    told = message_of(build(desk, COG_CACHE_DIR=str(desk.root / "file")))
    assert "Not a directory" in told
    assert "Set COG_CACHE_DIR to a folder that can be written" in told


def test_a_file_of_a_size_that_is_not_allowed(desk: Desk) -> None:
    (desk.project / "noise.bin").write_bytes(os.urandom(8 * MIB))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6 * MIB, limits[1]))
    try:
        told = message_of(build(desk))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "File too large" in told
    assert desk.leftovers() == []
    digest_of(build(desk))


def test_a_full_disk_where_the_layout_goes(
    desk: Desk, set_disk_size: Callable[[int], None]
) -> None:
    (desk.project / "noise.bin").write_bytes(os.urandom(4 * MIB))
    other = {"COG_CACHE_DIR": str(desk.root / "other-cache")}
    for output in ("cache/out", "cache/out.tar"):
        told = message_of(build(desk, "--output", str(desk.root / output), **other))
        assert "No space left on device" in told
        assert not (desk.root / output).is_file()
        assert not (desk.root / output / "index.json").exists()
    set_disk_size(100)
    digest_of(build(desk, "--output", str(desk.root / "cache" / "out"), **other))
    assert problems_of(desk.root / "cache" / "out") == []


def spoil(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"\0garbage" * 10)


def cut(path: Path) -> None:
    path.chmod(0o644)
    os.truncate(path, path.stat().st_size // 2)


def remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [spoil, cut, remove])
def test_a_damaged_cache_is_mended(desk: Desk, damage: Callable[[Path], None]) -> None:
    first = digest_of(build(desk))
    cache = desk.root / "cache" / "oci"
    kinds = sorted(one.name for one in cache.iterdir() if one.name not in ("locks", "tmp"))
    assert {"blobs", "keys", "wheels", "bases", "images", "filehash"} <= set(kinds)
    for kind in kinds:
        for path in (cache / kind).rglob("*"):
            if path.is_file():
                damage(path)
        assert digest_of(build(desk, "--output", str(desk.root / "out"))) == first, kind
        assert problems_of(desk.root / "out") == [], kind
        shutil.rmtree(desk.root / "out")


def test_a_package_without_a_wheel_for_the_platform(desk: Desk) -> None:
    write_wheel(desk.root / "packages", "native", "1.0", tag="cp311-cp311-macosx_11_0_arm64")
    desk.write("cog.yaml", CONFIG.replace("msgspec==0.14", "native==1.0"))
    told = message_of(build(desk))
    assert "native" in told
    assert "macosx_11_0_arm64" in told
    assert desk.leftovers() == []


def test_a_package_that_needs_a_newer_glibc(desk: Desk) -> None:
    write_wheel(desk.root / "packages", "native", "1.0", tag="cp311-cp311-manylinux_2_39_x86_64")
    desk.write("cog.yaml", CONFIG.replace("msgspec==0.14", "native==1.0"))
    told = message_of(build(desk))
    assert "native" in told
    assert "2.39" in told or "manylinux_2_39" in told
    assert desk.leftovers() == []


def test_a_base_that_leaves_no_room_for_layers(desk: Desk, registry: FakeRegistry) -> None:
    with Client() as client:
        reference = push_base(client, registry.host, layers=base_layers(123))
    told = message_of(build(desk, "--base-image", str(reference)))
    assert "at most 125 layers" in told
    assert desk.leftovers() == []


def test_two_builds_at_once_in_one_cache_agree(desk: Desk) -> None:
    (desk.project / "noise.bin").write_bytes(os.urandom(16 * MIB))
    command = ["build", "--base-image", desk.base, "--no-load"]
    builds = [desk.start(*command, "-t", f"model:{number}") for number in range(3)]
    ends = [process.communicate(timeout=300) for process in builds]
    assert [process.returncode for process in builds] == [0, 0, 0], ends
    assert len({output for output, _ in ends}) == 1
    assert desk.leftovers() == []


@pytest.mark.parametrize("delay_s", [0.5, 1.0, 1.5])
def test_a_build_that_is_killed_is_made_up_for_by_the_next(desk: Desk, delay_s: float) -> None:
    (desk.project / "noise.bin").write_bytes(os.urandom(64 * MIB))
    output = ("--output", str(desk.root / "out"))
    process = desk.start("build", "--base-image", desk.base, "--no-load", *output)
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=delay_s)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = build(desk, *output)
    clean = build(desk, COG_CACHE_DIR=str(desk.root / "clean"))
    assert digest_of(done) == digest_of(clean)
    assert problems_of(desk.root / "out") == []


def test_a_push_that_is_killed_leaves_no_name(desk: Desk, registry: FakeRegistry) -> None:
    (desk.project / "noise.bin").write_bytes(os.urandom(8 * MIB))
    name = f"{registry.host}/me/model:v1"
    process = desk.start("push", name, "--base-image", desk.base)
    # It has begun to send.
    assert process.stderr is not None
    for line in process.stderr:
        if "uploaded" in line:
            break
    process.kill()
    process.communicate()
    assert "me/model" not in registry.state.tags
    done = desk.run("push", name, "--base-image", desk.base)
    assert done.returncode == 0, done.stderr
    assert registry.state.tags["me/model"].keys() == {"v1"}


PEAK = """
import atexit, runpy, sys

def tell():
    # Not ru_maxrss: that counts the memory of the process that started this one, too.
    status = open("/proc/self/status").read()
    print("peak_kib", status.partition("VmHWM:")[2].split()[0], file=sys.stderr)

atexit.register(tell)
sys.argv = ["cog", *sys.argv[1:]]
runpy.run_module("cogworks.cli", run_name="__main__")
"""
MEMORY_MAX_MIB = 200
ROOM_BYTES = 8 * 1024**3


@pytest.fixture
def roomy_desk(desk: Desk) -> Iterator[Desk]:
    """Return a desk with room for the project, its layers and the registry; none of it is kept for people to look at."""
    free = shutil.disk_usage(desk.root).free
    if free < ROOM_BYTES:
        pytest.skip(f"{desk.root} has {free >> 30} GB free, and this needs {ROOM_BYTES >> 30}")
    try:
        yield desk
    finally:
        for path in desk.root.iterdir():
            if path.is_dir():
                shutil.rmtree(path)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("kind", ["sparse", "noise"])
def test_two_gigabytes_are_built_and_pushed_in_little_memory(roomy_desk: Desk, kind: str) -> None:
    desk = roomy_desk
    with (desk.project / "weights.bin").open("wb") as file:
        if kind == "noise":
            write_noise(file.fileno())
        file.truncate(2 * 1024 * MIB)
    (desk.root / "registry").mkdir()
    with skipping(), docker_registry(desk.root / "registry") as host:
        arguments = ["push", f"{host}/me/{kind}:v1", "--base-image", desk.base]
        done = subprocess.run(
            [sys.executable, "-c", PEAK, *arguments],
            cwd=desk.project,
            env=desk.environ,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert int(done.stderr.rpartition("peak_kib")[2]) / 1024 < MEMORY_MAX_MIB


def write_noise(descriptor: int) -> None:
    """Write 2 GiB that cannot be packed: a block of noise, from another byte on each time."""
    noise = os.urandom(8 * MIB)
    for number in range(256):
        os.write(descriptor, noise[number:] + noise[:number])
