"""Layers found by their keys in a registry: in the fake one and in a real one; and images built of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from cogworks.build.assemble import BuiltImage
from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.errors import LayerMismatchError
from cogworks.build.layer_index import ARTIFACT_TYPE, FACTS, KEY, LayerIndex
from cogworks.build.layout import write_directory
from cogworks.build.packer import Summary, with_parents, write_layer
from cogworks.build.publish import publish
from cogworks.oci.layer import Codec
from cogworks.oci.manifest import Manifest, parse_document
from cogworks.oci.reference import Reference, Repository, parse_reference
from cogworks.oci.tar import File
from cogworks.registry.client import Client
from cogworks.registry.errors import NotFoundError
from cogworks.registry.patience import Patience
from cogworks.registry.upload import Outcome
from cogworks.testing.registry import FakeRegistry, Fault
from tests.parts.fixtures import real_registry

from .test_assemble import Bench

__all__ = ["real_registry"]

KEY_A, KEY_B = "a" * 64, "b" * 64


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(patience=Patience(pause=lambda seconds, stop: None)) as client:
        yield client


@pytest.fixture(params=["fake", pytest.param("docker-registry", marks=pytest.mark.slow)])
def host(request: pytest.FixtureRequest) -> str:
    if request.param == "fake":
        fake: FakeRegistry = request.getfixturevalue("registry")
        return fake.host
    real: str = request.getfixturevalue("real_registry")
    return real


@pytest.fixture
def repository(host: str, request: pytest.FixtureRequest) -> Repository:
    name = "".join(c if c.isalnum() else "x" for c in request.node.name.lower())
    return Repository(host, f"layers/{name}")


def pack(text: str = "x", codec: Codec = Codec.GZIP) -> Callable[[Path], Summary]:
    def make(path: Path) -> Summary:
        data = text.encode()
        summary = write_layer(with_parents([(File("src/x", len(data)), (data,))]), codec, path)
        return replace(summary, facts={"licenses": {text: {}}})

    return make


def never(path: Path) -> Summary:
    raise AssertionError("nothing should be packed")


class Machine:
    """A cache of its own, and the index that all machines use."""

    def __init__(self, root: Path, client: Client, repository: Repository, **rules: bool) -> None:
        self.index = LayerIndex(lambda: client, repository)
        self.cache = Cache(root, shared=self.index, **rules)
        self.repository = repository

    def layer(
        self, make: Callable[[Path], Summary], key: str = KEY_A, codec: Codec = Codec.GZIP
    ) -> CachedLayer:
        return self.cache.layer(key, codec, make, "numpy", is_shared=True)

    def publish(self, *layers: CachedLayer) -> str:
        return self.index.publish(layers, self.repository)


@pytest.fixture
def machine(tmp_path: Path, client: Client, repository: Repository) -> Callable[..., Machine]:
    def make(name: str, **rules: bool) -> Machine:
        return Machine(tmp_path / name, client, repository, **rules)

    return make


def test_what_one_machine_has_packed_another_one_finds(machine: Callable[..., Machine]) -> None:
    one, two = machine("one"), machine("two")
    made = one.layer(pack())
    assert one.publish(made) == ""
    found = two.layer(never)
    assert found.layer == made.layer
    assert found.facts == made.facts
    assert (found.is_new, found.path.exists()) == (False, False)
    assert b"".join(found.blob.open()) == made.path.read_bytes()
    assert two.cache.missing([KEY_A, KEY_B], Codec.GZIP) == {KEY_B}


def test_a_layer_from_elsewhere_comes_here_when_its_file_is_needed(
    machine: Callable[..., Machine],
) -> None:
    one, two = machine("one"), machine("two")
    made = one.layer(pack())
    one.publish(made)
    here = two.cache.fetch(two.layer(never))
    assert here.path.read_bytes() == made.path.read_bytes()
    assert two.cache.fetch(here) == here
    assert two.cache.fetch(two.layer(never)).elsewhere is None


def test_each_codec_is_an_entry_of_its_own(machine: Callable[..., Machine]) -> None:
    one, two = machine("one"), machine("two")
    one.publish(one.layer(pack()))
    assert two.layer(pack(codec=Codec.ZSTD), codec=Codec.ZSTD).is_new
    two.publish(two.layer(never, codec=Codec.ZSTD))
    three = machine("three")
    assert three.layer(never).layer.codec is Codec.GZIP
    assert three.layer(never, codec=Codec.ZSTD).layer.codec is Codec.ZSTD


def test_publishing_again_sends_nothing(
    machine: Callable[..., Machine], registry: FakeRegistry, host: str
) -> None:
    one = machine("one")
    made = one.layer(pack())
    one.publish(made)
    before = len(registry.requests)
    one.publish(made)
    assert [method for method, _ in registry.requests[before:]] in (["HEAD"], [])


def test_layers_that_are_not_to_be_shared_are_neither_asked_for_nor_published(
    machine: Callable[..., Machine], client: Client
) -> None:
    one = machine("one")
    private = one.cache.layer(KEY_A, Codec.GZIP, pack(), "code")
    assert one.publish(private) == ""
    with pytest.raises(NotFoundError):
        client.get_manifest(Reference(one.repository, tag=f"{KEY_A}-gzip"))


def without_facts(entry: Manifest) -> Manifest:
    return replace(entry, annotations={**entry.annotations, FACTS: "["})


def with_a_list_of_facts(entry: Manifest) -> Manifest:
    return replace(entry, annotations={**entry.annotations, FACTS: "[]"})


def of_another_key(entry: Manifest) -> Manifest:
    return replace(entry, annotations={**entry.annotations, KEY: KEY_B})


def without_annotations(entry: Manifest) -> Manifest:
    return replace(entry, annotations={})


def of_another_kind(entry: Manifest) -> Manifest:
    return replace(entry, artifact_type="application/x")


def without_blob(entry: Manifest) -> Manifest:
    return replace(entry, layers=())


def with_a_blob_that_is_no_layer(entry: Manifest) -> Manifest:
    return replace(entry, layers=(replace(entry.layers[0], media_type="image/png"),))


@pytest.mark.parametrize(
    "damage",
    [
        without_facts,
        with_a_list_of_facts,
        of_another_key,
        without_annotations,
        of_another_kind,
        without_blob,
        with_a_blob_that_is_no_layer,
    ],
)
def test_an_entry_that_is_none_counts_as_none(
    damage: Callable[[Manifest], Manifest],
    tmp_path: Path,
    client: Client,
    registry: FakeRegistry,
) -> None:
    repository = Repository(registry.host, "layers")
    one = Machine(tmp_path / "one", client, repository)
    one.publish(one.layer(pack()))
    tag = Reference(repository, tag=f"{KEY_A}-gzip")
    entry = parse_document(client.get_manifest(tag).data)
    assert isinstance(entry, Manifest)
    assert entry.artifact_type == ARTIFACT_TYPE
    damaged = damage(entry)
    client.put_manifest(tag, damaged.to_bytes(), damaged.media_type)
    assert Machine(tmp_path / "two", client, repository).layer(pack()).is_new


def test_an_index_that_cannot_be_asked_is_asked_no_more_and_said(
    tmp_path: Path, client: Client, registry: FakeRegistry
) -> None:
    registry.add_fault(Fault(path="layers", status=403, code="DENIED", times=99))
    one = Machine(tmp_path, client, Repository(registry.host, "layers"))
    assert one.cache.missing([KEY_A], Codec.GZIP) == {KEY_A}
    count = len(registry.requests)
    made = one.layer(pack())
    one.layer(pack("y"), KEY_B)
    assert len(registry.requests) == count
    (notice,) = one.index.notices
    assert notice.startswith(f"The index of layers in {registry.host}/layers cannot be read: ")
    assert "has not got the layers of this image: " in one.publish(made)


def test_a_layer_that_is_verified_is_packed_anew_and_compared(
    tmp_path: Path, client: Client, registry: FakeRegistry
) -> None:
    repository = Repository(registry.host, "layers")
    one = Machine(tmp_path / "one", client, repository)
    one.publish(one.layer(pack()))
    same = Machine(tmp_path / "two", client, repository, is_verified=True)
    assert same.layer(pack()).is_new
    assert not same.layer(never).is_new
    other = Machine(tmp_path / "three", client, repository, is_verified=True)
    told = rf"the layer numpy is not what {registry.host}/layers has: packed anew, its diff_id is"
    with pytest.raises(LayerMismatchError, match=told):
        other.layer(pack("changed"))
    assert not list(other.cache.root.glob("blobs/sha256/*"))
    # Of its own earlier builds, too.
    again = Machine(tmp_path / "one", client, Repository(registry.host, "x"), is_verified=True)
    with pytest.raises(LayerMismatchError, match="the layer numpy is not what the cache has"):
        again.layer(pack("changed"))


def test_what_cannot_be_repeated_is_not_verified(
    tmp_path: Path, client: Client, registry: FakeRegistry
) -> None:
    repository = Repository(registry.host, "layers")
    one = Machine(tmp_path / "one", client, repository)
    one.publish(one.layer(pack()))
    two = Machine(tmp_path / "two", client, repository, is_verified=True)
    found = two.cache.layer(KEY_A, Codec.GZIP, never, "system", is_shared=True, is_repeatable=False)
    assert not found.is_new


@pytest.fixture
def benches(tmp_path: Path, client: Client, registry: FakeRegistry) -> tuple[Bench, Bench]:
    """Return two machines with the same project, whose caches know one index."""
    found: list[Bench] = []
    for name in ("one", "two"):
        bench = Bench(tmp_path / name, client, registry.host)
        index = LayerIndex(lambda: client, Repository(registry.host, "team/layers"))
        bench.cache = Cache(tmp_path / name / "cache", shared=index)
        found.append(bench)
    return found[0], found[1]


def index_of(bench: Bench) -> LayerIndex:
    assert isinstance(bench.cache.shared, LayerIndex)
    return bench.cache.shared


@pytest.mark.slow
def test_a_fresh_machine_builds_and_pushes_without_packages_and_without_packing(
    benches: tuple[Bench, Bench], client: Client, registry: FakeRegistry
) -> None:
    one, two = benches
    first, second = (parse_reference(f"{registry.host}/me/{name}:v1") for name in ("a", "b"))
    image = one.build()
    assert publish(client, first, image, index=index_of(one)).notices == ()
    again = two.build()
    assert again.digest == image.digest
    assert again.sbom == image.sbom
    assert not (two.cache.root / "wheels" / "sha256").exists()
    packed = {one.title for one in again.layers if one.cached.is_new}
    assert packed == {"environment", "code", "metadata"}
    pushed = publish(client, second, again, index=index_of(two))
    shared = {one.cached.layer.digest for one in again.layers if one.cached.elsewhere}
    assert shared
    assert {pushed.outcomes[one] for one in shared} == {Outcome.MOUNTED}


@pytest.mark.slow
def test_weights_that_one_machine_has_sent_no_other_one_sends(
    benches: tuple[Bench, Bench], client: Client, registry: FakeRegistry
) -> None:
    first, second = (parse_reference(f"{registry.host}/me/{name}:v1") for name in ("a", "b"))
    images: list[BuiltImage] = []
    for bench in benches:
        (bench.project / "weights.bin").write_bytes(Random(1).randbytes(100_000))
        images.append(bench.build(weight_patterns=("*.bin",)))
    publish(client, first, images[0], index=index_of(benches[0]))
    pushed = publish(client, second, images[1], index=index_of(benches[1]))
    (weights,) = (one.cached for one in images[1].layers if one.title == "weights.bin")
    assert pushed.outcomes[weights.layer.digest] is Outcome.MOUNTED
    assert not weights.path.exists()


@pytest.mark.slow
def test_layers_of_an_index_are_fetched_into_a_layout(
    benches: tuple[Bench, Bench], client: Client, registry: FakeRegistry, tmp_path: Path
) -> None:
    one, two = benches
    publish(client, parse_reference(f"{registry.host}/me/a:v1"), one.build(), index=index_of(one))
    image = two.build()
    folder = tmp_path / "layout"
    write_directory(folder, image.manifest, image.config.platform, image.blobs(client))
    there = {path.name for path in (folder / "blobs" / "sha256").iterdir()}
    assert {one.cached.layer.digest.hex for one in image.layers} <= there


@pytest.mark.slow
def test_the_licences_of_layers_from_an_index_are_known(
    benches: tuple[Bench, Bench], client: Client, registry: FakeRegistry
) -> None:
    one, two = benches
    publish(client, parse_reference(f"{registry.host}/me/a:v1"), one.build(), index=index_of(one))
    document = json.loads(two.build().sbom)
    parts = {each["bom-ref"]: each for each in document["components"]}
    assert parts["model/msgspec@0.14"]["licenses"] == [{"license": {"name": "BSD"}}]
