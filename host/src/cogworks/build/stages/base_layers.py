"""The layers of a base on this machine: fetched once, when something has to be executed on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cogworks.build.base_image import Base
from cogworks.build.cache import Cache
from cogworks.build.stages.below import LocalLayer
from cogworks.engines.lease import note_use
from cogworks.engines.progress import Progress
from cogworks.oci.layer import Layer, codec_of
from cogworks.registry.pull import pull_blob

if TYPE_CHECKING:
    from cogworks.registry.client import Client


def fetch_base(
    base: Base, cache: Cache, connect: Callable[[], Client], progress: Progress
) -> tuple[LocalLayer, ...]:
    """Return the layers of a base, lowest first; what is not in the cache comes from its registry.

    Raises:
        RegistryError: it cannot be fetched.
    """
    manifest, config = base.image.manifest, base.image.config
    layers = [
        LocalLayer(
            Layer(one.digest, diff_id, one.size_bytes, codec_of(one.media_type)),
            cache.blob_path(one.digest),
        )
        for one, diff_id in zip(manifest.layers, config.diff_ids, strict=True)
    ]
    for number, (one, descriptor) in enumerate(zip(layers, manifest.layers, strict=True), 1):
        with cache.lock(f"blob-{descriptor.digest.hex}"):
            if cache.is_whole(one.path, descriptor.digest, descriptor.size_bytes):
                note_use(one.path)
                continue
            kilobytes = descriptor.size_bytes / 1e3
            size = f"{kilobytes:.1f} kB" if kilobytes < 100 else f"{kilobytes / 1e3:.1f} MB"
            progress.line(f"fetching layer {number} of {len(layers)} of the base: {size}")
            with cache.temporary() as temporary:
                pull_blob(connect(), base.reference.repository, descriptor, temporary)
                cache.keep(temporary, one.path, descriptor.digest)
    return tuple(layers)
