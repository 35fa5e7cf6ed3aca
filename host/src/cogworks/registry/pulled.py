"""What is known of an image after its documents were fetched; apart from `pull`, so that reading one loads no client."""

from __future__ import annotations

from dataclasses import dataclass

from cogworks.oci.image import ImageConfig
from cogworks.oci.manifest import Manifest
from cogworks.oci.reference import Reference


@dataclass(frozen=True)
class PulledImage:
    """An image without its layers.

    Attributes:
        reference: pinned to the manifest's digest.
        manifest_bytes, config_bytes: as the registry sent them.
    """

    reference: Reference
    manifest: Manifest
    manifest_bytes: bytes
    config: ImageConfig
    config_bytes: bytes
