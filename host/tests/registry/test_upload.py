"""Blobs get there, whatever the registry and the way to it do; and what cannot be mended ends with a clear word."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cogworks.oci.digest import digest_of
from cogworks.oci.manifest import Descriptor
from cogworks.oci.reference import Repository
from cogworks.registry.blobs import Blob, BytesBlob, FileBlob, IteratorBlob, RemoteBlob
from cogworks.registry.client import Client
from cogworks.registry.errors import (
    AnswerError,
    DeniedError,
    RateLimitedError,
    RegistryFailedError,
    SourceBrokenError,
    SourceChangedError,
    TooLargeError,
    UnreachableError,
)
from cogworks.registry.patience import Patience
from cogworks.registry.session import mount
from cogworks.registry.upload import BlobProgress, Outcome, UploadRules, upload_blob
from cogworks.testing.registry import FakeRegistry, Fault

DATA = os.urandom(10_000)
BLOB = BytesBlob(DATA)
CHUNKED = UploadRules(monolithic_max_bytes=100, chunk_bytes=4_000)


@pytest.fixture
def repository(registry: FakeRegistry) -> Repository:
    return Repository(registry.host, "me/model")


def arrived(registry: FakeRegistry, blob: Blob = BLOB) -> bool:
    found = registry.state.find_blob("me/model", str(blob.digest))
    return found is not None and digest_of(found) == blob.digest


def patches(registry: FakeRegistry) -> list[str]:
    return [seen.headers["content-range"] for seen in registry.state.seen if seen.method == "PATCH"]


def methods(registry: FakeRegistry) -> list[str]:
    return [method for method, _ in registry.requests]


def test_a_small_blob_takes_one_put(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    upload_blob(client, repository, BLOB)
    assert methods(registry) == ["HEAD", "POST", "PUT"]
    assert arrived(registry)


def test_a_blob_up_to_96_mib_is_one_piece_and_a_larger_one_is_not() -> None:
    assert UploadRules().monolithic_max_bytes == 96 * 1024 * 1024


def test_a_large_blob_goes_in_chunks_in_order(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    upload_blob(client, repository, BLOB, rules=CHUNKED)
    assert patches(registry) == ["0-3999", "4000-7999", "8000-9999"]
    assert arrived(registry)


def test_the_registrys_chunk_limits_are_honoured(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    registry.limits.chunk_max = 3_000
    upload_blob(client, repository, BLOB, rules=CHUNKED)
    assert patches(registry) == ["0-2999", "3000-5999", "6000-8999", "9000-9999"]
    registry.limits.chunk_max = 0
    registry.limits.chunk_min = 6_000
    registry.state.blobs.clear()
    registry.state.seen.clear()
    upload_blob(client, repository, BLOB, rules=CHUNKED)
    assert patches(registry) == ["0-5999", "6000-9999"]


def test_a_small_blob_beyond_the_registrys_limit_goes_in_chunks_too(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    registry.limits.chunk_max = 6_000
    upload_blob(client, repository, BLOB)
    assert patches(registry) == ["0-5999", "6000-9999"]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"])
def test_what_may_pass_is_tried_again(
    client: Client, registry: FakeRegistry, repository: Repository, method: str, status: int
) -> None:
    registry.add_fault(Fault(method=method, status=status, times=4))
    assert upload_blob(client, repository, BLOB) is Outcome.UPLOADED
    assert arrived(registry)


def test_waits_grow_and_the_fifth_failure_is_the_last(
    client: Client, registry: FakeRegistry, repository: Repository, waits: list[float]
) -> None:
    registry.add_fault(Fault(method="PUT", status=503, times=5))
    with pytest.raises(RegistryFailedError, match="try again later"):
        upload_blob(client, repository, BLOB)
    assert waits == [0.5, 1.0, 2.0, 4.0]


def test_the_registrys_own_wait_is_honoured_up_to_a_limit(
    client: Client, registry: FakeRegistry, repository: Repository, waits: list[float]
) -> None:
    registry.add_fault(Fault(status=429, headers={"Retry-After": "7"}))
    upload_blob(client, repository, BLOB)
    assert waits == [7.0]
    registry.add_fault(Fault(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(RateLimitedError, match="limits how often"):
        upload_blob(client, repository, BLOB)
    assert waits == [7.0]


def test_jitter_halves_a_wait_at_most() -> None:
    waits = list[float]()
    patience = Patience(pause=lambda seconds, _: waits.append(seconds), jitter=lambda: 0.0)
    patience.wait_after(UnreachableError("GET", "http://x/", "gone"), 1)
    assert waits == [0.25]


@pytest.mark.parametrize("after", [0, 1, 5_000, 9_999])
def test_a_connection_that_breaks_in_one_piece_is_tried_again(
    client: Client, registry: FakeRegistry, repository: Repository, after: int
) -> None:
    registry.add_fault(Fault(method="PUT", cut_after_bytes=after, times=2))
    upload_blob(client, repository, BLOB)
    assert arrived(registry)


def test_a_broken_chunk_is_taken_up_where_it_broke(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    registry.add_fault(Fault(method="PATCH", skip=1, cut_after_bytes=1_500))
    upload_blob(client, repository, BLOB, rules=CHUNKED)
    assert patches(registry) == ["0-3999", "4000-7999", "5500-9499", "9500-9999"]
    assert methods(registry).count("POST") == 1
    assert arrived(registry)


def test_progress_gives_new_tries(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    registry.add_fault(Fault(method="PATCH", cut_after_bytes=1_000, times=9))
    upload_blob(client, repository, BLOB, rules=CHUNKED)
    assert arrived(registry)


def test_a_session_that_is_gone_is_started_over(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    registry.add_fault(Fault(method="PATCH", skip=1, status=404, code="BLOB_UPLOAD_UNKNOWN"))
    registry.add_fault(Fault(method="GET", path="uploads", status=404, code="BLOB_UPLOAD_UNKNOWN"))
    upload_blob(client, repository, BLOB, rules=CHUNKED)
    assert methods(registry).count("POST") == 2
    assert patches(registry)[-3:] == ["0-3999", "4000-7999", "8000-9999"]
    assert arrived(registry)


def test_a_session_that_is_gone_before_the_only_put_is_started_over(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    registry.add_fault(Fault(method="PUT", status=404, code="BLOB_UPLOAD_UNKNOWN"))
    upload_blob(client, repository, BLOB)
    assert arrived(registry)


def test_a_registry_that_refuses_chunks_gets_one_piece(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    registry.limits.takes_chunks = False
    upload_blob(client, repository, BLOB, rules=CHUNKED)
    assert arrived(registry)


def test_only_the_answer_was_lost_so_nothing_is_sent_again(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    registry.add_fault(Fault(method="PUT", cut_after_bytes=0))
    registry.state.add_blob("me/model", DATA)
    registry.add_fault(Fault(method="HEAD", status=404))
    registry.state.seen.clear()
    assert upload_blob(client, repository, BLOB) is Outcome.UPLOADED
    assert methods(registry) == ["HEAD", "POST", "PUT", "HEAD"]


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, AnswerError, "Run `cog login 127.0.0.1:"),
        (403, DeniedError, "check the repository's name and your rights"),
        (413, TooLargeError, "raise that limit, or make layers smaller"),
        (418, AnswerError, "POST http://127.0.0.1:"),
    ],
)
def test_what_does_not_pass_ends_at_once_with_advice(
    client: Client,
    registry: FakeRegistry,
    repository: Repository,
    waits: list[float],
    status: int,
    kind: type[AnswerError],
    words: str,
) -> None:
    registry.add_fault(Fault(method="POST", status=status, code="NO", message="the reason"))
    with pytest.raises(kind, match="NO: the reason") as caught:
        upload_blob(client, repository, BLOB)
    assert words in str(caught.value)
    assert waits == []


def test_a_proxys_413_without_an_envelope_is_explained(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    registry.limits.body_max = 5_000
    with pytest.raises(TooLargeError, match="the registry answered 413"):
        upload_blob(client, repository, BLOB)


def test_no_registry_at_all_is_said(repository: Repository, client: Client) -> None:
    with FakeRegistry() as gone:
        nobody = Repository(gone.host, "me/model")
    with pytest.raises(UnreachableError, match=r"no connection .* Check the registry's name"):
        upload_blob(client, nobody, BLOB)


def test_mount_always_names_the_other_repository_of_the_same_registry(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    registry.state.add_blob("base", DATA)
    sources = [
        Repository("other.example", "base"),
        repository,
        Repository(registry.host, "base"),
    ]
    assert upload_blob(client, repository, BLOB, sources) is Outcome.MOUNTED
    mounts = [target for _, target in registry.requests if "mount=" in target]
    assert len(mounts) == 1
    assert re.search(r"\?mount=sha256%3A[0-9a-f]{64}&from=base$", mounts[0])
    with pytest.raises(ValueError, match="another registry"):
        mount(client, repository, BLOB.digest, sources[0])


@pytest.mark.parametrize("status", [401, 403, 404, 405, 500])
def test_a_mount_that_is_refused_becomes_an_upload(
    client: Client, registry: FakeRegistry, repository: Repository, status: int
) -> None:
    registry.add_fault(Fault(method="POST", path="mount=", status=status))
    source = Repository(registry.host, "base")
    assert upload_blob(client, repository, BLOB, [source]) is Outcome.UPLOADED
    assert arrived(registry)


def test_the_session_that_a_failed_mount_opens_is_used(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    upload_blob(client, repository, BLOB, [Repository(registry.host, "base")])
    assert methods(registry) == ["HEAD", "POST", "PUT"]


def test_progress_is_told_and_ends_with_the_outcome(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    events = list[BlobProgress]()
    rules = UploadRules(100, 4_000, events.append)
    upload_blob(client, repository, BLOB, rules=rules)
    assert [event.sent_bytes for event in events] == [4_000, 8_000, 10_000, 10_000]
    assert [event.outcome for event in events] == [None, None, None, Outcome.UPLOADED]


@pytest.mark.parametrize("size", [9_000, 11_000])
def test_a_file_that_changes_meanwhile_is_an_error(
    client: Client, registry: FakeRegistry, repository: Repository, tmp_path: Path, size: int
) -> None:
    path = tmp_path / "blob"
    path.write_bytes(os.urandom(size))
    blob = FileBlob(path, BLOB.digest, len(DATA))
    for rules in (UploadRules(), CHUNKED):
        with pytest.raises(SourceChangedError, match="changed while it was uploaded"):
            upload_blob(client, repository, blob, rules=rules)
    assert not registry.state.blobs


def test_a_blob_is_streamed_from_one_registry_to_another(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    with FakeRegistry() as other:
        other.state.add_blob("base", DATA)
        other.add_fault(Fault(method="GET", cut_after_bytes=3_000))
        registry.add_fault(Fault(method="PATCH", cut_after_bytes=1_000))
        blob = Descriptor("x", BLOB.digest, len(DATA))
        remote = RemoteBlob(client, Repository(other.host, "base"), blob)
        assert upload_blob(client, repository, remote, rules=CHUNKED) is Outcome.UPLOADED
    assert arrived(registry)


def test_a_source_that_breaks_again_and_again_is_given_up_after_five_tries_in_all(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    with FakeRegistry() as other:
        other.state.add_blob("base", DATA)
        other.add_fault(Fault(method="GET", times=100, cut_after_bytes=0))
        blob = Descriptor("x", BLOB.digest, len(DATA))
        remote = RemoteBlob(client, Repository(other.host, "base"), blob)
        with pytest.raises(SourceBrokenError, match=f"GET http://{other.host}/.*connection broke"):
            upload_blob(client, repository, remote, rules=CHUNKED)
        assert len(other.requests) == 5
    assert not arrived(registry)


def test_only_one_block_at_a_time_is_asked_of_an_iterator(
    client: Client, registry: FakeRegistry, repository: Repository
) -> None:
    block, count = os.urandom(1_000), 50
    sent = list[int]()

    def make() -> list[bytes]:
        return [block] * count

    whole = block * count
    rules = UploadRules(on_progress=lambda event: sent.append(event.sent_bytes))
    blob = IteratorBlob(digest_of(whole), len(whole), make)
    upload_blob(client, repository, blob, rules=rules)
    assert sent[:3] == [1_000, 2_000, 3_000]
    assert arrived(registry, blob)


faults = st.lists(
    st.builds(
        Fault,
        method=st.sampled_from(["PATCH", "PUT", "POST", "GET", "HEAD"]),
        skip=st.integers(0, 2),
        status=st.just(0),
        cut_after_bytes=st.integers(0, 5_000),
    )
    | st.builds(
        Fault,
        method=st.sampled_from(["PATCH", "PUT", "POST", "GET", "HEAD"]),
        skip=st.integers(0, 2),
        status=st.sampled_from([408, 429, 500, 503]),
    ),
    max_size=4,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(faults, st.integers(1, 9_000), st.sampled_from([0, 1_000, 2_500]), st.booleans())
def test_any_history_of_up_to_four_failures_ends_with_the_blob_in_place(
    client: Client,
    registry: FakeRegistry,
    repository: Repository,
    history: list[Fault],
    chunk: int,
    chunk_max: int,
    is_chunked: bool,
) -> None:
    registry.state.blobs.clear()
    registry.limits.chunk_max = chunk_max
    for fault in history:
        registry.add_fault(fault)
    limit = 100 if is_chunked else 20_000
    assert upload_blob(client, repository, BLOB, rules=UploadRules(limit, chunk + 500)) in (
        Outcome.UPLOADED,
    )
    assert arrived(registry)
    registry.faults.clear()
