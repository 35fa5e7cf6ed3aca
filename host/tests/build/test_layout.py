from __future__ import annotations

import fcntl
import hashlib
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cogworks.build.errors import BuildError
from cogworks.build.layout import write_directory, write_tar
from cogworks.oci.digest import Digest, digest_of
from cogworks.oci.image import ImageConfig
from cogworks.oci.manifest import Descriptor, Manifest
from cogworks.oci.platform import parse_platform
from cogworks.registry.blobs import Blob, BytesBlob, FileBlob, IteratorBlob

PLATFORM = parse_platform("linux/amd64")
LAYER = b"a layer"


def image() -> tuple[Manifest, Mapping[Digest, Blob]]:
    config = ImageConfig(PLATFORM)
    blobs = [BytesBlob(LAYER), BytesBlob(config.to_bytes())]
    kind = "application/vnd.oci.image.layer.v1.tar"
    layer = Descriptor(kind, digest_of(LAYER), len(LAYER))
    return Manifest(config.descriptor, (layer,)), {one.digest: one for one in blobs}


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def check_layout(files: Mapping[str, bytes], manifest: Manifest) -> None:
    """Check what the image-spec asks of a layout."""
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads(files["index.json"])
    assert index["schemaVersion"] == 2
    (entry,) = index["manifests"]
    assert entry["digest"] == str(manifest.digest)
    assert entry["platform"] == {"os": "linux", "architecture": "amd64"}
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "v1"}
    blobs = {name: data for name, data in files.items() if name.startswith("blobs/")}
    assert len(blobs) == 3
    for name, data in blobs.items():
        assert name == f"blobs/sha256/{hashlib.sha256(data).hexdigest()}"
    document = json.loads(blobs[f"blobs/sha256/{manifest.digest.hex}"])
    for one in (document["config"], *document["layers"]):
        assert len(blobs["blobs/sha256/" + one["digest"].partition(":")[2]]) == one["size"]


def test_a_directory_is_a_layout_and_can_be_written_again(tmp_path: Path) -> None:
    manifest, blobs = image()
    write_directory(tmp_path / "out", manifest, PLATFORM, blobs, "v1")
    first = contents(tmp_path / "out")
    check_layout(first, manifest)
    (tmp_path / "out/blobs/sha256" / digest_of(LAYER).hex).write_bytes(b"damaged")
    write_directory(tmp_path / "out", manifest, PLATFORM, blobs, "v1")
    assert contents(tmp_path / "out") == first


def test_a_folder_with_other_files_stays_as_it_is(tmp_path: Path) -> None:
    manifest, blobs = image()
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BuildError, match="neither empty nor an OCI layout"):
        write_directory(tmp_path, manifest, PLATFORM, blobs)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_tar_is_the_same_layout_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    manifest, blobs = image()
    write_tar(tmp_path / "one.tar", manifest, PLATFORM, blobs, "v1")
    write_tar(tmp_path / "two.tar", manifest, PLATFORM, blobs, "v1")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    with tarfile.open(tmp_path / "one.tar") as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    check_layout(contents(tmp_path / "unpacked"), manifest)


@pytest.mark.parametrize("write", [write_directory, write_tar])
def test_a_layer_that_changed_leaves_nothing_that_looks_whole(
    tmp_path: Path, write: Callable[..., None]
) -> None:
    manifest, blobs = image()
    changed = tmp_path / "layer"
    changed.write_bytes(b"a LAYER")
    blob = FileBlob(changed, digest_of(LAYER), len(LAYER))
    with pytest.raises(BuildError, match="is not what its name says"):
        write(tmp_path / "out", manifest, PLATFORM, {**blobs, blob.digest: blob})
    assert not (tmp_path / "out").is_file()
    assert not (tmp_path / "out/index.json").exists()
    assert not list(tmp_path.rglob("*.part"))


def test_what_a_killed_build_left_in_a_layout_goes_away_and_what_another_one_writes_stays(
    tmp_path: Path,
) -> None:
    manifest, blobs = image()
    folder = tmp_path / "out" / "blobs" / "sha256"
    folder.mkdir(parents=True)
    (tmp_path / "out" / "oci-layout").write_bytes(b"{}")
    (folder / ".dead.0.part").write_bytes(b"half")
    with (folder / ".alive.0.part").open("xb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write_directory(tmp_path / "out", manifest, PLATFORM, blobs)
        assert [path.name for path in folder.glob(".*")] == [".alive.0.part"]


def test_what_a_killed_build_left_of_an_archive_goes_with_the_next(tmp_path: Path) -> None:
    manifest, blobs = image()
    for name in (".image.tar.0.part", ".other.tar.0.part"):
        (tmp_path / name).write_bytes(b"half")
    write_tar(tmp_path / "image.tar", manifest, PLATFORM, blobs)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.tar.0.part", "image.tar"]


def test_a_layout_that_could_not_be_written_is_one_that_can_be_written_again(
    tmp_path: Path,
) -> None:
    manifest, blobs = image()
    wrong = IteratorBlob(digest_of(LAYER), len(LAYER), lambda: [b"a LAYER"])
    with pytest.raises(BuildError, match="is not what its name says"):
        write_directory(tmp_path / "out", manifest, PLATFORM, {**blobs, wrong.digest: wrong})
    write_directory(tmp_path / "out", manifest, PLATFORM, blobs, "v1")
    check_layout(contents(tmp_path / "out"), manifest)
