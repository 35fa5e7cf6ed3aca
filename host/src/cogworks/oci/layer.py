"""A layer as data: what its bytes are, packed and unpacked, and how they are packed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from cogworks.oci.digest import Digest
from cogworks.oci.errors import OciError, quoted
from cogworks.oci.manifest import Descriptor

_OCI = "application/vnd.oci.image.layer.v1.tar"
_DOCKER = "application/vnd.docker.image.rootfs.diff.tar"
_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar"
_NONDISTRIBUTABLE = "application/vnd.oci.image.layer.nondistributable.v1.tar"


class Codec(Enum):
    """How a layer's tar is packed; the value is the suffix of the OCI media type."""

    NONE = ""
    GZIP = "+gzip"
    ZSTD = "+zstd"

    @property
    def media_type(self) -> str:
        """The OCI media type of a layer packed so."""
        return _OCI + self.value


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer's blob.

    Attributes:
        digest: of the blob as it is stored; names it in a registry.
        diff_id: of the unpacked tar; the image's ID depends on it, and not on the codec.
        size_bytes: of the blob as it is stored.
    """

    digest: Digest
    diff_id: Digest
    size_bytes: int
    codec: Codec
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def descriptor(self) -> Descriptor:
        """How a manifest refers to it."""
        return Descriptor(
            self.codec.media_type, self.digest, self.size_bytes, annotations=self.annotations
        )


def codec_of(media_type: str) -> Codec:
    """Return how a layer of a media type, OCI's or Docker's, is packed.

    Raises:
        OciError: it is no layer's media type that we know.
    """
    known = {codec.media_type: codec for codec in Codec}
    known |= {_NONDISTRIBUTABLE + codec.value: codec for codec in Codec}
    known |= {_DOCKER: Codec.NONE, f"{_DOCKER}.gzip": Codec.GZIP, f"{_DOCKER}.zstd": Codec.ZSTD}
    known |= {f"{_FOREIGN}.gzip": Codec.GZIP}
    if media_type not in known:
        raise OciError(f"{quoted(media_type)} is not a layer's media type that can be read.")
    return known[media_type]


def oci_layer_type(media_type: str) -> str:
    """Return OCI's name for a layer's media type, so that one manifest does not mix OCI's with Docker's."""
    if media_type.startswith((_OCI, _NONDISTRIBUTABLE)):
        return media_type
    codec = codec_of(media_type)
    is_foreign = media_type.startswith(_FOREIGN)
    return _NONDISTRIBUTABLE + codec.value if is_foreign else codec.media_type
