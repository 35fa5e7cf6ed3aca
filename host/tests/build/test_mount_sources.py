from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from cogworks.build.cache import Cache
from cogworks.build.mount_sources import BLOBS_MAX, REPOSITORIES_MAX, MountSources
from cogworks.oci.digest import Digest, digest_of
from cogworks.oci.reference import Repository
from cogworks.registry.push import Pushed
from cogworks.registry.upload import Outcome

HOST = "registry.example:5000"
A, B, C, D = (Repository(HOST, name) for name in ("me/a", "me/b", "me/c", "me/d"))
BLOB = digest_of(b"blob")


def pushed(*blobs: Digest, outcome: Outcome = Outcome.EXISTED) -> Pushed:
    return Pushed(digest_of(b"manifest"), dict.fromkeys(blobs, outcome))


@pytest.fixture
def seen(cache: Cache) -> MountSources:
    return MountSources(cache)


def note_file(seen: MountSources) -> Path:
    (path,) = (seen.cache.root / "seen").iterdir()
    return path


def test_the_last_repository_that_was_seen_with_a_blob_comes_first(seen: MountSources) -> None:
    for repository in (A, B, A):
        seen.remember(repository, pushed(BLOB), {})
    assert seen.find(HOST) == {BLOB: [A, B]}
    assert seen.find("other.example") == {}


def test_few_repositories_of_a_blob_are_kept(seen: MountSources) -> None:
    for repository in (A, B, C, D):
        seen.remember(repository, pushed(BLOB), {})
    assert REPOSITORIES_MAX == 3
    assert seen.find(HOST) == {BLOB: [D, C, B]}


def test_what_had_to_be_sent_is_not_where_it_was_thought_to_be(seen: MountSources) -> None:
    seen.remember(A, pushed(BLOB), {})
    seen.remember(B, pushed(BLOB), {})
    tried = seen.find(HOST)
    # Another push has found it elsewhere meanwhile: that stays.
    seen.remember(C, pushed(BLOB), {})
    seen.remember(D, pushed(BLOB, outcome=Outcome.UPLOADED), tried)
    assert seen.find(HOST) == {BLOB: [D, C]}
    seen.remember(A, pushed(BLOB, outcome=Outcome.MOUNTED), seen.find(HOST))
    assert seen.find(HOST) == {BLOB: [A, D, C]}


def test_what_was_seen_first_is_forgotten_first(seen: MountSources) -> None:
    blobs = [
        Digest(hashlib.sha256(str(number).encode()).hexdigest()) for number in range(BLOBS_MAX)
    ]
    seen.remember(A, pushed(*blobs), {})
    seen.remember(A, pushed(blobs[0]), {})
    seen.remember(A, pushed(BLOB), {})
    found = seen.find(HOST)
    assert len(found) == BLOBS_MAX
    assert BLOB in found
    assert blobs[0] in found
    assert blobs[1] not in found


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", '{"blobs": 3}', '{"blobs": {"x": ["a"]}}', '{"blobs": {"y": 3}}'),
        '{"blobs": {"%s": [3, null]}}' % ("0" * 64),
    ],
)
def test_a_damaged_file_counts_as_empty(seen: MountSources, text: str) -> None:
    seen.remember(A, pushed(BLOB), {})
    note_file(seen).write_text(text)
    assert not any(seen.find(HOST).values())
    seen.remember(B, pushed(BLOB), {})
    assert seen.find(HOST)[BLOB] == [B]


def test_pushes_at_the_same_time_lose_no_note(seen: MountSources) -> None:
    blobs = [digest_of(str(number).encode()) for number in range(8)]
    threads = [
        # A cache of its own, as another process has.
        threading.Thread(
            target=MountSources(Cache(seen.cache.root.parent)).remember, args=(A, pushed(blob), {})
        )
        for blob in blobs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen.find(HOST).keys() == set(blobs)


def test_a_note_that_cannot_be_written_is_no_failure(seen: MountSources) -> None:
    seen.cache.root.mkdir(parents=True)
    (seen.cache.root / "seen").write_text("no folder")
    seen.remember(A, pushed(BLOB), {})
    assert seen.find(HOST) == {}
