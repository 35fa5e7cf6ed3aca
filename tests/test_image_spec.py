"""The rules of the image-spec that other tests hold layouts against: a good one has no problem, a broken one has its own."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cogworks.oci.tar import Directory, File, archive
from tests.parts.image_spec import CONFIG, INDEX, LAYER, MANIFEST, problems_of

Document = dict[str, Any]


class Draft:
    """The documents of a layout, to be changed before they are written."""

    def __init__(self) -> None:
        self.tar = b"".join(archive([(Directory("src"), ()), (File("src/a", 1), (b"x",))]))
        self.layer_type = f"{LAYER}+gzip"
        self.config: Document = {
            "architecture": "amd64",
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {"Env": ["A=b=c"], "ExposedPorts": {"5000/tcp": {}}, "WorkingDir": "/src"},
            "rootfs": {"type": "layers", "diff_ids": [digest(self.tar)]},
            "history": [{"created_by": "a"}, {"empty_layer": True}],
        }
        self.manifest: Document = {"schemaVersion": 2, "mediaType": MANIFEST}
        self.index: Document = {"schemaVersion": 2, "mediaType": INDEX}
        self.layout: Document = {"imageLayoutVersion": "1.0.0"}
        self.platform: Document = {"architecture": "amd64", "os": "linux"}

    def write(self, folder: Path) -> None:
        blobs = folder / "blobs" / "sha256"
        blobs.mkdir(parents=True)

        def put(data: bytes, media_type: str) -> Document:
            (blobs / digest(data).partition(":")[2]).write_bytes(data)
            return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

        layer = put(gzip.compress(self.tar, mtime=0), self.layer_type)
        config = put(json.dumps(self.config).encode(), CONFIG)
        manifest = {"config": config, "layers": [layer], **self.manifest}
        entry = put(json.dumps(manifest).encode(), MANIFEST)
        index = {"manifests": [{**entry, "platform": self.platform}], **self.index}
        (folder / "index.json").write_text(json.dumps(index))
        (folder / "oci-layout").write_text(json.dumps(self.layout))


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_a_layout_by_the_book_has_no_problem(tmp_path: Path) -> None:
    Draft().write(tmp_path / "layout")
    assert problems_of(tmp_path / "layout") == []


def drop_schema_version(draft: Draft) -> None:
    draft.manifest = {"mediaType": MANIFEST, "schemaVersion": "2"}


def say_another_type(draft: Draft) -> None:
    draft.index["mediaType"] = MANIFEST


def be_of_another_version(draft: Draft) -> None:
    draft.layout["imageLayoutVersion"] = "2.0.0"


def have_no_layers(draft: Draft) -> None:
    draft.manifest["layers"] = []


def be_index_and_manifest(draft: Draft) -> None:
    draft.manifest["manifests"] = []


def write_a_number_as_annotation(draft: Draft) -> None:
    draft.manifest["annotations"] = {"a": 1}


def name_an_unknown_layer_type(draft: Draft) -> None:
    draft.layer_type = "application/x-tar"


def pack_otherwise_than_said(draft: Draft) -> None:
    draft.layer_type = LAYER


def unpack_to_something_else(draft: Draft) -> None:
    draft.config["rootfs"]["diff_ids"] = [digest(b"other")]


def have_one_diff_id_more(draft: Draft) -> None:
    draft.config["rootfs"]["diff_ids"] += [digest(b"other")]


def have_a_step_more(draft: Draft) -> None:
    draft.config["history"] += [{"created_by": "b"}]


def spell_a_time_otherwise(draft: Draft) -> None:
    draft.config["created"] = "yesterday"


def set_a_variable_without_value(draft: Draft) -> None:
    draft.config["config"]["Env"] = ["A"]


def expose_no_port(draft: Draft) -> None:
    draft.config["config"]["ExposedPorts"] = {"http": {}}


def work_in_a_relative_folder(draft: Draft) -> None:
    draft.config["config"]["WorkingDir"] = "src"


def be_for_two_platforms(draft: Draft) -> None:
    draft.platform["architecture"] = "arm64"


def be_for_an_unknown_machine(draft: Draft) -> None:
    draft.config["architecture"] = draft.platform["architecture"] = "x86_64"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (drop_schema_version, "manifest: schemaVersion"),
        (say_another_type, "index.json: mediaType"),
        (be_of_another_version, "oci-layout: imageLayoutVersion"),
        (have_no_layers, "manifest: layers"),
        (be_index_and_manifest, "manifest: ."),
        (write_a_number_as_annotation, "manifest: annotations/a"),
        (name_an_unknown_layer_type, "no media type of a layer"),
        (pack_otherwise_than_said, "its diff_id is"),
        (unpack_to_something_else, "its diff_id is"),
        (have_one_diff_id_more, "1 layers and 2 diff_ids"),
        (have_a_step_more, "2 steps of history made 1 layers"),
        (spell_a_time_otherwise, "config: created"),
        (set_a_variable_without_value, "config: config/Env/0"),
        (expose_no_port, "config: config/ExposedPorts"),
        (work_in_a_relative_folder, "config: config/WorkingDir"),
        (be_for_two_platforms, "the configuration another platform"),
        (be_for_an_unknown_machine, "config: architecture"),
    ],
)
def test_what_breaks_a_rule_is_named(
    tmp_path: Path, change: Callable[[Draft], None], problem: str
) -> None:
    draft = Draft()
    change(draft)
    draft.write(tmp_path / "layout")
    found = problems_of(tmp_path / "layout")
    assert any(problem in one for one in found), found


def test_a_blob_that_is_cut_or_missing_is_named(tmp_path: Path) -> None:
    Draft().write(tmp_path / "layout")
    blobs = sorted((tmp_path / "layout" / "blobs" / "sha256").iterdir())
    layer = next(one for one in blobs if not one.read_bytes().startswith(b"{"))
    layer.write_bytes(layer.read_bytes()[:-1])
    found = problems_of(tmp_path / "layout")
    assert any("has the digest" in one for one in found)
    assert any(" bytes, not " in one for one in found)
    layer.unlink()
    assert any("is not there" in one for one in problems_of(tmp_path / "layout"))
