"""Archives in which engines hand images over: the ways of docker, old and new, and of podman."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cogworks.build.errors import StageError
from cogworks.build.stages.saved import read_new_layers
from cogworks.oci.digest import Digest, digest_of
from cogworks.oci.tar import File, archive

Files = list[tuple[str, bytes | str]]
Make = Callable[[], Files]


def layer(name: str, size: int = 10) -> bytes:
    return b"".join(archive([(File(name, size), (bytes(size),))]))


BELOW = [layer("base", 9_000_000), layer("small")]
NEW = [layer("new"), layer("newer", 9_000_000)]
KNOWN = [digest_of(one) for one in BELOW]
CONFIG = json.dumps(
    {
        "os": "linux",
        "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": [str(digest_of(one)) for one in (*BELOW, *NEW)]},
    }
).encode()


def manifest(config: str, names: list[str]) -> bytes:
    return json.dumps([{"Config": config, "RepoTags": ["x"], "Layers": names}]).encode()


def old_docker() -> Files:
    files: Files = [(f"id{n}/layer.tar", data) for n, data in enumerate((*BELOW, *NEW))]
    names = [name for name, _ in files]
    return [*reversed(files), ("c.json", CONFIG), ("manifest.json", manifest("c.json", names))]


def new_docker() -> Files:
    files: Files = [(f"blobs/sha256/{digest_of(d).hex}", d) for d in (*BELOW, *NEW)]
    names = [name for name, _ in files]
    config = f"blobs/sha256/{digest_of(CONFIG).hex}"
    listing = ("manifest.json", manifest(config, names))
    return [("oci-layout", b"{}"), *files, (config, CONFIG), listing, ("index.json", b"{}")]


def packed_docker() -> Files:
    zipped = [gzip.compress(one, 1) for one in (*BELOW, *NEW)]
    files: Files = [(f"blobs/sha256/{digest_of(one).hex}", one) for one in zipped]
    names = [name for name, _ in files]
    return [*files, ("c.json", CONFIG), ("manifest.json", manifest("c.json", names))]


def podman() -> Files:
    files: Files = [(f"{digest_of(one).hex}.tar", one) for one in (*BELOW, *NEW)]
    links: Files = [(f"id{n}/layer.tar", f"../{name}") for n, (name, _) in enumerate(files)]
    names = [name for name, _ in links]
    return [*files, *links, ("c.json", CONFIG), ("manifest.json", manifest("c.json", names))]


def stream(files: Files) -> io.BytesIO:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as opened:
        for name, content in files:
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                opened.addfile(info)
            else:
                info.size = len(content)
                opened.addfile(info, io.BytesIO(content))
    data.seek(0)
    return data


@pytest.mark.parametrize("make", [old_docker, new_docker, packed_docker, podman])
def test_the_layers_above_the_known_ones_come_out_in_order(tmp_path: Path, make: Make) -> None:
    found = read_new_layers(stream(make()), KNOWN, tmp_path)
    assert [one.read_bytes() for one in found] == NEW


@pytest.mark.parametrize("make", [old_docker, new_docker, podman])
def test_large_layers_that_are_known_are_not_kept(tmp_path: Path, make: Make) -> None:
    read_new_layers(stream(make()), KNOWN, tmp_path)
    assert sum(one.stat().st_size for one in tmp_path.iterdir()) < 10_000_000


def test_an_image_on_other_layers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="not on the layers that it was given"):
        read_new_layers(stream(podman()), [Digest("0" * 64)], tmp_path)


def test_a_layer_that_is_not_what_the_image_says_is_refused(tmp_path: Path) -> None:
    files = [(name, layer("other") if name == "id2/layer.tar" else d) for name, d in old_docker()]
    with pytest.raises(StageError, match="not what the image says"):
        read_new_layers(stream(files), KNOWN, tmp_path)


@pytest.mark.parametrize(
    "data",
    [b"", b"no tar" * 1000, stream(old_docker()[:3]).getvalue()],
    ids=["empty", "text", "cut"],
)
def test_half_an_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(StageError, match="cannot be read"):
        read_new_layers(io.BytesIO(data), KNOWN, tmp_path)
