"""A document that belongs to an image, such as its bill of materials, as what a registry keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cogworks.oci.manifest import EMPTY_BLOB, OCI_EMPTY, Descriptor, Manifest
from cogworks.registry.blobs import BytesBlob

TITLE = "org.opencontainers.image.title"


@dataclass(frozen=True)
class Artifact:
    """One document that belongs to an image.

    Attributes:
        media_type: of the document; it is the kind of the artifact, too.
        title: a file name, for tools that write it to disk.
        annotations: of the manifest; some tools show them in lists.
    """

    data: bytes = field(repr=False)
    media_type: str
    title: str
    subject: Descriptor
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def blobs(self) -> tuple[BytesBlob, ...]:
        """What the manifest refers to."""
        return BytesBlob(self.data), BytesBlob(EMPTY_BLOB)

    @property
    def manifest(self) -> Manifest:
        """The artifact's manifest."""
        document, empty = self.blobs
        return Manifest(
            Descriptor(OCI_EMPTY, empty.digest, empty.size_bytes),
            (
                Descriptor(
                    self.media_type, document.digest, document.size_bytes, {TITLE: self.title}
                ),
            ),
            self.annotations,
            self.subject,
            self.media_type,
        )
