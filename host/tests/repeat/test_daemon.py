"""Docker's daemon over its socket: a stand-in that speaks as it does. `cli/test_repeat.py` has the real one."""

from __future__ import annotations

import io
import json
import socketserver
import sys
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from cogworks.build.cache import CachedLayer
from cogworks.oci.digest import digest_of
from cogworks.oci.image import History, ImageConfig, RunConfig
from cogworks.oci.layer import Codec, Layer
from cogworks.oci.manifest import Manifest
from cogworks.oci.platform import parse_platform
from cogworks.repeat.daemon import SOCKET, NotLoadedError, find_socket, layers_of, load_again
from cogworks.repeat.shape import ImageRecord, LoadedRecord

from .records import record_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs sockets with paths")
AMD64 = parse_platform("linux/amd64")


class Daemon:
    """Has one image, and takes another one if it knows all of its layers."""

    def __init__(self) -> None:
        self.id, self.layers = "", list[str]()
        self.takes = True
        self.loads: list[list[str]] = []

    def load(self, data: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            self.loads.append([one.name for one in archive if one.isfile()])
            (listing,) = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
            config = archive.extractfile(listing["Config"]).read()  # type: ignore[union-attr]
        if self.takes:
            self.id, self.layers = str(digest_of(config)), json.loads(config)["rootfs"]["diff_ids"]


class _Handler(BaseHTTPRequestHandler):
    daemon: Daemon

    def do_GET(self) -> None:
        is_there = self.path == "/images/me/model:latest/json" and self.daemon.id
        found = {"Id": self.daemon.id, "RootFS": {"Layers": self.daemon.layers}}
        self._answer(200 if is_there else 404, found if is_there else {"message": "no such image"})

    def do_POST(self) -> None:
        self.daemon.load(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(200, {"stream": "Loaded image"})

    def _answer(self, status: int, value: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def folder() -> Iterator[Path]:
    # The path of a socket is short.
    with tempfile.TemporaryDirectory(prefix="cog-") as name:
        yield Path(name)


@pytest.fixture
def daemon(folder: Path) -> Iterator[Daemon]:
    found = Daemon()
    handler = type("Handler", (_Handler,), {"daemon": found})
    with socketserver.ThreadingUnixStreamServer(str(folder / "d.sock"), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


class Image:
    """An image of a base and two layers of code."""

    def __init__(self, folder: Path, code: str, metadata: str = "m") -> None:
        contents = [b"base", code.encode(), metadata.encode()]
        layers = [Layer(digest_of(one), digest_of(one), len(one), Codec.NONE) for one in contents]
        config = ImageConfig(AMD64, RunConfig({})).with_layers(layers, [History("x")] * 3)
        manifest = Manifest(config.descriptor, tuple(one.descriptor for one in layers))
        self.id, self.diff_ids = str(config.image_id), list(map(str, config.diff_ids))
        self.record: ImageRecord = {
            **record_of(folder)["image"],
            "config": config.to_bytes().decode(),
            "manifest": manifest.to_bytes().decode(),
        }
        self.layers: list[CachedLayer] = []
        for layer, data in list(zip(layers, contents, strict=True))[1:]:
            path = folder / layer.digest.hex
            path.write_bytes(data)
            self.layers.append(CachedLayer(layer, path, is_new=True))


def record(folder: Path, image: Image) -> LoadedRecord:
    return {
        "name": "me/model:latest",
        "id": image.id,
        "socket": str(folder / "d.sock"),
        "program": "docker",
        "engine": "docker 1",
    }


@pytest.fixture
def first(folder: Path, daemon: Daemon) -> Image:
    image = Image(folder, "one")
    daemon.id, daemon.layers = image.id, image.diff_ids
    return image


def test_an_image_that_is_there_has_layers(folder: Path, first: Image) -> None:
    assert layers_of(record(folder, first)) == tuple(first.diff_ids)


def test_a_name_that_stands_for_another_image_or_none_is_told_of(
    folder: Path, daemon: Daemon, first: Image
) -> None:
    for daemon.id in ("sha256:other", ""):
        with pytest.raises(NotLoadedError, match="me/model:latest is not what it was"):
            layers_of(record(folder, first))


def test_a_daemon_that_is_not_there_is_told_of(folder: Path) -> None:
    with pytest.raises(NotLoadedError, match=r"d\.sock"):
        layers_of(record(folder, Image(folder, "one")))


def test_only_what_lies_above_an_edit_is_sent(folder: Path, daemon: Daemon, first: Image) -> None:
    second = Image(folder, "two")
    now, sent_bytes, count = load_again(
        record(folder, first), second.record, "linux/amd64", second.layers
    )
    assert now["id"] == daemon.id == second.id
    assert (count, sent_bytes > 0) == (2, True)
    base = first.diff_ids[0].removeprefix("sha256:")
    (sent,) = daemon.loads
    assert {f"blobs/sha256/{one.layer.digest.hex}" for one in second.layers} <= set(sent)
    assert f"blobs/sha256/{base}" not in sent
    third = Image(folder, "two", "other")
    _, _, count = load_again(now, third.record, "linux/amd64", third.layers)
    assert count == 1


def test_the_same_image_is_not_sent(folder: Path, daemon: Daemon, first: Image) -> None:
    loaded = record(folder, first)
    assert load_again(loaded, first.record, "linux/amd64", first.layers) == (loaded, 0, 0)
    assert daemon.loads == []


def test_what_is_not_taken_or_cannot_be_sent_is_told_of(
    folder: Path, daemon: Daemon, first: Image
) -> None:
    second = Image(folder, "two")
    daemon.takes = False
    with pytest.raises(NotLoadedError):
        load_again(record(folder, first), second.record, "linux/amd64", second.layers)
    daemon.layers = ["sha256:another base"]
    with pytest.raises(NotLoadedError, match="lacks more than the code"):
        load_again(record(folder, first), second.record, "linux/amd64", second.layers)


@pytest.mark.parametrize(
    ("environ", "settings", "found"),
    [
        ({}, None, SOCKET),
        ({}, "{}", SOCKET),
        ({}, '{"currentContext": "default"}', SOCKET),
        ({}, '{"currentContext": "desktop-linux"}', ""),
        ({}, "no JSON", ""),
        ({"DOCKER_CONTEXT": "far"}, None, ""),
        ({"DOCKER_HOST": "unix:///run/x.sock"}, '{"currentContext": "far"}', "/run/x.sock"),
        ({"DOCKER_HOST": "tcp://far:2375"}, None, ""),
        ({"DOCKER_HOST": "ssh://far"}, None, ""),
    ],
)
def test_the_socket_is_that_of_docker_s_program_or_none(
    environ: dict[str, str], settings: str | None, found: str, tmp_path: Path
) -> None:
    if settings is not None:
        (tmp_path / ".docker").mkdir()
        (tmp_path / ".docker" / "config.json").write_text(settings)
    assert find_socket({"HOME": str(tmp_path), **environ}) == found
