"""Wheels that were built of sources, kept by what they were built of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from cogworks.build.cache import Cache
from cogworks.build.index_credentials import without_user_info
from cogworks.build.lock import LockedSource
from cogworks.build.stages.repacked import repack
from cogworks.build.target import Target
from cogworks.build.wheel_set import WheelFile
from cogworks.engines.lease import note_use
from cogworks.oci.digest import Digest
from cogworks.oci.errors import DigestError


@dataclass(frozen=True, slots=True)
class BuiltWheels:
    """The folder `built` of a cache: a small file for each key, with the wheel's name and digest."""

    cache: Cache

    def find(self, source: LockedSource, key: str) -> WheelFile | None:
        """Return what was built before, if it is still there."""
        cache = self.cache
        with suppress(OSError, ValueError, KeyError, TypeError, DigestError):
            note = self._note(key)
            noted = cast("Mapping[str, str]", json.loads(note.read_bytes()))
            digest, filename = Digest(noted["digest"]), noted["filename"]
            if cache.is_reused and cache.is_whole(cache.wheel_path(digest), digest):
                note_use(note)
                return self._wheel(source, filename, digest)
        return None

    def keep(self, source: LockedSource, key: str, wheel: Path) -> WheelFile:
        """Take a wheel into the cache, packed so that the same files are the same wheel.

        Raises:
            WheelError: it is damaged or unsafe.
        """
        cache, filename = self.cache, wheel.name
        with cache.temporary() as packed:
            repack(wheel, packed)
            with packed.open("rb") as file:
                digest = Digest(hashlib.file_digest(file, "sha256").hexdigest())
            cache.keep(packed, cache.wheel_path(digest), digest)
        note = self._note(key)
        note.parent.mkdir(parents=True, exist_ok=True)
        with cache.temporary() as temporary:
            temporary.write_text(json.dumps({"filename": filename, "digest": digest.hex}))
            temporary.replace(note)
        return self._wheel(source, filename, digest)

    def _wheel(self, source: LockedSource, filename: str, digest: Digest) -> WheelFile:
        path = self.cache.wheel_path(digest)
        size_bytes = path.stat().st_size
        self.cache.note_wheel(digest, filename, size_bytes)
        return WheelFile(source.name, filename, digest, path, size_bytes)

    def _note(self, key: str) -> Path:
        return self.cache.root / "built" / f"{key}.json"


def identity_of(source: LockedSource) -> list[str]:
    """Return what tells a source from others."""
    if source.archive is not None:
        return [source.archive.digest.hex, source.subdirectory]
    if source.folder is not None:
        # Where it is does not count.
        return ["folder", source.commit, source.subdirectory]
    return [without_user_info(source.repository), source.commit, source.subdirectory]


def fits(filename: str, target: Target) -> bool:
    """Tell whether a wheel of that name runs on a target."""
    try:
        tags = parse_wheel_filename(filename)[3]
    except InvalidWheelFilename:
        return False
    return not tags.isdisjoint(target.tags)
