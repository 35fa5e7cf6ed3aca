"""What every registry does, asked of the fake one and of a real one: so the fake is one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cogworks.oci.digest import digest_of
from cogworks.oci.errors import PlatformError
from cogworks.oci.manifest import OCI_MANIFEST, Descriptor, Index, descriptor_of
from cogworks.oci.platform import Platform
from cogworks.oci.reference import Reference, Repository, parse_reference
from cogworks.registry.blobs import BytesBlob, FileBlob, IteratorBlob, RemoteBlob
from cogworks.registry.client import Client
from cogworks.registry.errors import AnswerError, MismatchError, NotFoundError
from cogworks.registry.pull import pull_blob, pull_image
from cogworks.registry.push import ImageToPush, push_image
from cogworks.registry.session import start_upload
from cogworks.registry.upload import Outcome, UploadRules, upload_blob

from .images import AMD64, make_image, make_manifest

ARM64 = Platform("linux", "arm64")
CHUNKED = UploadRules(monolithic_max_bytes=10, chunk_bytes=1000)


@pytest.fixture
def repository(any_host: str, repository_name: Callable[[str], str]) -> Repository:
    return Repository(any_host, repository_name("a"))


@pytest.fixture
def other(any_host: str, repository_name: Callable[[str], str]) -> Repository:
    return Repository(any_host, repository_name("b"))


def test_it_says_that_it_is_a_registry_and_asks_nobody_who_they_are(
    client: Client, any_host: str
) -> None:
    assert client.check_access(any_host) is False


def test_an_image_is_pushed_and_pulled(client: Client, repository: Repository) -> None:
    reference = Reference(repository, "v1")
    image = make_image(b"one", b"two", b"one")
    pushed = push_image(client, reference, image)
    assert pushed.digest == image.manifest.digest
    assert pushed.uploaded == set(image.blobs)
    pulled = pull_image(client, reference, AMD64)
    assert pulled.manifest == image.manifest
    assert pulled.reference == reference.with_digest(pushed.digest)
    assert digest_of(pulled.config_bytes) == image.manifest.config.digest


def test_what_is_there_is_not_sent_again(client: Client, repository: Repository) -> None:
    image = make_image(b"one", b"two")
    push_image(client, Reference(repository, "v1"), image)
    again = push_image(client, Reference(repository, "v2"), image)
    assert set(again.outcomes.values()) == {Outcome.EXISTED}
    assert client.list_tags(repository) == ["v1", "v2"]


def test_an_index_leads_to_the_platform_that_is_wanted(
    client: Client, repository: Repository
) -> None:
    entries = list[Descriptor]()
    for platform in (AMD64, ARM64):
        image = make_image(platform.architecture.encode(), platform=platform)
        manifest = image.manifest
        push_image(client, Reference(repository, digest=manifest.digest), image)
        entries.append(descriptor_of(manifest, platform))
    index = Index(tuple(entries))
    reference = Reference(repository, "all")
    client.put_manifest(reference, index.to_bytes(), index.media_type)
    pulled = pull_image(client, reference, ARM64)
    assert pulled.reference.digest == entries[1].digest
    assert pulled.config.platform == ARM64
    with pytest.raises(PlatformError, match=r"linux/amd64, linux/arm64\."):
        pull_image(client, reference, Platform("linux", "riscv64"))


def test_an_image_for_another_platform_is_refused(client: Client, repository: Repository) -> None:
    push_image(client, Reference(repository, "v1"), make_image(b"arm", platform=ARM64))
    with pytest.raises(PlatformError, match="not available for linux/amd64"):
        pull_image(client, Reference(repository, "v1"), AMD64)


def test_a_manifest_is_found_without_fetching_it(client: Client, repository: Repository) -> None:
    image = make_image(b"one")
    push_image(client, Reference(repository, "v1"), image)
    found = client.find_manifest(Reference(repository, "v1"))
    assert found == Descriptor(OCI_MANIFEST, image.manifest.digest, len(image.manifest.to_bytes()))
    assert client.find_manifest(Reference(repository, "v2")) is None


def test_what_is_not_there_is_an_error_that_names_it(
    client: Client, repository: Repository
) -> None:
    with pytest.raises(NotFoundError, match=f"GET http://{repository.registry}/v2/.*/manifests/v1"):
        client.get_manifest(Reference(repository, "v1"))
    missing = Descriptor("x", digest_of(b"?"), 1)
    with pytest.raises(NotFoundError, match=r"BLOB_UNKNOWN|NAME_UNKNOWN"):
        client.read_blob(repository, missing, 10)
    assert client.list_tags(repository) == []


def test_a_manifest_without_its_blobs_is_refused(client: Client, repository: Repository) -> None:
    manifest = make_manifest(b"not there")
    with pytest.raises(AnswerError) as caught:
        client.put_manifest(Reference(repository, "v1"), manifest.to_bytes(), OCI_MANIFEST)
    assert "MANIFEST_BLOB_UNKNOWN" in caught.value.codes


@pytest.mark.parametrize("rules", [UploadRules(), CHUNKED], ids=["whole", "chunks"])
def test_a_blob_arrives_whole_however_it_is_sent(
    client: Client, repository: Repository, rules: UploadRules
) -> None:
    data = os.urandom(12_345)
    assert upload_blob(client, repository, BytesBlob(data), rules=rules) is Outcome.UPLOADED
    blob = Descriptor("x", digest_of(data), len(data))
    assert client.read_blob(repository, blob, len(data)) == data
    assert b"".join(client.open_blob(repository, blob, 5_000)) == data[5_000:]


def test_an_empty_blob_is_uploaded(client: Client, repository: Repository) -> None:
    for rules in (UploadRules(), CHUNKED):
        upload_blob(client, repository, BytesBlob(b""), rules=rules)
    assert client.has_blob(repository, digest_of(b""))


def test_files_and_iterators_are_uploaded(
    client: Client, repository: Repository, tmp_path: Path
) -> None:
    data = os.urandom(3_000)
    path = tmp_path / "blob"
    path.write_bytes(data)
    upload_blob(client, repository, FileBlob(path, digest_of(data), len(data)), rules=CHUNKED)
    parts = [data[at : at + 700] for at in range(0, 3_000, 700)][::-1]
    turned = b"".join(parts)
    blob = IteratorBlob(digest_of(turned), len(turned), lambda: parts)
    upload_blob(client, repository, blob, rules=CHUNKED)
    assert client.has_blob(repository, digest_of(data))
    assert client.has_blob(repository, digest_of(turned))


def test_a_wrong_digest_is_refused_by_the_registry(client: Client, repository: Repository) -> None:
    blob = IteratorBlob(digest_of(b"right"), 5, lambda: [b"wrong"])
    with pytest.raises(AnswerError, match="DIGEST_INVALID"):
        upload_blob(client, repository, blob)
    assert not client.has_blob(repository, blob.digest)


def test_a_blob_is_mounted_from_where_it_is(
    client: Client, repository: Repository, other: Repository
) -> None:
    blob = BytesBlob(b"x" * 100)
    upload_blob(client, other, blob)
    assert upload_blob(client, repository, blob, [other]) is Outcome.MOUNTED
    assert client.has_blob(repository, blob.digest)


def test_a_mount_of_what_is_not_there_becomes_an_upload(
    client: Client, repository: Repository, other: Repository
) -> None:
    blob = BytesBlob(b"x" * 100)
    assert upload_blob(client, repository, blob, [other]) is Outcome.UPLOADED
    assert client.has_blob(repository, blob.digest)


def test_a_session_tells_how_much_it_has(client: Client, repository: Repository) -> None:
    session = start_upload(client, repository)
    session.patch(lambda: [b"x" * 100], 100)
    session.patch(lambda: [b"y" * 50], 50)
    assert session.offset == 150
    session.ask()
    assert session.offset == 150
    digest = digest_of(b"x" * 100 + b"y" * 50)
    session.put_end(digest)
    assert client.has_blob(repository, digest)


def test_an_image_is_copied_to_another_name_without_its_bytes(
    client: Client, repository: Repository, other: Repository
) -> None:
    image = make_image(b"one", b"two")
    push_image(client, Reference(other, "v1"), image)
    remote = {blob.digest: RemoteBlob(client, other, blob) for blob in image.manifest.blobs}
    pushed = push_image(client, Reference(repository, "v1"), ImageToPush(image.manifest, remote))
    assert set(pushed.outcomes.values()) == {Outcome.MOUNTED}


def test_a_blob_is_pulled_into_a_file(
    client: Client, repository: Repository, tmp_path: Path
) -> None:
    data = os.urandom(500_000)
    upload_blob(client, repository, BytesBlob(data))
    seen = list[int]()
    blob = Descriptor("x", digest_of(data), len(data))
    pull_blob(client, repository, blob, tmp_path / "blob", seen.append)
    assert (tmp_path / "blob").read_bytes() == data
    assert seen[-1] == len(data)


def test_a_manifest_is_not_put_under_another_digest(client: Client, repository: Repository) -> None:
    reference = parse_reference(f"{repository}@{digest_of(b'other')}")
    with pytest.raises(MismatchError):
        client.put_manifest(reference, make_manifest().to_bytes(), OCI_MANIFEST)
