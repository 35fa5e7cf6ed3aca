"""What a fake registry holds: blobs, manifests, tags, uploads under way, and what it was asked."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast


@dataclass(frozen=True)
class Seen:
    """A request that came; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    size_bytes: int = 0


@dataclass
class Upload:
    """An upload under way; ``turn`` is part of its address, which changes with every answer."""

    repository: str
    data: bytearray = field(default_factory=bytearray)
    turn: int = 0


@dataclass(frozen=True)
class StoredManifest:
    """A manifest as it was put."""

    media_type: str
    data: bytes

    @property
    def subject(self) -> str:
        """The digest of what it refers to, if it is an artifact that belongs to something."""
        subject = cast("dict[str, dict[str, str]]", json.loads(self.data)).get("subject")
        return subject["digest"] if subject else ""


@dataclass
class RegistryState:
    """Everything a registry knows; digests are texts `sha256:...`, as on the wire."""

    blobs: dict[str, dict[str, bytes]] = field(default_factory=dict[str, dict[str, bytes]])
    manifests: dict[str, dict[str, StoredManifest]] = field(
        default_factory=dict[str, dict[str, StoredManifest]]
    )
    tags: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    uploads: dict[str, Upload] = field(default_factory=dict[str, Upload])
    seen: list[Seen] = field(default_factory=list[Seen])
    lock: threading.RLock = field(default_factory=threading.RLock)

    def add_blob(self, repository: str, data: bytes) -> str:
        """Put a blob into a repository and return its digest."""
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        with self.lock:
            self.blobs.setdefault(repository, {})[digest] = bytes(data)
        return digest

    def add_manifest(self, repository: str, target: str, media_type: str, data: bytes) -> str:
        """Put a manifest under a tag or a digest and return its digest."""
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        with self.lock:
            stored = StoredManifest(media_type, data)
            self.manifests.setdefault(repository, {})[digest] = stored
            if not target.startswith("sha256:"):
                self.tags.setdefault(repository, {})[target] = digest
        return digest

    def find_blob(self, repository: str, digest: str) -> bytes | None:
        """Return a blob of a repository."""
        return self.blobs.get(repository, {}).get(digest)

    def find_manifest(self, repository: str, target: str) -> tuple[str, StoredManifest] | None:
        """Return digest and manifest of a tag or a digest."""
        digest = self.tags.get(repository, {}).get(target, target)
        stored = self.manifests.get(repository, {}).get(digest)
        return None if stored is None else (digest, stored)

    def referrers(self, repository: str, subject: str, artifact_type: str) -> dict[str, Any]:
        """Return the index of what refers to a manifest; of one kind, or of all with an empty one."""
        entries = [
            {
                "mediaType": stored.media_type,
                "digest": digest,
                "size": len(stored.data),
                "artifactType": json.loads(stored.data).get("artifactType", ""),
                "annotations": json.loads(stored.data).get("annotations", {}),
            }
            for digest, stored in sorted(self.manifests.get(repository, {}).items())
            if stored.subject == subject
        ]
        fitting = [one for one in entries if artifact_type in ("", one["artifactType"])]
        return {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": fitting,
        }
