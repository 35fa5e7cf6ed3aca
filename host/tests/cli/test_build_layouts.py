"""What `cog build --output` writes is a layout by the image-spec's rules, and other people's programs read it."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cogworks.testing import FakeRegistry
from tests.parts.engine import Engine
from tests.parts.fixtures import buildah, podman, skopeo
from tests.parts.image_spec import problems_of

from .build_desk import CONFIG, Desk, text_of

__all__ = ["buildah", "podman", "skopeo"]

pytestmark = pytest.mark.slow


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with FakeRegistry() as registry:
        desk = Desk(tmp_path, registry.host)
        monkeypatch.chdir(desk.project)
        # Weights, long and foreign names, a link, an empty file: what makes tars differ.
        desk.write("cog.yaml", CONFIG.replace("build:", 'build:\n  weights: ["*.bin"]'))
        desk.write("weights.bin", "0123456789" * 10_000)
        desk.write(f"{'long' * 40}.txt", "x")
        desk.write("größe.txt", "")
        (desk.project / "link").symlink_to("run.py")
        yield desk


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_a_folder_is_a_layout_by_the_book(desk: Desk, compression: str) -> None:
    text_of(desk.build("--output", "../out", "--compression", compression))
    assert problems_of(desk.root / "out") == []


def test_a_file_is_a_layout_by_the_book(desk: Desk) -> None:
    text_of(desk.build("--output", "../image.tar"))
    with tarfile.open(desk.root / "image.tar") as archive:
        archive.extractall(desk.root / "out", filter="data")
    assert problems_of(desk.root / "out") == []


def test_skopeo_reads_and_copies_a_layout(desk: Desk, skopeo: Engine) -> None:
    digest = desk.build("-t", "model:v1", "--output", "../out").stdout.strip()
    text_of(desk.build("-t", "model:v1", "--output", "../image.tar"))
    for source in (f"oci:{desk.root / 'out'}", f"oci-archive:{desk.root / 'image.tar'}"):
        read = json.loads(skopeo.run("inspect", source).stdout)
        assert read["Digest"] == digest
        assert read["Labels"]["run.cog.pip_freeze"] == "msgspec==0.14"
        assert read["Created"] == "1970-01-01T00:00:00Z"
        config = json.loads(skopeo.run("inspect", "--config", source).stdout)
        assert config["config"]["Cmd"] == ["python", "-m", "cog.server.http"]
        skopeo.run("copy", source, f"dir:{desk.root / 'copied'}")


def test_buildah_and_podman_unpack_a_layout(desk: Desk, buildah: Engine, podman: Engine) -> None:
    text_of(desk.build("-t", "model:v1", "--output", "../out"))
    text_of(desk.build("-t", "model:v1", "--output", "../image.tar"))
    working = buildah.run("from", f"oci:{desk.root / 'out'}").stdout.strip()
    mounted = Path(buildah.run("mount", working).stdout.strip())
    assert (mounted / "src" / "größe.txt").read_bytes() == b""
    assert (mounted / "src" / f"{'long' * 40}.txt").read_bytes() == b"x"
    assert (mounted / "src" / "weights.bin").stat().st_size == 100_000
    assert (mounted / "src" / "link").readlink() == Path("run.py")
    buildah.run("rm", working)
    loaded = podman.run("load", "--quiet", "--input", str(desk.root / "image.tar")).stdout
    assert "model:v1" in loaded
    entry = json.loads(podman.run("image", "inspect", loaded.split()[-1]).stdout)[0]
    assert entry["Config"]["User"] == "1000:1000"


def test_what_a_registry_gets_is_by_the_book(desk: Desk, skopeo: Engine) -> None:
    text_of(desk.push(f"{desk.host}/me/model:v1"))
    target = f"oci:{desk.root / 'out'}:v1"
    skopeo.run("copy", "--src-tls-verify=false", f"docker://{desk.host}/me/model:v1", target)
    assert problems_of(desk.root / "out") == []
