"""Manifests and indexes: written as OCI's, read as OCI's or Docker's (version 2, schema 2).

What is read is for looking at. A manifest that is passed on is passed on as the bytes that came, since its digest is
of those. Source: OCI image-spec v1.1, "Image Manifest" and "Image Index".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cogworks.oci.digest import Digest, digest_of
from cogworks.oci.documents import Json, Reader, canonical_json, parse_object
from cogworks.oci.errors import DocumentError, quoted
from cogworks.oci.platform import Platform, normalized

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"

MANIFEST_TYPES = (OCI_MANIFEST, DOCKER_MANIFEST)
INDEX_TYPES = (OCI_INDEX, DOCKER_LIST)
ACCEPTED_TYPES = (*MANIFEST_TYPES, *INDEX_TYPES)
"""What a registry is asked for."""

MANIFEST_MAX_BYTES = 4 * 1024 * 1024
"""The spec asks registries to take this much; more is refused when read."""

EMPTY_BLOB = b"{}"
"""The config of an artifact that has none; its media type is ``OCI_EMPTY``."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """How a document refers to a blob or to another document."""

    media_type: str
    digest: Digest
    size_bytes: int
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    platform: Platform | None = None
    artifact_type: str = ""
    urls: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Return it as a document spells it."""
        return _without_empty(
            {
                "mediaType": self.media_type,
                "digest": str(self.digest),
                "size": self.size_bytes,
                "annotations": self.annotations,
                "platform": None if self.platform is None else _platform_json(self.platform),
                "artifactType": self.artifact_type,
                "urls": list(self.urls),
            },
            keep=("size",),
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image for one platform, or an artifact: then ``artifact_type`` says of what kind."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    subject: Descriptor | None = None
    artifact_type: str = ""
    media_type: str = OCI_MANIFEST

    def to_bytes(self) -> bytes:
        """Return the canonical document."""
        return canonical_json(
            _without_empty(
                {
                    "schemaVersion": 2,
                    "mediaType": self.media_type,
                    "config": self.config.to_json(),
                    "layers": [layer.to_json() for layer in self.layers],
                    "annotations": self.annotations,
                    "subject": None if self.subject is None else self.subject.to_json(),
                    "artifactType": self.artifact_type,
                },
                keep=("layers",),
            )
        )

    @property
    def digest(self) -> Digest:
        """The digest of the canonical document."""
        return digest_of(self.to_bytes())

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Layers and config, each blob once, in the order in which they are to be uploaded."""
        return tuple({blob.digest: blob for blob in (*self.layers, self.config)}.values())


@dataclass(frozen=True, slots=True)
class Index:
    """Images for several platforms under one name."""

    manifests: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    subject: Descriptor | None = None
    artifact_type: str = ""
    media_type: str = OCI_INDEX

    def to_bytes(self) -> bytes:
        """Return the canonical document."""
        return canonical_json(
            _without_empty(
                {
                    "schemaVersion": 2,
                    "mediaType": self.media_type,
                    "manifests": [entry.to_json() for entry in self.manifests],
                    "annotations": self.annotations,
                    "subject": None if self.subject is None else self.subject.to_json(),
                    "artifactType": self.artifact_type,
                },
                keep=("manifests",),
            )
        )

    @property
    def digest(self) -> Digest:
        """The digest of the canonical document."""
        return digest_of(self.to_bytes())


Document: TypeAlias = Manifest | Index


def descriptor_of(document: Document, platform: Platform | None = None) -> Descriptor:
    """Return how an index, or an artifact's subject, refers to a document that we wrote."""
    data = document.to_bytes()
    return Descriptor(
        document.media_type,
        digest_of(data),
        len(data),
        platform=platform,
        artifact_type=document.artifact_type,
    )


def parse_document(data: bytes, media_type: str = "", *, name: str = "the manifest") -> Document:
    """Return the manifest or index in the bytes.

    Args:
        media_type: what the registry said it is, if it did; the document's own word must agree.
        name: what a message calls it.

    Raises:
        DocumentError: it is neither, or not as the spec says; all problems at once.
    """
    if len(data) > MANIFEST_MAX_BYTES:
        raise DocumentError(name, [f"it has {len(data)} bytes, more than {MANIFEST_MAX_BYTES}"])
    reader = Reader(name, parse_object(name, data))
    if reader.value.get("schemaVersion") != 2:
        raise DocumentError(
            name, ["only schemaVersion 2 can be read; push the image again with a newer tool"]
        )
    kind = _kind_of(reader, media_type.partition(";")[0].strip())
    document = _read_index(reader, kind) if kind in INDEX_TYPES else _read_manifest(reader, kind)
    reader.finish()
    return document


def _kind_of(reader: Reader, said: str) -> str:
    own = reader.text("mediaType", default="")
    said = said if said in ACCEPTED_TYPES else ""
    if own and said and own != said:
        raise DocumentError(
            reader.what, [f"its mediaType is {quoted(own)}, the registry says {quoted(said)}"]
        )
    kind = own or said or (OCI_INDEX if "manifests" in reader.value else OCI_MANIFEST)
    if kind not in ACCEPTED_TYPES:
        raise DocumentError(reader.what, [f"its mediaType {quoted(kind)} is not supported"])
    # One that can be read as both is a way to show different people different images (CVE-2021-41190).
    foreign = ("layers", "config") if kind in INDEX_TYPES else ("manifests",)
    both = [key for key in foreign if key in reader.value]
    if both:
        raise DocumentError(reader.what, [f"{both[0]} has no place in {quoted(kind)}"])
    return kind


def _read_manifest(reader: Reader, kind: str) -> Manifest:
    config = reader.child("config")
    if config is None and not reader.problems:
        reader.problems.append("config is missing")
    if "layers" not in reader.value:
        reader.problems.append("layers is missing")
    subject = reader.child("subject")
    return Manifest(
        config=_read_descriptor(config or Reader(reader.what, {}, [])),
        layers=tuple(_read_descriptor(layer) for layer in reader.children("layers")),
        annotations=reader.text_map("annotations"),
        subject=None if subject is None else _read_descriptor(subject),
        artifact_type=reader.text("artifactType", default=""),
        media_type=kind,
    )


def _read_index(reader: Reader, kind: str) -> Index:
    subject = reader.child("subject")
    return Index(
        manifests=tuple(_read_descriptor(entry) for entry in reader.children("manifests")),
        annotations=reader.text_map("annotations"),
        subject=None if subject is None else _read_descriptor(subject),
        artifact_type=reader.text("artifactType", default=""),
        media_type=kind,
    )


def _read_descriptor(reader: Reader) -> Descriptor:
    platform = reader.child("platform")
    return Descriptor(
        media_type=reader.text("mediaType"),
        digest=reader.digest(reader.text("digest"), "digest"),
        size_bytes=reader.number("size"),
        annotations=reader.text_map("annotations"),
        platform=None if platform is None else _read_platform(platform),
        artifact_type=reader.text("artifactType", default=""),
        urls=reader.texts("urls"),
    )


def _read_platform(reader: Reader) -> Platform:
    return normalized(
        reader.text("os"), reader.text("architecture"), reader.text("variant", default="")
    )


def _platform_json(platform: Platform) -> dict[str, Json]:
    return _without_empty(
        {"os": platform.os, "architecture": platform.architecture, "variant": platform.variant}
    )


def _without_empty(fields: dict[str, Json], keep: tuple[str, ...] = ()) -> dict[str, Json]:
    """Leave out what says nothing, so that a value has one spelling."""
    return {name: value for name, value in fields.items() if value or name in keep}
