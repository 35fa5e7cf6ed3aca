from __future__ import annotations

import json

from cogworks.build.image import Start, TitledLayer, image_config, image_manifest
from cogworks.build.materials import sbom_artifact
from cogworks.build.revision import REVISION
from cogworks.oci.digest import digest_of
from cogworks.oci.documents import Json, canonical_json
from cogworks.oci.image import ImageConfig, RunConfig
from cogworks.oci.layer import Codec, Layer
from cogworks.oci.manifest import Descriptor, Index, Manifest, descriptor_of
from cogworks.oci.platform import parse_platform
from cogworks.repeat import image as repeated
from cogworks.repeat.image import SCHEMA_LABEL, canonical, listing_of, with_layers
from cogworks.repeat.shape import ImageRecord

BASE = ImageConfig(
    parse_platform("linux/amd64"), RunConfig(labels={REVISION: "of the base", "mine": "ü"})
)
SBOM = b'{"a":1}'


def layer(name: str) -> Layer:
    data = name.encode()
    return Layer(digest_of(data), digest_of(data * 2), len(data), Codec.GZIP)


def record(names: list[str], labels: dict[str, str]) -> ImageRecord:
    """Return an image as the builder makes it."""
    layers = [TitledLayer(name, layer(name)) for name in names]
    config = image_config(BASE, layers, Start(labels=labels))
    base = Manifest(Descriptor("application/json", digest_of(b"x"), 1), ())
    manifest = image_manifest(base, digest_of(b"base"), config, layers)
    return {
        "config": config.to_bytes().decode(),
        "manifest": manifest.to_bytes().decode(),
        "document": labels.get(SCHEMA_LABEL, ""),
        "sbom": SBOM.decode(),
        "artifact": sbom_artifact(SBOM, manifest).manifest.to_bytes().decode(),
        "base": "",
        "base_name": "",
        "base_shown": "",
        "base_labels": dict(BASE.run.labels),
        "base_layer_count": 0,
        "codec": "GZIP",
    }


def titled(image: ImageRecord) -> ImageRecord:
    """Return an image whose history does not tell its layers apart."""
    config = json.loads(image["config"])
    config["history"] = []
    return {**image, "config": canonical(config).decode(), "manifest": "", "artifact": ""}


def test_an_image_with_other_layers_is_what_the_builder_makes_of_them() -> None:
    before = record(["wheels", "code", "metadata"], {SCHEMA_LABEL: "{}", REVISION: "1"})
    layers = [layer("other code"), layer("other metadata")]
    made = with_layers(before, layers, '{"a":"ü"}', {REVISION: "2"})
    labels = {SCHEMA_LABEL: '{"a":"ü"}', REVISION: "2"}
    wanted = record(["wheels", "other code", "other metadata"], labels)
    assert titled(made) == titled(wanted)
    assert json.loads(made["manifest"])["layers"] == json.loads(wanted["manifest"])["layers"]
    subject = json.loads(made["artifact"])["subject"]
    assert subject["digest"] == str(digest_of(made["manifest"].encode()))
    assert subject["size"] == len(made["manifest"].encode())


def test_the_same_layers_come_to_the_same_image() -> None:
    image = record(["wheels", "code", "metadata"], {SCHEMA_LABEL: "{}", REVISION: "1"})
    assert with_layers(image, [layer("code"), layer("metadata")], "{}", {REVISION: "1"}) == image


def test_without_a_commit_the_label_of_the_base_shows_again() -> None:
    image = record(["wheels", "code", "metadata"], {SCHEMA_LABEL: "{}", REVISION: "1"})
    made = with_layers(image, [layer("code"), layer("metadata")], "{}", {})
    labels = json.loads(made["config"])["config"]["Labels"]
    assert labels[REVISION] == "of the base"


def test_an_artifact_is_listed_as_the_client_lists_it() -> None:
    image = record(["code", "metadata"], {})
    manifest = Manifest(Descriptor("application/json", digest_of(b"x"), 1), ())
    artifact = sbom_artifact(SBOM, manifest)
    described = descriptor_of(artifact.manifest)
    entry = Descriptor(
        described.media_type,
        described.digest,
        described.size_bytes,
        artifact.annotations,
        artifact_type=artifact.media_type,
    )
    assert listing_of(artifact.manifest.to_bytes()) == Index((entry,)).to_bytes()
    assert image["document"] == ""


def test_json_is_spelled_as_everywhere() -> None:
    value: Json = {"b": [1, "ü", None], "a": {"c": True}}
    assert canonical(value) == canonical_json(value)
    assert repeated.digest_of(b"x") == str(digest_of(b"x"))
