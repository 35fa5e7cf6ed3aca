"""Artifacts beside images: in a registry that lists them, in one that does not, and in a real one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from cogworks.oci.manifest import OCI_EMPTY, Index, descriptor_of, parse_document
from cogworks.oci.reference import Reference, Repository
from cogworks.registry.artifact import Artifact
from cogworks.registry.client import Client
from cogworks.registry.push import push_image
from cogworks.registry.referrers import (
    ReferrersTagError,
    attach,
    find_referrers,
    referrers_tag,
)
from cogworks.testing.registry import FakeRegistry
from cogworks.testing.registry_faults import Fault

from .images import make_image

KIND = "application/vnd.cyclonedx+json"


@pytest.fixture(
    params=["lists", "does not list", pytest.param("docker-registry", marks=pytest.mark.slow)]
)
def host(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "docker-registry":
        real: str = request.getfixturevalue("real_registry")
        yield real
        return
    fake: FakeRegistry = request.getfixturevalue("registry")
    fake.limits.has_referrers = request.param == "lists"
    yield fake.host


@pytest.fixture
def repository(host: str, repository_name: Callable[[str], str]) -> Repository:
    return Repository(host, repository_name("a"))


def push(client: Client, repository: Repository, content: bytes = b"one") -> Artifact:
    """Push an image and return an artifact of it."""
    image = make_image(content)
    push_image(client, Reference(repository, "v1"), image)
    return Artifact(
        b'{"bomFormat":"CycloneDX"}',
        KIND,
        "sbom.cdx.json",
        descriptor_of(image.manifest),
        {"a": "b"},
    )


def test_an_artifact_is_found_by_its_image(client: Client, repository: Repository) -> None:
    artifact = push(client, repository)
    subject = artifact.subject.digest
    assert find_referrers(client, repository, subject) == ()
    digest = attach(client, repository, artifact)
    (found,) = find_referrers(client, repository, subject)
    assert found.digest == digest
    assert found.artifact_type == KIND
    assert found.annotations == {"a": "b"}
    manifest = parse_document(client.get_manifest(Reference(repository, digest=digest)).data)
    assert manifest == artifact.manifest
    (layer,) = artifact.manifest.layers
    assert client.read_blob(repository, layer, 1000) == artifact.data
    assert artifact.manifest.config.media_type == OCI_EMPTY


def test_attaching_again_changes_nothing(client: Client, repository: Repository) -> None:
    artifact = push(client, repository)
    assert attach(client, repository, artifact) == attach(client, repository, artifact)
    assert len(find_referrers(client, repository, artifact.subject.digest)) == 1


def test_what_others_have_attached_stays(client: Client, repository: Repository) -> None:
    artifact = push(client, repository)
    other = Artifact(b"signature", "application/x.signature", "sig", artifact.subject)
    digests = [attach(client, repository, one) for one in (other, artifact)]
    found = find_referrers(client, repository, artifact.subject.digest)
    assert {one.digest for one in found} == set(digests)
    (only,) = find_referrers(client, repository, artifact.subject.digest, KIND)
    assert only.digest == digests[1]


def test_the_image_is_as_it_was(client: Client, repository: Repository) -> None:
    artifact = push(client, repository)
    attach(client, repository, artifact)
    assert client.get_manifest(Reference(repository, "v1")).digest == artifact.subject.digest


def test_a_registry_that_lists_gets_no_tag(client: Client, registry: FakeRegistry) -> None:
    repository = Repository(registry.host, "me/a")
    attach(client, repository, push(client, repository))
    assert client.list_tags(repository) == ["v1"]


def test_what_is_attached_already_costs_two_questions(
    client: Client, registry: FakeRegistry
) -> None:
    repository = Repository(registry.host, "me/a")
    artifact = push(client, repository)
    attach(client, repository, artifact)
    before = len(registry.requests)
    attach(client, repository, artifact)
    assert [method for method, _ in registry.requests[before:]] == ["HEAD", "GET"]


def test_an_entry_that_another_writer_has_lost_is_added_again(
    client: Client, registry: FakeRegistry
) -> None:
    registry.limits.has_referrers = False
    repository = Repository(registry.host, "me/a")
    artifact = push(client, repository)
    attach(client, repository, artifact)
    # Somebody read the index before that, and writes it now.
    empty = Index(())
    tag = referrers_tag(repository, artifact.subject.digest)
    client.put_manifest(tag, empty.to_bytes(), empty.media_type)
    attach(client, repository, artifact)
    assert len(find_referrers(client, repository, artifact.subject.digest)) == 1


class Stubborn(dict[str, str]):
    """Tags of which one always stays what it was: each write of it is undone at once."""

    def __init__(self, tags: dict[str, str], kept: str) -> None:
        super().__init__(tags)
        self.kept = kept

    def __setitem__(self, name: str, digest: str) -> None:
        super().__setitem__(name, self[name] if name == self.kept else digest)


def test_an_index_that_is_overwritten_all_the_time_is_given_up(
    client: Client, registry: FakeRegistry
) -> None:
    registry.limits.has_referrers = False
    repository = Repository(registry.host, "me/a")
    artifact = push(client, repository)
    tag, empty = referrers_tag(repository, artifact.subject.digest), Index(())
    client.put_manifest(tag, empty.to_bytes(), empty.media_type)
    registry.state.tags["me/a"] = Stubborn(registry.state.tags["me/a"], tag.tag or "")
    with pytest.raises(ReferrersTagError, match="others write this index all the time"):
        attach(client, repository, artifact)


def test_a_tag_that_holds_an_image_is_left_alone(client: Client, registry: FakeRegistry) -> None:
    registry.limits.has_referrers = False
    repository = Repository(registry.host, "me/a")
    artifact = push(client, repository)
    tag = referrers_tag(repository, artifact.subject.digest)
    push_image(client, tag, make_image(b"other"))
    with pytest.raises(ReferrersTagError, match="is an image and no index"):
        attach(client, repository, artifact)
    assert client.get_manifest(tag).digest == make_image(b"other").manifest.digest


def test_an_answer_that_is_no_index_means_that_there_are_no_lists(
    client: Client, registry: FakeRegistry
) -> None:
    repository = Repository(registry.host, "me/a")
    artifact = push(client, repository)
    registry.add_fault(Fault("GET", path="referrers", status=404))
    assert client.find_referrers(repository, artifact.subject.digest) is None


def test_the_same_document_has_the_same_manifest(client: Client, registry: FakeRegistry) -> None:
    artifact = push(client, Repository(registry.host, "me/a"))
    document = json.loads(artifact.manifest.to_bytes())
    assert document["artifactType"] == KIND
    assert document["subject"]["digest"] == str(artifact.subject.digest)
    assert document["layers"][0]["annotations"] == {
        "org.opencontainers.image.title": "sbom.cdx.json"
    }
