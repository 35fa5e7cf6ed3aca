"""Reading: checked against digests, bounded, taken up where it broke."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from cogworks.oci.digest import digest_of
from cogworks.oci.errors import DocumentError
from cogworks.oci.manifest import MANIFEST_MAX_BYTES, OCI_MANIFEST, Descriptor
from cogworks.oci.reference import Reference, Repository
from cogworks.registry.blobs import Blob, BytesBlob, IteratorBlob
from cogworks.registry.client import Client
from cogworks.registry.errors import (
    BlobLostError,
    MismatchError,
    ProtocolError,
    RedirectedError,
    RegistryFailedError,
    UnreachableError,
)
from cogworks.registry.pull import pull_blob, pull_image
from cogworks.registry.push import push_image
from cogworks.registry.upload import BlobProgress, Outcome, UploadRules
from cogworks.registry.uploads import Uploads
from cogworks.testing.registry import FakeRegistry, Fault

from .images import AMD64, make_image, make_manifest

DATA = os.urandom(100_000)
BLOB = Descriptor("x", digest_of(DATA), len(DATA))


@pytest.fixture
def repository(registry: FakeRegistry) -> Repository:
    registry.state.add_blob("m", DATA)
    return Repository(registry.host, "m")


@pytest.mark.parametrize("takes_ranges", [True, False])
def test_a_broken_download_goes_on_where_it_broke(
    client: Client, registry: FakeRegistry, repository: Repository, takes_ranges: bool
) -> None:
    registry.limits.takes_ranges = takes_ranges
    for cut in (1, 30_000, 99_999):
        registry.add_fault(Fault(method="GET", cut_after_bytes=cut))
    assert client.read_blob(repository, BLOB, len(DATA)) == DATA
    ranges = [seen.headers.get("range") for seen in registry.state.seen]
    assert ranges[:2] == [None, "bytes=1-"]


def test_a_download_that_never_gets_further_ends(
    client: Client, registry: FakeRegistry, repository: Repository, waits: list[float]
) -> None:
    registry.add_fault(Fault(method="GET", cut_after_bytes=0, times=99))
    with pytest.raises(UnreachableError, match="the connection broke"):
        client.read_blob(repository, BLOB, len(DATA))
    assert len(waits) == 4


@pytest.mark.parametrize("wrong", [bytes(len(DATA)), DATA + b"x"])
def test_wrong_bytes_are_refused_and_no_file_appears(
    client: Client,
    registry: FakeRegistry,
    repository: Repository,
    tmp_path: Path,
    wrong: bytes,
) -> None:
    registry.add_fault(Fault(method="GET", replace_body=wrong))
    with pytest.raises((MismatchError, ProtocolError)):
        pull_blob(client, repository, BLOB, tmp_path / "blob")
    assert list(tmp_path.iterdir()) == []


def test_a_blob_that_is_larger_than_allowed_is_not_read(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    with pytest.raises(ProtocolError, match="100000 bytes, more than 10"):
        client.read_blob(repository, BLOB, 10)
    assert registry.state.seen == []


def test_a_manifest_that_is_not_the_one_of_its_digest_is_refused(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    manifest = make_manifest(b"one")
    registry.state.add_manifest("m", "v1", OCI_MANIFEST, manifest.to_bytes())
    for reference in (Reference(repository, "v1"), Reference(repository, digest=manifest.digest)):
        registry.add_fault(Fault(method="GET", replace_body=make_manifest().to_bytes()))
        with pytest.raises(MismatchError, match="what came is"):
            client.get_manifest(reference)


def test_a_manifest_without_end_is_not_read_to_its_end(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    registry.state.add_manifest("m", "v1", OCI_MANIFEST, bytes(MANIFEST_MAX_BYTES + 1))
    with pytest.raises(ProtocolError, match="more than 4194304 bytes"):
        client.get_manifest(Reference(repository, "v1"))
    registry.state.add_manifest("m", "v2", OCI_MANIFEST, bytes(9 * 1024 * 1024))
    with pytest.raises(UnreachableError, match="more than 8388608 bytes"):
        client.get_manifest(Reference(repository, "v2"))


def test_an_artifact_is_no_image(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    data = make_manifest(b"one").to_bytes().replace(b"vnd.oci.image.config", b"vnd.oci.something")
    registry.state.add_manifest("m", "v1", OCI_MANIFEST, data)
    with pytest.raises(DocumentError, match="it is an artifact and no image"):
        pull_image(client, Reference(repository, "v1"), AMD64)


def test_all_pages_of_tags_are_listed(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    names = sorted(f"v{number}" for number in range(250))
    for name in names:
        registry.state.add_manifest("m", name, OCI_MANIFEST, b"{}")
    assert client.list_tags(repository) == names
    assert len(registry.requests) == 3


def test_a_link_to_another_host_is_not_followed(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    registry.state.add_manifest("m", "v1", OCI_MANIFEST, b"{}")
    link = {"Link": '<https://other.example/v2/m/tags/list>; rel="next"'}
    registry.add_fault(
        Fault(status=200, path="tags", headers=link, replace_body=b'{"tags": ["v1"]}')
    )
    assert client.list_tags(repository) == ["v1"]


def test_an_html_page_instead_of_an_envelope_is_not_shown(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    page = b"<html>" + b"x" * 100_000
    registry.add_fault(Fault(method="GET", status=200, replace_body=page))
    with pytest.raises(ProtocolError, match="not JSON"):
        client.list_tags(repository)


def test_a_slow_registry_is_waited_for(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    registry.add_fault(Fault(method="GET", delay_s=0.05))
    assert client.read_blob(repository, BLOB, len(DATA)) == DATA


def test_layers_come_before_the_config_and_the_manifest_last(
    client: Client, registry: FakeRegistry
) -> None:
    image = make_image(b"one", b"two", b"three")
    push_image(client, Reference(Repository(registry.host, "p"), "v1"), image)
    puts = [target for method, target in registry.requests if method == "PUT"]
    config = image.manifest.config.digest.hex
    assert [config in target for target in puts] == [False, False, False, True, False]
    assert puts[-1] == "/v2/p/manifests/v1"


def test_a_blob_that_vanished_before_the_manifest_is_sent_again_once(
    client: Client, registry: FakeRegistry
) -> None:
    image = make_image(b"one", b"two")
    reference = Reference(Repository(registry.host, "p"), "v1")
    push_image(client, reference, image)
    lost = image.manifest.layers[0].digest
    registry.limits.lose_at_manifest.add(str(lost))
    pushed = push_image(client, reference, image)
    assert pushed.outcomes[lost] is Outcome.UPLOADED
    assert pushed.uploaded == {lost}


def test_what_was_sent_before_a_second_look_counts_as_sent(
    client: Client, registry: FakeRegistry
) -> None:
    image = make_image(b"one", b"two")
    registry.add_fault(Fault("PUT", "manifests", status=404, code="MANIFEST_BLOB_UNKNOWN"))
    pushed = push_image(client, Reference(Repository(registry.host, "p"), "v1"), image)
    assert pushed.uploaded == {one.digest for one in image.manifest.blobs}


def test_uploads_that_are_sent_elsewhere_are_told_with_the_status(
    client: Client, registry: FakeRegistry
) -> None:
    registry.add_fault(Fault("POST", status=308, headers={"Location": "https://r.example/"}))
    with pytest.raises(RedirectedError, match=r"the registry answered 308\. It sends uploads"):
        push_image(client, Reference(Repository(registry.host, "p"), "v1"), make_image(b"one"))


def test_a_registry_that_goes_on_losing_blobs_is_not_fed_forever(
    client: Client, registry: FakeRegistry
) -> None:
    registry.add_fault(
        Fault(method="PUT", path="manifests", status=404, code="MANIFEST_BLOB_UNKNOWN", times=9)
    )
    with pytest.raises(BlobLostError, match=r"MANIFEST_BLOB_UNKNOWN\. The registry does not have"):
        push_image(client, Reference(Repository(registry.host, "p"), "v1"), make_image(b"one"))
    assert (
        sum(method == "PUT" and "manifests" in target for method, target in registry.requests) == 2
    )
    assert registry.state.tags == {}


def test_a_manifest_is_tried_again_when_the_registry_stumbles(
    client: Client, registry: FakeRegistry
) -> None:
    registry.add_fault(Fault(method="PUT", path="manifests", status=503, times=4))
    push_image(client, Reference(Repository(registry.host, "p"), "v1"), make_image(b"one"))
    assert registry.state.tags["p"].keys() == {"v1"}


def test_a_failed_layer_ends_the_push_and_the_name_is_not_touched(
    client: Client, registry: FakeRegistry
) -> None:
    registry.add_fault(Fault(method="PUT", status=500, times=99))
    with pytest.raises(RegistryFailedError):
        push_image(
            client,
            Reference(Repository(registry.host, "p"), "v1"),
            make_image(*(bytes([number]) for number in range(8))),
        )
    assert registry.state.tags == {}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("upload")]


def test_several_blobs_are_sent_at_once(client: Client, registry: FakeRegistry) -> None:
    together = threading.Barrier(4)

    def blob(number: int) -> Blob:
        data = bytes([number])

        def make() -> list[bytes]:
            together.wait(30)
            return [data]

        return IteratorBlob(digest_of(data), 1, make)

    with Uploads(client, Repository(registry.host, "p")) as uploads:
        for number in range(4):
            uploads.submit(blob(number))
    assert len(registry.state.blobs["p"]) == 4


def test_a_blob_that_is_submitted_twice_is_sent_once(
    client: Client, registry: FakeRegistry
) -> None:
    with Uploads(client, Repository(registry.host, "p")) as uploads:
        uploads.submit(BytesBlob(b"one"))
        uploads.submit(BytesBlob(b"one"))
        assert list(uploads.wait().values()) == [Outcome.UPLOADED]
    assert [method for method, _ in registry.requests].count("PUT") == 1


def test_an_error_in_the_with_stops_the_uploads(registry: FakeRegistry) -> None:
    started, go_on = threading.Event(), threading.Event()
    sent = list[BlobProgress]()

    def make() -> list[bytes]:
        started.set()
        go_on.wait(30)
        return [b"x"]

    blob = IteratorBlob(digest_of(b"x"), 1, make)
    rules = UploadRules(on_progress=sent.append)

    def interrupt(client: Client) -> None:
        with Uploads(client, Repository(registry.host, "p"), rules) as uploads:
            uploads.submit(blob)
            assert started.wait(30)
            # The upload goes on when the interrupt is on its way.
            uploads.stop_soon()
            go_on.set()
            raise KeyboardInterrupt

    with Client() as client, pytest.raises(KeyboardInterrupt):
        interrupt(client)
    assert [event.outcome for event in sent if event.outcome] == []
    assert registry.state.blobs == {}
