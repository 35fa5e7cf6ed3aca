"""What requirements were resolved to on other machines, kept for a day beside the layers that machines share.

A lock's tag tells what decided on it: requirements, target, indexes. Its time is that of the resolution, and a day later it
counts for nothing: whoever leaves versions open gets new ones, a day late at most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cogworks.oci.manifest import EMPTY_BLOB, OCI_EMPTY, Descriptor, Manifest
from cogworks.oci.reference import Reference, Repository
from cogworks.registry.blobs import BytesBlob
from cogworks.registry.errors import NotFoundError
from cogworks.registry.uploads import Uploads

if TYPE_CHECKING:
    from cogworks.registry.client import Client

ARTIFACT_TYPE = "application/vnd.cogworks.lock.v1"
MEDIA_TYPE = "application/toml"
MADE_AT = "org.opencontainers.image.created"
"""The annotation that tells when it was resolved."""
GOOD_FOR = timedelta(days=1)
MAX_BYTES = 16 * 1024 * 1024
"""A lock that is larger is not shared."""


def now_utc() -> datetime:
    """Return the time, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class SharedLock:
    """The text of a lock, and when it was resolved (UTC)."""

    text: str
    made_at: datetime


class SharedLocks:
    """Locks in one repository; each is asked for once.

    Args:
        connect: returns the client of registries; called when something is looked up.
        now: tells the time.
    """

    def __init__(
        self,
        connect: Callable[[], Client],
        repository: Repository,
        now: Callable[[], datetime] = now_utc,
    ) -> None:
        self._connect, self._repository, self._now = connect, repository, now
        self._offered: dict[str, SharedLock] = {}

    def find(self, key: str) -> SharedLock | None:
        """Return the lock of a key, if there is one of this day.

        Raises:
            RegistryError: the registry cannot be asked, or gives something else.
        """
        entry = self._find_entry(key)
        if entry is None:
            return None
        manifest, made_at = entry
        data = self._connect().read_blob(self._repository, manifest.layers[0], MAX_BYTES)
        return SharedLock(data.decode(errors="replace"), made_at)

    def offer(self, key: str, lock: SharedLock) -> None:
        """Let `publish` put a lock here; one that is a day old is of no use to anybody."""
        if self._is_good(lock.made_at) and len(lock.text.encode()) <= MAX_BYTES:
            self._offered[key] = lock

    def publish(self) -> None:
        """Put what was offered here, where there is nothing as good.

        Raises:
            RegistryError: it could not be done.
        """
        for key, lock in self._offered.items():
            if self._find_entry(key) is None:
                self._put(key, lock)

    def _find_entry(self, key: str) -> tuple[Manifest, datetime] | None:
        try:
            found = self._connect().get_manifest(self._reference(key)).document
        except NotFoundError:
            return None
        if not isinstance(found, Manifest) or found.artifact_type != ARTIFACT_TYPE:
            return None
        try:
            made_at = datetime.fromisoformat(found.annotations.get(MADE_AT, ""))
            is_good = len(found.layers) == 1 and self._is_good(made_at)
        except (ValueError, TypeError):
            return None
        return (found, made_at) if is_good else None

    def _is_good(self, made_at: datetime) -> bool:
        # Clocks differ a little, so it may seem to come from the future.
        return abs(self._now() - made_at) < GOOD_FOR

    def _put(self, key: str, lock: SharedLock) -> None:
        client, data, empty = self._connect(), BytesBlob(lock.text.encode()), BytesBlob(EMPTY_BLOB)
        with Uploads(client, self._repository) as uploads:
            uploads.submit(data)
            uploads.submit(empty)
        entry = Manifest(
            Descriptor(OCI_EMPTY, empty.digest, empty.size_bytes),
            (Descriptor(MEDIA_TYPE, data.digest, data.size_bytes),),
            {MADE_AT: lock.made_at.isoformat()},
            artifact_type=ARTIFACT_TYPE,
        )
        client.put_manifest(self._reference(key), entry.to_bytes(), entry.media_type)

    def _reference(self, key: str) -> Reference:
        return Reference(self._repository, tag=f"lock-{key}")
