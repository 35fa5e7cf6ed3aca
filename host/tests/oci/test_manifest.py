from __future__ import annotations

import json
from typing import Any

import pytest

from cogworks.oci.digest import digest_of
from cogworks.oci.errors import DocumentError
from cogworks.oci.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    EMPTY_BLOB,
    MANIFEST_MAX_BYTES,
    OCI_CONFIG,
    OCI_EMPTY,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Index,
    Manifest,
    descriptor_of,
    parse_document,
)
from cogworks.oci.platform import Platform

CONFIG = Descriptor(OCI_CONFIG, digest_of(b"{}"), 2)
LAYER = Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", digest_of(b"layer"), 5)


def test_a_manifest_has_these_bytes_and_this_digest() -> None:
    manifest = Manifest(CONFIG, (LAYER,), annotations={"b": "ü", "a": "1"})
    assert manifest.to_bytes().decode() == (
        '{"annotations":{"a":"1","b":"ü"},'
        f'"config":{{"digest":"{CONFIG.digest}","mediaType":"{OCI_CONFIG}","size":2}},'
        f'"layers":[{{"digest":"{LAYER.digest}","mediaType":"{LAYER.media_type}","size":5}}],'
        f'"mediaType":"{OCI_MANIFEST}","schemaVersion":2}}'
    )
    assert manifest.digest.hex == (
        "5117a7e612a3c53a35f8f07f17aa6cd30caf9eb871d18a3fdeb7c5c48582642c"
    )


def test_what_is_written_is_read_back() -> None:
    index = Index((Descriptor(OCI_MANIFEST, LAYER.digest, 9, platform=Platform("linux", "arm64")),))
    artifact = Manifest(
        Descriptor(OCI_EMPTY, digest_of(EMPTY_BLOB), 2),
        (LAYER,),
        subject=CONFIG,
        artifact_type="application/vnd.example",
    )
    for document in (Manifest(CONFIG, (LAYER, LAYER)), artifact, index):
        assert parse_document(document.to_bytes()) == document


def test_dockers_manifests_and_lists_are_read() -> None:
    docker = Manifest(CONFIG, (LAYER,), media_type=DOCKER_MANIFEST)
    assert parse_document(docker.to_bytes(), DOCKER_MANIFEST) == docker
    entry = descriptor_of(docker, Platform("linux", "amd64"))
    fat = Index((entry,), media_type=DOCKER_LIST)
    assert parse_document(fat.to_bytes()) == fat
    assert entry.size_bytes == len(docker.to_bytes())


def test_a_manifest_without_a_media_type_is_known_by_what_the_registry_says_or_by_its_fields() -> (
    None
):
    value = json.loads(Manifest(CONFIG, ()).to_bytes())
    del value["mediaType"]
    data = json.dumps(value).encode()
    assert isinstance(parse_document(data), Manifest)
    assert parse_document(data, f"{DOCKER_MANIFEST}; charset=utf-8").media_type == DOCKER_MANIFEST
    index = parse_document(b'{"schemaVersion":2,"manifests":[]}', "application/json")
    assert index == Index(())


def test_each_blob_is_uploaded_once_and_the_config_last() -> None:
    assert Manifest(CONFIG, (LAYER, LAYER)).blobs == (LAYER, CONFIG)


def broken(**changes: Any) -> bytes:
    value = json.loads(Manifest(CONFIG, (LAYER,)).to_bytes())
    value |= changes
    return json.dumps({name: item for name, item in value.items() if item != "GONE"}).encode()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<html>", "it is not JSON"),
        (b"[]", "not a JSON object"),
        (b"[" * 100_000, "it is not JSON"),
        (broken(schemaVersion=1), "push the image again with a newer tool"),
        (broken(config="GONE"), "config is missing"),
        (broken(layers="GONE"), "layers is missing"),
        (broken(layers=[1]), "layers should be a list of objects, got '\\[1\\]'"),
        (broken(mediaType="text/html"), "'text/html' is not supported"),
        (broken(manifests=[]), "manifests has no place"),
        (broken(mediaType=OCI_INDEX), "layers has no place"),
        (broken(annotations={"a": 1}), "annotations should be an object of texts"),
        (b" " * (MANIFEST_MAX_BYTES + 1), "more than 4194304"),
    ],
)
def test_what_is_no_manifest_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        parse_document(data)


def test_all_problems_are_told_at_once() -> None:
    layer = {"mediaType": "x", "digest": "md5:1", "size": -1}
    with pytest.raises(DocumentError) as caught:
        parse_document(broken(layers=[layer]), name="r.example/m:v1")
    assert len(caught.value.problems) == 2
    assert "layers[0].digest" in str(caught.value)
    assert "layers[0].size should be a size, got '-1'" in str(caught.value)
    assert str(caught.value).startswith("r.example/m:v1 is not valid")


def test_a_document_that_says_another_type_than_the_registry_is_refused() -> None:
    with pytest.raises(DocumentError, match="the registry says"):
        parse_document(broken(), DOCKER_MANIFEST)
