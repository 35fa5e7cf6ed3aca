"""Locks in a registry: found for a day, and replaced after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cogworks.build.shared_locks import ARTIFACT_TYPE, MADE_AT, SharedLock, SharedLocks
from cogworks.oci.manifest import EMPTY_BLOB, OCI_EMPTY, Descriptor, Manifest
from cogworks.oci.reference import Reference, Repository
from cogworks.registry.blobs import BytesBlob
from cogworks.registry.client import Client
from cogworks.registry.uploads import Uploads
from cogworks.testing.registry import FakeRegistry

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
LOCK = SharedLock('lock-version = "1.0"\n', NOON)
KEY = "0123456789abcdef"


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


@pytest.fixture
def repository(registry: FakeRegistry) -> Repository:
    return Repository(registry.host, "team/layers")


@pytest.fixture
def at(client: Client, repository: Repository) -> Callable[[timedelta], SharedLocks]:
    """Return a machine some time after noon."""
    return lambda later: SharedLocks(lambda: client, repository, lambda: NOON + later)


At = Callable[[timedelta], SharedLocks]
SOON, LATE = timedelta(hours=23), timedelta(hours=25)


def put(machine: SharedLocks, lock: SharedLock = LOCK) -> None:
    machine.offer(KEY, lock)
    machine.publish()


def test_a_lock_is_found_for_a_day_and_not_longer(at: At) -> None:
    assert at(SOON).find(KEY) is None
    put(at(timedelta()))
    assert at(SOON).find(KEY) == LOCK
    assert at(SOON).find("another") is None
    assert at(LATE).find(KEY) is None


def test_a_lock_stays_for_its_day_and_is_replaced_then(at: At) -> None:
    put(at(timedelta()))
    put(at(SOON), SharedLock("other", NOON + SOON))
    assert at(SOON).find(KEY) == LOCK
    newer = SharedLock("newer", NOON + LATE)
    put(at(LATE), newer)
    assert at(LATE).find(KEY) == newer


def test_an_old_lock_is_not_put_there(at: At, registry: FakeRegistry) -> None:
    put(at(LATE))
    assert registry.requests == []


def test_nothing_is_sent_where_one_is_there(at: At, registry: FakeRegistry) -> None:
    put(at(timedelta()))
    before = len(registry.requests)
    put(at(SOON))
    assert [method for method, _ in registry.requests[before:]] == ["GET"]


@pytest.mark.parametrize(
    ("kind", "made_at"),
    [(ARTIFACT_TYPE, "yesterday"), (ARTIFACT_TYPE, "2026-01-02T12:00:00"), ("x/y", str(NOON))],
)
def test_an_entry_that_is_not_as_we_write_them_is_none(
    at: At, client: Client, repository: Repository, kind: str, made_at: str
) -> None:
    blob = BytesBlob(EMPTY_BLOB)
    with Uploads(client, repository) as uploads:
        uploads.submit(blob)
    empty = Descriptor(OCI_EMPTY, blob.digest, blob.size_bytes)
    entry = Manifest(empty, (empty,), {MADE_AT: made_at}, artifact_type=kind)
    where = Reference(repository, tag=f"lock-{KEY}")
    client.put_manifest(where, entry.to_bytes(), entry.media_type)
    assert at(SOON).find(KEY) is None
