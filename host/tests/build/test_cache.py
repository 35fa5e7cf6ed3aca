from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.packer import Summary, with_parents, write_layer
from cogworks.oci.layer import Codec
from cogworks.oci.tar import File

KEY = "a" * 64


def make_layer(path: Path) -> Summary:
    return write_layer(with_parents([(File("src/x", 1), (b"x",))]), Codec.GZIP, path)


def get(cache: Cache) -> CachedLayer:
    return cache.layer(KEY, Codec.GZIP, make_layer)


def test_a_layer_is_made_once(cache: Cache) -> None:
    assert get(cache).is_new
    assert not get(cache).is_new


def test_a_second_codec_is_a_variant_of_the_same_key(cache: Cache) -> None:
    gzip = get(cache)

    def make(path: Path) -> Summary:
        return write_layer(with_parents([(File("src/x", 1), (b"x",))]), Codec.ZSTD, path)

    zstd = cache.layer(KEY, Codec.ZSTD, make)
    assert zstd.is_new
    assert zstd.layer.diff_id == gzip.layer.diff_id
    assert not get(cache).is_new


def truncate(layer: CachedLayer) -> None:
    layer.path.chmod(0o644)
    with layer.path.open("r+b") as file:
        file.truncate(5)


def flip(layer: CachedLayer) -> None:
    layer.path.chmod(0o644)
    data = bytearray(layer.path.read_bytes())
    data[20] ^= 1
    layer.path.write_bytes(data)


def remove(layer: CachedLayer) -> None:
    layer.path.unlink()


@pytest.mark.parametrize("damage", [truncate, flip, remove])
def test_a_damaged_blob_is_noticed_and_made_again(
    cache: Cache, damage: Callable[[CachedLayer], None]
) -> None:
    first = get(cache)
    damage(first)
    second = get(cache)
    assert second.is_new
    assert second.layer == first.layer
    assert cache.hashes.sha256(second.path) == second.layer.digest.hex


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"variants": 3}', '{"diff_id": "x"}'])
def test_a_damaged_entry_counts_as_missing(cache: Cache, text: str) -> None:
    get(cache)
    (entry,) = (cache.root / "keys").iterdir()
    entry.write_text(text)
    assert get(cache).is_new
    assert json.loads(entry.read_text())["variants"]["GZIP"]


def test_an_error_while_packing_leaves_no_file(cache: Cache) -> None:
    def fail(path: Path) -> Summary:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"No space left"):
        cache.layer(KEY, Codec.GZIP, fail)
    assert not list((cache.root / "tmp").iterdir())
    assert get(cache).is_new


PROGRAM = """
import os, sys, pathlib
from cogworks.build.cache import Cache
from cogworks.build.packer import with_parents, write_layer
from cogworks.oci.layer import Codec
from cogworks.oci.tar import File

MIB = 1024 * 1024
def content(stop):
    for turn in range(8):
        yield os.urandom(MIB) if stop else bytes(MIB)
    if stop:
        print("half", flush=True)
        sys.stdin.read()

def make(path):
    stop = sys.argv[2] == "stop"
    print("packing", flush=True)
    return write_layer(with_parents([(File("src/x", 8 * MIB), content(stop))]), Codec.NONE, path)

found = Cache(pathlib.Path(sys.argv[1])).layer("a" * 64, Codec.NONE, make)
print(found.layer.digest, found.is_new, flush=True)
"""


def start(cache_dir: Path, mode: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(cache_dir), mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=dict(os.environ),
    )


@pytest.mark.slow
def test_a_build_that_is_killed_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    killed = start(tmp_path, "stop")
    assert killed.stdout is not None
    assert killed.stdout.readline() == "packing\n"
    assert killed.stdout.readline() == "half\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not list(tmp_path.rglob("blobs/sha256/*"))
    assert not list(tmp_path.rglob("keys/*"))
    # Its lock is free again: the next build makes the layer.
    after = start(tmp_path, "go")
    output, _ = after.communicate(timeout=60)
    assert output.splitlines()[-1].endswith(" True")


@pytest.mark.slow
def test_two_builds_at_once_make_a_layer_once_and_agree(tmp_path: Path) -> None:
    builds = [start(tmp_path, "go") for _ in range(3)]
    outputs = [build.communicate(timeout=60)[0].splitlines() for build in builds]
    assert len({lines[-1].split()[0] for lines in outputs}) == 1
    assert sorted(lines[-1].split()[1] for lines in outputs) == ["False", "False", "True"]
