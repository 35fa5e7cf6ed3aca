"""Pulling: of an image its manifest and configuration only; of a blob its bytes, into a file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cogworks.oci.errors import DocumentError
from cogworks.oci.image import CONFIG_MAX_BYTES, parse_config
from cogworks.oci.manifest import Descriptor, Index, Manifest
from cogworks.oci.platform import Platform, choose
from cogworks.oci.reference import Reference, Repository
from cogworks.registry.client import Client, FetchedManifest
from cogworks.registry.errors import ProtocolError
from cogworks.registry.pulled import PulledImage

INDEX_DEPTH_MAX = 3
"""An index may hold indexes; nobody needs more of them inside each other."""


def pull_image(client: Client, reference: Reference, platform: Platform) -> PulledImage:
    """Return manifest and configuration of the image for a platform.

    Raises:
        PlatformError: it is not for that platform.
        DocumentError: the registry has something else under that name.
    """
    fetched, manifest = _choose_manifest(client, reference, platform)
    if "config" not in manifest.config.media_type and "image" not in manifest.config.media_type:
        raise DocumentError(str(reference), ["it is an artifact and no image"])
    data = client.read_blob(reference.repository, manifest.config, CONFIG_MAX_BYTES)
    config = parse_config(data, name=f"the configuration of {reference}")
    choose([config], platform, str(reference))
    if len(config.diff_ids) != len(manifest.layers):
        raise DocumentError(
            str(reference),
            [f"it has {len(manifest.layers)} layers and {len(config.diff_ids)} diff_ids"],
        )
    pinned = replace(reference, digest=fetched.digest)
    return PulledImage(pinned, manifest, fetched.data, config, data)


def pull_blob(
    client: Client,
    repository: Repository,
    blob: Descriptor,
    path: Path,
    on_bytes: Callable[[int], object] | None = None,
) -> None:
    """Write a blob to a file, which appears only when it is whole and checked.

    Args:
        on_bytes: is told how many bytes have come so far.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            for block in client.open_blob(repository, blob):
                file.write(block)
                if on_bytes is not None:
                    on_bytes(file.tell())
        unfinished.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()


def _choose_manifest(
    client: Client, reference: Reference, platform: Platform
) -> tuple[FetchedManifest, Manifest]:
    """Return the image's manifest, through indexes if there are some."""
    wanted = reference
    for _ in range(INDEX_DEPTH_MAX):
        fetched = client.get_manifest(wanted)
        document = fetched.document
        if isinstance(document, Manifest):
            return fetched, document
        chosen = _choose(document, platform, reference)
        wanted = wanted.with_digest(chosen.digest)
    raise ProtocolError(f"{reference}: more than {INDEX_DEPTH_MAX} indexes inside each other.")


def _choose(index: Index, platform: Platform, reference: Reference) -> Descriptor:
    return choose(index.manifests, platform, str(reference))
