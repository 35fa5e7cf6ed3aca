from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cogworks.build.cache import CachedLayer
from cogworks.oci.digest import digest_of
from cogworks.oci.layer import Codec, Layer
from cogworks.repeat.image import canonical
from cogworks.repeat.plain_push import Ahead, NotPlainError, push_plainly
from cogworks.repeat.shape import ImageRecord, TargetRecord
from cogworks.testing import FakeRegistry, Fault

CODE, CONFIG, SBOM, EMPTY = b"code", b"{}", b'{"a":1}', b"{}"
OCI = "application/vnd.oci.image"


def entry(media_type: str, data: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": str(digest_of(data)), "size": len(data)}


def image() -> ImageRecord:
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": entry(f"{OCI}.config.v1+json", CONFIG),
        "layers": [entry(f"{OCI}.layer.v1.tar", CODE)],
    }
    artifact = {
        **manifest,
        "artifactType": "text/plain",
        "layers": [entry("text/plain", SBOM)],
        "subject": entry(f"{OCI}.manifest.v1+json", canonical(manifest)),
    }
    return {
        "config": CONFIG.decode(),
        "manifest": canonical(manifest).decode(),
        "artifact": canonical(artifact).decode(),
        "document": "",
        "sbom": SBOM.decode(),
        "base": "",
        "base_name": "",
        "base_shown": "",
        "base_labels": {},
        "base_layer_count": 0,
        "codec": "GZIP",
    }


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        registry.state.add_blob("me/model", SBOM)
        yield registry


def target_at(host: str, seen: str = "") -> TargetRecord:
    return {
        "registry": host,
        "repository": "me/model",
        "tag": "v1",
        "url": f"http://{host}",
        "insecure": [],
        "seen": seen,
    }


def push(registry: FakeRegistry, ahead: Ahead | None = None) -> None:
    blobs = {str(digest_of(data)): data for data in (CODE, CONFIG)}
    push_plainly(target_at(registry.host), image(), blobs, ahead)


def code_layer(folder: Path) -> CachedLayer:
    path = folder / "code"
    path.write_bytes(CODE)
    digest = digest_of(CODE)
    return CachedLayer(Layer(digest, digest, len(CODE), Codec.NONE), path, is_new=True)


def test_blobs_go_first_and_then_the_name(registry: FakeRegistry) -> None:
    push(registry)
    assert set(registry.state.blobs["me/model"].values()) >= {CODE, CONFIG}
    wanted = str(digest_of(image()["manifest"].encode()))
    assert registry.state.tags["me/model"]["v1"] == wanted
    methods = [method for method, _ in registry.requests]
    assert methods == ["POST", "PUT", "POST", "PUT", "PUT", "PUT"]


def test_where_a_registry_lists_no_artifacts_a_tag_does(registry: FakeRegistry) -> None:
    registry.limits.has_referrers = False
    push(registry)
    tag = str(digest_of(image()["manifest"].encode())).replace(":", "-")
    stored = registry.state.manifests["me/model"][registry.state.tags["me/model"][tag]]
    (listed,) = json.loads(stored.data)["manifests"]
    assert listed["digest"] == str(digest_of(image()["artifact"].encode()))
    before = len(registry.requests)
    push(registry)
    # The list is looked at while the name is given: either may be the last.
    assert "GET" in [method for method, _ in registry.requests[before:][-2:]]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(method="POST", status=401),
        Fault(method="POST", status=202, headers={"Location": "http://elsewhere.example/x"}),
        Fault(method="POST", status=202),
        Fault(method="PUT", path="/blobs/", status=307, headers={"Location": "/other"}),
        Fault(method="PUT", path="/manifests/v1", status=400, code="MANIFEST_BLOB_UNKNOWN"),
        Fault(method="PUT", path="/blobs/", cut_after_bytes=1),
        Fault(
            method="PUT",
            path="/manifests/v1",
            status=201,
            headers={"Docker-Content-Digest": "sha256:" + "0" * 64},
        ),
    ],
    ids=["401", "elsewhere", "nowhere", "redirect", "lost blob", "cut", "another digest"],
)
def test_what_is_not_plain_success_is_left_to_others(registry: FakeRegistry, fault: Fault) -> None:
    registry.add_fault(fault)
    with pytest.raises(NotPlainError):
        push(registry)


def test_what_others_have_attached_is_left_alone(registry: FakeRegistry) -> None:
    registry.limits.has_referrers = False
    push(registry)
    tags = registry.state.tags["me/model"]
    tag = str(digest_of(image()["manifest"].encode())).replace(":", "-")
    empty = canonical({"schemaVersion": 2, "manifests": []})
    tags[tag] = registry.state.add_manifest("me/model", tag, f"{OCI}.index.v1+json", empty)
    with pytest.raises(NotPlainError):
        push(registry)


def test_a_layer_that_was_sent_ahead_is_not_sent_again(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    ahead = Ahead(target_at(registry.host), len(CODE))
    ahead.send(code_layer(tmp_path))
    assert ahead.wait() == {str(digest_of(CODE))}
    assert CODE in registry.state.blobs["me/model"].values()
    push(registry, ahead)
    assert [method for method, _ in registry.requests].count("POST") == 2


def test_a_layer_that_is_large_or_known_is_not_sent_ahead(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    seen = tmp_path / "seen.json"
    seen.write_text(json.dumps({"blobs": {digest_of(CODE).hex: ["me/model"]}}))
    for ahead in (
        Ahead(target_at(registry.host), len(CODE) - 1),
        Ahead(target_at(registry.host, str(seen)), len(CODE)),
    ):
        ahead.send(code_layer(tmp_path))
        assert ahead.wait() == frozenset()
    assert registry.requests == []


def test_what_goes_wrong_ahead_is_left_to_others(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.add_fault(Fault(method="POST", status=401))
    ahead = Ahead(target_at(registry.host), len(CODE))
    ahead.send(code_layer(tmp_path))
    with pytest.raises(NotPlainError):
        push(registry, ahead)


def test_a_registry_that_is_not_there_is_not_plain() -> None:
    with FakeRegistry() as registry:
        host = registry.host
    with pytest.raises(NotPlainError):
        push_plainly(target_at(host), image(), {})
