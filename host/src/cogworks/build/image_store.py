"""The images that were built on this machine, by name: what they consist of, not a second copy of it.

A record has the image's documents and its layers, whose blobs are in the cache; the layers of the base stay in the base's
registry.

    oci/images/<name>.json        one for each name and platform
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cogworks.build.cache import Cache
from cogworks.oci.digest import Digest, parse_digest
from cogworks.oci.errors import DigestError
from cogworks.oci.platform import Platform
from cogworks.oci.reference import Reference

if TYPE_CHECKING:
    from cogworks.build.assemble import BuiltImage


@dataclass(frozen=True, slots=True)
class StoredImage:
    """What is known of an image that was built here; ``layers`` are its own, without those of its base."""

    name: str
    platform: str
    digest: Digest
    base: str
    layers: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class ImageStore:
    """Records of images in a cache."""

    cache: Cache

    @property
    def folder(self) -> Path:
        """Where the records are."""
        return self.cache.root / "images"

    def find(self, name: Reference, platform: Platform) -> StoredImage | None:
        """Return the image that a name stands for; None if there is none."""
        return _read(self.path(name, platform))

    def all(self) -> Iterator[StoredImage]:
        """Yield every image, sorted by name."""
        found = (_read(path) for path in self.folder.glob("*.json"))
        yield from sorted((one for one in found if one), key=lambda one: (one.name, one.platform))

    def keep(self, name: Reference, image: BuiltImage) -> None:
        """Let a name stand for an image from now on."""
        platform = image.config.platform
        layers = tuple(one.cached.layer.digest for one in image.layers)
        base = str(image.base.reference)
        stored = StoredImage(name.familiar, str(platform), image.digest, base, layers)
        self.write(self.path(name, platform), stored)

    def write(self, path: Path, image: StoredImage) -> None:
        """Let the name of a record stand for an image from now on."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "name": image.name,
            "platform": image.platform,
            "digest": str(image.digest),
            "base": image.base,
            "layers": [str(one) for one in image.layers],
        }
        with self.cache.temporary() as temporary:
            temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")
            temporary.replace(path)

    def path(self, name: Reference, platform: Platform) -> Path:
        """Return where the record of a name is."""
        key = hashlib.sha256(f"{name}\0{platform}".encode()).hexdigest()
        return self.folder / f"{key}.json"


def _read(path: Path) -> StoredImage | None:
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, DigestError):
        noted: object = json.loads(path.read_bytes())
        entry = cast("dict[str, str]", noted)
        layers = cast("dict[str, list[str]]", noted)["layers"]
        return StoredImage(
            entry["name"],
            entry["platform"],
            parse_digest(entry["digest"]),
            entry["base"],
            tuple(parse_digest(one) for one in layers),
        )
    return None
