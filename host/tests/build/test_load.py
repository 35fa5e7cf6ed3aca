"""Loading into docker and podman: what they lack is sent, and nothing else; the same for both where they are real."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cogworks.build.errors import BuildError
from cogworks.build.load import Loadable, load, name_in
from cogworks.engines.containers.engine import DOCKER, PODMAN, ContainerEngine
from cogworks.engines.containers.find import require_engine
from cogworks.oci.digest import Digest, digest_of
from cogworks.oci.image import History, ImageConfig, RunConfig
from cogworks.oci.layer import Codec, Layer
from cogworks.oci.manifest import Manifest
from cogworks.oci.platform import parse_platform
from cogworks.oci.tar import Directory, File, archive
from cogworks.registry.blobs import Blob, BytesBlob
from tests.parts.engine import Engine
from tests.parts.fixtures import docker, podman

__all__ = ["docker", "podman"]

PLATFORM = parse_platform("linux/amd64")
BASE = "x" * 5_000_000
"""More than what is sent without asking for other images."""


def tar(text: str) -> bytes:
    data = text.encode()
    name = digest_of(data).short
    return b"".join(archive([(Directory("src"), ()), (File(f"src/{name}", len(data)), (data,))]))


def image(*texts: str, codec: Codec = Codec.NONE) -> Loadable:
    """Return an image with a layer for each text."""
    data = [tar(text) for text in texts]
    layers = [Layer(digest_of(one), digest_of(one), len(one), codec) for one in data]
    run = RunConfig(labels={"run.cog.version": "1"})
    history = [History(created_by="test")] * len(layers)
    config = ImageConfig(PLATFORM, run).with_layers(layers, history)
    manifest = Manifest(config.descriptor, tuple(one.descriptor for one in layers))
    blobs: list[Blob] = [BytesBlob(one) for one in (*data, config.to_bytes())]
    return Loadable(config, manifest, {one.digest: one for one in blobs})


@pytest.fixture(params=[DOCKER, PODMAN])
def engine(request: pytest.FixtureRequest) -> Iterator[ContainerEngine]:
    """Return each real engine, without images."""
    part: Engine = request.getfixturevalue(request.param)
    engine = require_engine(part.environment, [request.param])
    yield engine
    ids = part.run("image", "ls", "--quiet", "--no-trunc").stdout.split()
    part.run("image", "rm", "--force", *dict.fromkeys(ids), check=False)


real = pytest.mark.slow


@real
def test_an_edit_sends_one_layer_and_a_new_requirement_what_lies_above_it(
    engine: ContainerEngine,
) -> None:
    first = load(engine, image(BASE, "packages", "server", "code"), "me/model:v1")
    assert (first.sent_layers, first.layer_count) == (4, 4)
    assert first.sent_bytes > len(BASE)
    edited = load(engine, image(BASE, "packages", "server", "edited"), "me/model:v1")
    assert edited.sent_layers == 1
    assert edited.sent_bytes < 100_000
    more = load(engine, image(BASE, "more packages", "server", "edited"), "me/model:v1")
    assert more.sent_layers == (1 if engine.is_podman else 3)


@real
def test_layers_of_another_image_are_found(engine: ContainerEngine) -> None:
    load(engine, image(BASE, "theirs"), "other")
    loaded = load(engine, image(BASE, "ours"), "my-model")
    assert loaded.sent_layers == 1
    assert loaded.name == ("localhost/my-model:latest" if engine.is_podman else "my-model:latest")


@real
def test_what_is_there_is_not_sent_again(engine: ContainerEngine) -> None:
    one = image(BASE, "code")
    load(engine, one, "my-model:v1")
    assert load(engine, one, "my-model:v1").sent_bytes == 0
    named = load(engine, one, "my-model:v2")
    assert (named.sent_layers, named.image_id) == (0, one.config.image_id)


@real
def test_progress_ends_at_the_sum_of_what_is_sent(engine: ContainerEngine) -> None:
    told: list[tuple[int, int]] = []
    one = image(BASE, "code")
    load(engine, one, "my-model", lambda sent, total: told.append((sent, total)))
    total = sum(layer.size_bytes for layer in one.manifest.layers)
    assert told[-1] == (total, total)


@real
def test_a_source_that_breaks_loads_nothing(engine: ContainerEngine) -> None:
    one = image(BASE, "code")
    base = one.manifest.layers[0].digest
    broken: dict[Digest, Blob] = {**one.blobs, base: Broken(base)}
    with pytest.raises(ConnectionError):
        load(engine, replace(one, blobs=broken), "my-model")
    assert load(engine, one, "my-model").sent_layers == 2


@dataclass(frozen=True)
class Broken:
    """A blob whose registry hangs up."""

    digest: Digest
    size_bytes: int = len(tar(BASE))

    def open(self, offset: int = 0) -> Iterator[bytes]:
        yield b"\0" * 1024
        raise ConnectionError("cut")


def fake_engine(folder: Path, script: str, **fields: object) -> ContainerEngine:
    """Return docker by a shell script, which finds the number of its call of `load` in $n."""
    program = folder / "docker"
    program.write_text(
        f"#!/bin/sh\ncd {folder}\n"
        'case "$1 $2" in\n'
        '"load --quiet") n=$(ls | grep -c sent); n=$((n + 1)); /bin/cat > sent$n;;\n'
        f"esac\n{script}\n"
    )
    program.chmod(0o755)
    engine = ContainerEngine(DOCKER, str(program), {"PATH": "/bin:/usr/bin"}, "20.10.24", DOCKER)
    return replace(engine, **fields)  # type: ignore[arg-type]


def inspected(one: Loadable, layers: int | None = None) -> str:
    """Return what `image inspect` prints of an image, or of one that shares its lowest layers."""
    diff_ids = [str(diff_id) for diff_id in one.config.diff_ids[:layers]]
    image_id = str(one.config.image_id) if layers is None else f"sha256:{'0' * 64}"
    return json.dumps([{"Id": image_id, "RootFS": {"Layers": diff_ids}}])


def members(path: Path) -> set[str]:
    with tarfile.open(path) as archive:
        return {info.name for info in archive if info.isfile()}


def test_the_whole_is_sent_where_an_engine_wants_what_was_left_out(tmp_path: Path) -> None:
    one = image("base", "code")
    (tmp_path / "before").write_text(inspected(one, 1))
    (tmp_path / "after").write_text(inspected(one))
    script = (
        'case "$1" in\n'
        'load) if [ $n = 1 ]; then echo "Error: no such file" >&2; exit 1; fi;;\n'
        "image) if [ -e sent2 ]; then cat after; else cat before; fi;;\n"
        "esac"
    )
    loaded = load(fake_engine(tmp_path, script), one, "my-model")
    base, code = (f"blobs/sha256/{layer.digest.hex}" for layer in one.manifest.layers)
    assert loaded.sent_layers == 2
    assert base not in members(tmp_path / "sent1")
    assert {base, code, "manifest.json", "index.json", "oci-layout"} < members(tmp_path / "sent2")


def test_an_image_that_came_without_its_layers_is_sent_whole(tmp_path: Path) -> None:
    one = image("base", "code")
    (tmp_path / "before").write_text(inspected(one, 1))
    (tmp_path / "after").write_text(inspected(one))
    script = 'case "$1" in image) if [ -e sent2 ]; then cat after; else cat before; fi;; esac'
    assert load(fake_engine(tmp_path, script), one, "my-model").sent_layers == 2


def test_a_full_disk_is_not_filled_twice(tmp_path: Path) -> None:
    one = image("base", "code")
    (tmp_path / "before").write_text(inspected(one, 1))
    script = (
        'case "$1" in\n'
        "image) cat before;;\n"
        'load) echo "Error processing tar file: no space left on device" >&2; exit 1;;\n'
        "esac"
    )
    with pytest.raises(BuildError, match=r"did not take the image: .*no space left on device"):
        load(fake_engine(tmp_path, script), one, "my-model")
    assert not (tmp_path / "sent2").exists()


def test_an_engine_that_ends_early_is_told_with_its_reason(tmp_path: Path) -> None:
    script = 'case "$1" in image) echo "Error: No such image: x" >&2; exit 1;; esac'
    engine = fake_engine(tmp_path, script)
    program = Path(engine.program)
    program.write_text(program.read_text().replace("/bin/cat > sent$n", "echo full >&2; exit 1"))
    with pytest.raises(BuildError, match=r"docker 20\.10\.24 did not take the image: full\."):
        load(engine, image("x" * 3_000_000), "my-model")


def test_an_old_docker_is_given_no_zstd(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, "exit 9")
    with pytest.raises(BuildError, match="cannot read layers that are packed with zstd"):
        load(engine, image("code", codec=Codec.ZSTD), "my-model")


@pytest.mark.parametrize(
    ("text", "in_docker", "in_podman"),
    [
        ("my-model", "my-model:latest", "localhost/my-model:latest"),
        ("me/model:v1", "me/model:v1", "localhost/me/model:v1"),
        ("docker.io/me/model", "me/model:latest", "docker.io/me/model:latest"),
        ("docker.io/python:3", "python:3", "docker.io/library/python:3"),
        ("r.example/model:v1", "r.example/model:v1", "r.example/model:v1"),
        ("localhost:5000/model", "localhost:5000/model:latest", "localhost:5000/model:latest"),
    ],
)
def test_a_name_is_what_each_engine_makes_of_it(text: str, in_docker: str, in_podman: str) -> None:
    assert name_in(ContainerEngine(DOCKER, "", {}, server=DOCKER), text) == in_docker
    assert name_in(ContainerEngine(PODMAN, "", {}, server=PODMAN), text) == in_podman


def test_a_digest_is_no_name_for_an_image_to_come() -> None:
    engine = ContainerEngine(DOCKER, "", {}, server=DOCKER)
    with pytest.raises(BuildError, match="Give it a tag"):
        name_in(engine, f"model@sha256:{'0' * 64}")
