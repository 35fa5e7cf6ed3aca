"""Small images for tests."""

from __future__ import annotations

from cogworks.oci.digest import digest_of
from cogworks.oci.image import History, ImageConfig, RunConfig
from cogworks.oci.layer import Codec, Layer
from cogworks.oci.manifest import Manifest
from cogworks.oci.platform import Platform
from cogworks.registry.blobs import Blob, BytesBlob
from cogworks.registry.push import ImageToPush

AMD64 = Platform("linux", "amd64")


def make_config(*layers: bytes, platform: Platform = AMD64) -> ImageConfig:
    """Return a configuration for layers that are not packed."""
    packed = [Layer(digest_of(data), digest_of(data), len(data), Codec.NONE) for data in layers]
    history = [History(f"layer {number}") for number in range(len(layers))]
    return ImageConfig(platform, RunConfig(cmd=("true",))).with_layers(packed, history)


def make_manifest(*layers: bytes, platform: Platform = AMD64) -> Manifest:
    """Return the manifest of those."""
    config = make_config(*layers, platform=platform)
    packed = [Layer(digest_of(data), digest_of(data), len(data), Codec.NONE) for data in layers]
    return Manifest(config.descriptor, tuple(layer.descriptor for layer in packed))


def make_image(*layers: bytes, platform: Platform = AMD64) -> ImageToPush:
    """Return an image with its blobs in memory."""
    config = make_config(*layers, platform=platform).to_bytes()
    blobs: dict[object, Blob] = {digest_of(data): BytesBlob(data) for data in (*layers, config)}
    manifest = make_manifest(*layers, platform=platform)
    return ImageToPush(manifest, {blob.digest: blobs[blob.digest] for blob in manifest.blobs})
