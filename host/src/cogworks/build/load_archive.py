"""What docker and podman load: an OCI layout and docker's `manifest.json` in one archive, in which layers may be missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from cogworks.build.layout import REF_NAME, layout_members
from cogworks.build.packer import with_parents
from cogworks.build.products import BLOBS
from cogworks.oci.digest import Digest
from cogworks.oci.documents import canonical_json
from cogworks.oci.manifest import Manifest
from cogworks.oci.platform import Platform
from cogworks.oci.reference import parse_reference
from cogworks.oci.tar import File, archive
from cogworks.registry.blobs import Blob

_CONTAINERD_NAME = "io.containerd.image.name"


def load_archive(
    manifest: Manifest,
    platform: Platform,
    blobs: Mapping[Digest, Blob],
    name: str,
    left_out: Collection[Digest],
) -> Iterator[bytes]:
    """Yield the archive.

    Args:
        name: as the engine lists it.
        left_out: layers that the engine has.
    """
    reference = parse_reference(name)
    # Containerd and podman read the first; older podmans, and others, the second.
    annotations = {_CONTAINERD_NAME: str(reference), REF_NAME: str(reference)}
    members = layout_members(manifest, platform, blobs, annotations, left_out)
    listing = canonical_json(
        [
            {
                "Config": f"{BLOBS}/{manifest.config.digest.hex}",
                "RepoTags": [name],
                "Layers": [f"{BLOBS}/{one.digest.hex}" for one in manifest.layers],
            }
        ]
    )
    members.append((File("manifest.json", len(listing)), (listing,)))
    return archive(with_parents(members))


def common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many layers two images share, from the lowest on."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
