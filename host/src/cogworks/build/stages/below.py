"""The image that a stage runs on: layers that are all on this machine, and a configuration of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from cogworks.build.layout import LAYOUT, write_directory
from cogworks.build.products import BLOBS, LAYOUT_FILE
from cogworks.oci.digest import Digest
from cogworks.oci.image import ImageConfig, RunConfig
from cogworks.oci.layer import Layer
from cogworks.oci.manifest import Manifest
from cogworks.oci.platform import Platform
from cogworks.registry.blobs import Blob, BytesBlob, FileBlob


@dataclass(frozen=True, slots=True)
class LocalLayer:
    """A layer that is a file on this machine."""

    layer: Layer
    path: Path


@dataclass(frozen=True)
class Below:
    """What a stage runs on.

    Attributes:
        environment: the variables of the commands, and nothing else.
        layers: lowest first.
    """

    platform: Platform
    environment: Mapping[str, str]
    layers: tuple[LocalLayer, ...]

    @property
    def diff_ids(self) -> tuple[Digest, ...]:
        """What the layers are, unpacked."""
        return tuple(one.layer.diff_id for one in self.layers)

    @cached_property
    def config(self) -> ImageConfig:
        """The image's configuration: commands run as root, in `/`, by the shell."""
        run = RunConfig(dict(self.environment), cmd=("/bin/sh",), working_dir="/", user="root")
        return ImageConfig(self.platform, run, self.diff_ids)

    @cached_property
    def manifest(self) -> Manifest:
        """The image's manifest."""
        layers = tuple(replace(one.layer.descriptor, annotations={}) for one in self.layers)
        return Manifest(self.config.descriptor, layers)

    @property
    def blobs(self) -> dict[Digest, Blob]:
        """Everything that the manifest names."""
        found: dict[Digest, Blob] = {
            one.layer.digest: FileBlob(one.path, one.layer.digest, one.layer.size_bytes)
            for one in self.layers
        }
        return {**found, self.config.image_id: BytesBlob(self.config.to_bytes())}

    def write_layout(self, folder: Path, tag: str) -> None:
        """Write an OCI layout into a new folder; its layers are links to where they are."""
        target = folder / BLOBS
        target.mkdir(parents=True)
        (folder / LAYOUT_FILE).write_bytes(LAYOUT)
        for one in {one.layer.digest: one for one in self.layers}.values():
            _link(one.path, target / one.layer.digest.hex)
        write_directory(folder, self.manifest, self.platform, self.blobs, tag)


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:
        target.symlink_to(os.path.abspath(source))
