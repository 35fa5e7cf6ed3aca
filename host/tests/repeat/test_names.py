from __future__ import annotations

import json
from pathlib import Path

from cogworks.build.cache import Cache
from cogworks.build.mount_sources import MountSources
from cogworks.oci.reference import Repository
from cogworks.repeat.names import are_missing, known_blobs, named_digest, note_blobs
from cogworks.repeat.shape import NameRecord, TargetRecord

REPOSITORY = Repository("r.example:5000", "me/model")


def target(cache_dir: Path) -> TargetRecord:
    return {
        "registry": REPOSITORY.registry,
        "repository": REPOSITORY.name,
        "tag": "v1",
        "url": "",
        "insecure": [],
        "seen": str(MountSources(Cache(cache_dir)).path(REPOSITORY.registry)),
    }


def test_blobs_that_were_noted_are_known_in_their_repository_only(tmp_path: Path) -> None:
    digest, other = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    note_blobs(target(tmp_path), [digest, other], str(tmp_path))
    assert known_blobs(target(tmp_path)) == {digest, other}
    elsewhere: TargetRecord = {**target(tmp_path), "repository": "me/other"}
    assert known_blobs(elsewhere) == frozenset()


def test_a_damaged_note_tells_nothing(tmp_path: Path) -> None:
    path = Path(target(tmp_path)["seen"])
    path.parent.mkdir(parents=True)
    for text in ("", "[]", '{"blobs": 3}'):
        path.write_text(text)
        assert known_blobs(target(tmp_path)) == frozenset()


def test_a_name_tells_its_image_if_it_is_known(tmp_path: Path) -> None:
    path = tmp_path / "name.json"
    name: NameRecord = {"name": "m", "path": str(path), "platform": "linux/amd64"}
    assert named_digest(name) == ""
    path.write_text("[]")
    assert named_digest(name) == ""
    path.write_text(json.dumps({"digest": "sha256:1"}))
    assert named_digest(name) == "sha256:1"


def test_a_program_is_missing_if_no_folder_has_it(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    search_path = f"{tmp_path}/none:{tmp_path}/bin"
    assert are_missing(["docker", "podman"], search_path)
    (tmp_path / "bin" / "podman").touch()
    assert not are_missing(["docker", "podman"], search_path)
    assert are_missing([], search_path)
